"""The console's addresses for your data, and what its navigation shows of them."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from datahub.console import (
    api_page,
    column_actions,
    columns,
    danger,
    grid,
    import_columns,
    import_rejects,
    imports,
    new_table,
    row_edits,
    row_pages,
    table_list,
    table_settings,
    view_as,
)
from fastgen_backend.console import Area, Entry, add_to_navigation

HOME = "console/datahub"
TABLE = f"{HOME}/tables/<str:table>"
COLUMN = f"{TABLE}/columns/<str:column>"
IMPORT = f"{HOME}/imports/<uuid:id>"

urlpatterns = [
    path(HOME, table_list.TablesPage.as_view(), name="console-datahub"),
    path(f"{HOME}/new", new_table.NewTablePage.as_view(), name="console-datahub-new"),
    path(TABLE, grid.TableGrid.as_view(), name="console-datahub-table"),
    path(f"{TABLE}/count", grid.RowCount.as_view(), name="console-datahub-count"),
    path(f"{TABLE}/cells", row_edits.SaveCells.as_view(), name="console-datahub-cells"),
    path(f"{TABLE}/rows/new", row_pages.NewRowPage.as_view(), name="console-datahub-row-new"),
    path(f"{TABLE}/rows/delete", row_edits.DeleteRows.as_view(), name="console-datahub-rows-delete"),
    path(f"{TABLE}/rows/<uuid:row>", row_pages.RowPage.as_view(), name="console-datahub-row"),
    path(f"{TABLE}/rows/<uuid:row>/delete", row_pages.DeleteRowPage.as_view(), name="console-datahub-row-delete"),
    path(f"{TABLE}/columns/<str:column>/rows", row_edits.RowsToChoose.as_view(), name="console-datahub-choices"),
    path(f"{TABLE}/settings", table_settings.TableSettingsPage.as_view(), name="console-datahub-settings"),
    path(f"{TABLE}/clear", danger.ClearPage.as_view(), name="console-datahub-clear"),
    path(f"{TABLE}/delete", danger.DeletePage.as_view(), name="console-datahub-delete"),
    path(f"{TABLE}/api", api_page.ApiPage.as_view(), name="console-datahub-api"),
    path(f"{TABLE}/view-as", view_as.ViewAsPage.as_view(), name="console-datahub-view-as"),
    path(f"{TABLE}/columns/new", columns.NewColumnPage.as_view(), name="console-datahub-column-new"),
    path(COLUMN, columns.ColumnPage.as_view(), name="console-datahub-column"),
    path(f"{COLUMN}/delete", column_actions.DeletePage.as_view(), name="console-datahub-column-delete"),
    path(f"{COLUMN}/restore", column_actions.Restore.as_view(), name="console-datahub-column-restore"),
    path(f"{COLUMN}/purge", column_actions.PurgePage.as_view(), name="console-datahub-column-purge"),
    path(f"{COLUMN}/move", column_actions.Move.as_view(), name="console-datahub-column-move"),
    path(f"{COLUMN}/flags", column_actions.SetFlags.as_view(), name="console-datahub-column-flags"),
    path(f"{HOME}/import", imports.ImportPage.as_view(), name="console-datahub-import"),
    path(f"{HOME}/imports", imports.ImportsPage.as_view(), name="console-datahub-imports"),
    path(IMPORT, imports.ImportProgressPage.as_view(), name="console-datahub-import-progress"),
    path(f"{IMPORT}/columns", import_columns.ImportColumnsPage.as_view(), name="console-datahub-import-columns"),
    path(f"{IMPORT}/forget", imports.ImportForgetPage.as_view(), name="console-datahub-import-forget"),
    path(f"{IMPORT}/undo", imports.ImportUndoPage.as_view(), name="console-datahub-import-undo"),
    path(f"{IMPORT}/rejects", import_rejects.ImportRejectsPage.as_view(), name="console-datahub-import-rejects"),
    path(f"{IMPORT}/rejects.csv", import_rejects.RejectsFile.as_view(), name="console-datahub-import-rejects-csv"),
]

add_to_navigation(Entry(_("Datahub"), "console-datahub", Area.TOP, order=10))
