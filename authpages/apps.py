from django.apps import AppConfig


class AuthpagesConfig(AppConfig):
    name = "authpages"
