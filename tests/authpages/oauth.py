"""An app and what it sends, as its people's browsers carry it."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from authpages.models import App, AuthorizationRequest, token_hash

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # both: RFC 7636, appendix B
CALLBACK = "https://notes.example/callback"
NOT_OPENED = [  # how a browser tells that a request is no page that somebody opened
    {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
    {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-purpose": "prefetch"},
]
BEFOREHAND = [  # how browsers of today and of before tell that nobody has opened it yet
    {"sec-purpose": "prefetch"},
    {"sec-purpose": "prefetch;prerender"},
    {"purpose": "prefetch"},
    {"x-moz": "prefetch"},
]
ISSUER = "http://127.0.0.1:8000"


def make_app(**fields: Any) -> App:
    """A public first-party app, with what differs."""
    return App.objects.create(**{"name": "Notes", "type": "public", "redirect_uris": [CALLBACK]} | fields)


def make_confidential_app(secret: str = "a secret", **fields: Any) -> App:
    """A confidential one, whose secret this is."""
    return make_app(type="confidential", secret_hash=token_hash(secret), **fields)


def parameters_of(app: App, **changes: str | None) -> dict[str, str]:
    """What an app sends people to `/oauth/authorize` with; None leaves a parameter out."""
    sent = {
        "response_type": "code",
        "client_id": str(app.pk),
        "redirect_uri": app.redirect_uris[0] if app.redirect_uris else CALLBACK,
        "scope": "openid email",
        "state": "a state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (sent | changes).items() if value is not None}


def asking(app: App, **changes: str | None) -> str:
    """The address to which an app sends people."""
    return f"/oauth/authorize?{urlencode(parameters_of(app, **changes))}"


def consent_page(visitor: Any, app: App, **changes: str) -> str:
    """The address of the page to which the app's request leads."""
    answer = visitor.get(asking(app, **changes))
    assert answer["Location"].startswith("/oauth/consent?request="), answer["Location"]
    return str(answer["Location"])


def told_to_app(answer: Any, redirect_uri: str = CALLBACK) -> dict[str, str]:
    """What a redirect to the app carries."""
    assert answer.status_code == 303, answer.content
    assert answer["Location"].startswith(redirect_uri), answer["Location"]
    return dict(parse_qsl(urlsplit(answer["Location"]).query, keep_blank_values=True))


def way_on() -> str:
    """The path to the one request that waits."""
    return f"/oauth/authorize?request={AuthorizationRequest.objects.get().pk}"
