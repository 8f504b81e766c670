"""Bad input about events and webhooks gets a clear answer, is never a 500, and changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from events.models import Event, Subscriber, Webhook
from tests.conftest import Api

WEBHOOK = {"url": "https://hooks.example.com/in", "events": ["auth.*"]}
BODIES: dict[str, dict[str, Any]] = {
    "POST /events": {"type": "custom.x", "data": {}},
    "POST /webhooks": WEBHOOK,
    "PATCH /webhooks/": WEBHOOK,  # of the one there is
}


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    """A program that may write, and has one webhook."""
    caller = key("events:write", "webhooks:read", "webhooks:write")
    assert caller.post("/webhooks", WEBHOOK).status_code == 201
    return caller


def _call(caller: Api, endpoint: str, body: Any = None, *, query: str = "", **options: Any) -> Any:
    method, path = endpoint.split(" ")
    named = str(Webhook.objects.get().pk) if path.endswith("/") else ""
    return caller.call(method, path + named + query, body, **options)


def _assert_refused(answer: Any, pointer: str, status: int = 400) -> None:
    problem = answer.json()
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert all(error["detail"] and error["code"] for error in problem["errors"])
    assert not Event.objects.exists()
    assert list(Webhook.objects.values_list("url", flat=True)) == [WEBHOOK["url"]]
    assert list(Subscriber.objects.values_list("filters", flat=True)) == [WEBHOOK["events"]]


@pytest.mark.parametrize("endpoint", BODIES)
@pytest.mark.parametrize(
    "raw",
    [b"{", b"[" * 100_000, b"\xff\xfe", b'{"url": NaN}', b'{"a":1,"a":2}', b'{"data": 1e999}', b"9" * 5000],
    ids=["cut", "deep", "not utf-8", "nan", "twice", "huge number", "long number"],
)
def test_malformed_json_is_400(caller: Api, endpoint: str, raw: bytes) -> None:
    _assert_refused(_call(caller, endpoint, raw=raw), "")


@pytest.mark.parametrize("endpoint", BODIES)
@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_a_body_that_is_no_object_is_400(caller: Api, endpoint: str, raw: bytes) -> None:
    _assert_refused(_call(caller, endpoint, raw=raw), "")


@pytest.mark.parametrize("endpoint", BODIES)
def test_a_body_over_a_megabyte_is_413(caller: Api, endpoint: str) -> None:
    _assert_refused(_call(caller, endpoint, raw=b" " * 1_000_001), "", status=413)


@pytest.mark.parametrize("endpoint", BODIES)
def test_an_unknown_member_is_named(caller: Api, endpoint: str) -> None:
    _assert_refused(_call(caller, endpoint, {**BODIES[endpoint], "a/b~c": 1}), "/a~1b~0c")


@pytest.mark.parametrize("endpoint", BODIES)
def test_an_unknown_parameter_is_named(caller: Api, endpoint: str) -> None:
    _assert_refused(_call(caller, endpoint, BODIES[endpoint], query="?debug=1"), "/debug")


@pytest.mark.parametrize(
    ("endpoint", "member"), [(endpoint, member) for endpoint, body in BODIES.items() for member in body]
)
@pytest.mark.parametrize("value", [None, True, 1.5, [[]], [None]], ids=str)
def test_a_member_of_the_wrong_kind_is_named(caller: Api, endpoint: str, member: str, value: Any) -> None:
    answer = _call(caller, endpoint, {**BODIES[endpoint], member: value})

    assert answer.status_code == 400
    assert {error["pointer"].split("/")[1] for error in answer.json()["errors"]} == {member}


@pytest.mark.parametrize(("endpoint", "member"), [("POST /events", "type"), ("POST /webhooks", "url")])
def test_a_missing_member_is_named(caller: Api, endpoint: str, member: str) -> None:
    body = {name: value for name, value in BODIES[endpoint].items() if name != member}

    _assert_refused(_call(caller, endpoint, body), f"/{member}")


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"], ids=["nul", "lone"])
@pytest.mark.parametrize(("endpoint", "member"), [("POST /events", "dedupKey"), ("PATCH /webhooks/", "description")])
def test_text_that_can_not_be_stored_is_named(caller: Api, endpoint: str, member: str, text: str) -> None:
    _assert_refused(_call(caller, endpoint, {**BODIES[endpoint], member: text}), f"/{member}")


@pytest.mark.parametrize("value", ["\0", "\ud800", {"\0": 1}, [["\ud800"]]], ids=["nul", "lone", "name", "nested"])
def test_data_that_can_not_be_stored_is_named(caller: Api, value: Any) -> None:
    _assert_refused(caller.post("/events", {"type": "custom.x", "data": {"a": value}}), "/data")


def test_data_that_is_nested_too_deeply_is_named(caller: Api) -> None:
    deep = b'{"a":' * 300 + b"1" + b"}" * 300

    _assert_refused(caller.post("/events", raw=b'{"type":"custom.x","data":' + deep + b"}"), "/data")
