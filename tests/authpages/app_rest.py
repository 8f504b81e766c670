"""How a program makes an app over REST, and reads what is wrong."""

from typing import Any
from uuid import UUID

from authpages.models import App
from authpages.services.apps import read_app
from tests.conftest import Api

CALLBACK = "https://shop.example.com/callback"
NEW: dict[str, Any] = {"name": "Shop", "type": "confidential", "redirectUris": [CALLBACK]}


def make(program: Api, **given: Any) -> Any:
    answer = program.post("/apps", {**NEW, **given})
    assert answer.status_code == 201, answer.content
    return answer.json()


def app_of(made: Any) -> App:
    return read_app(UUID(made["id"]))


def problems(answer: Any) -> list[tuple[str, str]]:
    """What is wrong, by member."""
    return [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
