"""From which of an app's pages a browser may call us, and letting one more."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from authpages.console.apps import OneApp
from authpages.services.allowed_origins import allow_origin
from fastgen_backend.console import done


class AllowOrigin(OneApp):
    """Adds an origin of the app's to those that the hosted settings allow."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, **_names: Any) -> HttpResponse:
        allow_origin(app=self.app, origin=request.POST.get("origin", ""))
        return done(request, self.here, "may-call")
