"""What the catalogue says of one kind of event, and the words of JSON Schema that it says it by."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator

from events.catalog.event_types import EventType


@dataclass(frozen=True)
class EventKind:
    """One entry of the catalogue: `schema` (JSON Schema 2020-12) and `example` are of the event's `data`."""

    type: EventType
    description: str
    schema: Mapping[str, Any]
    example: Mapping[str, Any]
    stage: str = ""
    secret: bool = False  # its token and link are kept apart from the log

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.schema)

    def flaw(self, data: Mapping[str, Any]) -> str:
        """What is wrong with `data`, in a sentence; empty where nothing is."""
        error = next(self._validator.iter_errors(data), None)
        return f"{error.json_path}: {error.message}" if error else ""


def object_of(**properties: Any) -> dict[str, Any]:
    """An object with exactly these members."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
TEXT_OR_NULL = {"type": ["string", "null"]}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
TIME = {"type": "string", "format": "date-time"}
