"""Rows are written while their table is changed without pause: every write succeeds, and nothing is left half done."""

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections

from datahub.access import EVERYTHING
from datahub.dynamic import find_table
from datahub.errors import ColumnConverting, Duplicates, UniqueConflict
from datahub.models import Column, Job, Table
from datahub.services import conversion, jobs, rebuilding
from datahub.services.column_checks import NewColumn
from datahub.services.columns import (
    ColumnChange,
    add_column,
    change_column,
    hide_column,
    restore_column,
)
from datahub.services.inspection import inspect
from datahub.services.purging import purge_column
from datahub.services.rows import create_rows, delete_row, update_rows
from datahub.services.tables import create_table
from datahub.services.work import Working
from events.models import Event, Worker
from events.services.leases import register_worker
from fastgen_backend.errors import InvalidInput
from fastgen_backend.origin import COMMAND_LINE
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 12
WRITERS = 4
COLUMNS = 6  # which come and go; `note` stays
VALUES = {"text": "17", "integer": 17, "decimal": "17.50", "json": [17], "boolean": True}
TYPES = list(VALUES)
Work = Callable[[random.Random], str]


class Writer:
    """Creates, changes and deletes rows of its own, by the one column that always stays.

    Into the others it writes too: that is refused only where such a column has gone, or is another, since it looked.
    """

    def __init__(self) -> None:
        self.notes: dict[UUID, str] = {}  # the rows that must be there, with what they must hold
        self.done: Counter[str] = Counter()

    def write(self, chance: random.Random) -> str:
        verb = chance.choice(["create", "bulk", "update", "delete", "risk"]) if self.notes else "create"
        table, note = find_table("load"), str(chance.random())
        if verb in ("create", "bulk"):
            self._create(table, [{"note": note}] * (1 if verb == "create" else 20))
        elif verb == "risk":
            return self._risk(table, note)
        else:
            id = chance.choice(list(self.notes))
            if verb == "update":
                update_rows(table=table, changes=[(id, {"note": note})], caller=EVERYTHING, origin=COMMAND_LINE)
                self.notes[id] = note
            else:
                delete_row(table=table, id=id, caller=EVERYTHING, origin=COMMAND_LINE)
                del self.notes[id]
        return verb

    def _create(self, table: Table, items: list[dict[str, Any]]) -> None:
        written = create_rows(table=table, items=items, caller=EVERYTHING, origin=COMMAND_LINE)
        self.notes |= {row["id"]: item["note"] for row, item in zip(written.rows, items, strict=True)}

    def _risk(self, table: Table, note: str) -> str:
        others = list(Column.objects.filter(table=table).exclude(key="note").visible())
        try:
            self._create(table, [{"note": note, **{each.key: VALUES[each.type] for each in others}}])
        except (InvalidInput, UniqueConflict):
            return "refused"
        return "risk"


def _change_schema(chance: random.Random) -> str:
    """One change at random; some are refused, for what rows hold or because a column has just become another."""
    try:
        return _change_at_random(chance)
    except (Duplicates, ColumnConverting, InvalidInput):
        return "refused"


def _change_at_random(chance: random.Random) -> str:
    """One change of the columns that come and go."""
    table = find_table("load")
    columns = Column.objects.filter(table=table).exclude(key="note")
    visible, hidden = list(columns.visible()), list(columns.hidden())
    verb = chance.choice(["add", "hide", "restore", "purge", "rename", "move", "type", "unique", "index"])
    if verb == "add" and len(visible) < COLUMNS:
        name, type = f"Column {chance.randrange(1000)}", chance.choice(TYPES)
        add_column(table=table, new=NewColumn(name=name, type=type), origin=COMMAND_LINE)
    elif verb in ("restore", "purge") and hidden:
        id = str(chance.choice(hidden).uid)
        if verb == "restore" and len(visible) < COLUMNS:
            restore_column(table=table, id_or_key=id, origin=COMMAND_LINE)
        else:
            purge_column(table=table, id_or_key=id)
    elif visible:
        column = chance.choice(visible)
        if verb == "hide":
            hide_column(table=table, id_or_key=str(column.uid), origin=COMMAND_LINE)
        else:
            change = ColumnChange(_changes(verb, column, chance), nulls_unconvertible=True)
            change_column(table=table, id_or_key=str(column.uid), change=change, origin=COMMAND_LINE)
    return verb


