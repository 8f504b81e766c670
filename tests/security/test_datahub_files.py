"""The Datahub under attack: files that are imported and exported."""

import json
from collections.abc import Callable

import pytest

from datahub.models import Table
from tests.conftest import Api
from tests.datahub.conftest import id_of, made
from tests.datahub.importing import CSV, NDJSON, do_jobs, imported, rows_of, send

ROWS = "/tables/people/rows"
FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", '=cmd|" /C calc"!A0', '=HYPERLINK("https://evil.example")']
SYSTEM = ["id", "createdAt", "updatedAt", "revision"]
NOBODYS = "01890000-0000-7000-8000-000000000000"


# Headers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        *(
            "name,name",
            "name,Name",
            "name,",
            ",name",
            "name,nothing",
            "name,c1",
            "name,pk",
            "name,__proto__",
            "name,=1",
        ),
        *("name,owner.email", "name,'; DROP TABLE x", "name,\0", "name,\u202eega", "name," + "a" * 100_000),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_headers_that_name_no_column_or_one_twice_import_nothing(people: Api, header: str) -> None:
    answer = send(people, "table=people", f"{header}\nEve,x\n")
    do_jobs()

    assert answer.status_code == 400, answer.content
    assert rows_of(people, "people", "name") == []


@pytest.mark.parametrize("system", SYSTEM)
@pytest.mark.parametrize("type", [CSV, NDJSON])
def test_a_file_does_not_say_what_the_system_does(people: Api, system: str, type: str) -> None:
    row = made(people.post(ROWS, {"name": "Ann"}))
    given = {"name": "Eve", system: row[system]}
    file = f"name,{system}\nEve,{row[system]}\n" if type == CSV else json.dumps(given)

    imported(people, "table=people", file, type)

    rows = made(people.get(f"{ROWS}?order=id"), 200)["items"]
    assert rows[0] == row
    assert [each["name"] for each in rows] == ["Ann", "Eve"]
    assert rows[1]["id"] != row["id"]
    assert (rows[1]["revision"], rows[1]["createdAt"] > row["createdAt"]) == (1, True)


@pytest.mark.parametrize(
    "name", [*FORMULAS, "<script>alert(1)</script>", "../../etc/passwd", "a\u202eb", "'; DROP TABLE x"]
)
def test_a_header_of_a_new_table_becomes_a_name_and_a_plain_key(admin: Api, name: str) -> None:
    cell = '"' + name.replace('"', '""') + '"'

    done = imported(admin, "table=loot&create=true", f"{cell},b\n1,2\n")

    assert (done["state"], done["rowsImported"]) == ("done", 1)
    column = made(admin.get("/tables/loot/columns"), 200)["items"][0]
    assert column["name"] == name.strip()
    assert column["key"].isascii()
    assert column["key"].replace("_", "").isalnum()
    line = admin.get("/tables/loot/rows.csv").getvalue().decode().splitlines()[0]
    assert line == f"id,createdAt,updatedAt,revision,owner,{column['key']},b"


