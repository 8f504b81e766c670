"""The log over REST."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from events.models import Event
from events.services.sequencing import sequence_events
from tests.conftest import Api


@pytest.fixture
def reader(key: Callable[..., Api]) -> Api:
    return key("events:read", "events:write")


def _happen(reader: Api, *names: str) -> list[str]:
    ids = [reader.post("/events", {"type": f"custom.{name}", "data": {"n": name}}).json()["id"] for name in names]
    _sequence()
    return ids


def _sequence() -> None:
    while Event.objects.filter(position=None).exists():
        sequence_events()


def test_a_custom_event_is_recorded_and_gets_its_position_later(reader: Api) -> None:
    answer = reader.post("/events", {"type": "custom.sku_reorder", "data": {"sku": "A-1"}})

    envelope = answer.json()
    assert answer.status_code == 201
    assert list(envelope) == ["id", "type", "timestamp", "position", "source", "data"]
    assert (envelope["type"], envelope["position"], envelope["source"]) == ("custom.sku_reorder", None, "api")
    _sequence()
    assert reader.get(f"/events/{envelope['id']}").json() == {**envelope, "position": 1}


def test_the_same_dedup_key_is_the_same_event(reader: Api) -> None:
    body = {"type": "custom.paid", "data": {"order": 7}, "dedupKey": "order-7"}

    first, second = reader.post("/events", body), reader.post("/events", body)
    other = reader.post("/events", {**body, "data": {"order": 8}})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert (other.status_code, other.json()["code"]) == (409, "dedup-key-reused")
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"type": "auth.user_signedUp"}, "/type"),
        ({"type": "custom."}, "/type"),
        ({"type": "custom.a b"}, "/type"),
        ({"type": "x" * 121}, "/type"),
        ({"data": []}, "/data"),
        ({"data": {"a": "\0"}}, "/data"),
        ({"data": {"a": "x" * 70_000}}, "/data"),
        ({"dedupKey": ""}, "/dedupKey"),
        ({"position": 1}, "/position"),
    ],
)
def test_bad_input_is_named(reader: Api, members: dict[str, Any], pointer: str) -> None:
    answer = reader.post("/events", {"type": "custom.x", "data": {}, **members})

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Event.objects.exists()


def test_a_reader_goes_on_from_its_cursor(reader: Api) -> None:
    ids = _happen(reader, "a", "b", "c")

    first = reader.get("/events?limit=2").json()
    second = reader.get(f"/events?limit=2&after={first['nextCursor']}").json()
    third = reader.get(f"/events?limit=2&after={second['nextCursor']}").json()

    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert [item["position"] for item in first["items"] + second["items"]] == [1, 2, 3]
    assert (first["hasMore"], second["hasMore"]) == (True, False)
    assert (third["items"], third["nextCursor"]) == ([], ids[-1])


def test_an_empty_log_has_no_cursor(reader: Api) -> None:
    assert reader.get("/events").json() == {"items": [], "nextCursor": None, "hasMore": False}


def test_what_is_not_sequenced_yet_is_not_in_the_list(reader: Api) -> None:
    reader.post("/events", {"type": "custom.x", "data": {}})

    assert reader.get("/events").json()["items"] == []


def test_newest_first(reader: Api) -> None:
    ids = _happen(reader, "a", "b", "c")

    page = reader.get("/events?order=-position&limit=2").json()
    rest = reader.get(f"/events?order=-position&after={page['nextCursor']}").json()

    assert [item["id"] for item in page["items"] + rest["items"]] == ids[::-1]


@pytest.mark.parametrize(
    ("types", "found"),
    [
        ("custom.a", ["a"]),
        ("custom.a,custom.b", ["a", "b"]),
        ("custom.*", ["a", "b", "A"]),
        ("*", ["a", "b", "A"]),
        ("auth.*", []),
    ],
)
def test_types_filter_as_webhooks_do(reader: Api, types: str, found: list[str]) -> None:
    _happen(reader, "a", "b", "A")

    assert [item["data"]["n"] for item in reader.get(f"/events?types={types}").json()["items"]] == found


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("after=evt_00000000000000000000000000000000", "/after"),
        ("after=x", "/after"),
        ("after=evt_%00", "/after"),
        ("types=a%20b", "/types"),
        ("types=" + ",".join(f"custom.a{number}" for number in range(60)), "/types"),
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=x", "/limit"),
        ("order=id", "/order"),
        ("since=1", "/since"),
    ],
)
def test_bad_parameters_are_named(reader: Api, query: str, pointer: str) -> None:
    _happen(reader, "a")

    answer = reader.get(f"/events?{query}")

    assert answer.status_code == 400, answer.content
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def _follow(reader: Api, query: str, after: str = "") -> list[str]:
    """What a reader gets who passes each `nextCursor` as `after` until it stands still."""
    names: list[str] = []
    while True:
        page = reader.get(f"/events?{query}" + (f"&after={after}" if after else "")).json()
        names += [item["data"]["n"] for item in page["items"]]
        if page["nextCursor"] == after:
            return names
        after = page["nextCursor"]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize(("order", "expected"), [("position", "acegj"), ("-position", "jgeca")])
def test_a_reader_with_filters_reads_every_match_once(reader: Api, limit: int, order: str, expected: str) -> None:
    _happen(reader, *"abcdefghij")

    read = _follow(reader, f"types=custom.a,custom.c,custom.e,custom.g,custom.j&limit={limit}&order={order}")

    assert read == list(expected)


def test_a_reader_of_what_never_happened_yet_goes_on_from_the_newest_event(reader: Api) -> None:
    ids = _happen(reader, "a", "b")

    page = reader.get("/events?types=custom.z").json()

    assert page == {"items": [], "nextCursor": ids[-1], "hasMore": False}


def test_a_reader_of_what_never_happened_goes_back_to_the_oldest_event(reader: Api) -> None:
    ids = _happen(reader, "a", "b")

    page = reader.get("/events?types=custom.z&order=-position").json()

    assert page == {"items": [], "nextCursor": ids[0], "hasMore": False}


def test_a_reader_of_a_rare_type_is_never_behind_what_is_kept(reader: Api) -> None:
    _happen(reader, "rare", "a", "b")
    cursor = reader.get("/events?types=custom.rare").json()["nextCursor"]
    Event.objects.filter(position__lte=2).delete()

    answer = reader.get(f"/events?types=custom.rare&after={cursor}")

    assert answer.status_code == 200


def test_what_is_sequenced_while_a_page_is_read_is_read_once(reader: Api) -> None:
    _happen(reader, "a")
    came: list[str] = []

    def meanwhile(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if not came and 'FROM "events_event"' in sql:
            came.append("b, and c after it")
            _happen(reader, "b", "c")
        return result

    with connection.execute_wrapper(meanwhile):
        page = reader.get("/events?types=custom.b").json()

    read = [item["data"]["n"] for item in page["items"]] + _follow(reader, "types=custom.b", page["nextCursor"])
    assert came
    assert read == ["b"]


def test_a_cursor_older_than_what_is_kept_is_410_with_the_oldest_id(reader: Api) -> None:
    ids = _happen(reader, "a", "b", "c")
    Event.objects.filter(position__lte=2).delete()

    answer = reader.get(f"/events?after={ids[0]}")

    assert (answer.status_code, answer.json()["code"]) == (410, "event-gone")
    assert ids[2] in answer.json()["detail"]


def test_there_is_no_event_with_another_id(reader: Api) -> None:
    for public_id in ("x", "evt_x", f"evt_{UUID(int=1).hex}", f"evt_{UUID(int=1).hex.upper()}0"):
        assert reader.get(f"/events/{public_id}").status_code == 404


def test_tokens_are_masked_unless_the_key_may_see_them(api: Api, key: Callable[..., Api]) -> None:
    api.sign_up()
    _sequence()

    masked = key("events:read").get("/events?types=auth.email_verificationRequested").json()["items"][0]["data"]
    shown = key("events:read", "events:secrets").get("/events?types=auth.*&limit=200").json()["items"][1]["data"]

    assert list(masked) == ["userId", "email", "emailVerified", "roles", "token", "link", "expiresAt"]
    assert (masked["token"], masked["link"]) == ("•••", "•••")
    assert shown["link"] == f"http://127.0.0.1:8000/verify-email?token={shown['token']}"
    assert api.post("/auth/email-verification/submit", {"token": shown["token"]}).status_code == 200


def test_each_scope_opens_its_own_half(api: Api, key: Callable[..., Api]) -> None:
    assert api.get("/events").status_code == 401
    assert key("webhooks:read").get("/events").status_code == 403
    assert key("events:read").post("/events", {"type": "custom.x", "data": {}}).status_code == 403
    api.sign_up()
    assert api.get("/events").status_code == 403


def test_head_answers_as_get_does(reader: Api) -> None:
    assert reader.call("HEAD", "/events?limit=5").status_code == 200
