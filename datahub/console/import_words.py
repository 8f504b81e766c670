"""Imports in words: what state one is in, how far it is, and what can be done with it."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from datahub.models import Import, RejectedRow

State, Undo = Import.State, Import.Undo
STATES: dict[str, tuple[str | Promise, str]] = {
    State.LOOKING: (_("Looking through the file"), ""),
    State.WAITING: (_("Waiting for you"), "warn"),
    State.RUNNING: (_("Importing"), ""),
    State.DONE: (_("Imported"), "good"),
    State.FAILED: (_("Failed"), "bad"),
}
UNDOS: dict[str, tuple[str | Promise, str]] = {
    Undo.RUNNING: (_("Taking the rows out again"), ""),
    Undo.DONE: (_("Undone"), ""),
}


def show_progress(found: Import) -> dict[str, Any]:
    """What pages say of an import: `words` and `mood` of its state, `part` of `whole` that is done while it runs."""
    words, mood = UNDOS.get(found.undo) or STATES[found.state]
    is_undoing = found.undo == Undo.RUNNING
    if found.state == State.RUNNING and found.makes_table and found.table is None:
        words = _("Making the table")
    part, whole = (found.bytes_read, found.size)
    if is_undoing:
        part, whole = found.rows_deleted + found.rows_kept, found.rows_imported
    return {
        "id": found.pk,
        "words": words,
        "mood": mood,
        "is_running": is_undoing or found.state in (State.LOOKING, State.RUNNING),
        "part": min(part, whole),
        "whole": max(whole, 1),
        "percent": 100 * min(part, whole) // max(whole, 1),
        "name": found.file_name or found.get_format_display().upper(),
        "table": found.table,
        "table_name": found.table.name if found.table else found.table_key,
        "detail": found.detail,
        "read": f"{found.rows_read:,}",
        "imported": f"{found.rows_imported:,}",
        "rejected": f"{found.rows_rejected:,}",
        "deleted": f"{found.rows_deleted:,}",
        "kept": f"{found.rows_kept:,}",
        "found": found,
        "can_be_undone": found.state in (State.DONE, State.FAILED) and not found.undo and found.rows_imported > 0,
    }


def count_rejected(found: Import) -> int:
    """How many rejected rows are kept to be mended."""
    return RejectedRow.objects.filter(of=found).count()