def _changes(verb: str, column: Column, chance: random.Random) -> dict[str, Any]:
    """What this verb does to a column; nothing where it can't be."""
    can_be_indexed = column.type != "json"
    match verb:
        case "rename":
            return {"name": f"Column {chance.randrange(1000)}", "key": f"key_{chance.randrange(10**9)}"}
        case "move":
            return {"position": chance.randrange(1, COLUMNS + 1)}
        case "type":
            return {"type": chance.choice(TYPES), "unique": False, "indexed": False}
        case "unique" if can_be_indexed:
            return {"unique": not column.unique}
        case "index" if can_be_indexed:
            return {"indexed": not column.indexed}
    return {}


class Converter:
    """Does the jobs, one after the other, as a worker does."""

    def __init__(self) -> None:
        self._worker = register_worker()

    def convert(self, _chance: random.Random) -> str:
        lease = jobs.claim_job(worker=self._worker, living=lambda: Worker.objects.values("pk"))
        if lease is None:
            time.sleep(0.02)
            return "idle"
        working = Working(lease)
        while working.step():
            pass
        return "converted"


@pytest.fixture(params=["at once", "in the background"])
def changes_of_type(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where values are converted, and physical tables that are worn out soon."""
    monkeypatch.setattr(rebuilding, "REBUILT_AFTER", 50)
    if request.param == "in the background":
        monkeypatch.setattr(conversion, "AT_ONCE_MAX", 20)


@pytest.fixture
def table() -> Table:
    columns = [NewColumn(name="Note", type="text", required=True, indexed=True), NewColumn(name="Size", type="integer")]
    return create_table(name="Load", columns=columns, origin=COMMAND_LINE)


def _work(work: Work, seed: int, until: float, done: Counter[str]) -> None:
    """Work until that moment, with a connection of its own."""
    chance = random.Random(seed)  # noqa: S311  no secret
    try:
        while time.monotonic() < until:
            done[work(chance)] += 1
    finally:
        connections.close_all()


def test_no_write_fails_and_nothing_is_lost_while_columns_come_and_go(table: Table, changes_of_type: None):
    writers = [Writer() for _ in range(WRITERS)]
    converter = Converter()
    changes: Counter[str] = Counter()
    conversions: Counter[str] = Counter()
    until = time.monotonic() + SECONDS

    with ThreadPoolExecutor(WRITERS + 2) as threads:
        running = [
            threads.submit(_work, each.write, seed, until, each.done) for seed, each in enumerate(writers, start=1)
        ]
        running.append(threads.submit(_work, _change_schema, 0, until, changes))
        running.append(threads.submit(_work, converter.convert, 0, until, conversions))
    for each in running:
        each.result()
    assert wait_for(lambda: converter.convert(random.Random(0)) == "idle" and not Job.objects.exists())  # noqa: S311

    table.refresh_from_db()
    expected = {id: note for writer in writers for id, note in writer.notes.items()}
    assert _notes(table) == expected
    assert Event.objects.filter(type="api.dataTable_updated").count() == table.version - 1
    assert not Job.objects.exists()
    assert inspect().flaws == []
    assert changes.keys() > {"add", "hide", "restore", "purge", "rename", "move", "type"}
    assert all(writer.done["risk"] for writer in writers)


def _notes(table: Table) -> dict[UUID, str]:
    """What the rows hold in the column that stays, past all of our own code for reading."""
    column = Column.objects.get(table=table, key="note").db_column
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {column} FROM {table.db_table}")  # noqa: S608  names of ours
        return {UUID(str(id)): note for id, note in cursor.fetchall()}
