"""Counts by the hour for the overview, so that nobody has to count the log, and purging it changes no past."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import connection

from events.catalog import EventType
from events.models import Tally
from events.services.outcomes import Outcome

What = Tally.What
COUNTED: Mapping[str, str] = {
    EventType.USER_SIGNED_UP: What.SIGN_UPS,
    EventType.USER_LOGGED_IN: What.LOGINS,
    EventType.LOGIN_FAILED: What.FAILED_LOGINS,
}
ADD = """
INSERT INTO events_tally (what, hour, count) VALUES {rows}
ON CONFLICT (what, hour) DO UPDATE SET count = events_tally.count + excluded.count
"""


def tally_events(happened: Iterable[tuple[str, datetime]]) -> None:
    """Count events, given by type and time. In the transaction that sequences them, so that each is counted once."""
    _add(Counter((COUNTED[type], hour_of(at)) for type, at in happened if type in COUNTED))


def tally_calls(outcomes: Sequence[Outcome]) -> None:
    """Count the calls of webhooks. In the transaction that acknowledges them, as the last thing it does."""
    calls = (outcome for outcome in outcomes if outcome.claim.target)
    _add(Counter((What.DELIVERED if each.delivered else What.FAILED_CALLS, hour_of(each.at)) for each in calls))


def hour_of(moment: datetime) -> datetime:
    """The hour that `moment` is in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _add(counts: Mapping[tuple[str, datetime], int]) -> None:
    """Add to the tallies, always in the same order, so that two who do it at once can't wait for each other."""
    if not counts:
        return
    adapt = connection.ops.adapt_datetimefield_value
    values = [value for (what, hour), count in sorted(counts.items()) for value in (str(what), adapt(hour), count)]
    with connection.cursor() as cursor:
        cursor.execute(ADD.format(rows=", ".join(["(%s, %s, %s)"] * len(counts))), values)
