"""The REST endpoints of tables and columns."""

from typing import Any

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from datahub.api import serializers as shapes
from datahub.api.promises import PromisingEndpoint
from datahub.dynamic import definition_of, find_table
from datahub.models import Column, Table
from datahub.services import columns, tables
from datahub.services.column_checks import NewColumn
from datahub.services.columns import ColumnChange
from datahub.services.purging import purge_column
from fastgen_backend.rest import api_origin, keyset_page, needs_scope

SCOPES = needs_scope("tables:read", "tables:write")
NOTHING = OpenApiResponse(description="Done; there is no body.")


def _shown(table: Table) -> dict[str, Any]:
    definition = definition_of(table)
    return shapes.show_table(definition.table, definition.columns)


class TablesView(PromisingEndpoint):
    permission_classes = [SCOPES]
    queries = {"GET": shapes.TablesQuery}
    bodies = {"POST": shapes.TableRequest}

    @extend_schema(summary="List tables, oldest first", responses=shapes.TablePage)
    def get(self, request: Request) -> Response:
        visible = Prefetch("columns", Column.objects.visible(), to_attr="visible_columns")
        found = Table.objects.prefetch_related(visible)
        show = lambda table: shapes.show_table(table, table.visible_columns)  # noqa: E731
        return Response(keyset_page(found, key="uid", query=self.query, show=show))

    @extend_schema(summary="Create a table", responses={201: shapes.TableResponse})
    def post(self, request: Request) -> Response:
        """Its key is made from the name where none is given; a verb without a rule is for admins and API keys."""
        body = self.body
        new = [NewColumn(**column) for column in body.pop("columns", [])]
        table = tables.create_table(**body, columns=new, origin=api_origin(request))
        return Response(_shown(table), 201)


class TableView(PromisingEndpoint):
    permission_classes = [SCOPES]
    bodies = {"PATCH": shapes.TableSettings}

    @extend_schema(summary="Read a table", responses=shapes.TableResponse)
    def get(self, request: Request, table: str) -> Response:
        return Response(_shown(find_table(table)))

    @extend_schema(summary="Change a table", responses=shapes.TableResponse)
    def patch(self, request: Request, table: str) -> Response:
        """`access` changes only the verbs that it names. What changes nothing is no new version."""
        changed = tables.change_table(table=find_table(table), changes=self.body, origin=api_origin(request))
        return Response(_shown(changed))

    @extend_schema(summary="Delete a table with all its rows", responses={204: NOTHING})
    def delete(self, request: Request, table: str) -> Response:
        tables.delete_table(table=find_table(table), origin=api_origin(request))
        return Response(status=204)


class ClearTableView(PromisingEndpoint):
    permission_classes = [needs_scope("tables:write")]

    @extend_schema(summary="Delete all rows of a table", request=None, responses={204: NOTHING})
    def post(self, request: Request, table: str) -> Response:
        tables.clear_table(table=find_table(table), origin=api_origin(request))
        return Response(status=204)


class ColumnsView(PromisingEndpoint):
    permission_classes = [SCOPES]
    queries = {"GET": shapes.ColumnsQuery}
    bodies = {"POST": shapes.ColumnRequest}

    @extend_schema(summary="List the columns of a table", responses=shapes.ColumnList)
    def get(self, request: Request, table: str) -> Response:
        """With `hidden=true` those that are deleted but not yet purged, and the originals of changed types."""
        found = find_table(table)
        if self.query.get("hidden") == "true":
            hidden = Column.objects.filter(table=found).hidden()
            return Response({"items": [shapes.show_hidden_column(column) for column in hidden]})
        visible = Column.objects.filter(table=found).visible()
        return Response({"items": [shapes.show_column(column) for column in visible]})

    @extend_schema(summary="Add a column", responses={201: shapes.ColumnResponse})
    def post(self, request: Request, table: str) -> Response:
        new = NewColumn(**self.body)
        column = columns.add_column(table=find_table(table), new=new, origin=api_origin(request))
        return Response(shapes.show_column(column), 201)


class ColumnView(PromisingEndpoint):
    permission_classes = [SCOPES]
    queries = {"PATCH": shapes.ColumnChangeQuery}
    bodies = {"PATCH": shapes.ColumnChangeRequest}

    @extend_schema(summary="Change a column", responses={200: shapes.ChangedColumnResponse, 202: shapes.ColumnResponse})
    def patch(self, request: Request, table: str, column: str) -> Response:
        """With a new `type` the values are converted; `onFailure` says what becomes of those that can't be.

        With `null` they are left out, and the answer tells them as `unconvertible`. `?dryRun=true` answers the same
        and changes nothing. The values of before are kept: `POST …/restore`.

        A table of more than 200,000 rows is converted in the background: 202, and the column shows its `conversion`
        until that is done; and then still, until the next change, where values were left out.
        """
        changes = dict(self.body)
        change = ColumnChange(
            nulls_unconvertible=changes.pop("on_failure", "refuse") == "null",
            is_dry_run=self.query.get("dry_run") == "true",
            changes=changes,
        )
        changed = columns.change_column(
            table=find_table(table), id_or_key=column, change=change, origin=api_origin(request)
        )
        return Response(shapes.show_changed_column(changed), 202 if changed.column.copied_to else 200)

    @extend_schema(summary="Delete a column", responses={204: NOTHING})
    def delete(self, request: Request, table: str, column: str) -> Response:
        """It is hidden at once, and can be restored until it is purged."""
        columns.hide_column(table=find_table(table), id_or_key=column, origin=api_origin(request))
        return Response(status=204)


class RestoreColumnView(PromisingEndpoint):
    permission_classes = [needs_scope("tables:write")]

    @extend_schema(summary="Restore a deleted column", request=None, responses=shapes.ColumnResponse)
    def post(self, request: Request, table: str, column: str) -> Response:
        """Also the original after a change of type, as a column of its own; a taken key gets a number.

        Of several with one key name the id.
        """
        restored = columns.restore_column(table=find_table(table), id_or_key=column, origin=api_origin(request))
        return Response(shapes.show_column(restored))


class PurgeColumnView(PromisingEndpoint):
    permission_classes = [needs_scope("tables:write")]

    @extend_schema(summary="Purge a deleted column for good", request=None, responses={204: NOTHING})
    def post(self, request: Request, table: str, column: str) -> Response:
        purge_column(table=find_table(table), id_or_key=column)
        return Response(status=204)
