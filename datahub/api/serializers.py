"""JSON in and out of the endpoints of tables, columns and imports."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from datahub.column_types import BY_NAME
from datahub.models import Column, Table, Verb
from datahub.services.columns import ChangedColumn
from fastgen_backend.rest import (
    PageQuery,
    PlainJSONField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictSerializer,
)

TEXT_MAX = 10_000  # what a name may be is decided by the services; this bounds the work
COLUMNS_MAX = 1000  # the same
POSITION_MAX = 10_000


class NameField(StrictCharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, max_length=TEXT_MAX, **kwargs)


@extend_schema_field({"type": "string", "enum": list(BY_NAME)})
class TypeField(NameField):
    """The name of a column type; an unknown one is refused by the service, which names them."""


@extend_schema_field({"type": "string", "enum": Table.OnOwnerDelete.values})
class OnOwnerDeleteField(NameField):
    """What becomes of a person's rows; another word is refused by the service."""


RULE = {
    "oneOf": [
        {"type": "string", "enum": ["admin", "everyone", "authenticated", "owner"]},
        {
            "type": "object",
            "properties": {"roles": {"type": "array", "items": {"type": "string"}}},
            "required": ["roles"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"filter": {"type": "object"}},
            "required": ["filter"],
            "additionalProperties": False,
        },
    ]
}
RULES = {"type": "object", "properties": dict.fromkeys(Verb.values, RULE), "additionalProperties": False}


@extend_schema_field(RULES)
class RulesField(PlainJSONField):
    """A rule per verb; what one may say is the service's to decide."""


class ColumnRequest(StrictSerializer):
    name = NameField()
    key = NameField(required=False)
    type = TypeField()
    required = StrictBooleanField(required=False)  # type: ignore[assignment]  # DRF has an attribute of this name
    unique = StrictBooleanField(required=False)
    indexed = StrictBooleanField(required=False)
    options = PlainJSONField(required=False, max_bytes=200_000)


class ColumnChangeRequest(ColumnRequest):
    position = StrictIntegerField(required=False, min_value=1, max_value=POSITION_MAX)
    onFailure = StrictChoiceField(
        choices=["refuse", "null"],
        required=False,
        source="on_failure",
        error_messages={
            "null": gettext_lazy('Send "refuse", or the text "null" to leave out what can’t be converted.')
        },
        help_text="The text `null` leaves out what can’t be converted.",
    )


class ColumnChangeQuery(StrictSerializer):
    dryRun = StrictChoiceField(choices=["true", "false"], required=False, source="dry_run")


class ColumnsQuery(StrictSerializer):
    hidden = StrictChoiceField(choices=["true", "false"], required=False)


class TableSettings(StrictSerializer):
    name = NameField()
    key = NameField(required=False)
    description = NameField(required=False)
    access = RulesField(required=False, help_text="A verb that is missing is for admins and API keys.")
    onOwnerDelete = OnOwnerDeleteField(required=False, source="on_owner_delete")
    rowEvents = StrictBooleanField(required=False, source="row_events")


class TableRequest(TableSettings):
    columns = serializers.ListField(child=ColumnRequest(), required=False, max_length=COLUMNS_MAX)


class TablesQuery(PageQuery):
    pass


class ErrorResponse(StrictSerializer):
    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ConversionResponse(StrictSerializer):
    """A change of type that runs in the background; or that failed and changed nothing, or left values out."""

    type = serializers.CharField()
    state = serializers.CharField(help_text="`running`; or `failed` or `done`, until the next change.")
    detail = serializers.CharField()
    rowsConverted = serializers.IntegerField()
    errors = serializers.ListField(child=serializers.DictField(), help_text="The first values in the way, or left out.")  # type: ignore[assignment]  # DRF has an attribute of this name


class ColumnResponse(StrictSerializer):
    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=list(BY_NAME))
    required = serializers.BooleanField()  # type: ignore[assignment]  # DRF has an attribute of this name
    unique = serializers.BooleanField()
    indexed = serializers.BooleanField()
    options = PlainJSONField()
    conversion = ConversionResponse(required=False)


class UnconvertibleResponse(StrictSerializer):
    """As the refusal of the same name tells them."""

    count = serializers.IntegerField()
    errors = ErrorResponse(many=True, help_text="The first 100: where each stands, what it is, and why.")  # type: ignore[assignment]  # DRF has an attribute of this name


class ChangedColumnResponse(ColumnResponse):
    unconvertible = UnconvertibleResponse(required=False, help_text="What a `type` with `onFailure: null` leaves out.")


class ListedColumnResponse(ColumnResponse):
    hiddenAt = serializers.DateTimeField(required=False, help_text="Only of deleted columns, as `originalOf` is.")
    originalOf = serializers.UUIDField(required=False, allow_null=True, help_text="The column whose type was changed.")


class ColumnList(StrictSerializer):
    items = ListedColumnResponse(many=True)


class TableResponse(StrictSerializer):
    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    columns = ColumnResponse(many=True)
    access = RulesField()
    onOwnerDelete = serializers.ChoiceField(choices=Table.OnOwnerDelete.values)
    rowEvents = serializers.BooleanField()
    version = serializers.IntegerField()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()


class TablePage(StrictSerializer):
    items = TableResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


def show_table(table: Table, columns: Iterable[Column]) -> dict[str, Any]:
    return {
        "id": str(table.uid),
        "key": table.key,
        "name": table.name,
        "description": table.description,
        "columns": [show_column(column) for column in columns],
        "access": table.access,
        "onOwnerDelete": table.on_owner_delete,
        "rowEvents": table.row_events,
        "version": table.version,
        "createdAt": table.created_at,
        "updatedAt": table.updated_at,
    }


def show_column(column: Column) -> dict[str, Any]:
    shown = {
        "id": str(column.uid),
        "key": column.key,
        "name": column.name,
        "type": column.type,
        "required": column.required,
        "unique": column.unique,
        "indexed": column.indexed,
        "options": {name: value for name, value in column.options.items() if value is not None},
    }
    if conversion := getattr(column, "conversion", None):
        shown["conversion"] = {
            "type": conversion.type,
            "state": conversion.state,
            "detail": conversion.detail,
            "rowsConverted": conversion.rows_converted,
            "errors": conversion.errors,
        }
    return shown


def show_changed_column(changed: ChangedColumn) -> dict[str, Any]:
    """The column, and what a change of type left out of it."""
    shown, lost = show_column(changed.column), changed.lost
    if lost is not None:
        shown["unconvertible"] = {"count": lost.count, "errors": [error._asdict() for error in lost.errors]}
    return shown


def show_hidden_column(column: Column) -> dict[str, Any]:
    """A deleted column, or the original of a changed type: `originalOf` is the id of the column it was."""
    original_of = str(column.original_of.uid) if column.original_of else None
    return {**show_column(column), "hiddenAt": column.hidden_at, "originalOf": original_of}
