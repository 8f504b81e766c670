"""What of a file is no row: the first flaws are kept with what they are about, so that it can be mended."""

from collections.abc import Sequence

from datahub.import_flaws import Flaw
from datahub.models import Import, ImportReject, RejectedRow
from datahub.services.imports.plan import REJECTS_MAX
from fastgen_backend.strict_json import UNSTORABLE

TOLD_MAX = 500  # characters of what is wrong


def keep_rejects(source: Import, flaws: Sequence[Flaw]) -> None:
    """Keep flaws in the order of their lines, as long as there is room, and the rows that have them."""
    if not flaws:
        return
    kept = flaws[: max(0, REJECTS_MAX - ImportReject.objects.filter(of=source).count())]
    cells = {flaw.line: flaw.cells for flaw in kept}
    RejectedRow.objects.bulk_create(
        RejectedRow(of=source, line=line, cells=None if row is None else list(map(storable, row)))
        for line, row in cells.items()
    )
    tell_flaws(source, kept)


def shift_lines(source: Import, flaws: Sequence[Flaw]) -> None:
    """Of lines that are no objects, and so have no cells: what they are stands beyond the headers."""
    for flaw in flaws:
        if flaw.cells is not None:
            flaw.cells = [""] * len(source.headers) + flaw.cells


def tell_flaws(source: Import, flaws: Sequence[Flaw]) -> None:
    """Keep why rows are rejected."""
    ImportReject.objects.bulk_create(
        ImportReject(
            of=source,
            line=flaw.line,
            pointer=storable(flaw.pointer[:TOLD_MAX]),
            detail=storable(flaw.detail[:TOLD_MAX]),
        )
        for flaw in flaws
    )


def storable(text: str) -> str:
    """The text without what no database keeps: a file may hold anything."""
    return UNSTORABLE.sub("\ufffd", text)
