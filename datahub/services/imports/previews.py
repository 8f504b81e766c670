"""Imports that wait: a file is looked through, and becomes a new table only as somebody has confirmed it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from datahub.column_types.texts import TEXT_MAX, Text
from datahub.errors import NoSuchImport
from datahub.models import Import, ImportPreview, Job, Table
from datahub.names import flaws, key_flaw, name_flaw
from datahub.services import jobs
from datahub.services.column_checks import NewColumn, check_new_columns
from datahub.services.imports.upload import Upload, forget_upload, take_in
from datahub.services.tables import free_table_key
from fastgen_backend.errors import DomainError, FieldError, InvalidInput
from fastgen_backend.origin import Origin

SHORT_MAX = Text.defaults["maxLength"]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A column as somebody wants it: `scale` is that of a decimal."""

    name: str
    type: str
    key: str | None = None
    scale: int | None = None
    required: bool = False
    unique: bool = False


def start_look(
    *, name: str, key: str | None, upload: Upload, file_name: str, origin: Origin, owner: UUID | None = None
) -> Import:
    """Store a file, and have a worker look through it for what table it would make; nothing is made.

    The key is made from the name where none is given. Raises `InvalidInput`, `KeyTaken`, or `BodyCutShort`. Never in a
    transaction: an upload takes its time.
    """
    if errors := flaws(name=(name_flaw, name), key=(key_flaw, key)) + _taken(key):
        raise InvalidInput(errors)
    found = take_in(
        table=key or free_table_key(name),
        makes_table=True,
        upload=upload,
        origin=origin,
        owner=owner,
        file_name=file_name,
    )
    try:
        with transaction.atomic():
            ImportPreview.objects.create(of=found, name=name, key=key or "")
            Import.objects.filter(pk=found.pk).update(state=Import.State.LOOKING)
            jobs.ask_for(Job.Kind.IMPORT, found.pk)
    except BaseException:
        forget_upload(found)
        raise
    found.state = Import.State.LOOKING
    return found


def confirm_import(
    *, id: UUID, name: str, key: str | None, columns: Sequence[Confirmed | None], origin: Origin
) -> Import:
    """Have the table made of these columns, one for each header of the file, and its rows imported.

    None leaves one out. Once is enough: of an import that has begun nothing is changed. Raises `NoSuchImport`, or
    `InvalidInput`, whose pointers count the headers: `/columns/3/name`.
    """
    with transaction.atomic():
        source = _waiting(id)
        if source.state != Import.State.WAITING:
            return source
        preview = source.preview
        preview.chosen = _chosen(
            preview.columns, columns, flaws(name=(name_flaw, name), key=(key_flaw, key or None)), key
        )
        preview.name, preview.key = name, key or ""
        preview.save(update_fields=["name", "key", "chosen"])
        source.state, source.origin = Import.State.RUNNING, asdict(origin)
        source.table_key = key or free_table_key(name)
        source.save(update_fields=["state", "origin", "table_key"])
        jobs.ask_for(Job.Kind.IMPORT, source.pk)
    return source


def forget_import(*, id: UUID) -> None:
    """Have the file deleted of which nothing was made yet. Raises `NoSuchImport`, also where its import has begun."""
    with transaction.atomic():
        source = _waiting(id)
        if source.state not in {Import.State.LOOKING, Import.State.WAITING}:
            raise NoSuchImport
        if source.state == Import.State.WAITING:  # else there is a job
            jobs.ask_for(Job.Kind.IMPORT, source.pk)
        source.state = Import.State.FORGOTTEN
        source.save(update_fields=["state"])


def forget_unconfirmed(now: Any) -> int:
    """Forget the files that nobody has confirmed for a day; tells how many."""
    forgotten = 0
    for id in Import.objects.unconfirmed(now).values_list("pk", flat=True):
        try:
            forget_import(id=id)
        except NoSuchImport:  # somebody was quicker
            continue
        forgotten += 1
    return forgotten


def _waiting(id: UUID) -> Import:
    found = Import.objects.shown().filter(pk=id).select_for_update(of=["self"]).first()
    if found is None:
        raise NoSuchImport
    return found


def _taken(key: str | None) -> list[FieldError]:
    if not key or not Table.objects.filter(folded_key=key.lower()).exists():
        return []
    return [FieldError("/key", "key-taken", _("There already is a table with the key ‘%(key)s’.") % {"key": key})]


def _chosen(
    seen: Sequence[Mapping[str, Any]],
    columns: Sequence[Confirmed | None],
    errors: list[FieldError],
    key: str | None,
) -> list[dict[str, Any]]:
    """What becomes of each header, as `ImportPreview.chosen` keeps it. Raises `InvalidInput`."""
    asked = {
        index: _asked(column, there)
        for index, (there, column) in enumerate(zip(seen, columns, strict=True))
        if column is not None and "target" not in there
    }
    errors = [*errors, *_taken(key), *_refused(asked)]
    if errors:
        raise InvalidInput(errors)
    left_out: dict[str, Any] = {"target": ""}
    return [
        {"column": asdict(asked[index])} if index in asked else {**left_out, **there} if "target" in there else left_out
        for index, there in enumerate(seen)
    ]


def _refused(asked: Mapping[int, NewColumn]) -> Sequence[FieldError]:
    """What is wrong with columns, by the places of their headers."""
    if not asked:
        return [FieldError("/columns", "required", _("Keep one column at least."))]
    try:
        check_new_columns(list(asked.values()), taken=())
    except DomainError as refusal:
        places = list(asked)
        return [error._replace(pointer=_placed(error.pointer, places)) for error in refusal.errors]
    return []


def _placed(pointer: str, places: Sequence[int]) -> str:
    """`/columns/1/name` with the place of the header in the place of that of the column."""
    _start, member, *rest = pointer.split("/")
    return "/".join(["", member, str(places[int(rest[0])]), *rest[1:]]) if rest else pointer


def _asked(column: Confirmed, seen: Mapping[str, Any]) -> NewColumn:
    """The column with the options that its type needs for what the file holds."""
    options = dict(seen["options"]) if column.type == seen["type"] else {}
    if column.type == "decimal" and column.scale is not None:
        options = {"scale": column.scale}
    elif column.type == "text" and seen["longest"] > SHORT_MAX:
        options = {"maxLength": min(seen["longest"], TEXT_MAX)}
    elif column.type == "choice":
        options = {"choices": seen["choices"]}
    return NewColumn(
        name=column.name,
        type=column.type,
        key=column.key or None,
        required=column.required,
        unique=column.unique,
        options=options,
    )
