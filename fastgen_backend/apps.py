from django.apps import AppConfig
from django.core.checks import register
from django.core.signals import got_request_exception, request_started

from fastgen_backend.checks import mail_leaves_a_public_installation
from fastgen_backend.connections import close_if_dropped, close_if_outdated


class FastgenBackendConfig(AppConfig):
    name = "fastgen_backend"

    def ready(self) -> None:
        register(mail_leaves_a_public_installation)
        request_started.connect(close_if_dropped)
        got_request_exception.connect(close_if_outdated)
