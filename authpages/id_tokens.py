"""ID tokens (OpenID Connect Core, 2): who a person is and when they showed it, told to one app, and signed."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core.util import create_half_hash
from django.conf import settings
from joserfc import jws, jwt
from joserfc.errors import JoseError

from authpages import signing_keys
from authpages.models import AppSession, User

PASSWORD_ALONE = {"acr": "aal1", "amr": ["pwd"]}  # NIST SP 800-63B-4, 2.1; RFC 8176


@dataclass(frozen=True, slots=True)
class Hint:
    """Whom an ID token was about, of which session, and for which app: all that is left when it is over."""

    app_id: uuid.UUID
    user_id: uuid.UUID
    session_id: uuid.UUID


def issue_id_token(app_session: AppSession, *, scope: str, access_token: str, nonce: str = "") -> str:
    """A token for the app alone, good as long as its access token; app, session, user and roles must be loaded."""
    app, session = app_session.app, app_session.session
    key, now = signing_keys.current_key(app.id_token_algorithm), int(time.time())
    half_hash = create_half_hash(access_token, app.id_token_algorithm)
    claims = {
        "iss": settings.BASE_URL,
        "aud": str(app.pk),
        "iat": now,
        "exp": now + settings.ACCESS_TOKEN_SECONDS,
        "auth_time": int(app_session.authenticated_at.timestamp()),
        "sid": str(session.pk),
        "at_hash": half_hash.decode(),
        **PASSWORD_ALONE,
        **({"nonce": nonce} if nonce else {}),
        **claims_of(session.user, scope),
    }
    header = {"alg": app.id_token_algorithm, "typ": "JWT", "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[app.id_token_algorithm])


def claims_of(user: User, scope: str) -> dict[str, Any]:
    """What the scope allows an app to know of a person (OpenID Connect Core, 5.4); what is not known is left out."""
    claims: dict[str, Any] = {"sub": str(user.pk)}
    asked = scope.split()
    if "email" in asked:
        claims |= {"email": user.email, "email_verified": user.email_verified}
    if "profile" in asked:
        name = " ".join(part for part in (user.first_name, user.last_name) if part)
        profile = {"name": name, "given_name": user.first_name, "family_name": user.last_name, "locale": user.locale}
        claims |= {claim: value for claim, value in profile.items() if value}
    if "roles" in asked:
        claims["roles"] = user.role_names
    return claims


def read_hint(token: str) -> Hint | None:
    """What an ID token of ours says, be it over or not, for as long as we know its key; None for anything else.

    It shows who was meant and opens nothing, as it may be in the history of any browser (RP-Initiated Logout 1.0, 2).
    The algorithm comes from our list and the key from our table, never from the token's header (RFC 8725, 3.1).
    """
    try:
        decoded = jwt.decode(token, _find_past_key, algorithms=signing_keys.ALGORITHMS)
        claims = decoded.claims
        if decoded.header.get("typ") != "JWT" or claims["iss"] != settings.BASE_URL:
            return None
        return Hint(*(uuid.UUID(claims[name]) for name in ("aud", "sub", "sid")))
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return None


def was_our_hint(token: str) -> bool:
    """Whether this says of itself to be an ID token of ours, by a key that we don't know: it may have been taken back.

    So nobody can tell any more whom it was about.
    """
    try:
        parsed = jws.extract_compact(token.encode())
        _find_past_key(parsed)
    except KeyError:
        return _names_us(parsed.payload)
    except (JoseError, ValueError, TypeError, AttributeError):
        pass
    return False


def _names_us(payload: bytes) -> bool:
    """Whether we are the issuer, as these claims have it, of which nobody knows who wrote them."""
    try:
        return bool(json.loads(payload)["iss"] == settings.BASE_URL)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _find_past_key(guest: Any) -> Any:
    return signing_keys.find_past_key(str(guest.headers().get("kid", "")))
