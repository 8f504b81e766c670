"""How an app shows which one it is: by its secret where it can keep one, by its id alone where it can't."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from authpages import throttles
from authpages.models import App
from authpages.oauth.provider import Asked, Client
from authpages.services.apps import find_app, secret_is_right

BASIC, POST, NONE = "client_secret_basic", "client_secret_post", "none"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a request shows of its app."""

    method: str
    client_id: str
    secret: str = ""


def authenticate(request: Asked) -> Client:
    """The app that asks (RFC 6749, 2.3).

    Raises `InvalidClientError` where it is none of ours or can't show that it is; `InvalidRequestError` for two ways at
    once; `TooManyRequests` after too many wrong secrets from the same network.
    """
    shown = _shown_by(request)
    app = find_app(shown.client_id)
    if app is None:
        raise _refusal("There is no app with this client_id.")
    if app.type == App.Type.PUBLIC and shown.secret:
        raise _refusal("This app is public, so it has no client_secret: send its client_id alone, in the body.")
    if app.type == App.Type.CONFIDENTIAL:
        _check_secret(app, shown, request.http.META.get("REMOTE_ADDR"))
    request.auth_method = shown.method
    return Client(app)


def _check_secret(app: App, shown: _Shown, ip_address: str | None) -> None:
    if not shown.secret:
        raise _refusal("This app is confidential: send its client_secret, by HTTP Basic or in the body.")
    if not secret_is_right(app, shown.secret):
        throttles.count(throttles.client_limits(str(app.pk), ip_address))
        raise _refusal("This is not the client_secret of the app. A new one is made in the console, under Apps.")


def _shown_by(request: Asked) -> _Shown:
    data = request.payload.data
    client_id, secret = data.get("client_id", ""), data.get("client_secret", "")
    header = request.http.META.get("HTTP_AUTHORIZATION", "")
    if not header:
        if not client_id:
            raise _refusal("Send the client_id in the body, or client_id and client_secret by HTTP Basic.")
        return _Shown(POST if secret else NONE, client_id, secret)
    basic = _read_basic(header)
    if secret or client_id not in {"", basic.client_id}:
        raise InvalidRequestError("Authenticate in one way: by HTTP Basic, or by client_id and client_secret.")
    return basic


def _read_basic(header: str) -> _Shown:
    """Id and secret of `Authorization: Basic`, each form-encoded before (RFC 6749, 2.3.1).

    Clients that leave that encoding out are understood as well: it would change no letter of ours.
    """
    scheme, _space, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        raise _refusal("Of the schemes of Authorization, apps authenticate by Basic.")
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _refusal("The credentials of HTTP Basic are not base64.") from None
    client_id, _colon, secret = decoded.partition(":")
    return _Shown(BASIC, unquote_plus(client_id), unquote_plus(secret))


def _refusal(description: str) -> InvalidClientError:
    return InvalidClientError(status_code=401, description=description)
