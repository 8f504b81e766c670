"""`manage.py copy_database`: an installation goes on in another database, of this kind or the other."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from events.services import leases
from fastgen_backend.management.archives.refusals import Refused
from fastgen_backend.management.commands import copy_database
from tests.conftest import Api
from tests.fastgen_backend.installations import fill, rows_of, saved
from tests.processes import PROJECT, environment, new_database, query

pytestmark = pytest.mark.django_db(transaction=True)
LOOK = """
import sys
import django; django.setup()
from django.core.management import call_command
from authpages.services.refresh_tokens import refresh_session
from fastgen_backend.origin import COMMAND_LINE
started = refresh_session(token=sys.argv[1], origin=COMMAND_LINE)
print(started.session.user.email)
call_command("events_doctor")
call_command("datahub_check")
"""


def _run(database_url: str, *line: str, told: str = "") -> str:
    """What a process says that works on this database, and is told this by its standard input."""
    variables = {
        "DATABASE_URL": database_url,
        "SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "fastgen_backend.settings",
    }
    done = subprocess.run(
        [sys.executable, *line],
        env=environment(variables),
        cwd=PROJECT,
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _own_url() -> str:
    """The address of the database that this test works on."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgres://{database['USER']}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def test_an_installation_goes_on_after_a_copy_to_sqlite_and_back(
    transactional_db: None, key: Callable[..., Api], api: Api, tmp_path: Path
):
    """On PostgreSQL there and back again, so that both ways are gone."""
    session = fill(key("*"), api)
    before = rows_of(saved())
    rows = {table: len(each) for table, each in before.items()}
    file = f"sqlite:///{tmp_path / 'copy.sqlite3'}"
    copies = []

    with new_database(tmp_path) as back:
        for source, target in ((_own_url(), file), (file, back)):
            assert "Restored " in _run(source, "manage.py", "copy_database", "-", told=f"{target}\n")
            copies.append({table: query(target, f"SELECT count(*) FROM {table}")[0][0] for table in rows})  # noqa: S608
        who, *told = _run(back, "-c", LOOK, session["refreshToken"]).splitlines()

    assert copies == [rows, rows]
    assert (who, sum("All is well" in each for each in told)) == ("ann@example.com", 2)
    assert rows_of(saved()) == before


def test_a_url_that_is_typed_is_not_shown(transactional_db: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", Mock(isatty=lambda: True))
    monkeypatch.setattr(copy_database, "getpass", lambda _: "mysql://user:secret@localhost/fastgen")

    with pytest.raises(SystemExit, match="must be a sqlite:// or postgres:// address"):
        call_command("copy_database", "-")


def test_where_a_table_is_deleted_as_it_begins_it_says_so(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(copy_database, "save", Mock(side_effect=Refused("A table was deleted just now; try again.")))

    with pytest.raises(SystemExit, match="deleted just now"):
        call_command("copy_database", f"sqlite:///{tmp_path}/other.sqlite3")


def test_a_database_in_use_is_not_copied_unless_asked_for(transactional_db: None, tmp_path: Path):
    leases.register_worker()

    with pytest.raises(SystemExit, match="The installation runs"):
        call_command("copy_database", f"sqlite:///{tmp_path / 'copy.sqlite3'}")

    assert list(tmp_path.iterdir()) == []


def test_what_takes_no_installation_says_so_and_ends_with_1(
    transactional_db: None, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(SystemExit, match="must be a sqlite:// or postgres:// address"):
        call_command("copy_database", "mysql://localhost/fastgen")
    with pytest.raises(SystemExit) as end:
        call_command("copy_database", "postgres://postgres:secret@127.0.0.1:1/nothing")
    monkeypatch.setattr("sys.stdin", io.StringIO("mysql://user:secret@localhost/fastgen\n"))
    with pytest.raises(SystemExit, match=r"must be a sqlite:// or postgres:// address; these two are supported\.$"):
        call_command("copy_database", "-")

    said = capfd.readouterr().err
    assert end.value.code == 1
    assert "can't be used" in said
    assert ("Traceback" in said, "secret" in said) == (False, False)
