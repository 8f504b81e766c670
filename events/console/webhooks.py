"""Webhooks in the console: the list with their health, making and changing one, its secret."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import TemplateView

from events.console.verifying import snippets
from events.console.webhook_forms import TICKED, WebhookForm
from events.console.webhook_page import WebhookPart
from events.console.webhook_words import figures_of, standing_of
from events.models import Webhook
from events.services.url_checks import UrlCheck, check_endpoint
from events.services.webhook_figures import with_figures
from events.services.webhooks import change_webhook, create_webhook
from fastgen_backend.console import AdminsOnly, console_origin, done, go_on
from fastgen_backend.console_lists import page_of
from fastgen_backend.errors import DomainError
from fastgen_backend.forms import FormPage
from fastgen_backend.shown_once import forget_shown, keep_to_show, kept_to_show


class WebhooksPage(AdminsOnly, TemplateView):
    """Every webhook: whether it is healthy, and if not, since when and why."""

    http_method_names = ["get", "head", "options"]
    template_name = "events/webhooks.html"
    notices = {"deleted": _("The webhook is deleted, with its deliveries.")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        page = page_of(self.request, with_figures(Webhook.objects.all(), now), order=("subscriber_id",))
        lines = [
            {"webhook": each, "standing": standing_of(each, now), "figures": figures_of(each)} for each in page.rows
        ]
        return super().get_context_data(**{**kwargs, "page": page, "lines": lines})


class NewWebhookPage(AdminsOnly, FormPage):
    """Makes one, and leads to its secret; `?events=` ticks a filter."""

    template_name = "events/webhook_form.html"
    form_class = WebhookForm

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET.get("events", "")
        ticks = {"kinds": [asked]} if asked in TICKED else {"events": asked[:200]}
        return {"mode": Webhook.Mode.PARALLEL, "max_concurrency": 10, "include_secrets": True, **ticks}

    def form_valid(self, form: Any) -> HttpResponse:
        origin = console_origin(self.request)
        new = create_webhook(**form.changes(), origin=origin, may_see_secrets=True)
        response = go_on(self.request, reverse("console-webhooks-secret", args=[new.webhook.pk]))
        return keep_to_show(response, of=str(new.webhook.pk), secret=new.secret)


class WebhookSettingsPage(WebhookPart, FormPage):
    """Changes one."""

    template_name = "events/webhook_form.html"
    form_class = WebhookForm

    def get_initial(self) -> dict[str, Any]:
        return WebhookForm.values_of(self.webhook)

    def form_valid(self, form: Any) -> HttpResponse:
        change_webhook(webhook_id=self.kwargs["id"], changes=form.changes(), may_see_secrets=True)
        return done(self.request, reverse("console-webhooks-webhook", args=[self.kwargs["id"]]), "saved")


class CheckUrl(AdminsOnly):
    """What is to be said of the URL that is being typed: whether it may be called, and whether somebody is there."""

    http_method_names = ["post", "options"]
    asked_by_pages = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        url = request.POST.get("url", "").strip()
        try:
            check = check_endpoint(url=url, origin=console_origin(request)) if url else None
        except DomainError as error:
            check = UrlCheck("bad", error.detail)
        return render(request, "events/parts/url_check.html", {"check": check})


class SecretPage(WebhookPart, TemplateView):
    """The secret, this once, with code that verifies calls by it."""

    http_method_names = ["get", "head", "options"]
    template_name = "events/webhook_secret.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return forget_shown(super().get(request, *args, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        secret = kept_to_show(self.request, of=str(self.kwargs["id"]))
        return super().get_context_data(**{**kwargs, "secret": secret, "snippets": snippets()})
