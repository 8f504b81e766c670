"""The rows of the grid as HTML. Python writes them: a template takes ten times as long for thousands of cells."""

from collections.abc import Iterator, Sequence

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from datahub.column_types import Relation
from datahub.console.cells import Labels, html_of, is_number
from datahub.console.labels import labels_of
from datahub.dynamic import Definition, Member
from datahub.row_shapes import Row

NO_ROW = "00000000-0000-0000-0000-000000000000"  # whose address is that of any other, but for this


class RowPrinter:
    """Prints rows of one table with some of its columns; None is a column that a page shows and that is gone."""

    def __init__(self, definition: Definition, members: Sequence[Member | None]) -> None:
        self._members = members
        self._relations = [member for member in members if member and isinstance(member.type, Relation)]
        address = reverse("console-datahub-row", args=[definition.table.key, NO_ROW])
        self._before, self._after = address.split(NO_ROW)
        self._classes = [' class="number"' if member and is_number(member.type) else "" for member in members]
        self._open, self._select = _("Open row %(number)s"), _("Select row %(number)s")

    @classmethod
    def of_columns(cls, definition: Definition, ids: str, members: Sequence[Member] = ()) -> "RowPrinter":
        """With the columns of these ids, parted by commas, as a page names them; of all, or of these `members`."""
        by_id = {str(member.column.uid): member for member in members or definition.own.values() if member.column}
        return cls(definition, [by_id.get(id) for id in ids.split(",") if id])

    def html(self, rows: Sequence[Row], first: int) -> SafeString:
        """The rows, each given by key, as lines of a table, numbered from `first` on."""
        labels = labels_of(self._relations, rows)
        lines = (self._line(row, number, labels) for number, row in enumerate(rows, start=first))
        return mark_safe("\n".join(lines))  # noqa: S308  every value is escaped where it becomes a cell

    def _line(self, row: Row, number: int, labels: Labels) -> str:
        href = f"{self._before}{row['id']}{self._after}"
        opens, selects = self._open % {"number": number}, self._select % {"number": number}
        return (
            f'<tr id="row-{row["id"]}" data-revision="{row["revision"]}"><th scope="row" class="pick">'
            f'<input type="checkbox" aria-label="{selects}"><a href="{href}" aria-label="{opens}">{number}</a></th>'
            f"{''.join(self._cells(row, labels))}<td></td></tr>"
        )

    def _cells(self, row: Row, labels: Labels) -> Iterator[str]:
        for member, kind in zip(self._members, self._classes, strict=True):
            inside, attributes = html_of(member.type, row.get(member.key), labels) if member else ("", "")
            yield f"<td{kind}{attributes}>{inside}</td>"
