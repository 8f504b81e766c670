"""How many queries a journey takes, transaction control left out, with throttles on as in production."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from tests.bench.figures import Figure

PERSON = {"email": "ann@example.com", "password": "correct horse battery staple"}
CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@override_settings(THROTTLES=True)
def measure(database: str) -> Iterator[Figure]:
    client = Client(headers={"host": "127.0.0.1"})
    _post(client, "signup", {**PERSON, "email": "first@example.com"})  # reads the signing keys, once per process
    signup, _ = _count(lambda: _post(client, "signup", PERSON))
    login, answer = _count(lambda: _post(client, "login", PERSON))
    bearer = {"authorization": f"Bearer {answer['session']['accessToken']}"}
    check, _ = _count(lambda: client.get("/api/v1/auth/me", headers=bearer).json())
    yield Figure(database, "sign up", "queries", [signup], most=14)
    yield Figure(database, "log in", "queries", [login])
    yield Figure(database, "check a session", "queries", [check], most=1)


def _post(client: Client, journey: str, body: dict[str, str]) -> Any:
    answer = client.post(f"/api/v1/auth/{journey}", json.dumps(body), "application/json")
    assert answer.status_code < 300, answer.content
    return answer.json()


def _count(journey: Callable[[], Any]) -> tuple[int, Any]:
    with CaptureQueriesContext(connection) as captured:
        answer = journey()
    return sum(not query["sql"].startswith(CONTROL) for query in captured.captured_queries), answer
