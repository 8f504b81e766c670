"""What the hosted pages wear: the customer's accent colour as a stylesheet, and their logo."""

import hashlib

from django.http import Http404, HttpRequest, HttpResponse
from django.views.generic.base import View

from authpages.models import HostedAuthSettings
from authpages.pages.theme import stylesheet

FOREVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"


class ThemeStylesheet(View):
    """The accent colour and its shades; an address with `?v=<colour>` is good forever."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        accent = HostedAuthSettings.load().accent_color
        is_versioned = request.GET.get("v") == accent.removeprefix("#")
        headers = {"Cache-Control": FOREVER if is_versioned else "no-cache"}
        return HttpResponse(stylesheet(accent), content_type="text/css; charset=utf-8", headers=headers)


class Logo(View):
    """The logo as it was fetched when it was set; 404 where there is none."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        hosted = HostedAuthSettings.objects.filter(pk=1).only("logo", "logo_type").first()
        if hosted is None or not hosted.logo:
            raise Http404
        picture = bytes(hosted.logo)
        headers = {"Cache-Control": A_WHILE, "ETag": f'"{hashlib.sha256(picture).hexdigest()[:32]}"'}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(picture, content_type=hosted.logo_type, headers=headers)
