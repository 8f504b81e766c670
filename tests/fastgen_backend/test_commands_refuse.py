"""A command that has no installation to work on says so in one plain sentence."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from fastgen_backend.errors import CannotStart
from tests.conftest import PASSWORD
from tests.processes import free_port, refusal, run

PREPARE = "from fastgen_backend.startup import prepare_database; prepare_database()"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "command",
    [
        ["events_doctor"],
        ["datahub_check"],
        ["reencrypt"],
        ["copy_database", "sqlite:///var/never"],
        ["changepassword", "a@b.example"],
    ],
)
def test_a_database_that_is_not_migrated_is_named(command: list[str]):
    [newest] = MigrationLoader(connection).graph.leaf_nodes("events")
    MigrationRecorder(connection).record_unapplied(*newest)

    with pytest.raises(CannotStart, match="is not of this version"):
        call_command(*command)


@pytest.mark.whichever_database
def test_a_database_that_is_away_is_one_sentence():
    away = f"postgres://fastgen:geheim@127.0.0.1:{free_port()}/fastgen"

    said = refusal(run("events_doctor", DATABASE_URL=away))

    assert ("can't be used" in said, "geheim" in said) == (True, False)


@pytest.mark.whichever_database
def test_a_copy_with_another_key_tells_of_that_alone(database_url: str, tmp_path: Path):
    run("shell", "-c", PREPARE, DATABASE_URL=database_url)
    other_key = "another-key-that-is-long-enough-to-be-taken-for-one"

    copied = run("copy_database", f"sqlite:///{tmp_path / 'copy'}", DATABASE_URL=database_url, SECRET_KEY=other_key)

    assert "SECRET_KEY does not open" in refusal(copied)


@pytest.mark.whichever_database
def test_a_password_that_could_be_seen_is_not_asked_for(database_url: str):
    root = {"DJANGO_SUPERUSER_EMAIL": "root@example.com", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    run("migrate", DATABASE_URL=database_url)
    run("createsuperuser", "--noinput", DATABASE_URL=database_url, **root)

    changed = run("changepassword", "root@example.com", DATABASE_URL=database_url)

    assert "A password is typed at a terminal" in refusal(changed)
