"""A secret that a page shows once: after the form that made it, it waits in the browser, sealed, to be asked for.

So the answer to the form can be a 303 as ever, nothing is kept on the server, and a reload makes no second secret.
"""

import json

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from fastgen_backend import vault

WAITS_SECONDS = 300


def keep_to_show(response: HttpResponse, *, of: str, secret: str) -> HttpResponse:
    """Hand the browser the secret `of` something, sealed, for the page that comes next."""
    sealed = vault.encrypt(json.dumps([of, secret]).encode()).decode()
    return _set(response, sealed, WAITS_SECONDS)


def kept_to_show(request: HttpRequest, *, of: str) -> str:
    """The secret of it; empty where it was shown already, or waited for too long."""
    try:
        kept, secret = json.loads(vault.decrypt(request.COOKIES.get(settings.SHOWN_ONCE_COOKIE_NAME, "").encode()))
    except (InvalidToken, ValueError):
        return ""
    return str(secret) if kept == of else ""


def forget_shown(response: HttpResponse) -> HttpResponse:
    """Take it out of the browser again."""
    return _set(response, "", 0)


def _set(response: HttpResponse, value: str, seconds: int) -> HttpResponse:
    secure = settings.SESSION_COOKIE_SECURE
    name = settings.SHOWN_ONCE_COOKIE_NAME
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="Strict")
    return response
