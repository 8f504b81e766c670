"""Puts what a webhook has pending into the lanes of its mode, which has changed: portion by portion.

`arranged_up_to` tells how far that is: up to this sequence, all is as `lanes` says. What is behind it may still be in
lanes of a mode before, or, promised since, be free beside another. So nothing of the webhook is claimed until all is
done, unless its mode keeps no order by now; what is under way goes on.
"""

from django.db import transaction
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import NullIf

from events.models import Delivery, Event, Subscriber, Webhook
from events.services.lanes import ALL, Lane, free_heads

PORTION = 500  # deliveries: some ten milliseconds in which nothing is promised to this webhook


def begin_to_arrange(webhook: Webhook) -> None:
    """Begin anew, as its mode has changed. The caller has locked its subscriber. Of most webhooks, it is done at once.

    The workers do the rest, whatever is pending for it or promised meanwhile.
    """
    webhook.arranged_up_to = 0
    _arrange(webhook)


def arrange_some() -> bool:
    """Put a portion of each webhook whose mode has changed into its lanes; tells whether there was such a webhook.

    Any number of workers may call it at once. A portion is written in the transaction that says how far it is: killed
    at any moment, a worker leaves both as they were, or both done.
    """
    changed = list(Webhook.objects.filter(arranged_up_to__isnull=False))
    for webhook in changed:
        _go_on(webhook)
    return bool(changed)


@transaction.atomic
def _go_on(seen: Webhook) -> None:
    """Locked against acknowledgements, too, where these have to see which lane they free: see `acknowledgement`."""
    no_order = seen.mode == Webhook.Mode.PARALLEL
    free = Subscriber.objects.select_for_update(skip_locked=True, no_key=no_order)
    if free.filter(pk=seen.pk).first() is None:
        return  # another worker is at it, and if not, it is looked at again
    webhook = Webhook.objects.filter(pk=seen.pk, mode=seen.mode, arranged_up_to__isnull=False).first()
    if webhook:
        _arrange(webhook)


def _arrange(webhook: Webhook) -> None:
    behind = Delivery.objects.filter(subscriber=webhook.pk, sequence__gt=webhook.arranged_up_to)
    sequences = list(behind.order_by("sequence").values_list("sequence", flat=True)[:PORTION])
    if sequences:
        _put_into_lanes(webhook, behind.filter(sequence__lte=sequences[-1]))
    webhook.arranged_up_to = sequences[-1] if len(sequences) == PORTION else None
    webhook.save(update_fields=["arranged_up_to"])


def _put_into_lanes(webhook: Webhook, portion: QuerySet[Delivery]) -> None:
    """All before these are in theirs: so of each lane, the first is among those, or among these."""
    if webhook.mode == Webhook.Mode.PARALLEL:
        portion.filter(lane__isnull=False).update(lane=None, blocked=False)
        return
    subject = Subquery(Event.objects.filter(pk=OuterRef("event")).values("subject")[:1])
    lane = Value(ALL, CharField()) if webhook.mode == Webhook.Mode.ORDERED else NullIf(subject, Value(""))
    portion.update(lane=lane, blocked=True)
    portion.filter(lane=None).update(blocked=False)
    names = portion.filter(lane__isnull=False).values_list("lane", flat=True).distinct()
    free_heads({Lane(webhook.pk, name) for name in names if name})
