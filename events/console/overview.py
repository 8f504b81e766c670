"""The overview: what happened lately, how the workers fare, what needs attention, and how to begin."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic.base import TemplateView

from authpages.models import User
from datahub.models import Table
from events.catalog import EventType
from events.console.attention import concerns_of
from events.console.charts import Chart, Span, last_days, last_hours, series_of
from events.models import Tally, Webhook
from events.services.health import read_health
from fastgen_backend.console import AdminsOnly

What = Tally.What


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do at first."""

    is_done: bool
    title: str
    text: str
    url: str
    action: str


class OverviewPage(AdminsOnly, TemplateView):
    """What happened within 24 hours, or with `?span=days` within 30 days (UTC)."""

    http_method_names = ["get", "head", "options"]
    template_name = "events/overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        span = last_days(now) if self.request.GET.get("span") == "days" else last_hours(now)
        charts, health = _charts(span), read_health(now)
        told = {"span": span, "charts": charts, "table": _as_table(charts, span), "health": health, "now": now}
        steps = _steps()
        next_step = next((step for step in steps if not step.is_done), None)
        return super().get_context_data(
            **{**told, "concerns": concerns_of(health, now), "steps": steps, "next_step": next_step, **kwargs}
        )


def _charts(span: Span) -> list[Chart]:
    counts = _counts(span)

    def of(what: str, name: str, kind: str) -> Any:
        return series_of(name, kind, counts[what], span)

    def people(what: str, title: str, kind: str, type: str) -> Chart:
        return Chart(title, [of(what, title, kind)], span, f"{reverse('console-events')}?{urlencode({'type': type})}")

    delivered, failed = of(What.DELIVERED, _("Delivered"), "good"), of(What.FAILED_CALLS, _("Failed calls"), "bad")
    return [
        people(What.SIGN_UPS, _("Sign-ups"), "plain", EventType.USER_SIGNED_UP),
        people(What.LOGINS, _("Logins"), "plain", EventType.USER_LOGGED_IN),
        people(What.FAILED_LOGINS, _("Failed logins"), "warn", EventType.LOGIN_FAILED),
        Chart(_("Deliveries"), [delivered, failed], span, reverse("console-webhooks")),
    ]


def _counts(span: Span) -> Mapping[str, Mapping[datetime, int]]:
    tallies = Tally.objects
    rows = tallies.by_hour(span.times[0]) if span.is_hourly else tallies.by_day(span.times[0])
    counts: dict[str, dict[datetime, int]] = defaultdict(dict)
    for what, at, count in rows:
        counts[what][at] = count
    return counts


def _as_table(charts: list[Chart], span: Span) -> dict[str, Any]:
    """The same figures to be read, the newest first."""
    series = [each for chart in charts for each in chart.series]
    steps = range(2 * span.steps - 1, span.steps - 1, -1)
    rows = [(span.name(span.times[step]), [each.counts[step] for each in series]) for step in steps]
    return {"heads": [each.name for each in series], "rows": rows}


def _steps() -> list[Step]:
    """How to begin; none once somebody other than an admin has signed up."""
    asked = (User.objects.filter(is_superuser=False), Table.objects.all(), Webhook.objects.all())
    signed_up, has_table, has_webhook = User.objects.admins().values_list(*map(Exists, asked))[0]  # in one query
    if signed_up:
        return []
    people = _("Open the sign-up page and make an account, as one of your users will.")
    table = _("A table holds what your app keeps, with rules for who may read and write it, and a REST API.")
    webhook = _("Your app hears of every sign-up, login and change, signed and never lost.")
    return [
        Step(False, _("Sign up as somebody"), people, reverse("signup"), _("Open the sign-up page")),
        Step(has_table, _("Make a table"), table, reverse("console-datahub-new"), _("New table")),
        Step(has_webhook, _("Make a webhook"), webhook, reverse("console-webhooks-new"), _("New webhook")),
    ]
