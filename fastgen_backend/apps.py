from django.apps import AppConfig
from django.core.checks import register

from fastgen_backend.checks import mail_leaves_a_public_installation


class FastgenBackendConfig(AppConfig):
    name = "fastgen_backend"

    def ready(self) -> None:
        register(mail_leaves_a_public_installation)
