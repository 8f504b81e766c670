"""Imports as JSON: what is sent and what is shown."""

from typing import Any

from rest_framework import serializers

from datahub.api.serializers import TEXT_MAX, show_column
from datahub.column_types import BY_NAME
from datahub.models import Import
from datahub.services.imports.plan import REJECTS_MAX
from fastgen_backend.rest import PlainJSONField, StrictChoiceField, StrictSerializer


class ImportQuery(StrictSerializer):
    table = serializers.CharField(max_length=TEXT_MAX, help_text="The id or key of a table, or the key of a new one.")
    create = StrictChoiceField(choices=["true", "false"], required=False)  # type: ignore[assignment]  # DRF has a method of this name


class RejectResponse(StrictSerializer):
    line = serializers.IntegerField()
    pointer = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()


class UndoneResponse(StrictSerializer):
    rowsDeleted = serializers.IntegerField()
    rowsKept = serializers.IntegerField(help_text="Changed since the import, or needed by rows of other tables.")


class ImportProgress(StrictSerializer):
    id = serializers.UUIDField()
    table = serializers.CharField(help_text="The key of the table.")
    createdAt = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=["running", "done", "failed"])
    rowsRead = serializers.IntegerField()
    rowsImported = serializers.IntegerField()
    rowsRejected = serializers.IntegerField()
    detail = serializers.CharField(required=False, help_text="Why it failed.")
    undone = UndoneResponse(allow_null=True)


class ImportPage(StrictSerializer):
    items = ImportProgress(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class ImportedColumn(StrictSerializer):
    key = serializers.CharField()
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=list(BY_NAME))
    options = PlainJSONField()


class ImportResponse(ImportProgress):
    columns = ImportedColumn(
        many=True,
        allow_null=True,
        help_text="Those the file fills, in its order; null until those of a new table are known.",
    )
    ignored = serializers.ListField(
        child=serializers.CharField(),
        allow_null=True,
        help_text="Headers whose cells are left out, as the system sets what they name; null where that is not known.",
    )
    rejects = RejectResponse(many=True, help_text="The first 1,000 flaws.")


def show_progress(found: Import) -> dict[str, Any]:
    """`undone` is there once the rows are taken out again; until then an undo is `running`."""
    is_running = found.state == Import.State.RUNNING or found.undo == Import.Undo.RUNNING
    undone = {"rowsDeleted": found.rows_deleted, "rowsKept": found.rows_kept}
    shown = {
        "id": str(found.pk),
        "table": found.table.key if found.table else found.table_key,
        "createdAt": found.created_at,
        "state": "running" if is_running else found.state,
        "rowsRead": found.rows_read,
        "rowsImported": found.rows_imported,
        "rowsRejected": found.rows_rejected,
        "undone": undone if found.undo == Import.Undo.DONE else None,
    }
    return {**shown, "detail": found.detail} if found.detail else shown


def show_import(found: Import) -> dict[str, Any]:
    """The same with the columns that the file fills, as they are now, and what was rejected."""
    filled = map(show_column, found.filled_columns())
    columns = [{name: each[name] for name in ("key", "name", "type", "options")} for each in filled]
    rejects = list(found.rejects.order_by("line", "id").values("line", "pointer", "detail")[:REJECTS_MAX])
    shown = {"columns": columns if found.targets else None, "ignored": found.ignored_headers(), "rejects": rejects}
    return show_progress(found) | shown
