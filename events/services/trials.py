"""Trial calls: signed and sent like any delivery, with an example that says so, and never repeated."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from events.catalog import CUSTOM_PREFIX, KINDS, EventKind, EventType
from events.envelope import NOT_SHOWN, as_json, envelope, has_secret
from events.filters import check_filter, matches
from events.models import Attempt, Event, Trial
from events.services.acknowledgement import log_attempts
from events.services.claims import Claim, target_of
from events.services.leases import living_workers
from events.services.outcomes import Outcome
from events.services.promises import lock_webhook
from events.services.secrets import is_confidential
from events.services.webhooks import read_webhook
from fastgen_backend.errors import FieldError, InvalidInput, TooManyRequests
from fastgen_backend.origin import Origin

MINUTE = timedelta(minutes=1)
MOST_A_MINUTE = 10  # of one webhook: it is for people who look at the answer, and no tool to probe other machines
MOST_A_MINUTE_OF_ALL = 60
KEPT = timedelta(days=1)


def ask_for_trial(*, webhook_id: UUID, origin: Origin, event_filter: str = "") -> Trial:
    """Have a worker call a webhook once, with the example of an event that it subscribes to and `event_filter` names.

    The outcome is its delivery's (see `delivery_log.read_delivery`), within seconds; neither health nor circuit hear of
    it. A webhook that is disabled is called as well: so one sees whether it is worth enabling. Raises `NotFound`,
    `InvalidInput` where it subscribes to no such event, or `TooManyRequests`.
    """
    webhook = read_webhook(webhook_id)
    if event_filter:
        check_filter(event_filter, field="event")
    type, stage, data = _example(webhook.subscriber.filters, event_filter)
    with transaction.atomic():
        lock_webhook(webhook_id)  # they are counted one after the other
        _check_rate(webhook_id)
        return Trial.objects.create(
            webhook=webhook,
            event_type=type,
            event_stage=stage,
            source=origin.source,
            data=data,
            made_by=origin.actor,
        )


def claim_trials(worker: UUID, room: int) -> list[Claim]:
    """Take at most `room` trial calls into this worker's hands, also those of workers that died over them."""
    if room < 1 or not Trial.objects.free(living_workers()).exists():
        return []
    with transaction.atomic():
        free = Trial.objects.free(living_workers()).select_for_update(skip_locked=True, of=("self",))
        trials = list(free.select_related("webhook")[:room])
        Trial.objects.filter(pk__in=[trial.pk for trial in trials]).update(worker=worker)
    return [_claim(trial, worker) for trial in trials]


def finish_trial(outcome: Outcome) -> None:
    """Write down how a trial call went, unless its webhook was deleted meanwhile."""
    with transaction.atomic():
        made = Trial.objects.filter(pk=outcome.claim.id, delivered=None)
        if made.update(delivered=outcome.delivered):
            log_attempts([outcome])


def drop_trials() -> None:
    """Have none of the trial calls made that nobody has the outcome of yet; other ones stay."""
    Trial.objects.filter(delivered=None).delete()


def forget_trials() -> int:
    """Delete the trials of yesterday, with their attempts; tells how many."""
    old = list(Trial.objects.filter(created_at__lt=timezone.now() - KEPT).values_list("pk", flat=True)[:1000])
    if old:
        with transaction.atomic():
            Attempt.objects.filter(delivery_id__in=old).delete()
            Trial.objects.filter(pk__in=old).delete()
    return len(old)


def told_by(trial: Trial) -> dict[str, Any]:
    """The envelope that is sent: like that of an event, with `"test": true`, and without a position.

    The token and link of an example open nothing; they are shown where true ones would be.
    """
    secrets = {name: trial.data[name] for name in NOT_SHOWN} if _shows_secrets(trial) else None
    told = envelope(event_of(trial), secrets=secrets)
    data = told.pop("data")
    return {**told, "test": True, "data": data}


def event_of(trial: Trial) -> Event:
    """The event that never happened; it is in no database."""
    return Event(
        uid=trial.event_uid,
        type=trial.event_type,
        stage=trial.event_stage,
        source=trial.source,
        data=trial.data,
        created_at=trial.created_at,
    )


def _shows_secrets(trial: Trial) -> bool:
    return has_secret(trial.event_type, trial.event_stage) and is_confidential(trial.webhook)


def _claim(trial: Trial, worker: UUID) -> Claim:
    target = target_of(trial.webhook)
    event = event_of(trial)
    return Claim(
        id=trial.pk,
        worker=worker,
        fence=0,
        tries=0,
        subscriber_id=trial.webhook_id,
        event_id=0,
        sequence=0,
        public_id=event.public_id,
        event_type=event.type,
        body=as_json(told_by(trial)),
        hidden=target.secrets,
        target=target,
        handler="",
    )


def _example(filters: Sequence[str], event_filter: str) -> tuple[str, str, dict[str, Any]]:
    """Type, stage and data of an example: of what most people want to see first, where it is subscribed to."""
    wanted = [event_filter] if event_filter else ["*"]
    kinds = [
        kind for kind in KINDS if matches(filters, kind.type, kind.stage) and matches(wanted, kind.type, kind.stage)
    ]
    if kinds:
        kind = min(kinds, key=_unfamiliarity)
        return kind.type, kind.stage, dict(kind.example)
    for name in map(_custom_example, [*wanted, *filters]):
        if name and matches(filters, name, "") and matches(wanted, name, ""):
            return name, "", {"example": True}
    detail = _("The webhook subscribes to no such event; its filters are %(filters)s.") % {
        "filters": ", ".join(filters)
    }
    raise InvalidInput([FieldError("/event", "not-subscribed", detail)])


def _unfamiliarity(kind: EventKind) -> bool:
    return kind.type != EventType.USER_SIGNED_UP


def _custom_example(text: str) -> str:
    """The name of a custom event that a filter matches; empty where it matches none."""
    if text == "*":
        return f"{CUSTOM_PREFIX}example"
    return text.replace("*", "example") if text.startswith(CUSTOM_PREFIX) else ""


def _check_rate(webhook_id: UUID) -> None:
    if not settings.THROTTLES:
        return
    recent = Trial.objects.made_since(timezone.now() - MINUTE)
    if recent.filter(webhook=webhook_id).count() >= MOST_A_MINUTE or recent.count() >= MOST_A_MINUTE_OF_ALL:
        raise TooManyRequests(_("That were many tests; please wait a minute."), retry_after=int(MINUTE.total_seconds()))
