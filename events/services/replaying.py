"""What workers do for replays: promise the next portion, as soon as there is room for it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from events.models import Delivery, FinishedDelivery, Replay, Subscriber
from events.services.promises import promise
from events.services.reading import any_of
from events.services.replay_ranges import OUTAGES_AT_ONCE, dead_letters, during, log_between

OUTSTANDING_MAX = 100  # promised, and not tried yet: what is still sent after a pause, or comes before what is new
LATE = timedelta(seconds=0.5)
LOOKED_AT_ONCE = 2000  # positions, of which perhaps no event is wanted


class Portion(NamedTuple):
    """How many events were promised, and how far the replay is with them."""

    promised: int
    cursor: int


def advance_replays() -> bool:
    """Promise a portion of each replay that has room for one; tells whether there was such a replay.

    Any number of workers may call it at once. A portion is promised in the transaction that moves the cursor of its
    replay, under the lock of its subscriber: killed at any moment, a worker leaves both as they were, or both done.
    """
    with_room = [replay for replay in Replay.objects.due(timezone.now()) if _room(replay)]
    for replay in with_room:
        _advance(replay)
    return bool(with_room)


@transaction.atomic
def _advance(seen: Replay) -> None:
    free = Subscriber.objects.select_for_update(skip_locked=True, no_key=True)
    subscriber = free.filter(pk=seen.webhook_id, enabled=True).first()
    now = timezone.now()
    replay = Replay.objects.due(now).filter(pk=seen.pk).first()
    if subscriber is None or replay is None:
        return  # another worker is at it, or somebody paused it
    size = min(_room(replay), replay.rate_per_second or OUTSTANDING_MAX)
    if not size:
        return
    if replay.kind == Replay.Kind.DEAD_LETTERS:
        portion = _promise_letters(replay, subscriber, size)
    else:
        portion = _promise_events(replay, subscriber, size)
    _move_on(replay, portion, now)


def _room(replay: Replay) -> int:
    """How many more may be promised. What failed and waits for its next try takes up no room."""
    return max(0, OUTSTANDING_MAX - Delivery.objects.filter(replay=replay, tries=0).count())


def _promise_events(replay: Replay, subscriber: Subscriber, size: int) -> Portion:
    end = min(replay.until, replay.cursor + LOOKED_AT_ONCE)
    wanted = Q(any_of(subscriber.filters), any_of(replay.filters))
    if replay.kind == Replay.Kind.MISSED:
        within = replay.outages.filter(until__gt=replay.cursor, after__lt=end).order_by("after")
        outages = list(within[:OUTAGES_AT_ONCE])
        wanted &= during(outages)
        end = min([end, *(outage.until for outage in outages[OUTAGES_AT_ONCE - 1 :] if outage.until)])
    events = log_between(replay.cursor, end).filter(wanted)
    found = list(events.only("pk", "position")[:size])
    promise(subscriber, [event.pk for event in found], replay=replay)
    return Portion(len(found), found[-1].position or end if len(found) == size else end)


def _promise_letters(replay: Replay, subscriber: Subscriber, size: int) -> Portion:
    """Each letter is marked as promised again, so that no other replay takes it; by what is pending already, if so."""
    letters = list(dead_letters(subscriber.pk).filter(sequence__gt=replay.cursor, sequence__lte=replay.until)[:size])
    events = list(dict.fromkeys(letter.event_id for letter in letters))
    pending = Delivery.objects.filter(subscriber=subscriber, event__in=events)
    again = dict(pending.values_list("event_id", "pk"))
    promised = promise(subscriber, [event for event in events if event not in again], replay=replay)
    again |= {delivery.event_id: delivery.pk for delivery in promised}
    for letter in letters:
        letter.redelivered_as = again[letter.event_id]
    FinishedDelivery.objects.bulk_update(letters, ["redelivered_as"])
    return Portion(len(letters), letters[-1].sequence if len(letters) == size else replay.until)


def _move_on(replay: Replay, portion: Portion, now: datetime) -> None:
    replay.cursor = portion.cursor
    replay.promised += portion.promised
    if replay.rate_per_second:
        begun = max(replay.due_at, now - LATE)  # so that looking for it late does not slow it down
        replay.due_at = begun + timedelta(seconds=portion.promised / replay.rate_per_second)
    if replay.cursor == replay.until:
        replay.state, replay.finished_at = Replay.State.DONE, now
    replay.save(update_fields=["cursor", "promised", "due_at", "state", "finished_at"])
