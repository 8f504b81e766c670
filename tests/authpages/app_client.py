"""An app, and all that it sends to us by itself."""

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.test import Client

from authpages.models import App, Consent, Session
from authpages.services.codes import issue_code
from tests.authpages.oauth import CALLBACK, CHALLENGE, VERIFIER, make_app, make_confidential_app

FORM = "application/x-www-form-urlencoded"


@dataclass
class AppClient:
    """Calls the endpoints of apps as an app does: by HTTP Basic where it has a secret, by its id alone otherwise."""

    app: App
    secret: str = ""

    @property
    def id(self) -> str:
        return str(self.app.pk)

    def code(self, session: Session | None = None, scope: str = "openid email profile", **more: str) -> str:
        """A code as the redirect would carry it, for the session, or the only one that there is.

        Where the app is a third-party one, its person has agreed to what it asks for.
        """
        session = session or Session.objects.get()
        if not self.app.first_party:
            Consent.objects.update_or_create(user=session.user, app=self.app, defaults={"scope": scope})
        asked = {"redirect_uri": CALLBACK, "nonce": "a nonce", "code_challenge": CHALLENGE} | more
        return issue_code(session=session, app=self.app, scope=scope, **asked)

    def post(self, path: str, form: dict[str, str], **headers: str) -> Any:
        """The answer, with the app's own way to show which one it is, unless `headers` say another."""
        shown = {} if self.secret else {"client_id": self.id}
        if self.secret:
            headers.setdefault("authorization", basic(self.id, self.secret))
        return send(path, {**shown, **form}, **headers)

    def exchange(self, code: str, **changed: str) -> Any:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        return self.post("/oauth/token", {**form, "code_verifier": VERIFIER} | changed)

    def tokens(self, **more: Any) -> Any:
        """The tokens for a new code, as JSON."""
        answer = self.exchange(self.code(**more))
        assert answer.status_code == 200, answer.content
        return answer.json()

    def refresh(self, token: str, **more: str) -> Any:
        return self.post("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token, **more})

    def client_credentials(self, **more: str) -> Any:
        return self.post("/oauth/token", {"grant_type": "client_credentials", **more})

    def revoke(self, token: str) -> Any:
        return self.post("/oauth/revoke", {"token": token})

    def introspect(self, token: str) -> Any:
        return self.post("/oauth/introspect", {"token": token})


def public_app(**fields: Any) -> AppClient:
    """A first-party app that keeps no secret, with what differs."""
    return AppClient(make_app(**fields))


def confidential_app(**fields: Any) -> AppClient:
    """A first-party app that keeps one."""
    secret = secrets.token_urlsafe(32)
    return AppClient(make_confidential_app(secret, **fields), secret)


def send(path: str, form: dict[str, str] | str, *, type: str = FORM, **headers: str) -> Any:
    """The answer to a form that is posted without anything else."""
    client = Client(headers={"host": "127.0.0.1:8000"}, enforce_csrf_checks=True)
    data = form if isinstance(form, str) else urlencode(form)
    return client.post(path, data, content_type=type, headers=headers)


def userinfo(token: str = "", **headers: str) -> Any:
    if token:
        headers["authorization"] = f"Bearer {token}"
    return Client(headers={"host": "127.0.0.1:8000"}).get("/oauth/userinfo", headers=headers)


def basic(client_id: str, secret: str) -> str:
    """HTTP Basic, each part form-encoded before, every letter that may be (RFC 6749, 2.3.1)."""
    encoded = ":".join(quote(part, safe="").replace("-", "%2D").replace("_", "%5F") for part in (client_id, secret))
    return f"Basic {base64.b64encode(encoded.encode()).decode()}"


def read_claims(token: str) -> Any:
    """What a token says, whoever signed it."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def refusal(answer: Any) -> tuple[int, str]:
    """How an endpoint of apps refused, as every refusal there is told: status and error."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["error_description"].isascii()
    return answer.status_code, answer.json()["error"]
