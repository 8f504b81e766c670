"""An installation of some size moves from SQLite to PostgreSQL: all of it, in bounded memory, and goes on there."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure
from tests.bench.places import new_database
from tests.processes import PROJECT, environment, query

TABLES = 5
AT_ONCE = 1000
MEMORY_MIB = 400  # of the larger of the two processes, whatever the size of the installation
LARGEST = ("authpages_user", "events_event", *(f"dh_{number}" for number in range(1, TABLES + 1)))


def measure(server: str, count: int) -> Iterator[Figure]:
    """Fill it, copy it, compare it, and go on with its session."""
    with new_database("") as source, new_database(server) as target:
        token = _run(source, "-m", "tests.soak.moving", str(count)).strip()
        seconds, mebibytes = _copy(source, target)
        yield Figure("both", f"SQLite to PostgreSQL, {count // 100 * 21:,} rows", "s", [seconds])
        yield Figure("both", "the same: memory of the larger process", "MiB", [mebibytes], most=MEMORY_MIB)
        counts = [[query(url, f"SELECT count(*) FROM {table}") for table in LARGEST] for url in (source, target)]  # noqa: S608
        yield Figure(
            "both",
            "tables with another number of rows",
            "",
            [sum(a != b for a, b in zip(*counts, strict=True))],
            most=0,
        )
        begins_at = time.monotonic()
        _run(target, "manage.py", "events_doctor")
        yield Figure("PostgreSQL", f"events_doctor, {count // 10:,} events", "s", [time.monotonic() - begins_at])
        _run(target, "manage.py", "datahub_check")
        _run(target, "-c", f"{_BEGIN}refresh_session(token={token!r}, origin=COMMAND_LINE)")


_BEGIN = """
import django; django.setup()
from authpages.services.refresh_tokens import refresh_session
from fastgen_backend.origin import COMMAND_LINE
"""


def _copy(source: str, target: str) -> tuple[float, float]:
    """How long it took, and how much memory the larger of both processes had."""
    begins_at = time.monotonic()
    process = subprocess.Popen([sys.executable, "manage.py", "copy_database", target], env=_of(source), cwd=PROJECT)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError("The copy failed; see above.")
    return time.monotonic() - begins_at, usage.ru_maxrss / 1024


def _run(database_url: str, *line: str) -> str:
    done = subprocess.run(
        [sys.executable, *line], env=_of(database_url), cwd=PROJECT, stdout=subprocess.PIPE, check=True
    )
    return done.stdout.decode()


def _of(database_url: str) -> dict[str, str]:
    settings = {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "fastgen_backend.settings"}
    return environment({**settings, "PYTHONPATH": str(Path(PROJECT))})


def main() -> None:
    """Fill the database with 21 rows for a hundred of what we are told; prints the refresh token of a session."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction

    from authpages.models import User
    from authpages.services.sessions import start_token_session
    from authpages.services.users import create_user
    from events.models import Event
    from events.services.sequencing import sequence_events
    from fastgen_backend.origin import COMMAND_LINE

    count = int(sys.argv[1])
    call_command("migrate", verbosity=0)
    ann = create_user(email="ann@example.com", origin=COMMAND_LINE)
    with transaction.atomic():
        started = start_token_session(user=ann, origin=COMMAND_LINE)
    people = [f"person{number}@example.com" for number in range(count // 100 - 1)]
    User.objects.bulk_create((User(email=each, email_key=each) for each in people), batch_size=AT_ONCE)
    events = (
        Event(type="custom.a", source="cli", data={"number": number, "text": "é" * 50}) for number in range(count // 10)
    )
    Event.objects.bulk_create(events, batch_size=AT_ONCE)
    _fill_tables(count // 10 // TABLES)
    while sequence_events():
        pass
    print(started.refresh_token)


def _fill_tables(rows: int) -> None:
    """Tables with a column of every type and so many rows; each but the first refers to that."""
    from datahub.access import EVERYTHING
    from datahub.services.column_checks import NewColumn
    from datahub.services.rows import create_rows
    from datahub.services.tables import create_table
    from fastgen_backend.origin import COMMAND_LINE

    types = ["text", "longText", "integer", "float", "decimal", "boolean", "date", "dateTime", "email", "url", "uuid"]
    choices = {"choices": ["a", "b"]}
    for number in range(TABLES):
        key = f"table_{number}"
        columns = [NewColumn(type, type) for type in types] + [NewColumn("json", "json")]
        columns += [NewColumn(type, type, options=choices) for type in ("choice", "multiChoice")]
        table = create_table(name=key, key=key, columns=columns, origin=COMMAND_LINE)
        options: dict[str, Any] = {"table": key}
        _add_relation(table, options)
        first = ""
        for start in range(0, rows, AT_ONCE):
            items = [{**_row(each), "other": first or None} for each in range(start, min(rows, start + AT_ONCE))]
            written = create_rows(table=table, items=items, caller=EVERYTHING, origin=COMMAND_LINE)
            first = first or str(written.rows[0]["id"])


def _add_relation(table: Any, options: dict[str, Any]) -> None:
    from datahub.services.column_checks import NewColumn
    from datahub.services.columns import add_column
    from fastgen_backend.origin import COMMAND_LINE

    add_column(table=table, new=NewColumn("other", "relation", options=options), origin=COMMAND_LINE)


def _row(number: int) -> dict[str, Any]:
    return {
        "text": f"text {number} ü",
        "longtext": "long " * 20,
        "integer": number,
        "float": number / 7,
        "decimal": f"{number}.25",
        "boolean": number % 2 == 0,
        "date": "2026-11-27",
        "datetime": "2026-11-27T12:00:00.123456Z",
        "email": f"row{number}@example.com",
        "url": f"https://example.com/{number}",
        "uuid": f"019aa0c1-7f7e-7c31-9d2a-{number:012x}",
        "json": {"number": number, "list": [1, None, "x"]},
        "choice": "a",
        "multichoice": ["a", "b"],
    }


if __name__ == "__main__":
    main()
