"""One webhook in the console: how it fares, and the log of its deliveries."""

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import TemplateView

from events.console.webhook_words import MODE_WORDS, at_most, figures_of, standing_of
from events.descriptions import described
from events.models import Replay, Webhook
from events.services.custom_headers import masked_headers
from events.services.delivery_log import STATES, LoggedDelivery, read_deliveries
from events.services.replay_ranges import count_missed
from events.services.webhook_figures import MOST, with_figures
from fastgen_backend.console import AdminsOnly, Crumb
from fastgen_backend.errors import NotFound

PAGE = 50
STATE_WORDS = {"pending": _("waiting"), "delivered": _("delivered"), "dead": _("dead letters")}
SEQUENCE_DIGITS_MAX = 18  # of a bigint


class WebhookPart(AdminsOnly):
    """A page about the webhook that its address names; where there is none, 404."""

    @cached_property
    def webhook(self) -> Any:
        found = with_figures(Webhook.objects.filter(pk=self.kwargs["id"]), timezone.now()).first()
        if found is None:
            raise NotFound(gettext("There is no such webhook."))
        return found

    @cached_property
    def missed(self) -> int:
        """How many events it missed while it was off, that were not replayed since; 1,001 stands for more."""
        return count_missed(self.webhook, most=MOST + 1)

    @property
    def missed_words(self) -> str:
        return at_most(self.missed)

    @cached_property
    def under_way(self) -> Replay | None:
        """Its replay that is not over."""
        return Replay.objects.under_way().filter(webhook=self.webhook).first()

    def trail(self) -> list[Crumb]:
        here = reverse("console-webhooks-webhook", args=[self.webhook.pk])
        return [] if self.request.path == here else [Crumb(self.webhook.url, here)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        standing = standing_of(self.webhook, timezone.now())
        return super().get_context_data(**{**kwargs, "webhook": self.webhook, "standing": standing})


class WebhookPage(WebhookPart, TemplateView):
    """Its health in figures, what is to be mended, and what it was told."""

    http_method_names = ["get", "head", "options"]
    template_name = "events/webhook.html"
    notices = {
        "saved": _("The webhook is changed."),
        "enabled": _("The webhook is enabled."),
        "disabled": _("The webhook is disabled: nothing more is queued for it."),
        "forgotten": _("What it missed is nothing to replay any more."),
    }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        state, type = self._asked("state", STATES), self._asked("type")
        deliveries, next_url = self._deliveries(state, type)
        webhook = self.webhook
        shown = {
            "figures": figures_of(webhook),
            "mode": MODE_WORDS[webhook.mode],
            "headers": list(masked_headers(webhook.sealed_headers)),
            "deliveries": deliveries,
            "next_url": next_url,
            "is_later_page": bool(self._before),
            "state": state,
            "type": type,
            "states": STATE_WORDS.items(),
            "types": sorted({kind.type for kind in described() if not kind.type.endswith("*")}),
        }
        return super().get_context_data(**{**kwargs, **shown})

    def _deliveries(self, state: str, type: str) -> tuple[list[LoggedDelivery], str]:
        """The newest that are asked for, and the address of those before them."""
        page = read_deliveries(
            self.webhook.pk, before=self._before, limit=PAGE, state=state, event_type=type, with_answers=False
        )
        if not page.has_more:
            return page.deliveries, ""
        asked = {"state": state, "type": type, "before": page.deliveries[-1].sequence}
        return page.deliveries, f"?{urlencode({name: value for name, value in asked.items() if value})}"

    @property
    def _before(self) -> int | None:
        text = self.request.GET.get("before", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= SEQUENCE_DIGITS_MAX else None

    def _asked(self, name: str, words: tuple[str, ...] = ()) -> str:
        text = str(self.request.GET.get(name, "")).replace("\0", "")
        return text if not words or text in words else ""
