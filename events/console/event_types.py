"""Every kind of event, documented from the catalogue: when it is sent, what it says, how to hear it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import TemplateView

from events.catalog import CUSTOM_PREFIX
from events.console.log_form import FAMILY_WORDS
from events.descriptions import Described, described
from events.models import Event
from fastgen_backend.console import AdminsOnly

KIND_WORDS = {
    "string": _("text"),
    "integer": _("whole number"),
    "boolean": _("true or false"),
    "array": _("list"),
    "object": _("object"),
    "null": _("null"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an event's data, in words."""

    name: str
    kinds: list[str | Promise]
    format: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Documented:
    """One kind of event, as the page shows it."""

    kind: Described
    members: list[Member]
    schema: str
    example: str


class TypesPage(AdminsOnly, TemplateView):
    """One section for each kind, which its name leads to as the address's fragment."""

    http_method_names = ["get", "head", "options"]
    template_name = "events/types.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **{"families": _families(), "webhooks_url": reverse("console-webhooks-new"), **kwargs}
        )


def anchor_of(event: Event) -> str:
    """The fragment that leads to the documentation of this event's kind."""
    if event.type.startswith(CUSTOM_PREFIX):
        return "custom"
    return f"{event.type}.{event.stage}" if event.stage else event.type


@cache
def _families() -> list[tuple[str | Promise, list[Documented]]]:
    families = groupby(described(), key=lambda kind: kind.type.partition(".")[0])
    return [(FAMILY_WORDS.get(family, family), [_documented(kind) for kind in kinds]) for family, kinds in families]


def _documented(kind: Described) -> Documented:
    required = set(kind.data.get("required", ()))
    members = [_member(name, schema, name in required) for name, schema in kind.data.get("properties", {}).items()]
    return Documented(kind, members, json.dumps(kind.data, indent=1), json.dumps(kind.example, indent=2))


def _member(name: str, schema: Mapping[str, Any], is_required: bool) -> Member:
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    format = "uuid" if schema.get("pattern", "").startswith("^[0-9a-f]{8}(-") else schema.get("format", "")
    return Member(name, [KIND_WORDS[type] for type in types], format, is_required, schema.get("description", ""))
