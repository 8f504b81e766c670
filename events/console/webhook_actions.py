"""What is done with a webhook and its deliveries: each asks first where something is lost."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic.base import TemplateView

from events.console.event import shortened
from events.console.webhook_page import WebhookPart
from events.models import Replay
from events.services.delivery_log import LoggedDelivery, read_delivery
from events.services.redelivery import redeliver
from events.services.replay_ranges import Wanted
from events.services.replays import forget_missed, start_replay
from events.services.shown_requests import shown_request
from events.services.trials import ask_for_trial
from events.services.webhooks import change_webhook, delete_webhook, rotate_secret
from fastgen_backend.console import console_origin, done, go_on
from fastgen_backend.errors import NotFound
from fastgen_backend.shown_once import keep_to_show


class _Asks(WebhookPart, TemplateView):
    """A question; POST does it."""

    http_method_names = ["get", "head", "post", "options"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"now": timezone.now(), **kwargs})


class RotatePage(_Asks):
    template_name = "events/webhook_rotate.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        new = rotate_secret(webhook_id=self.kwargs["id"])
        response = go_on(request, reverse("console-webhooks-secret", args=[self.kwargs["id"]]))
        return keep_to_show(response, of=str(self.kwargs["id"]), secret=new.secret)


class DeletePage(_Asks):
    template_name = "events/webhook_delete.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        delete_webhook(webhook_id=self.kwargs["id"])
        return done(request, reverse("console-webhooks"), "deleted")


class DisablePage(_Asks):
    template_name = "events/webhook_disable.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        change_webhook(webhook_id=self.kwargs["id"], changes={"enabled": False}, may_see_secrets=True)
        return done(request, reverse("console-webhooks-webhook", args=[self.kwargs["id"]]), "disabled")


class Enable(WebhookPart):
    """Switches it on again where it is off; `replay` in the form tells it what it missed as well."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        id = self.kwargs["id"]
        change_webhook(webhook_id=id, changes={"enabled": True}, may_see_secrets=True)
        if "replay" not in request.POST:
            return done(request, reverse("console-webhooks-webhook", args=[id]), "enabled")
        wanted = Wanted(kind=Replay.Kind.MISSED)
        replay = start_replay(webhook_id=id, wanted=wanted, origin=console_origin(request))
        return go_on(request, reverse("console-webhooks-replay", args=[id, replay.pk]))


class ForgetMissedPage(_Asks):
    template_name = "events/webhook_forget.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        forget_missed(webhook_id=self.kwargs["id"])
        return done(request, reverse("console-webhooks-webhook", args=[self.kwargs["id"]]), "forgotten")


class SendTest(WebhookPart):
    """Has it called once, with an example; its page shows the answer."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        trial = ask_for_trial(webhook_id=self.kwargs["id"], origin=console_origin(request))
        return go_on(request, reverse("console-webhooks-delivery", args=[self.kwargs["id"], trial.pk]))


class DeliveryPage(WebhookPart, TemplateView):
    """One delivery: what is sent, and each try with its answer. POST delivers it once more, or has it due now."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "events/delivery.html"
    notices = {
        "redelivered": gettext_lazy("It is queued once more, and tried as soon as the webhook’s turn comes."),
        "hurried": gettext_lazy("It was made due: it is tried as soon as the webhook’s turn comes."),
    }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = self._delivery().row.pk
        again = redeliver(delivery_id=asked)
        page = reverse("console-webhooks-delivery", args=[self.kwargs["id"], again.pk])
        return done(request, page, "hurried" if again.pk == asked else "redelivered")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        delivery = self._delivery()
        sent = shown_request(delivery)
        shown = {"delivery": delivery, "sent": sent, "body": shortened(sent.body)}
        return super().get_context_data(**{**kwargs, **shown})

    def _delivery(self) -> LoggedDelivery:
        delivery = read_delivery(self.kwargs["delivery"])
        if delivery.webhook_id != self.kwargs["id"]:
            raise NotFound(_("This webhook has no such delivery."))
        return delivery
