"""The REST API against its own OpenAPI, by Schemathesis: no error of ours, and no answer that is not told there.

All of it but the Datahub, which `tests/datahub/test_contract.py` asks more closely. A program that may do everything
calls, and a person what is for people; each request finds the world as it was, for what the one before it changed is
undone.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import settings as examples

from authpages.errors import SettingInvalid
from authpages.models import Session
from authpages.services import hosted_settings
from events.services.sequencing import sequence_events
from fastgen_backend.openapi import _document
from tests.conftest import PASSWORD, Api
from tests.datahub.conftest import made
from tests.datahub.test_contract import CHECKS, _schema, bounded

REST = _schema(json.loads(_document())).exclude(path_regex="^/api/v1/(tables|imports)")


class World:
    """Who calls, and what there is to call: of everything one."""

    def __init__(self, person: Api, program: Api) -> None:
        self.person, self.program = person, program
        ann = person.sign_up()
        role = made(program.post("/roles", {"name": "editor"}))
        hook = made(program.post("/webhooks", {"url": "https://hooks.example.com/", "events": ["custom.*"]}))
        event = made(program.post("/events", {"type": "custom.shipped", "data": {}}))
        sequence_events()
        [delivery] = program.get(f"/webhooks/{hook['id']}/deliveries").json()["items"]
        replay = made(
            program.post(f"/webhooks/{hook['id']}/replay", {"from": "1970-01-01T00:00:00Z", "ratePerSecond": 1}), 202
        )
        key = made(program.post("/api-keys", {"name": "Mine", "scopes": ["rows:read"]}))
        app = made(program.post("/apps", {"name": "Shop", "type": "confidential"}))
        session = str(Session.objects.get().pk)
        self.known = {"currentPassword": PASSWORD, "refreshToken": ann["session"]["refreshToken"]}
        self.login = {"email": ann["user"]["email"], "password": PASSWORD}
        self.ids: dict[str, str] = {
            "users": ann["user"]["id"],
            "roles": role["id"],
            "webhooks": hook["id"],
            "events": event["id"],
            "deliveries": delivery["id"],
            "replays": replay["id"],
            "api-keys": key["id"],
            "apps": app["id"],
            "auth": session,
            "session": session,
        }

    def caller_of(self, path: str) -> Api:
        return self.person if "/auth/" in path else self.program

    def has(self, parameter: str, path: str) -> str:
        """What this parameter of a path names: in `/api/v1/users/{id}` a person."""
        return self.ids.get(parameter) or self.ids[path.split("/")[3]]

    def told(self, body: Any, path: str) -> Any:
        """The body, where it is about secrets with those that are right."""
        known = {**self.known, **(self.login if path.endswith("/login") else {})}
        return {name: known.get(name, value) for name, value in body.items()} if isinstance(body, dict) else body


@pytest.fixture
def world(api: Api, key: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Django closes connections between requests, but these are all within the one transaction of the test."""
    monkeypatch.setattr(hosted_settings, "fetch_logo", _nothing_there)
    world = World(api, key("*"))
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield world
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@examples(bounded, max_examples=8)
@REST.parametrize()
def test_every_answer_is_told(world: World, case: Any):
    aim = crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if aim % 4:
        case.path_parameters = {name: world.has(name, case.path) for name in case.path_parameters}
        case.body = world.told(case.body, case.path)
    caller = world.caller_of(case.path)

    with transaction.atomic():
        response = case.call(headers={"authorization": f"Bearer {caller.token}", "host": "127.0.0.1:8000"})
        case.validate_response(response, checks=CHECKS)
        transaction.set_rollback(True)


def _nothing_there(url: str) -> Any:
    raise SettingInvalid("No connection.", field="logoUrl")
