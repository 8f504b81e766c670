"""The development inbox: mails as the people they were meant for would see them."""

import re
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.generic.base import TemplateView

from events.models import InboxMail
from fastgen_backend.console import AdminsOnly
from fastgen_backend.response_headers import POLICY

PAGE = 100
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'self'"
)


class InboxOnly(AdminsOnly):
    """A page of the inbox; there is none (404) where mail is really sent."""

    http_method_names = ["get", "head", "options"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.EMAIL_URL_IS_SET:
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class InboxPage(InboxOnly, TemplateView):
    """The newest mails."""

    template_name = "events/inbox.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(mails=InboxMail.objects.order_by("-pk")[:PAGE], **kwargs)


class InboxMailPage(InboxOnly, TemplateView):
    """One mail: its text with links to click, and its HTML in a frame that can do nothing."""

    template_name = "events/inbox_mail.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = POLICY.format(origins="") + "; frame-src 'self'"
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mail = get_object_or_404(InboxMail, pk=self.kwargs["pk"])
        return super().get_context_data(mail=mail, text=with_links(mail.text), **kwargs)


class InboxMailHtml(InboxOnly):
    """The HTML of a mail alone: no script, nothing from elsewhere, an origin of its own; links open in a new tab."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        mail = get_object_or_404(InboxMail.objects.exclude(html=""), pk=pk)
        response = HttpResponse(f'<base target="_blank">{mail.html}')
        response["Content-Security-Policy"] = MAIL_POLICY
        response["X-Frame-Options"] = "SAMEORIGIN"
        return response


def with_links(text: str) -> SafeString:
    """`text`, escaped, its addresses of pages as links."""
    parts = re.split(r"(https?://[^\s<>\"]+[^\s<>\".,;:!?)\]’”])", text)
    return format_html_join("", "{}", ((_link(part) if index % 2 else part,) for index, part in enumerate(parts)))


def _link(url: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, url)
