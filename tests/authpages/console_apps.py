"""What tests of apps in the console have in common."""

from typing import Any

from authpages.models import App
from authpages.services.apps import Giver, NewSecret, create_app
from authpages.services.refused_redirects import note_refused_redirect
from tests.authpages.conftest import Visitor

APPS = "/console/apps"
CALLBACK = "https://shop.example.com/callback"


def make(name: str = "Shop", type: str = "confidential", **given: Any) -> NewSecret:
    given.setdefault("redirect_uris", [CALLBACK])
    return create_app(name=name, type=type, giver=Giver(lambda _scope: True, None), **given)


def token(admin: Visitor) -> dict[str, str]:
    return {"csrfmiddlewaretoken": admin.client.cookies["fastgen_csrf"].value}


def send(admin: Visitor, path: str, **fields: Any) -> Any:
    return admin.client.post(path, fields | token(admin))


def refuse(app: App, uri: str, *, for_logout: bool = False) -> str:
    return note_refused_redirect(app=app, client_id=str(app.pk), uri=uri, for_logout=for_logout)
