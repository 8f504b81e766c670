"""What probes and scrapers ask: whether the installation is ready, and its figures."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views import View
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from events.services.measuring import figures
from events.services.readiness import NO_ANSWER, check_readiness, is_ready
from fastgen_backend.connections import DatabaseUnavailable
from fastgen_backend.kept import Kept
from fastgen_backend.rest import Endpoint, credentials_of

SCOPE = "metrics:read"
readiness = Kept(check_readiness, seconds=1)
measured = Kept(figures, seconds=4)  # less than between two scrapes, lest the next process asked tells older figures


class ReadyView(View):
    """200 where the installation can do its work, else 503; what each check found, either way."""

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            found = readiness.read()
        except TimeoutError:
            found = {"database": NO_ANSWER}
        ready = is_ready(found)
        return JsonResponse(
            {"status": "ready" if ready else "not ready", "checks": found}, status=200 if ready else 503
        )


class MayMeasure(BasePermission):
    """Whoever is at this machine, an admin in the console, or a program with a key for it."""

    message = _("Ask from the machine itself, or with an API key that has the scope metrics:read.")
    code = "not-allowed"

    def has_permission(self, request: Request, view: APIView) -> bool:
        lazy: Any = request._request
        credentials = credentials_of(request)
        return credentials.allows(SCOPE) if credentials else lazy.is_from_this_machine


class MetricsView(Endpoint):
    """The figures in the text format of Prometheus."""

    schema = None  # it speaks no JSON
    permission_classes = [MayMeasure]

    def get(self, request: Request) -> HttpResponse:
        try:
            return HttpResponse(measured.read(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
        except TimeoutError:
            raise DatabaseUnavailable from None
