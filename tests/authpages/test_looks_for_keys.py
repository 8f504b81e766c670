"""How a process looks for keys while several of its threads need them: none is told less than another found."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import OperationalError
from joserfc.jwk import ECKey

from authpages import signing_keys
from authpages.signing_keys import Key, _Found, _Keys

PATIENCE = 20  # seconds
KEY = ECKey.generate_key("P-256")


class Database:
    """Keys that there are, and a look at them that takes until it is told to end."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self.looks, self.fails = 0, False
        self.begun, self.ends = threading.Event(), threading.Event()
        self.ends.set()

    def read(self, _before: _Found) -> _Found:
        at, keys, ends = time.monotonic(), dict(self.keys), self.ends
        fails, self.fails = self.fails, False
        self.looks += 1
        self.begun.set()
        ends.wait(PATIENCE)
        if fails:
            raise OperationalError
        return _Found(at, keys, keys)

    def is_slow(self) -> threading.Event:
        """From now on, until what is returned is set."""
        self.begun, self.ends = threading.Event(), threading.Event()
        return self.ends


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database()
    monkeypatch.setattr(signing_keys, "_read_all", database.read)
    return database


def ask_one_after_the_other(keys: _Keys, database: Database) -> list["Future[_Found]"]:
    """Two threads ask for the new key: the second while the first one looks."""
    end = database.is_slow()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(keys.having, "new")
        assert database.begun.wait(PATIENCE)
        second = pool.submit(keys.having, "new")
        time.sleep(0.1)
        end.set()
    return [first, second]


def test_who_asks_for_a_key_while_somebody_looks_for_it_gets_it(database: Database):
    keys = _Keys()
    keys.look()
    database.keys["new"] = KEY

    first, second = ask_one_after_the_other(keys, database)

    assert "new" in first.result().every
    assert "new" in second.result().every


def test_who_waits_for_a_look_that_fails_looks_again(database: Database):
    keys = _Keys()
    keys.look()
    database.keys["new"], database.fails = KEY, True

    first, second = ask_one_after_the_other(keys, database)

    assert isinstance(first.exception(), OperationalError)
    assert "new" in second.result().every


def test_nobody_waits_long_for_a_look_that_hangs(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signing_keys, "UNKNOWN_SECONDS", 0.1)
    keys = _Keys()
    keys.look()
    end = database.is_slow()

    with ThreadPoolExecutor() as pool:
        hangs = pool.submit(keys.having, "new")
        assert database.begun.wait(PATIENCE)
        database.keys["new"] = KEY
        database.is_slow().set()
        found = keys.having("new")
        is_there_still = not hangs.done()
        end.set()

    assert "new" in found.every
    assert is_there_still


def test_a_look_that_takes_long_undoes_no_later_one(database: Database):
    keys = _Keys()
    end = database.is_slow()

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(keys.look)
        assert database.begun.wait(PATIENCE)
        database.keys["new"] = KEY
        database.is_slow().set()
        assert "new" in keys.look().every
        end.set()

    assert "new" in slow.result().every
    assert "new" in keys.look().every


def test_keys_that_nobody_has_are_looked_for_once_in_a_while(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signing_keys, "UNKNOWN_SECONDS", 60)
    monkeypatch.setattr(signing_keys, "LOOK_AGAIN_SECONDS", 60)
    keys = _Keys()
    keys.look()

    found = [keys.having(f"unknown {number}").every for number in range(100)]

    assert found == [{}] * 100
    assert database.looks == 2
