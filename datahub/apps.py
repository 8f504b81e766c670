from django.apps import AppConfig
from django.db.backends.signals import connection_created


class DatahubConfig(AppConfig):
    name = "datahub"

    def ready(self) -> None:
        from datahub import receivers  # noqa: F401  connects them
        from datahub.sqlite_functions import register_functions

        connection_created.connect(register_functions)
