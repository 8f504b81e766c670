"""Takes in a file: megabyte by megabyte into the database, where every worker finds it."""

import codecs
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datahub.column_types import Unfit
from datahub.dynamic import SYSTEM_MEMBERS, Definition, definition_of, find_table
from datahub.errors import BodyCutShort, KeyTaken, NoSuchTable
from datahub.import_files import CsvFile, Unclosed, Unreadable, foreign_encoding, is_utf8
from datahub.models import FILE_NAME_MAX, Import, ImportChunk, Job, Table
from datahub.names import flaws, key_flaw, name_flaw, no_such_column
from datahub.services import jobs
from datahub.services.column_checks import COLUMNS_MAX
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.origin import Origin

CHUNK_BYTES = 1_000_000
SEPARATORS = {";": gettext_lazy("semicolons"), "\t": gettext_lazy("tabs")}  # that are none here
OWNER = "owner"
NOWHERE = ""
SET_APART = {each.key: OWNER if each.key == OWNER else NOWHERE for each in SYSTEM_MEMBERS}  # new rows have their own
SYSTEMS_OWN = frozenset(SET_APART) - {OWNER}


class Stream(Protocol):
    """Where a body is read from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it comes in: its format (`Import.Format`), how many bytes it has, and where they are read."""

    format: str
    size: int
    stream: Stream


def start_import(
    *,
    table: str,
    makes_table: bool,
    upload: Upload,
    origin: Origin,
    owner: UUID | None = None,
    file_name: str = "",
) -> Import:
    """Store a file and ask for its import, into the table of this id or key, or into a new one of this key.

    `owner` becomes that of rows that name none. Headers are keys or names of columns; those of what the system sets
    are passed over. What can be told from the file's beginning is refused at once: raises `InvalidInput`,
    `NoSuchTable`, `KeyTaken`, or `BodyCutShort`. Never in a transaction: an upload takes its time.
    """
    found = take_in(
        table=table, makes_table=makes_table, upload=upload, origin=origin, owner=owner, file_name=file_name
    )
    try:
        ask_for_import(found)
    except BaseException:
        forget_upload(found)
        raise
    return found


def take_in(
    *, table: str, makes_table: bool, upload: Upload, origin: Origin, owner: UUID | None, file_name: str = ""
) -> Import:
    """Store a file, from which nothing is made until `ask_for_import`. Takes and raises what `start_import` does."""
    definition = None if makes_table else definition_of(find_table(table))
    if definition is None:
        _check_new_key(table)
    pieces = _pieces(upload)
    first = next(pieces, b"")
    headers = _headers(upload, first)
    if definition is not None:
        headers, targets = _targets(definition, headers, upload.format)
    found = Import(
        table=definition.table if definition else None,
        table_key=definition.table.key if definition else table,
        makes_table=makes_table,
        format=upload.format,
        file_name=file_name[:FILE_NAME_MAX],
        size=upload.size,
        origin=asdict(origin),
        owner=owner,
        headers=headers,
        targets=targets if definition else [],
    )
    try:
        found.save()
    except IntegrityError:  # the table was deleted while the beginning came in
        raise NoSuchTable from None
    try:
        _store(found, first, pieces, upload.size)
    except BaseException:
        found.delete()
        raise
    return found


def forget_upload(found: Import) -> None:
    """Delete a file whose import has not begun; of one that has, only the answer was lost."""
    Import.objects.filter(pk=found.pk, state=Import.State.UPLOADING).delete()


def ask_for_import(found: Import) -> None:
    """Have a worker make rows of a file that was taken in. Raises `NoSuchTable` where that was deleted meanwhile."""
    with transaction.atomic():
        there = Import.objects.filter(pk=found.pk, state=Import.State.UPLOADING)
        if not found.makes_table:
            there = there.exclude(table=None)
        if not there.update(state=Import.State.RUNNING):
            raise NoSuchTable
        jobs.ask_for(Job.Kind.IMPORT, found.pk)
    found.state = Import.State.RUNNING


def delete_abandoned_uploads(now: Any) -> int:
    """Forget files that never became complete; tells how many."""
    return sum(1 for each in Import.objects.abandoned(now) if each.delete())


def _store(found: Import, first: bytes, pieces: Iterator[bytes], size: int) -> None:
    stored = 0
    chunk: bytes | None = first
    for number in range(size + 1):
        if not chunk:
            break
        ImportChunk.objects.create(of=found, number=number, content=chunk)
        stored += len(chunk)
        chunk = next(pieces, None)
    if stored < size:
        raise BodyCutShort


def _pieces(upload: Upload) -> Iterator[bytes]:
    """The file in pieces of a megabyte each but the last."""
    piece = bytearray()
    while read := upload.stream.read(CHUNK_BYTES - len(piece)):
        piece += read
        if len(piece) == CHUNK_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _check_new_key(key: str) -> None:
    if errors := flaws(table=(key_flaw, key)):
        raise InvalidInput(errors)
    if Table.objects.filter(folded_key=key.lower()).exists():
        raise KeyTaken(_("There already is a table with the key ‘%(key)s’.") % {"key": key}, field="table")


