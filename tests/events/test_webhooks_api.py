"""Webhooks over REST."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import Subscriber, Webhook
from tests.conftest import Api
from tests.slowness import run_long

URL = "https://hooks.example.com/in"
MEMBERS = {
    *(
        "id",
        "url",
        "description",
        "events",
        "mode",
        "maxConcurrency",
        "ratePerSecond",
        "headers",
        "includeSecrets",
        "enabled",
        "status",
        "createdAt",
    )
}


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    return key("webhooks:read", "webhooks:write")


def _create(caller: Api, **members: Any) -> Any:
    return caller.post("/webhooks", {"url": URL, "events": ["auth.*"], **members})


def test_its_secret_is_told_once(caller: Api) -> None:
    created = _create(caller, description="CRM").json()

    read = caller.get(f"/webhooks/{created['id']}").json()

    assert created["secret"].startswith("whsec_")
    assert set(read) == MEMBERS
    assert read == {name: value for name, value in created.items() if name != "secret"}
    assert (read["mode"], read["status"], read["enabled"], read["maxConcurrency"]) == ("parallel", "healthy", True, 10)


def test_its_secret_is_kept_sealed(caller: Api) -> None:
    import base64

    secret = _create(caller).json()["secret"]

    assert base64.b64decode(secret.removeprefix("whsec_")) not in bytes(Webhook.objects.get().sealed_secret)


def test_the_list_goes_on_by_cursor(caller: Api) -> None:
    ids = [_create(caller).json()["id"] for _ in range(5)]

    first = caller.get("/webhooks?limit=3").json()
    with CaptureQueriesContext(connection) as queries:
        second = caller.get(f"/webhooks?limit=3&cursor={first['nextCursor']}").json()

    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert second["nextCursor"] is None
    assert len(queries) <= 3


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"url": "ftp://x.example/"}, "/url"),
        ({"url": "https://ann:secret@x.example/"}, "/url"),
        ({"url": "javascript:alert(1)"}, "/url"),
        ({"url": "/relative"}, "/url"),
        ({"url": "http://169.254.169.254/"}, "/url"),
        ({"url": "x" * 3000}, "/url"),
        ({"events": []}, "/events"),
        ({"events": ["auth.*", "no spaces"]}, "/events/1"),
        ({"events": "auth.*"}, "/events"),
        ({"events": [f"custom.n{number}" for number in range(51)]}, "/events"),
        ({"events": ["custom." + "x" * 140]}, "/events/0"),
        ({"mode": "sorted"}, "/mode"),
        ({"ratePerSecond": 0}, "/ratePerSecond"),
        ({"ratePerSecond": 1001}, "/ratePerSecond"),
        ({"headers": {"Host": "intern"}}, "/headers/Host"),
        ({"headers": {"webhook-id": "evt_1"}}, "/headers/webhook-id"),
        ({"headers": {"content-length": "5"}}, "/headers/content-length"),
        ({"headers": {"X A": "b"}}, "/headers/X A"),
        ({"headers": {"X-A": "b\r\nX-B: c"}}, "/headers/X-A"),
        ({"headers": {"X-A": "é"}}, "/headers/X-A"),
        ({"headers": {"X-A": "•••"}}, "/headers/X-A"),
        ({"headers": {"X-A": "b", "x-a": "c"}}, "/headers/x-a"),
        ({"headers": {f"X-{number}": "a" for number in range(21)}}, "/headers"),
        ({"headers": {f"X-{number}": "a" * 1990 for number in range(4)}}, "/headers"),
        ({"maxConcurrency": 0}, "/maxConcurrency"),
        ({"maxConcurrency": 101}, "/maxConcurrency"),
        ({"secret": "mine"}, "/secret"),
        ({"description": "a\0b"}, "/description"),
    ],
)
def test_bad_input_is_named_and_makes_nothing(caller: Api, members: dict[str, Any], pointer: str) -> None:
    answer = _create(caller, **members)

    assert answer.status_code == 400, answer.content
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/", "http://localhost:9000/", "http://10.0.0.1/"])
def test_private_targets_need_the_setting(caller: Api, settings: Any, url: str) -> None:
    assert _create(caller, url=url).status_code == 201

    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False

    assert _create(caller, url=url).status_code == 400


def test_a_change_keeps_what_it_does_not_name(caller: Api) -> None:
    created = _create(caller).json()

    changed = caller.patch(f"/webhooks/{created['id']}", {"events": ["*"], "maxConcurrency": 3}).json()

    assert (changed["events"], changed["maxConcurrency"], changed["url"]) == (["*"], 3, URL)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [({"events": []}, "/events"), ({"maxConcurrency": 101}, "/maxConcurrency"), ({"url": "ftp://x.example/"}, "/url")],
)
def test_a_change_is_judged_as_a_creation_is(caller: Api, change: dict[str, Any], pointer: str) -> None:
    created = _create(caller).json()

    answer = caller.patch(f"/webhooks/{created['id']}", {"description": "new", **change})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert Webhook.objects.get().description == ""


def test_it_is_switched_off_and_on_again(caller: Api) -> None:
    path = f"/webhooks/{_create(caller).json()['id']}"

    off = caller.patch(path, {"enabled": False}).json()
    on = caller.patch(path, {"enabled": True}).json()

    assert (off["enabled"], off["status"]) == (False, "disabled")
    assert (on["enabled"], on["status"]) == (True, "healthy")


def test_a_deleted_one_is_gone(caller: Api) -> None:
    path = f"/webhooks/{_create(caller).json()['id']}"

    assert caller.delete(path).status_code == 204

    assert [call(path).status_code for call in (caller.get, caller.delete)] == [404, 404]
    assert caller.patch(path, {}).status_code == 404
    assert caller.get(f"{path}/deliveries").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_one_of_many_deliveries_is_deleted_however_long_that_takes(
    caller: Api, hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/webhooks/{_create(caller).json()['id']}"
    delete = Subscriber.delete

    def delete_slowly(subscriber: Subscriber) -> Any:
        run_long(2)
        return delete(subscriber)

    monkeypatch.setattr(Subscriber, "delete", delete_slowly)

    assert caller.delete(path).status_code == 204


def test_each_scope_opens_its_own_half(key: Callable[..., Api], api: Api) -> None:
    assert api.get("/webhooks").status_code == 401
    assert key("events:read").get("/webhooks").status_code == 403
    assert _create(key("webhooks:read")).status_code == 403
    api.sign_up()
    assert api.get("/webhooks").status_code == 403


def test_secrets_are_included_by_default_for_who_may_see_them(key: Callable[..., Api]) -> None:
    plain = _create(key("webhooks:write"))
    trusted = _create(key("webhooks:write", "events:secrets"))
    everything = _create(key("*"))

    assert [answer.json()["includeSecrets"] for answer in (plain, trusted, everything)] == [False, True, True]


def test_who_may_not_see_secrets_can_not_include_them(caller: Api) -> None:
    answer = _create(caller, includeSecrets=True)

    assert (answer.status_code, answer.json()["code"]) == (403, "secrets-not-allowed")


def test_who_may_not_see_secrets_can_not_include_them_later(caller: Api) -> None:
    created = _create(caller).json()

    answer = caller.patch(f"/webhooks/{created['id']}", {"includeSecrets": True})

    assert (answer.status_code, answer.json()["code"]) == (403, "secrets-not-allowed")


@pytest.mark.parametrize("change", [{"url": "https://thief.example/"}, {"events": ["*"]}])
def test_who_may_not_see_secrets_can_not_send_them_elsewhere(key: Callable[..., Api], change: dict[str, Any]) -> None:
    created = _create(key("*")).json()

    answer = key("webhooks:write").patch(f"/webhooks/{created['id']}", change)

    assert answer.status_code == 403
    assert Webhook.objects.get().url == URL
    assert Subscriber.objects.get().filters == ["auth.*"]


def test_who_may_not_see_secrets_can_leave_them_out(key: Callable[..., Api]) -> None:
    created = _create(key("*")).json()

    changed = key("webhooks:write").patch(f"/webhooks/{created['id']}", {"includeSecrets": False})

    assert changed.json()["includeSecrets"] is False


@pytest.mark.parametrize("cursor", ["anVuaw", "x", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "%00"])
def test_a_cursor_that_is_none_of_ours_is_refused(caller: Api, cursor: str) -> None:
    path = f"/webhooks/{_create(caller).json()['id']}/deliveries"

    for listed in (path, "/webhooks"):
        answer = caller.get(f"{listed}?cursor={cursor}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/cursor")


@pytest.mark.parametrize("wanted", ["tables.*", "api.dataRow_foo", "auth.password_reset:begun", "authentication.*"])
def test_a_filter_that_no_event_can_match_is_refused(key: Callable[..., Api], wanted: str):
    answer = key("*").post("/webhooks", {"url": "https://hooks.example.com/", "events": ["auth.*", wanted]})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/events/1")


@pytest.mark.parametrize("wanted", ["*", "api.*", "custom.*", "custom.a", "auth.password_reset:completed"])
def test_a_filter_that_an_event_can_match_is_taken(key: Callable[..., Api], wanted: str):
    answer = key("*").post("/webhooks", {"url": "https://hooks.example.com/", "events": [wanted]})

    assert answer.status_code == 201
