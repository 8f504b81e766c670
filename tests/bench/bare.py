"""A bare Django view behind the product's own web server: `python -m tests.bench.bare PORT`."""

import os
import sys

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path


def answer(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


urlpatterns = [path("bare", answer)]


def main() -> None:
    from fastgen_backend.web import server

    _configure()
    server("127.0.0.1", int(sys.argv[1])).serve(target_loader=load_application, wrap_loader=False)


def load_application() -> WSGIHandler:
    return get_wsgi_application()


def _configure() -> None:
    """No app, no middleware, no database; as many processes and threads as the product takes by default."""
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="tests.bench.bare",
        WEB_PROCESSES=min(os.cpu_count() or 1, 4),
        WEB_THREADS=8,
    )


if __name__ == "__main__":
    main()
