"""Addresses of tables, columns and rows, below /api/v1."""

from django.urls import path

from datahub.api import imports, openapi, row_searches, rows, tables

urlpatterns = [
    path("tables/<str:table>/rows/<uuid:id>", rows.RowView.as_view()),  # first, because programs ask most often
    path("tables/<str:table>/rows", rows.RowsView.as_view()),
    path("imports", imports.ImportsView.as_view()),
    path("imports/<uuid:id>", imports.ImportView.as_view()),
    path("imports/<uuid:id>/undo", imports.UndoImportView.as_view()),
    path("tables/<str:table>/imports", imports.TableImportsView.as_view()),
    path("tables/<str:table>/openapi.json", openapi.TableOpenApiView.as_view()),
    path("tables/<str:table>/rows/query", row_searches.RowQueryView.as_view()),
    path("tables/<str:table>/rows/aggregate", row_searches.RowAggregateView.as_view()),
    path("tables/<str:table>/rows.csv", row_searches.RowsCsvView.as_view()),
    path("tables/<str:table>/rows.ndjson", row_searches.RowsNdjsonView.as_view()),
    path("tables", tables.TablesView.as_view()),
    path("tables/<str:table>", tables.TableView.as_view()),
    path("tables/<str:table>/clear", tables.ClearTableView.as_view()),
    path("tables/<str:table>/columns", tables.ColumnsView.as_view()),
    path("tables/<str:table>/columns/<str:column>", tables.ColumnView.as_view()),
    path("tables/<str:table>/columns/<str:column>/restore", tables.RestoreColumnView.as_view()),
    path("tables/<str:table>/columns/<str:column>/purge", tables.PurgeColumnView.as_view()),
]