@pytest.mark.parametrize(
    "table", ["..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "people%00", "people%0d%0aX:1", "dh_1", "datahub_table", ""]
)
@pytest.mark.parametrize("create", ["", "&create=true"])
def test_a_target_is_a_key_and_no_path_or_table_of_the_database(people: Api, table: str, create: str) -> None:
    before = set(Table.objects.values_list("key", flat=True))
    if create and table in {"dh_1", "datahub_table"}:
        return  # which are keys like any other

    assert send(people, f"table={table}{create}", "name\nEve\n").status_code in {400, 404}
    assert set(Table.objects.values_list("key", flat=True)) == before


# What is in them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-7", "shift-jis"])
@pytest.mark.parametrize("declared", [True, False])
def test_no_other_charset_gets_garbled_text_in(people: Api, encoding: str, declared: bool) -> None:
    file = "name,city\nZoë,Köln\n" if encoding != "shift-jis" else "name,city\n表,東京\n"
    type = f"{CSV}; charset={encoding}" if declared else CSV

    send(people, "table=people", file.encode(encoding), type)
    do_jobs()

    garbled = [row for row in rows_of(people, "people", "name", "city") if not row[0].startswith("Zo+")]
    assert garbled == []  # UTF-7 is ASCII, and nothing else


@pytest.mark.parametrize(
    ("type", "bad"),
    [
        (CSV, b"name,age\nE\0ve,1\n"),
        (CSV, b"name,age\nE\xed\xa0\x80ve,1\n"),
        (CSV, b"name,age\nE\xffve,1\n"),
        (CSV, b"name,age\nEve,1e400\n"),
        (CSV, b"name,age\nEve,NaN\n"),
        (CSV, b"name,age\nEve," + b"9" * 100_000 + b"\n"),
        (CSV, b"name,age\n" + b"E" * 1_000_001 + b",1\n"),
        (NDJSON, b'{"name": "E\\u0000ve"}\n'),
        (NDJSON, b'{"name": "E\\ud800ve"}\n'),
        (NDJSON, b'{"name": "E\xffve"}\n'),
        (NDJSON, b'{"name": "Eve", "age": 1e400}\n'),
        (NDJSON, b'{"name": "Eve", "age": NaN}\n'),
        (NDJSON, b'{"name": "Eve", "age": ' + b"9" * 100_000 + b"}\n"),
        (NDJSON, b'{"name": "Eve", "name": "Eva"}\n'),
        (NDJSON, b'{"name": {"a": ' + b"[" * 100_000 + b"\n"),
        (NDJSON, b'["Eve"]\n'),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_hostile_row_is_kept_apart_and_no_other(people: Api, type: str, bad: bytes) -> None:
    good = b"Ann,1\n" if type == CSV else b'{"name": "Ann", "age": 1}\n'

    done = imported(people, "table=people", bad + good, type)

    assert (done["state"], done["rowsImported"], done["rowsRejected"]) == ("done", 1, 1)
    assert rows_of(people, "people", "name", "age") == [["Ann", 1]]


def test_no_file_names_another_person_as_the_owner_of_its_rows_who_is_none(people: Api) -> None:
    done = imported(people, "table=people", f"name,owner\nEve,{NOBODYS}\nAnn,\n")

    assert (done["rowsImported"], done["rejects"][0]["pointer"]) == (1, "/owner")


def test_a_person_is_let_import_nothing(people: Api, person: Callable[..., Api]) -> None:
    made(people.patch("/tables/people", {"access": dict.fromkeys(["list", "create"], "everyone")}), 200)
    ann = person("ann@example.com")

    assert send(ann, "table=people", f"name,owner\nEve,{id_of('ann@example.com')}\n").status_code == 403
    assert send(ann, "table=loot&create=true", "name\nEve\n").status_code == 403
    assert rows_of(people, "people", "name") == []


@pytest.mark.parametrize("type", ["text/plain", "multipart/form-data; boundary=x", "application/zip", "text/html", ""])
def test_only_csv_and_ndjson_are_files_for_an_import(people: Api, type: str) -> None:
    assert send(people, "table=people", "name\nEve\n", type).status_code in {400, 415}


# Exports -----------------------------------------------------------------------------------------------------------


def test_cells_go_out_as_they_came_in(people: Api) -> None:
    """A program reads them back; whoever opens the file in a spreadsheet tells it that these are texts."""
    made(people.post(ROWS, [{"name": name} for name in FORMULAS]))

    file = people.get(f"{ROWS}.csv?fields=name").getvalue()
    people.delete(f"{ROWS}?name__ne=x")
    done = imported(people, "table=people", file)

    assert done["rowsImported"] == len(FORMULAS)
    assert sorted(name for [name] in rows_of(people, "people", "name")) == sorted(FORMULAS)


@pytest.mark.parametrize("name", ['a"; filename="x.exe', "a\u202eexe.", "../../x", "Ä", 'x";\\', "<svg onload=x>"])
@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_the_name_of_an_export_is_the_plain_key(admin: Api, name: str, ending: str) -> None:
    key = made(admin.post("/tables", {"name": name, "columns": [{"name": name, "type": "text"}]}))["key"]

    answer = admin.get(f"/tables/{key}/rows.{ending}")

    assert answer.headers["Content-Disposition"] == f'attachment; filename="{key}.{ending}"'
    assert key.replace("_", "").isalnum()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"].split(";")[0] in {"text/csv", "application/x-ndjson"}