def _headers(upload: Upload, first: bytes) -> list[str]:
    """The headers of a CSV, each a different one; none of NDJSON, whose lines name their members themselves."""
    if foreign_encoding(first):
        raise _refused("", "not-utf-8", _("The file is not UTF-8; export it again as “CSV UTF-8”."))
    if not first.removeprefix(codecs.BOM_UTF8).strip():
        raise _refused("", "empty", _("The file is empty."))
    if upload.format != Import.Format.CSV:
        return []
    try:
        file = CsvFile([first])
        is_cut = upload.size > len(first) and file.is_all_header
    except Unreadable as flaw:
        is_cut = upload.size > len(first) and isinstance(flaw, Unclosed)
        if not is_cut:
            raise _refused("/headers", "unreadable", str(flaw)) from None
    if is_cut:
        raise _refused("/headers", "too-long", _("The line of headers does not end within the first megabyte."))
    _check_headers(file.headers)
    return file.headers


def _check_headers(headers: Sequence[str]) -> None:
    errors = []
    if len(headers) > COLUMNS_MAX + len(SYSTEM_MEMBERS):
        raise _refused("/headers", "too-many", _("A table may have %(max)d columns.") % {"max": COLUMNS_MAX})
    if len(headers) == 1:
        _refuse_other_separators(headers[0])
    seen: set[str] = set()
    for index, header in enumerate(headers):
        if not is_utf8(header):
            errors.append(FieldError(f"/headers/{index}", "not-utf-8", _("This is not UTF-8.")))
        elif flaw := name_flaw(header):
            errors.append(FieldError(f"/headers/{index}", "invalid", flaw))
        elif header.casefold() in seen:
            detail = _("The header ‘%(header)s’ stands twice.") % {"header": header}
            errors.append(FieldError(f"/headers/{index}", "repeated", detail))
        seen.add(header.casefold())
    if errors:
        raise InvalidInput(errors)


def _refuse_other_separators(header: str) -> None:
    if "," not in header and (found := [name for each, name in SEPARATORS.items() if each in header]):
        detail = _("Separate the fields by commas; this file has %(separators)s.")
        raise _refused("/headers", "not-commas", detail % {"separators": found[0]})


def _targets(definition: Definition, headers: list[str], format: str) -> tuple[list[str], list[str]]:
    """The headers, and where each of them goes; the members of NDJSON are keys, whatever lines name of them."""
    if format != Import.Format.CSV:
        headers = [*definition.members]
    meanings = _meanings(definition, headers)
    errors: list[FieldError] = []
    targets: list[str] = []
    for index, header in enumerate(headers):
        target = NOWHERE
        try:
            target = _target(header, meanings, definition.members)
        except Unfit as unfit:
            errors.append(FieldError(f"/headers/{index}", unfit.code, unfit.reason))
        if target in targets and target != NOWHERE:
            detail = _("‘%(header)s’ is a column that another header names, too.") % {"header": header}
            errors.append(FieldError(f"/headers/{index}", "repeated", detail))
        targets.append(target)
    for key in sorted(definition.required):
        column = definition.own[key].column
        if column is not None and str(column.uid) not in targets:
            detail = _("The column ‘%(key)s’ needs a value in each row; the file has none.") % {"key": key}
            errors.append(FieldError("/headers", "required", detail))
    if errors:
        raise InvalidInput(errors)
    return headers, targets


def _target(header: str, meanings: "Meanings", keys: Collection[str]) -> str:
    """Where the cells of this header go. Raises `Unfit`."""
    meant = next((names[folded(header)] for folded, names in meanings if folded(header) in names), {})
    if not meant:
        raise Unfit(no_such_column(header, keys), "unknown-header")
    if len(meant) > 1:
        detail = _("‘%(header)s’ is the name of several columns; use the key of one: %(keys)s.")
        raise Unfit(detail % {"header": header, "keys": ", ".join(meant)}, "ambiguous")
    [target] = meant.values()
    return target


Meanings = list[tuple[Callable[[str], str], Mapping[str, Mapping[str, str]]]]


def is_export(headers: Collection[str]) -> bool:
    """Whether a file has all that the system sets, as our exports do; a single `id` may be anything."""
    return set(headers) >= SYSTEMS_OWN


def _meanings(definition: Definition, headers: Sequence[str]) -> Meanings:
    """What a header may say, and the keys of what it means with where they go; the first of these that knows it holds.

    Keys go before names, and a name as it stands before one in other letter cases; those can be of several columns.
    What the system sets goes before all of them in exports, and after exact names in other files.
    """
    own = [(column.key, column.name, str(column.uid)) for column in definition.columns]
    keys, names = [(key, key, id) for key, _name, id in own], [(name, key, id) for key, name, id in own]
    system = [(key, key, target) for key, target in SET_APART.items()]
    meanings: Meanings = []
    if not is_export(headers):
        shadowed: dict[str, dict[str, str]] = {}
        for name, key, id in names:
            if name in SYSTEMS_OWN and key not in headers:
                shadowed.setdefault(name, {})[key] = id
        meanings.append((_exact, shadowed))
    for folded, known in (
        (_exact, system),
        (str.casefold, keys),
        (_exact, names),
        (str.casefold, names),
        (str.casefold, system),
    ):
        found: dict[str, dict[str, str]] = {}
        for said, key, target in known:
            found.setdefault(folded(said), {})[key] = target
        meanings.append((folded, found))
    return meanings


def _exact(header: str) -> str:
    return header


def _refused(pointer: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput([FieldError(pointer, code, detail)])
