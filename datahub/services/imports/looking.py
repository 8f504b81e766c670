"""The look through a file for somebody who confirms what it becomes: columns, first rows, what could be chosen from."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from datahub.import_files import Batch, Cells
from datahub.import_flaws import text_of
from datahub.inference import Different
from datahub.models import Import, ImportPreview
from datahub.services.imports.guessing import Guessing
from datahub.services.imports.plan import NotPossible
from datahub.services.imports.rejects import storable
from datahub.services.imports.upload import OWNER

SAMPLE_ROWS = 10
SAMPLE_MAX = 200  # characters of a cell


class Looking(Guessing):
    """What the columns could be, as far as was looked."""

    def __init__(self, source: Import) -> None:
        super().__init__(source)
        self._source = source
        self._different: dict[str, Different] = {}
        self._longest: dict[str, int] = {}
        self._sample: list[dict[str, str]] = []
        self._flawed = 0

    def _see(self, batch: Batch, columns: Sequence[Cells]) -> None:
        super()._see(batch, columns)
        self._flawed += len(batch.flaws)
        first = range(min(SAMPLE_ROWS - len(self._sample), len(batch.lines)))
        rows: list[dict[str, str]] = [{} for _index in first]
        for header, cells in zip(self.headers, columns, strict=True):
            self._different.setdefault(header, Different()).see(cells)
            longest = max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
            self._longest[header] = max(self._longest.get(header, 0), longest)
            for index in first:
                rows[index][header] = _shown(cells[index])
        self._sample += rows

    def keep(self) -> None:
        """Keep what was seen for whoever is to confirm it. Raises `NotPossible`."""
        headers = self.headers
        if unstorable := [header for header in headers if storable(header) != header]:
            detail = _("A member of the objects is called ‘%(name)s’, which no database keeps; call it otherwise.")
            raise NotPossible(detail % {"name": storable(unstorable[0])[:100]})
        columns = self._columns()
        if all("target" in each for each in columns):
            raise NotPossible(_("The file names no column that could be made."))
        ImportPreview.objects.filter(of=self._source).update(
            rows=self.rows,
            rows_flawed=self._flawed,
            columns=columns,
            sample=[[row.get(header, "") for header in headers] for row in self._sample],
        )

    def _columns(self) -> list[dict[str, Any]]:
        """Of each header what its column could be, or where else its cells go."""
        apart = {header: target for header, target in self.set_apart.items() if header != OWNER or self.has_owners}
        return [
            {"target": apart[header]}
            if header in apart
            else {
                "name": header,
                "type": guess.type,
                "options": guess.options,
                "longest": self._longest.get(header, 0),
                "choices": self._different[header].values if header in self._different else [],
            }
            for header, guess in self.guesses.items()
        ]


def _shown(cell: Any) -> str:
    text = storable(text_of(cell))
    return text if len(text) <= SAMPLE_MAX else f"{text[:SAMPLE_MAX]}…"
