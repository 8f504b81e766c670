"""AsyncAPI 3: a whole document that is true of what webhooks are really sent."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from events.catalog import CATALOG
from events.models import Webhook
from tests.conftest import Api
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    answer = Api().get("/events/asyncapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/vnd.aai.asyncapi+json")
    return dict(json.loads(answer.content))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["$ref"]] if "$ref" in part else []
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _references(each)


def _at(document: Document, reference: str) -> Any:
    """What a reference leads to; raises `KeyError`."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return _at(document, found["$ref"]) if "$ref" in found else found


def test_it_is_asyncapi_3_without_loose_ends(document: Document):
    assert set(document) == {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(document["info"])
    assert all(_at(document, each) for each in _references(document))


def test_one_operation_sends_every_kind_of_event_there_is(document: Document):
    [operation] = document["operations"].values()

    messages = [_at(document, each["$ref"]) for each in operation["messages"]]

    assert (operation["action"], operation["channel"]) == ("send", {"$ref": "#/channels/webhook"})
    assert {each["name"] for each in messages} == {":".join(kind).rstrip(":") for kind in CATALOG} | {"custom.*"}


def test_each_message_has_an_example_of_what_it_says(document: Document):
    for message in document["components"]["messages"].values():
        Draft7Validator.check_schema(message["payload"])  # what AsyncAPI's own schemas stand on
        for validator in (Draft7Validator, Draft202012Validator):
            assert list(validator(message["payload"]).iter_errors(message["examples"][0]["payload"])) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["auth.user_signedUp", "custom"])
def test_what_a_webhook_is_sent_is_what_its_message_says(
    document: Document, subscribe: Callable[..., Webhook], receiver: Receiver, api: Api, key: str
):
    subscribe("/hook", "auth.user_signedUp", "custom.*")
    if key == "custom":
        happen()
    else:
        api.sign_up()

    assert work_until(lambda: receiver.calls)

    [call], message = receiver.calls, document["components"]["messages"][key]
    headers = _at(document, message["headers"]["$ref"])
    assert list(Draft202012Validator(message["payload"]).iter_errors(json.loads(call.body))) == []
    assert list(Draft202012Validator(headers).iter_errors(call.headers)) == []
    assert list(message["examples"][0]["payload"]) == list(json.loads(call.body))
