"""Writers of a SQLite file take turns: in threads, in processes, and also where one of them is killed or stuck."""

import contextlib
import itertools
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from django.db import connection, transaction

from fastgen_backend.sqlite import base, turns
from fastgen_backend.sqlite.turns import Turns
from tests.processes import PATIENCE

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "db.sqlite3")


def add_lines(path: str, name: str, count: int, start: Any) -> None:
    """Write lines in turns, each after a look at what is there: without turns one would overwrite another's."""
    mine, file = Turns(path), Path(f"{path}.txt")
    start.wait(PATIENCE)
    for _ in range(count):
        assert mine.take(PATIENCE)
        lines = file.read_text() if file.exists() else ""
        time.sleep(0.001)
        file.write_text(f"{lines}{name}\n")
        mine.give_back()


def test_processes_write_one_after_the_other_and_in_turn(path: str):
    start = FORK.Barrier(2)
    writers = [FORK.Process(target=add_lines, args=[path, name, 40, start]) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(PATIENCE)
    lines = Path(f"{path}.txt").read_text().split()

    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(lines) == 80
    both = lines[lines.index("b" if lines[0] == "a" else "a") : -1]
    changes = sum(before != after for before, after in itertools.pairwise(both))
    assert changes > 10, f"One wrote while the other waited: {''.join(lines)}"


def test_threads_write_one_after_the_other(path: str):
    shared, inside, most = Turns(path), [], []

    def write() -> None:
        for _ in range(50):
            assert shared.take(PATIENCE)
            inside.append(1)
            most.append(len(inside))
            time.sleep(0)
            inside.pop()
            shared.give_back()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(most), max(most)) == (400, 1)


@contextlib.contextmanager
def another_process_has(path: str) -> Iterator[int]:
    """The id of a process that has the turn and keeps it."""
    ready, there = FORK.Pipe()

    def keep() -> None:
        there.send(Turns(path).take(PATIENCE))
        signal.pause()

    process = FORK.Process(target=keep)
    process.start()
    assert ready.recv()
    try:
        yield process.pid or 0
    finally:
        process.kill()
        process.join()


def test_a_process_that_is_killed_gives_its_turn_back(path: str):
    with another_process_has(path) as other:
        os.kill(other, signal.SIGKILL)

        assert Turns(path).take(PATIENCE)


def test_who_gets_no_turn_in_time_can_have_the_next(path: str):
    mine = Turns(path)
    with another_process_has(path):
        assert not mine.take(0.05)
        assert not mine.take(0.05), "what the first had of it was not let go"

    assert mine.take(PATIENCE)


def test_a_forked_process_does_not_hold_what_its_parent_holds(path: str):
    mine = Turns(path)
    assert mine.take(PATIENCE)
    child = FORK.Process(target=lambda: os._exit(0 if not Turns(path).take(0.05) else 1))
    child.start()
    child.join(PATIENCE)
    mine.give_back()

    assert child.exitcode == 0
    assert Turns(path).take(PATIENCE)


@pytest.fixture
def quiet() -> Iterator[None]:
    turns._warn_once.cache_clear()
    yield
    turns._warn_once.cache_clear()


@pytest.mark.parametrize("error", [PermissionError(13, "no"), OSError(95, "no locks here")])
def test_where_there_can_be_no_turns_there_are_none_and_that_is_said_once(
    path: str, quiet: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: OSError
):
    monkeypatch.setattr("fastgen_backend.sqlite.turns.fcntl.flock", Mock(side_effect=error))
    mine = Turns(path)

    assert [mine.take(PATIENCE) for _ in range(2)] == [False, False]
    assert len(caplog.messages) == 1


def test_the_locks_belong_to_whom_the_database_belongs_to(path: str):
    Path(path).touch()
    Path(path).chmod(0o660)
    mine = Turns(path)
    assert mine.take(PATIENCE)
    mine.give_back()

    assert {Path(f"{path}-{name}").stat().st_mode & 0o777 for name in ("next", "now")} == {0o660}


def test_a_child_knows_no_turn_of_its_parent(path: str):
    shared = turns.turns_of(path)
    assert shared.take(PATIENCE)
    child = FORK.Process(target=lambda: os._exit(turns.turns_of(path) is shared))
    child.start()
    child.join(PATIENCE)
    shared.give_back()

    assert child.exitcode == 0


class Taken:
    """Turns that count."""

    def __init__(self, *, are_there: bool = True) -> None:
        self.out, self.taken, self._are_there = 0, 0, are_there

    def take(self, seconds: float) -> bool:
        self.taken += 1
        self.out += self._are_there
        return self._are_there

    def give_back(self) -> None:
        self.out -= 1


