"""The `webhooks` of OpenAPI 3.1: every event as a call that its receiver implements."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from events.catalog import CATALOG
from tests.conftest import Api

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    return dict(json.loads(Api().get("/openapi.json").content))


def test_the_document_is_valid_openapi_3_1(document: Document):
    validate(document)

    assert document["openapi"].startswith("3.1.")


def test_every_kind_of_event_is_a_webhook(document: Document):
    assert set(document["webhooks"]) == {":".join(kind).rstrip(":") for kind in CATALOG} | {"custom.*"}


def test_each_call_has_its_event_as_the_body_and_the_headers_that_sign_it(document: Document):
    for webhook in document["webhooks"].values():
        content = webhook["post"]["requestBody"]["content"]["application/json"]
        name = content["schema"]["$ref"].removeprefix("#/components/schemas/")
        schema = document["components"]["schemas"][name]

        assert list(Draft202012Validator(schema).iter_errors(content["example"])) == []
        assert [each["name"] for each in webhook["post"]["parameters"]] == [
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        ]
