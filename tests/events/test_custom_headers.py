"""Headers of a webhook's own: they are sent, and what may be a secret in them is never shown."""

from collections.abc import Callable
from typing import Any

import pytest

from events.models import Attempt, Webhook
from tests.conftest import Api
from tests.events.conftest import happen, work_until
from tests.receivers import Call, Receiver, answer

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "Bearer s3cret-of-the-receiver"


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    return key("webhooks:read", "webhooks:write")


def create(caller: Api, url: str = "https://hooks.example.com/in") -> Any:
    members = {"url": url, "events": ["*"], "headers": {"Authorization": SECRET, "X-Env": "live"}}
    return caller.post("/webhooks", members).json()


def sent(receiver: Receiver) -> dict[str, str]:
    happen()
    work_until(lambda: Attempt.objects.exists())
    return receiver.at("/hook")[0].headers


def test_they_are_sent_beside_the_signature(caller: Api, receiver: Receiver):
    create(caller, receiver.url + "/hook")

    headers = sent(receiver)

    assert (headers["authorization"], headers["x-env"]) == (SECRET, "live")
    assert headers["webhook-signature"].startswith("v1,")


def test_their_values_are_masked_and_sealed(caller: Api):
    created = create(caller)

    read = caller.get(f"/webhooks/{created['id']}").json()

    assert created["headers"] == read["headers"] == {"Authorization": "•••", "X-Env": "•••"}
    assert SECRET.encode() not in bytes(Webhook.objects.get().sealed_headers or b"")


def test_a_value_that_is_sent_back_masked_stays_as_it_is(caller: Api, receiver: Receiver):
    path = f"/webhooks/{create(caller, receiver.url + '/hook')['id']}"

    caller.patch(path, {"headers": {"authorization": "•••", "X-New": "1"}})

    headers = sent(receiver)
    assert (headers["authorization"], headers["x-new"]) == (SECRET, "1")
    assert "x-env" not in headers


def test_they_do_not_follow_the_url_to_another_host(caller: Api):
    created = create(caller)

    moved = caller.patch(f"/webhooks/{created['id']}", {"url": "https://thief.example/"})

    assert moved.status_code == 400
    assert {error["pointer"] for error in moved.json()["errors"]} == {"/headers/Authorization", "/headers/X-Env"}
    assert Webhook.objects.get().url == created["url"]


@pytest.mark.parametrize("url", ["https://[::1", "https://ex℀mple.com/", "https://"])
def test_beside_them_another_url_that_cant_be_read_is_refused_for_what_it_is(caller: Api, url: str):
    created = create(caller)

    refused = caller.patch(f"/webhooks/{created['id']}", {"url": url})

    assert refused.status_code == 400
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/url"}


def test_they_stay_where_the_same_host_is_written_otherwise(caller: Api):
    created = create(caller)

    changed = caller.patch(f"/webhooks/{created['id']}", {"url": "https://HOOKS.example.com:443/other"})

    assert (changed.status_code, changed.json()["headers"]) == (200, created["headers"])


def test_they_can_be_given_anew_with_another_host(caller: Api):
    path = f"/webhooks/{create(caller)['id']}"

    moved = caller.patch(path, {"url": "https://new.example/", "headers": {"X-Env": "test"}})

    assert (moved.status_code, moved.json()["headers"]) == (200, {"X-Env": "•••"})


def test_an_answer_that_repeats_one_is_logged_without_it(caller: Api, receiver: Receiver):
    create(caller, receiver.url + "/hook")

    async def repeat(call: Call, writer: Any) -> None:
        token = call.headers["authorization"].split()[1]
        await answer(200, f"{call.headers['authorization']} and {token}".encode())(call, writer)

    receiver.on("/hook", repeat)

    sent(receiver)

    assert Attempt.objects.get().response_body == "••• and •••"
