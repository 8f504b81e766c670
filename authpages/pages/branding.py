"""What the hosted pages wear: the customer's accent colour as a stylesheet, and their logo."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.generic.base import View

from authpages.models import HostedAuthSettings
from authpages.pages.theme import stylesheet

A_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
FOREVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"


class ThemeStylesheet(View):
    """The accent colour and its shades. An address with `?v=<colour>` is about that colour, and good forever."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = f"#{request.GET.get('v', '')}"
        is_about_itself = bool(A_COLOUR.fullmatch(asked))
        accent = asked if is_about_itself else HostedAuthSettings.load().accent_color
        headers = {"Cache-Control": FOREVER if is_about_itself else "no-cache"}
        return HttpResponse(stylesheet(accent), content_type="text/css; charset=utf-8", headers=headers)


class LogoPicture(View):
    """The logo, drawn anew when it was set; 404 where there is none. An address with `?v=<version>` is good forever.

    It is a picture and nothing else, even to a browser that is led to it: no sniffing, no script, no frame.
    """

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        hosted = HostedAuthSettings.objects.filter(pk=1).only("logo", "logo_type", "logo_version").first()
        if hosted is None or not hosted.logo:
            raise Http404
        is_this_one = request.GET.get("v") == hosted.logo_version != ""
        headers = {
            "Cache-Control": FOREVER if is_this_one else A_WHILE,
            "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
            "ETag": f'"{hosted.logo_version}"',
        }
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(bytes(hosted.logo), content_type=hosted.logo_type, headers=headers)
