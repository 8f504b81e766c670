"""Access tokens: JWTs (RFC 9068) signed with keys that all processes share."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError

from authpages import signing_keys
from authpages.errors import TokenInvalid, TokenNotForApi
from authpages.id_tokens import read_hint
from authpages.models import App, AppSession, Session
from authpages.signing_keys import RS256
from fastgen_backend.ids import uuid7

LEEWAY_SECONDS = 30
DOTS_OF_A_JWT = 2
UNREADABLE = (JoseError, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says: whose session it belongs to, and until when (Unix seconds).

    One that an app got for a person names the app and what it holds of the session, with the scope it was given. One
    that an app got for itself has neither session nor person.
    """

    id: str
    key_id: str
    user_id: uuid.UUID | None
    session_id: uuid.UUID | None
    app_id: uuid.UUID | None
    app_session_id: uuid.UUID | None
    scope: str
    audience: tuple[str, ...]
    issued_at: float
    expires_at: float

    def are_of(self, held: AppSession) -> bool:
        """Whether all that they say belongs to what an app holds, whose session is loaded."""
        said = (self.app_session_id, self.session_id, self.user_id, self.app_id)
        kept = (held.pk, held.session_id, held.session.user_id, held.app_id)
        return said == kept and str(held.app_id) in self.audience


def issue_access_token(session: Session) -> str:
    """A token of our own API for `session`, whose user must be loaded; good for `ACCESS_TOKEN_SECONDS`."""
    return _issue(settings.BASE_URL, _of_person(session))


def issue_app_token(app_session: AppSession, scope: str) -> str:
    """A token for an app and the session that it holds; app, session and user must be loaded.

    Our API accepts that of a first-party app. That of a third-party app is good for `/oauth/userinfo` alone, and says
    no more of the person than the scope allows.
    """
    app, session = app_session.app, app_session.session
    of_person = _of_person(session)
    if not app.first_party:
        told = {"sub", "sid", *({"email", "email_verified"} if "email" in scope.split() else ())}
        of_person = {name: value for name, value in of_person.items() if name in told}
    audience = [settings.BASE_URL, str(app.pk)] if app.first_party else str(app.pk)
    of_app = {"client_id": str(app.pk), "app_session": str(app_session.pk), "scope": scope}
    return _issue(audience, of_person | of_app)


def issue_client_token(app: App, scopes: list[str]) -> str:
    """A token with which a confidential app acts in its own name, with these scopes of API keys (RFC 6749, 4.4)."""
    return _issue(settings.BASE_URL, {"sub": str(app.pk), "client_id": str(app.pk), "scope": " ".join(scopes)})


def read_access_token(token: str) -> Claims:
    """The claims of a token that is ours, not over, and meant for our API.

    Raises `TokenNotForApi` for one of a third-party app, `TokenInvalid` for any other. The algorithm comes from our
    list and the key from our table, never from the token's header (RFC 8725, 3.1).
    """
    claims = read_token(token)
    if settings.BASE_URL in claims.audience:
        return claims
    if claims.app_id:
        raise TokenNotForApi
    raise TokenInvalid(_why_not_good(token))


def read_token(token: str) -> Claims:
    """The claims of an access token that is ours and not over, whomever it is meant for; raises `TokenInvalid`."""
    try:
        claims, now = _verified(token, settings.BASE_URL), time.time()
        signing_keys.find_key(claims.key_id)  # which may have been taken back since
        if claims.expires_at + LEEWAY_SECONDS < now or claims.issued_at - LEEWAY_SECONDS > now:
            raise ValueError("not now")
    except UNREADABLE:
        raise TokenInvalid(_why_not_good(token)) from None
    return claims


def forget_keys() -> None:
    """Read the signing keys anew at the next use, and believe no token that was verified with those of before."""
    signing_keys.forget_keys()
    _verified.cache_clear()


def _why_not_good(token: str) -> str:
    """What is wrong with a token, and what to do: more than a word is said of those alone that we signed."""
    if token.count(".") != DOTS_OF_A_JWT:
        return _("This is no access token, which is a JWT: a refresh token is good at /oauth/token, or /auth/refresh.")
    if read_hint(token):
        return _("This is an ID token, which tells an app who logged in; send the access token.")
    try:
        claims = _claims_of(token, settings.BASE_URL, signing_keys.find_past_key)
    except KeyError:
        return _("No key of ours signed this access token, or one that was taken back; refresh it or log in again.")
    except UNREADABLE:
        return _("The access token is malformed or not ours; refresh it or log in again.")
    if claims.expires_at + LEEWAY_SECONDS < time.time():
        return _("The access token has expired; refresh it or log in again.")
    return _("The access token is not meant for us, or not yet; refresh it or log in again.")


def _issue(audience: str | list[str], claims: dict[str, Any]) -> str:
    key, now = signing_keys.current_key(), int(time.time())
    header = {"alg": RS256, "typ": "at+jwt", "kid": key.kid}
    about = {"iss": settings.BASE_URL, "aud": audience, "jti": uuid7().hex, "iat": now}
    about["exp"] = now + settings.ACCESS_TOKEN_SECONDS
    return jwt.encode(header, about | claims, key, algorithms=[RS256])


def _of_person(session: Session) -> dict[str, Any]:
    user = session.user
    return {
        "sub": str(user.pk),
        "sid": str(session.pk),
        "roles": user.role_names,
        "email": user.email,
        "email_verified": user.email_verified,
    }


@lru_cache(maxsize=4096)
def _verified(token: str, issuer: str) -> Claims:
    """The claims of an access token that `issuer` signed, be it over or not.

    Remembered, because a program sends the same token for 15 minutes; what raises is not.
    """
    return _claims_of(token, issuer, signing_keys.find_key)


def _claims_of(token: str, issuer: str, find_key: Callable[[str], Any]) -> Claims:
    """The claims of an access token that `issuer` signed with a key that is found so."""
    decoded = jwt.decode(token, lambda guest: find_key(str(guest.headers().get("kid", ""))), algorithms=[RS256])
    claims = decoded.claims
    if decoded.header["typ"] != "at+jwt" or claims["iss"] != issuer:
        raise ValueError("not ours")
    session_id, app_id = _id(claims.get("sid")), _id(claims.get("client_id"))
    if session_id is None and app_id is None:
        raise ValueError("nobody's")
    return Claims(
        id=str(claims["jti"]),
        key_id=str(decoded.header["kid"]),
        user_id=_id(claims["sub"]) if session_id else None,
        session_id=session_id,
        app_id=app_id,
        app_session_id=_id(claims.get("app_session")),
        scope=str(claims.get("scope", "")),
        audience=tuple(claims["aud"]) if isinstance(claims["aud"], list) else (str(claims["aud"]),),
        issued_at=float(claims["iat"]),
        expires_at=float(claims["exp"]),
    )


def _id(claim: Any) -> uuid.UUID | None:
    return uuid.UUID(claim) if claim is not None else None
