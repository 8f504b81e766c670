"""`manage.py datahub_check`: silent about what is right, and a sentence for each thing that is not."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from datahub.models import Column, Table
from tests.conftest import Api
from tests.datahub.conftest import made

EVERY_TYPE: list[dict[str, Any]] = [
    *({"name": each, "type": each, "indexed": True} for each in ["text", "integer", "float", "decimal", "boolean"]),
    *({"name": each, "type": each, "unique": True} for each in ["date", "dateTime", "email", "url", "uuid"]),
    *({"name": each, "type": each} for each in ["json", "longText"]),
    {"name": "choice", "type": "choice", "options": {"choices": ["a"]}, "indexed": True},
    {"name": "multiChoice", "type": "multiChoice", "options": {"choices": ["a"]}},
]
Check = Callable[[], list[str]]


@pytest.fixture
def check(db: None) -> Check:
    """What the command finds; nothing where it ends well."""

    def run() -> list[str]:
        out, status = StringIO(), None
        try:
            call_command("datahub_check", stdout=out)
        except SystemExit as end:
            status = end.code
        lines = out.getvalue().splitlines()
        assert status == (None if lines[0].startswith("All is well: ") else 1)
        return lines if status else []

    return run


@pytest.fixture
def table(people: Api) -> Table:
    """`people`, where `age` is indexed and `email` unique."""
    made(people.patch("/tables/people/columns/age", {"indexed": True}), 200)
    return Table.objects.get(key="people")


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _column(table: Table, key: str) -> str:
    return Column.objects.get(table=table, key=key).db_column


def test_an_empty_datahub_is_well(check: Check):
    assert check() == []


def test_a_table_with_columns_of_every_type_is_well(admin: Api, check: Check):
    made(admin.post("/tables", {"name": "All", "columns": EVERY_TYPE}))
    for many in (False, True):
        options = {"table": "all", "many": many}
        made(admin.post("/tables/all/columns", {"name": "Other", "type": "relation", "options": options}))

    assert check() == []


def test_a_table_is_well_after_deleted_restored_and_changed_columns(people: Api, check: Check):
    for key in ("age", "email", "city"):
        people.delete(f"/tables/people/columns/{key}")
    people.post("/tables/people/columns/age/restore")
    people.post("/tables/people/columns/city/purge")
    made(people.patch("/tables/people/columns/age", {"type": "text", "unique": True}), 200)

    assert check() == []


def test_it_counts_what_it_compared(table: Table, capsys: pytest.CaptureFixture[str]):
    call_command("datahub_check")

    assert capsys.readouterr().out == "All is well: 1 tables, 10 columns and 4 indexes.\n"


def test_a_missing_table_is_named(table: Table, check: Check):
    _run(f"DROP TABLE {table.db_table}")

    assert check() == [f"The table ‘people’ has no physical table {table.db_table}."]


def test_a_foreign_table_is_named(table: Table, check: Check):
    name = f"dh_{table.pk + 1}"
    _run(f"CREATE TABLE {name} (id bigint)")

    assert check() == [f"The physical table {name} belongs to no table."]


def test_a_missing_column_is_named(table: Table, check: Check):
    name = _column(table, "city")
    _run(f"ALTER TABLE {table.db_table} DROP COLUMN {name}")

    assert check() == [f"{table.db_table} lacks the column {name} (city of ‘people’)."]


def test_a_missing_hidden_column_is_named(people: Api, table: Table, check: Check):
    name = _column(table, "city")
    people.delete("/tables/people/columns/city")
    _run(f"ALTER TABLE {table.db_table} DROP COLUMN {name}")

    assert check() == [f"{table.db_table} lacks the column {name} (city of ‘people’)."]


def test_a_foreign_column_is_named(table: Table, check: Check):
    table.attributes_used += 1
    table.save()
    _run(f"ALTER TABLE {table.db_table} ADD COLUMN extra bigint")

    assert check() == [f"{table.db_table} has a column extra that belongs to no column of ‘people’."]


def test_a_wrong_type_is_named(table: Table, check: Check):
    Column.objects.filter(table=table, key="city").update(type="boolean", options={})

    wanted = "boolean" if connection.vendor == "postgresql" else "bool"
    [flaw, *others] = check()
    assert flaw == f"{table.db_table}.{_column(table, 'city')} is of the type text instead of {wanted}."
    assert len(others) == (connection.vendor == "postgresql")  # its collation as well


def test_a_wrong_collation_is_named(table: Table, check: Check):
    name = _column(table, "city")
    _run(f"ALTER TABLE {table.db_table} DROP COLUMN {name}")
    collation = "und-x-icu" if connection.vendor == "postgresql" else "NOCASE"
    _run(f'ALTER TABLE {table.db_table} ADD COLUMN "{name}" text COLLATE "{collation}"')
    table.attributes_used += 1
    table.save()

    [flaw] = check()
    assert flaw.startswith(f"{table.db_table}.{name} has the collation {collation} instead of ")


def test_a_missing_index_is_named(table: Table, check: Check):
    _run(f"DROP INDEX {table.db_table}_{_column(table, 'email')}_u")

    assert check() == [f"{table.db_table} lacks the index {table.db_table}_{_column(table, 'email')}_u."]


def test_a_foreign_index_is_named(table: Table, check: Check):
    _run(f"CREATE INDEX another ON {table.db_table} (revision)")

    assert check() == [f"{table.db_table} has an index another that no column of ‘people’ asks for."]


def test_an_index_that_is_not_unique_is_named(table: Table, check: Check):
    column = _column(table, "email")
    name = f"{table.db_table}_{column}_u"
    _run(f"DROP INDEX {name}")
    order = " NULLS FIRST" if connection.vendor == "postgresql" else ""
    _run(f"CREATE INDEX {name} ON {table.db_table} ({column}{order})")

    assert check() == [f"The index {name} of {table.db_table} is not unique."]


def test_an_index_of_other_columns_is_named(table: Table, check: Check):
    name = f"{table.db_table}_{_column(table, 'age')}_i"
    _run(f"DROP INDEX {name}")
    _run(f"CREATE INDEX {name} ON {table.db_table} (revision DESC)")

    [flaw] = check()
    assert flaw.startswith(f"The index {name} of {table.db_table} is ")
    assert "(revision DESC) instead of " in flaw


def test_an_invalid_index_is_named(table: Table, check: Check):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no invalid indexes.")
    name = f"{table.db_table}_{_column(table, 'age')}_i"
    _run(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass")  # noqa: S608  a name of ours

    assert check() == [f"The index {name} of {table.db_table} is invalid; the database does not use it."]


def test_a_count_of_columns_that_is_too_low_is_named(table: Table, check: Check):
    Table.objects.update(columns_made=1)

    [flaw] = check()
    assert flaw == "The table ‘people’ has more columns than it counts; a physical name could come twice."


def test_a_count_of_attributes_that_is_too_low_is_named(table: Table, check: Check):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite counts no dropped columns.")
    _run(f"ALTER TABLE {table.db_table} ADD COLUMN extra bigint")
    _run(f"ALTER TABLE {table.db_table} DROP COLUMN extra")

    assert check() == [f"The table ‘people’ counts 10 used attributes, but {table.db_table} has 11."]


def test_a_column_that_may_be_null_and_must_not_is_named(table: Table, check: Check):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite can't change that.")
    _run(f"ALTER TABLE {table.db_table} ALTER COLUMN revision DROP NOT NULL, ALTER COLUMN c1 SET NOT NULL")

    assert check() == [
        f"{table.db_table}.revision may be null, but must not be.",
        f"{table.db_table}.c1 must not be null, but should be free to be.",
    ]


def test_it_changes_nothing(table: Table, check: Check):
    _run(f"DROP INDEX {table.db_table}_{_column(table, 'email')}_u")

    assert check() == check() != []
