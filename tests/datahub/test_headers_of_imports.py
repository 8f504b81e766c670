"""Which columns the cells of a file go to, and whose the rows are."""

import json

import pytest

from tests.conftest import Api
from tests.datahub.conftest import Console, id_of, made, pointers
from tests.datahub.importing import CSV, NDJSON, do_jobs, imported, rows_of, send, state_of

pytestmark = pytest.mark.django_db
NOBODY = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
OF_EXPORTS = "id,createdAt,updatedAt,revision"


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ("name,shoes\n", "/headers/1"),
        ("name,name\n", "/headers/1"),
        ("name,\n", "/headers/1"),
        ("age\n1\n", "/headers"),
        ("", ""),
        ("\ufeff", ""),
        ("\ufeff\n", ""),
        ("Größe\n1\n".encode("latin-1"), "/headers/0"),
        ("name\nAnn\n".encode("utf-16"), ""),
        ("name\nAnn\n".encode("utf-16-le"), ""),
    ],
)
def test_a_file_that_can_not_fit_is_refused_at_once(people: Api, content: str | bytes, pointer: str):
    answer = send(people, "table=people", content)

    assert pointers(answer) == [pointer]


def test_members_that_the_system_sets_are_passed_over_and_the_owner_is_taken(people: Api, person):
    person()
    owner = id_of("ann@example.com")

    imported(people, "table=people", f"id,name,owner,revision\nwhatever,Ann,{owner},7\nx,Ben,,1\n")

    assert rows_of(people, "people", "name", "owner", "revision") == [["Ann", owner, 1], ["Ben", None, 1]]


def test_a_row_of_somebody_who_is_not_there_is_a_reject(people: Api):
    result = imported(people, "table=people", f"name,owner\nAnn,{NOBODY}\nBen,\nEve,eve\n")

    assert [(each["line"], each["pointer"]) for each in result["rejects"]] == [(2, "/owner"), (4, "/owner")]
    assert rows_of(people, "people", "name") == [["Ben"]]


def test_rows_that_an_admin_imports_are_theirs(people: Api, console: Console):
    answer = console.call("POST", "/imports?table=people", raw=b"name\nAnn\n", **{"content-type": "text/csv"})
    do_jobs()

    assert answer.status_code == 202
    assert rows_of(people, "people", "owner") == [[id_of("root@example.com")]]


@pytest.mark.parametrize(
    ("query", "content", "type", "ignored"),
    [
        ("table=people", "id,name,Revision,owner\nx,Ann,7,\n", CSV, ["id", "Revision"]),
        ("table=things&create=true", "name\nAnn\n", CSV, []),
        ("table=things&create=true", f"{OF_EXPORTS},name\n17,,,1,Ann\n", CSV, OF_EXPORTS.split(",")),
        ("table=people", '{"name": "Ann"}', NDJSON, None),
    ],
)
def test_headers_that_are_passed_over_are_told(
    people: Api, query: str, content: str, type: str, ignored: list[str] | None
):
    assert imported(people, query, content, type)["ignored"] == ignored


def test_what_a_new_table_passes_over_is_told_once_it_is_known(admin: Api):
    line = {**dict.fromkeys(OF_EXPORTS.split(","), 1), "name": "Ann"}
    begun = made(send(admin, "table=things&create=true", json.dumps(line), NDJSON), 202)
    do_jobs()

    assert (begun["ignored"], state_of(admin, begun["id"])["ignored"]) == (None, OF_EXPORTS.split(","))


@pytest.mark.parametrize("quotes", ['"', ""])
def test_headers_that_do_not_end_within_the_first_megabyte_are_too_long(people: Api, quotes: str):
    answer = send(people, "table=people", f"{quotes}name" + "x" * 1_000_001 + f"{quotes}\nAnn\n")

    assert [error["code"] for error in made(answer, 400)["errors"]] == ["too-long"]


def test_what_is_wrong_below_the_headers_is_not_blamed_on_them(people: Api):
    result = imported(people, "table=people", "name\n" + "," * 1_500_000)

    assert (result["state"], result["detail"]) == ("failed", "Line 2 has more than 100,000 cells.")


