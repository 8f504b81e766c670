"""The catalogue over REST: every kind of event, for everyone, as it is really told."""

from collections.abc import Callable
from typing import Any

from jsonschema import Draft202012Validator

from events.catalog import CATALOG
from events.filters import check_filter, matches
from tests.conftest import Api


def _items(api: Api) -> list[dict[str, Any]]:
    answer = api.get("/events/catalog")
    assert answer.status_code == 200, answer.content
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_every_kind_is_there_without_credentials_and_custom_events_come_last(api: Api):
    items = _items(api)

    assert [(each["type"], each["stage"] or "") for each in items] == [
        *sorted(CATALOG, key=lambda kind: ":".join(kind).rstrip(":")),
        ("custom.*", ""),
    ]


def test_a_filter_names_its_kind_and_no_other(api: Api):
    kinds = [(each["type"], each["stage"] or "", each["filter"]) for each in _items(api)]

    for type, stage, filter in kinds:
        check_filter(filter)
        assert [other for *other, _filter in kinds if matches([filter], *other)] == [[type, stage]]


def test_each_example_is_what_its_schema_says(api: Api):
    for each in _items(api):
        Draft202012Validator.check_schema(each["dataSchema"])
        assert list(Draft202012Validator(each["dataSchema"]).iter_errors(each["example"]["data"])) == []


def test_what_carries_secrets_is_told(api: Api):
    secret = [each["filter"] for each in _items(api) if each["carriesSecrets"]]

    assert {"auth.email_verificationRequested", "auth.password_reset:requested"} <= set(secret)
    assert all(
        {"token", "link"} <= set(each["dataSchema"]["properties"]) for each in _items(api) if each["carriesSecrets"]
    )


def test_it_hides_no_event_behind_its_name(key: Callable[..., Api]):
    answer = key("events:read").get("/events/catalogue")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