@pytest.fixture
def file(path: str, transactional_db: None) -> Iterator[base.DatabaseWrapper]:
    """A connection to a file of its own."""
    settings = connection.settings_dict | {
        "ENGINE": "fastgen_backend.sqlite",
        "NAME": path,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 0.1},
    }
    opened = base.DatabaseWrapper(settings, "default")
    opened.connect()
    yield opened
    opened.close()


@pytest.fixture
def counted(path: str, monkeypatch: pytest.MonkeyPatch) -> Taken:
    counted = Taken()
    monkeypatch.setattr(base, "turns_of", lambda _path: counted)
    return counted


def begin(opened: base.DatabaseWrapper) -> None:
    opened._start_transaction_under_autocommit()


@pytest.mark.parametrize("end", ["_commit", "_rollback", "close"])
def test_a_transaction_is_a_turn_to_its_end(file: base.DatabaseWrapper, counted: Taken, end: str):
    begin(file)
    during = counted.out
    getattr(file, end)()

    assert (during, counted.out, counted.taken) == (1, 0, 1)


def test_a_transaction_that_can_not_begin_gives_its_turn_back(file: base.DatabaseWrapper, counted: Taken, path: str):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="database is locked"):
            begin(file)

    assert (counted.out, counted.taken) == (0, 1)


def test_without_a_turn_the_lock_of_sqlite_decides(
    file: base.DatabaseWrapper, path: str, monkeypatch: pytest.MonkeyPatch
):
    none = Taken(are_there=False)
    monkeypatch.setattr(base, "turns_of", lambda _path: none)
    begin(file)
    file._commit()

    assert (none.taken, none.out) == (1, 0)


def test_who_had_no_turn_waits_for_sqlite_no_longer_than_it_may(
    file: base.DatabaseWrapper, path: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(base, "turns_of", lambda _path: Taken(are_there=False))
    monkeypatch.setattr(base, "LEAST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(base, "WAIT_SECONDS", 0)
    file.connection.execute("PRAGMA busy_timeout = 60000")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="database is locked"):
            begin(file)

    assert file.connection.execute("PRAGMA busy_timeout").fetchone()[0] == 60_000


def test_places_of_values_are_converted_as_django_does(file: base.DatabaseWrapper):
    with file.cursor() as cursor:
        assert cursor.execute("SELECT %s || '%%'", ["a"]).fetchone() == ("a%",)
        assert cursor.execute("SELECT %(name)s", {"name": "b"}).fetchone() == ("b",)
        assert cursor.execute("SELECT '%s'").fetchone() == ("%s",)


@pytest.mark.parametrize(
    ("statement", "rows"),
    [("INSERT INTO a VALUES (%s)", [(1,), (2,)]), ("INSERT INTO a VALUES (%(n)s)", [{"n": 1}, {"n": 2}])],
)
def test_many_rows_come_one_by_one(file: base.DatabaseWrapper, statement: str, rows: list[Any]):
    with file.cursor() as cursor:
        cursor.execute("CREATE TABLE a (n int)")
        cursor.executemany(statement, cast(Any, iter(rows)))
        assert cursor.execute("SELECT n FROM a").fetchall() == [(1,), (2,)]


def test_many_rows_are_not_held_on_to(file: base.DatabaseWrapper):
    class Value(str):
        """One that tells when it goes."""

        living = 0
        most = 0

        def __new__(cls, text: str) -> "Value":
            cls.living += 1
            cls.most = max(cls.most, cls.living)
            return super().__new__(cls, text)

        def __del__(self) -> None:
            Value.living -= 1

    with file.cursor() as cursor:
        cursor.execute("CREATE TABLE a (n text)")
        cursor.executemany("INSERT INTO a VALUES (%s)", cast(Any, ((Value(str(each)),) for each in range(100))))

    assert Value.most < 5


def test_the_installation_has_it(settings: Any):
    if connection.vendor == "sqlite":
        assert settings.DATABASES["default"]["ENGINE"] == "fastgen_backend.sqlite"
    assert turns.turns_of("a") is turns.turns_of("a") is not turns.turns_of("b")


@pytest.mark.django_db(transaction=True)
def test_a_real_transaction_ends_its_turn():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert not getattr(connection, "_has_turn", False)


def test_a_new_file_is_its_owners_alone(file: base.DatabaseWrapper, path: str):
    with file.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("CREATE TABLE people (email text)")

    rights = {each.name: each.stat().st_mode & 0o777 for each in Path(path).parent.glob("db.sqlite3*")}

    assert {"db.sqlite3", "db.sqlite3-wal"} <= rights.keys()
    assert set(rights.values()) == {0o600}
