"""`manage.py up` migrates its database, and refuses one that it can't use."""

from collections.abc import Callable

from tests.processes import KEY, Running, free_port, query, refusal, run, wait_for

KEYS = "SELECT algorithm, is_current FROM authpages_signingkey ORDER BY algorithm"
VERIFY_KEY = "from fastgen_backend.vault import verify_key; verify_key()"
TAKE_NO_KEYS = "ALTER TABLE authpages_signingkey RENAME COLUMN is_current TO was_current"
RECORD_A_FUTURE_MIGRATION = """
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
MigrationRecorder(connection).record_applied("authpages", "9999_from_the_future")
"""


def test_two_starts_at_once_migrate_one_database_between_them(start: Callable[..., Running], database_url: str):
    first, second = start(), start()

    assert wait_for(first.is_ready), first.err.read_text()
    assert wait_for(second.is_ready), second.err.read_text()
    assert query(database_url, KEYS) == [("ES256", True), ("RS256", True)]  # before any request


def test_a_database_of_a_newer_version_is_refused(database_url: str):
    change_database(RECORD_A_FUTURE_MIGRATION, database_url)

    result = run("up", "--port", str(free_port()), DATABASE_URL=database_url)

    assert "authpages.9999_from_the_future" in refusal(result)


def test_another_secret_key_is_refused(database_url: str):
    change_database(VERIFY_KEY, database_url)

    result = run("up", "--port", str(free_port()), DATABASE_URL=database_url, SECRET_KEY=KEY[::-1])

    assert "SECRET_KEY" in refusal(result)


def test_a_database_that_takes_no_first_keys_is_refused(database_url: str):
    change_database("from authpages.signing_keys import make_first_keys; make_first_keys()", database_url)
    change_database(f"from django.db import connection; connection.cursor().execute({TAKE_NO_KEYS!r})", database_url)

    result = run("up", "--port", str(free_port()), DATABASE_URL=database_url)

    assert "can't be used" in refusal(result)


def test_an_unreachable_database_is_named_without_its_password():
    port = free_port()

    result = run("up", "--port", str(free_port()), DATABASE_URL=f"postgres://ada:s3cret@127.0.0.1:{port}/lovelace")

    assert f"127.0.0.1:{port}" in refusal(result)
    assert "s3cret" not in result.stderr


def change_database(code: str, database_url: str) -> None:
    """Migrate the database, then run some code on it."""
    for command in (["migrate"], ["shell", "--no-imports", "-c", code]):
        result = run(*command, DATABASE_URL=database_url)
        assert result.returncode == 0, result.stderr
