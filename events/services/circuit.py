"""The circuit of a webhook: an endpoint that is down is left alone, but for a probe from time to time.

While it is open, deliveries wait without using up a retry; a probe is one of them, and does. Claims see to it that
there is one at most: with the subscriber locked, they take it only while nothing else of the webhook is under way.
"""

from datetime import datetime, timedelta

from events.models import Webhook
from events.services.outcomes import LONGEST_RETRY_AFTER_SECONDS, Outcome

# Envoy ejects an upstream host after 5 failures in a row and for 300 s at most (outlier detection: `consecutive_5xx`,
# `max_ejection_time`). Ours begins with less than its 30 s: one host behind it is all there is.
FAILURES_TO_OPEN = 5
SHORTEST_SECONDS = 10
LONGEST_SECONDS = 300


def note_outcome(webhook: Webhook, outcome: Outcome, now: datetime) -> None:
    """Keep `failures` and `open_until` true, in memory; the caller has locked the row and saves it.

    It opens after 5 failures in a row that tell of the endpoint, at once where the answer asks to wait, and again after
    a probe that failed, for 10 s to begin with and twice as long each time, up to 5 min, or as long as it is asked to.
    Any other answer closes it, be it a refusal of one event: somebody is there.
    """
    if not outcome.is_of_endpoint:
        webhook.failures, webhook.open_until = 0, None
        return
    if webhook.open_until and outcome.at < webhook.open_until:
        return  # it began before the circuit opened, and says nothing new
    webhook.failures += 1
    wait = float(min(outcome.retry_after, LONGEST_RETRY_AFTER_SECONDS))
    if webhook.failures >= FAILURES_TO_OPEN:
        doublings = min(webhook.failures - FAILURES_TO_OPEN, 10)
        wait = max(wait, min(SHORTEST_SECONDS * 2.0**doublings, LONGEST_SECONDS))
    if wait:
        webhook.open_until = now + timedelta(seconds=wait)
