"""The look through a whole file for what the columns of a new table are."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from datahub.dynamic import SYSTEM_MEMBERS
from datahub.import_files import FILES, Batch, Cells, NdjsonFile
from datahub.import_flaws import Flaw
from datahub.import_values import CellReader
from datahub.inference import Guess, JsonGuess, TextGuess
from datahub.models import Import, ImportChunk
from datahub.services.column_checks import COLUMNS_MAX, NewColumn
from datahub.services.imports.plan import REJECTS_MAX, NotPossible
from datahub.services.imports.upload import OWNER, SET_APART, is_export
from datahub.services.owners import known_people

[OWNER_MEMBER] = [member for member in SYSTEM_MEMBERS if member.key == OWNER]


class Guessing:
    """What the columns are, as far as was looked."""

    def __init__(self, source: Import) -> None:
        self._file = FILES[source.format](chunks_of(source.pk))
        self._guesses: dict[str, TextGuess | JsonGuess] = {}
        self._owners = CellReader(OWNER_MEMBER, is_text=source.format == Import.Format.CSV, wants_values=True)
        self._has_a_person = False
        self._first_owner: int | None = None  # the line that names one
        self.rows = 0
        self.flaws: list[Flaw] = []  # the first ones
        if source.format == Import.Format.CSV:
            self._guesses = {header: TextGuess() for header in source.headers}

    @property
    def bytes_seen(self) -> int:
        return self._file.bytes_taken

    @property
    def headers(self) -> list[str]:
        """The headers of a CSV; of NDJSON the members that there are, as they first come."""
        return list(self._guesses)

    @property
    def guesses(self) -> Mapping[str, Guess]:
        """The type of each of them."""
        return {header: guess.guess() for header, guess in self._guesses.items()}

    @property
    def set_apart(self) -> Mapping[str, str]:
        """The headers of which no columns are made, and where their cells go.

        What the system had set is passed over where the file has all of it, as exports of ours do; a foreign `id` is a
        column like others.
        """
        return SET_APART if is_export(self._guesses) else {OWNER: OWNER}

    def see_next(self) -> bool:
        """Look at the next rows; tells whether those were the last."""
        batch = self._file.batch()
        self.rows += batch.read
        self.flaws += batch.flaws[: REJECTS_MAX - len(self.flaws)]
        if isinstance(self._file, NdjsonFile):
            for record in batch.records:
                if not record.keys() <= self._guesses.keys():
                    self._expect(record.keys() - self._guesses.keys(), record)
        self._see(batch, self._file.cells(batch, self.headers))
        return batch.is_last

    def _see(self, batch: Batch, columns: Sequence[Cells]) -> None:
        for (header, guess), cells in zip(self._guesses.items(), columns, strict=True):
            guess.see(cells)
            if header == OWNER:
                self._see_owners(batch, cells)

    def _expect(self, members: AbstractSet[str], record: Mapping[str, Any]) -> None:
        if len(self._guesses) + len(members) > COLUMNS_MAX + len(SET_APART):
            raise NotPossible(_("A table may have %(max)d columns; here are more.") % {"max": COLUMNS_MAX})
        self._guesses |= {key: JsonGuess() for key in record if key in members}

    def _see_owners(self, batch: Batch, cells: Cells) -> None:
        """Look for a person among the owners, until there is one."""
        if self._has_a_person:
            return
        read = self._owners.read(cells)
        named = {index: value for index, value in enumerate(read.values) if value is not None}
        self._has_a_person = bool(named and known_people(set(named.values())))
        if self._first_owner is None and (named or read.flaws):
            self._first_owner = batch.lines[min([*named, *read.flaws])]

    @property
    def has_owners(self) -> bool:
        """Whether `owner` is of people of ours, as far as it names any."""
        return self._first_owner is None or self._has_a_person

    def check_owners(self) -> None:
        """Raises `NotPossible` where no owner is a person of ours: their column would go with the rejected rows."""
        if not self.has_owners:
            detail = _(
                "‘owner’ is for the ids of people of this installation, whom the rows belong to; line %(line)d has "
                "something else, and no other line has one. Leave the column out, or call it otherwise in the file."
            )
            raise NotPossible(detail % {"line": self._first_owner})

    def columns(self) -> list[NewColumn]:
        """What columns the table needs, beside those that every table has."""
        apart = self.set_apart
        found = {name: guess for name, guess in self.guesses.items() if name not in apart}
        return [NewColumn(name=name, type=each.type, options=each.options) for name, each in found.items()]


def chunks_of(id: UUID) -> Iterator[bytes]:
    """The file, piece by piece."""
    number = 0
    chunks = ImportChunk.objects.filter(of=id)
    while (content := chunks.filter(number=number).values_list("content", flat=True).first()) is not None:
        yield bytes(content)
        number += 1
