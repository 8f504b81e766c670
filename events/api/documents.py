"""The catalogue as programs read it: our own list, AsyncAPI 3 and the `webhooks` of OpenAPI 3.1."""

from functools import cache
from typing import Any

from django.conf import settings

from events.descriptions import HEADERS, HOW_SIGNED, Described, described

Document = dict[str, Any]
ASYNCAPI_VERSION = "3.0.0"
HTTP_BINDING_VERSION = "0.3.0"
ABOUT = (
    "What happens in this backend, as webhooks are told of it. An event is committed together with the change that "
    "it tells. `token` and `link` are null once they are used or expired, and “•••” for webhooks without "
    "`includeSecrets`. Events of a person who was deleted since have lost their data, wherever they are told again."
)


@cache
def catalog() -> Document:
    """A `CatalogResponse`."""
    return {"items": [_entry(each) for each in described()]}


def _entry(each: Described) -> Document:
    return {
        "type": each.type,
        "stage": each.stage or None,
        "filter": each.filter,
        "description": each.description,
        "carriesSecrets": each.carries_secrets,
        "dataSchema": each.data,
        "example": each.example,
    }


@cache
def asyncapi() -> Document:
    """AsyncAPI 3.0: one channel, the address of a webhook, on which we send every kind of event."""
    keys = [each.key for each in described()]
    told = settings.SPECTACULAR_SETTINGS
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {"title": f"{told['TITLE']}: events", "version": told["VERSION"], "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            "webhook": {
                "address": None,  # each webhook has its own
                "title": "A webhook",
                "description": f"The address that was given to `POST /api/v1/webhooks`. {HOW_SIGNED}",
                "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in keys},
            }
        },
        "operations": {
            "sendEvent": {
                "action": "send",
                "channel": {"$ref": "#/channels/webhook"},
                "summary": "Tells a webhook of an event that one of its filters names.",
                "bindings": {"http": {"method": "POST", "bindingVersion": HTTP_BINDING_VERSION}},
                "messages": [{"$ref": f"#/channels/webhook/messages/{key}"} for key in keys],
            }
        },
        "components": {
            "messages": {each.key: _message(each) for each in described()},
            "schemas": {"headers": {"type": "object", "properties": HEADERS, "required": list(HEADERS)}},
        },
    }


def _message(each: Described) -> Document:
    return {
        "name": each.filter,
        "title": each.filter,
        "summary": each.description,
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": each.envelope,
        "examples": [{"payload": each.example}],
    }


def add_webhooks(result: Document, **_: Any) -> Document:
    """The OpenAPI document with every event that we send, and the headers that sign it; settings.py names this."""
    result["components"]["schemas"] |= {_component(each): each.envelope for each in described()}
    return {**result, "webhooks": {each.filter: {"post": _call(each)} for each in described()}}


def _component(each: Described) -> str:
    return f"Event.{each.key}"


def _call(each: Described) -> Document:
    schema = {"$ref": f"#/components/schemas/{_component(each)}"}
    return {
        "operationId": _component(each),
        "tags": ["events"],
        "summary": each.filter,
        "description": f"{each.description}\n\n{HOW_SIGNED}",
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": header} for name, header in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": each.example}},
        },
        "responses": {
            "2XX": {"description": "Any 2xx: it is delivered, and not sent again."},
            "410": {"description": "The receiver wants no more calls, ever: the webhook is disabled."},
            "default": {"description": "All else is tried again, later and later; Retry-After is honoured."},
        },
    }
