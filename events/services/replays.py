"""Replays as people see them: begun, paused, resumed, cancelled and read. What a worker does is in `replaying`."""

from uuid import UUID

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.models import Replay
from events.services.log_head import newest_position
from events.services.promises import WebhookDisabled, lock_webhook
from events.services.replay_ranges import Wanted, measure, missed_between
from events.services.retention import keep_log
from events.services.webhooks import read_webhook
from fastgen_backend.errors import DomainError, FieldError, InvalidInput, NotFound
from fastgen_backend.origin import Origin

RATE_MAX = 1000
State = Replay.State
NOTHING = {
    Replay.Kind.RANGE: gettext_lazy("No event that this webhook subscribes to is kept in this range."),
    Replay.Kind.MISSED: gettext_lazy("It missed no event that it subscribes to, or all of them were replayed."),
    Replay.Kind.DEAD_LETTERS: gettext_lazy("It has no dead letter that is not queued again already."),
}


class NothingToReplay(DomainError):
    status = 409
    code = "nothing-to-replay"
    title = gettext_lazy("There is nothing to replay")


class ReplayUnderWay(DomainError):
    """A webhook has one replay at a time, so that a second click tells nothing twice."""

    status = 409
    code = "replay-under-way"
    title = gettext_lazy("This webhook has a replay under way")


class ReplayOver(DomainError):
    status = 409
    code = "replay-over"
    title = gettext_lazy("This replay is over")


def start_replay(*, webhook_id: UUID, wanted: Wanted, origin: Origin, rate_per_second: int | None = None) -> Replay:
    """Tell a webhook once more what is `wanted`, at most `rate_per_second` events in a second.

    It gets no event that it does not subscribe to, whatever is wanted, and no secrets: tokens and links are null. The
    workers promise a portion at a time, each behind what happened until then. Raises `NotFound`, `InvalidInput`,
    `WebhookDisabled`, `ReplayUnderWay`, `NothingToReplay`, or what `measure` raises.
    """
    _check_rate(rate_per_second)
    extent = measure(read_webhook(webhook_id), wanted)
    with transaction.atomic():
        oldest = keep_log()  # before the subscriber, for which its holder may wait
        subscriber = lock_webhook(webhook_id)
        if not subscriber.enabled:
            raise WebhookDisabled(_("Enable the webhook first; it is told nothing while it is disabled."))
        if Replay.objects.under_way().filter(webhook=webhook_id).exists():
            raise ReplayUnderWay(_("Wait until it is done, or cancel it."))
        is_missed = wanted.kind == Replay.Kind.MISSED
        is_other = is_missed and missed_between(subscriber.webhook) != (extent.after, extent.until)
        if is_other or extent.is_shorter(oldest):
            extent = measure(subscriber.webhook, wanted)  # switched, replayed to, or forgotten since it was counted
        if not extent.total:
            raise NothingToReplay(str(NOTHING[Replay.Kind(wanted.kind)]))
        replay = Replay.objects.create(
            webhook_id=webhook_id,
            kind=wanted.kind,
            filters=list(wanted.filters),
            after=extent.after,
            until=extent.until,
            cursor=extent.after,
            total=extent.total,
            rate_per_second=rate_per_second,
            made_by=origin.actor,
        )
        if is_missed:
            subscriber.webhook.outages.unreplayed().update(replay=replay)
    return replay


def forget_missed(*, webhook_id: UUID) -> None:
    """Take what this webhook missed while it was off for nothing to replay. Raises `NotFound`.

    While it is off, what it misses from now on is missed all the same.
    """
    with transaction.atomic():
        outages = lock_webhook(webhook_id).webhook.outages.unreplayed()
        outages.update(after=Coalesce("until", Value(newest_position())))


def pause_replay(*, replay_id: UUID) -> Replay:
    """Promise nothing more until it is resumed; what is promised already is still sent, at most 100 events.

    Raises `NotFound` or `ReplayOver`.
    """
    return _change(replay_id, to=State.PAUSED)


def resume_replay(*, replay_id: UUID) -> Replay:
    """Go on where it was paused. Raises `NotFound` or `ReplayOver`."""
    return _change(replay_id, to=State.RUNNING)


def cancel_replay(*, replay_id: UUID) -> Replay:
    """Promise nothing more, ever; what is promised already is still sent, at most 100 events.

    What it has left of what was missed, or of dead letters, can be replayed anew. Raises `NotFound` or `ReplayOver`.
    """
    return _change(replay_id, to=State.CANCELLED)


def read_replay(replay_id: UUID) -> Replay:
    """One replay; raises `NotFound`."""
    replay = Replay.objects.filter(pk=replay_id).first()
    if replay is None:
        raise NotFound(_("There is no such replay."))
    return replay


def _change(replay_id: UUID, *, to: State) -> Replay:
    with transaction.atomic():
        lock_webhook(read_replay(replay_id).webhook_id)  # as the workers do
        replay = read_replay(replay_id)
        if replay.state == to:
            return replay
        if replay.state in {State.DONE, State.CANCELLED}:
            raise ReplayOver(_("It is %(state)s.") % {"state": replay.get_state_display().lower()})
        replay.state = to
        replay.finished_at = timezone.now() if to == State.CANCELLED else None
        replay.save(update_fields=["state", "finished_at"])
        if to == State.CANCELLED:
            left = replay.outages.filter(until__gt=replay.cursor)
            left.update(replay=None, after=Greatest("after", Value(replay.cursor)))
    return replay


def _check_rate(rate: int | None) -> None:
    if rate is not None and not 1 <= rate <= RATE_MAX:
        detail = _("From 1 to %(count)d events in a second; null sets no limit.") % {"count": RATE_MAX}
        raise InvalidInput([FieldError("/ratePerSecond", "invalid", detail)])