def test_too_many_headers_are_told_so_also_in_a_large_file(people: Api):
    [error] = made(send(people, "table=people", "," * 1_500_000), 400)["errors"]

    assert (error["pointer"], error["detail"]) == ("/headers", "Line 1 has more than 100,000 cells.")


@pytest.mark.parametrize("system", ["", ",createdAt,updatedAt,revision"])
def test_a_foreign_id_goes_where_the_first_file_put_it(admin: Api, system: str):
    made(admin.post("/tables", {"name": "Things", "columns": [{"name": "id", "key": "number", "type": "integer"}]}))

    result = imported(admin, "table=things", f"id{system}\n17{',' * system.count(',')}\n")

    assert rows_of(admin, "things", "number") == [[None if system else 17]]
    assert result["ignored"] == (["id", "createdAt", "updatedAt", "revision"] if system else [])


def test_an_id_is_the_rows_own_where_the_key_of_the_column_of_that_name_stands_beside_it(admin: Api):
    made(admin.post("/tables", {"name": "Things", "columns": [{"name": "id", "key": "number", "type": "integer"}]}))
    made(admin.post("/tables/things/rows", {"number": 17}))
    export = b"".join(admin.get("/tables/things/rows.csv?fields=id,number").streaming_content)

    assert imported(admin, "table=things", export)["ignored"] == ["id"]
    assert rows_of(admin, "things", "number") == [[17], [17]]


def test_an_id_that_two_columns_are_called_is_ambiguous(admin: Api):
    _with_columns(admin, one="id", two="id")

    assert [each["code"] for each in made(send(admin, "table=things", "id\n1\n"), 400)["errors"]] == ["ambiguous"]


def test_a_foreign_id_of_ndjson_is_not_lost_without_a_word(admin: Api):
    made(admin.post("/tables", {"name": "Things", "columns": [{"name": "id", "key": "number", "type": "integer"}]}))
    export = json.dumps(dict.fromkeys(OF_EXPORTS.split(",")) | {"number": 3})

    result = imported(admin, "table=things", f'{{"id": 17}}\n{{"number": 17}}\n{export}\n', NDJSON)

    detail = "‘id’ is each row’s own; the column that is called so has the key ‘number’."
    assert result["rejects"] == [{"line": 1, "pointer": "/id", "detail": detail}]
    assert rows_of(admin, "things", "number") == [[17], [3]]


@pytest.mark.parametrize(("header", "said"), [("name;age", "semicolons"), ("name\tage", "tabs")])
def test_fields_that_are_not_parted_by_commas_are_refused(admin: Api, header: str, said: str):
    answer = send(admin, "table=people&create=true", f"{header}\nAnn;42\n")

    assert pointers(answer) == ["/headers"]
    assert answer.json()["detail"] == f"Separate the fields by commas; this file has {said}."


def _with_columns(admin: Api, **names: str) -> None:
    columns = [{"key": key, "name": name, "type": "text"} for key, name in names.items()]
    made(admin.post("/tables", {"name": "Things", "columns": columns}))


def test_a_header_is_the_key_of_a_column_before_it_is_the_name_of_another(admin: Api):
    _with_columns(admin, one="Two", two="One")

    imported(admin, "table=things", "One,TWO\n1,2\n")

    assert rows_of(admin, "things", "one", "two") == [["1", "2"]]


@pytest.mark.parametrize("header", ["Size", "size"])
def test_a_header_that_is_the_name_of_several_columns_is_refused(admin: Api, header: str):
    _with_columns(admin, width="Size", height="Size")

    answer = send(admin, "table=things", f"{header}\n1\n")

    assert pointers(answer) == ["/headers/0"]
    assert "width, height" in answer.json()["detail"]


def test_a_name_in_its_very_letters_goes_before_one_in_others(admin: Api):
    _with_columns(admin, width="Size", height="SIZE")

    imported(admin, "table=things", "SIZE\n1\n")

    assert rows_of(admin, "things", "width", "height") == [[None, "1"]]
