"""How a webhook fares, in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from events.models import Webhook
from events.services import circuit
from events.services.webhook_figures import MOST

MODE_WORDS: dict[str, tuple[str | Promise, str | Promise]] = {
    Webhook.Mode.PARALLEL: (
        gettext_lazy("Parallel"),
        gettext_lazy("As fast as it can: several calls at once, in no order. Right for most receivers."),
    ),
    Webhook.Mode.PER_SUBJECT: (
        gettext_lazy("In order for each subject"),
        gettext_lazy("Events of one person, table or row come one after the other; others beside them."),
    ),
    Webhook.Mode.ORDERED: (
        gettext_lazy("In order"),
        gettext_lazy("One call at a time, in the order of the log. One that fails holds up all behind it."),
    ),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`kind` is `good`, `warn`, `bad` or empty, as of tags; `word` says it, `text` says more, where there is more."""

    kind: str
    word: str
    text: str = ""
    since: datetime | None = None


def standing_of(webhook: Any, now: datetime) -> Standing:
    """Whether it is healthy, and if not, since when and why; with the annotations of `with_figures`."""
    if not webhook.subscriber.enabled:
        return Standing("bad", _("disabled"), webhook.disabled_reason, webhook.disabled_at)
    if webhook.failing_since is None:
        is_tried = webhook.last_finished_at or webhook.subscriber.forgotten
        return Standing("good", _("healthy")) if is_tried else Standing("", _("not tried yet"))
    if webhook.open_until and webhook.open_until > now:
        text = (
            _("Too many calls failed; the next one is made at %(time)s UTC.")
            if webhook.failures >= circuit.FAILURES_TO_OPEN
            else _("It asked to be left alone for a while; the next call is made at %(time)s UTC.")
        )
        return Standing("bad", _("failing"), text % {"time": f"{webhook.open_until:%H:%M:%S}"}, webhook.failing_since)
    return Standing("warn", _("failing"), _("Calls fail and are tried again."), webhook.failing_since)


def figures_of(webhook: Any) -> dict[str, Any]:
    """The annotations of `with_figures` as they are shown."""
    return {
        "waiting": at_most(webhook.waiting),
        "dead": at_most(webhook.dead),
        "last_finished_at": webhook.last_finished_at,
        "success": _success(webhook),
        "finished": at_most(webhook.finished) if webhook.finished < MOST else f"{MOST:,}+",
    }


def _success(webhook: Any) -> str:
    """The share that was delivered. Where all calls fail nothing is finished for days, and nothing delivered."""
    if not webhook.finished:
        return "0 %" if webhook.failing_since else "–"
    return f"{_percent(webhook.succeeded, webhook.finished)} %"


def _percent(part: int, whole: int) -> str:
    """Never 100 where something failed."""
    return "100" if part == whole else f"{min(99.9, 100 * part / whole):.1f}"


def at_most(count: int) -> str:
    """A count that stops at 1,001, which stands for more."""
    return f"{MOST:,}+" if count > MOST else f"{count:,}"
