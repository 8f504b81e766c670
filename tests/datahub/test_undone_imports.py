"""The rows of an import are taken out again, but those that were changed or are needed."""

import pytest

from datahub.dynamic import find_definition
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.importing import imported, rows_of, send, undone

pytestmark = pytest.mark.django_db
PERSON = "name,email,age\nAnn,ann@example.com,42\n"


def test_an_undo_takes_the_rows_out_again_and_leaves_others(people: Api):
    made(people.post("/tables/people/rows", {"name": "Zoe"}))
    id = imported(people, "table=people", "name\nAnn\nBen\n")["id"]

    result = undone(people, id)

    assert (result["state"], result["undone"]) == ("done", {"rowsDeleted": 2, "rowsKept": 0})
    assert rows_of(people, "people", "name") == [["Zoe"]]


def test_an_undo_leaves_rows_that_were_changed_since(people: Api):
    id = imported(people, "table=people", "name\nAnn\nBen\n")["id"]
    [[first], _] = rows_of(people, "people", "id")
    made(people.patch(f"/tables/people/rows/{first}", {"age": 1}), 200)

    assert undone(people, id)["undone"] == {"rowsDeleted": 1, "rowsKept": 1}
    assert rows_of(people, "people", "name") == [["Ann"]]


@pytest.mark.parametrize("many", [False, True])
def test_an_undo_leaves_rows_that_others_must_not_be_without(people: Api, many: bool):
    id = imported(people, "table=people", "name\nAnn\nBen\nEve\n")["id"]
    [_, [second], _] = rows_of(people, "people", "id")
    columns = [{"name": "Person", "type": "relation", "options": {"table": "people", "many": many}}]
    made(people.post("/tables", {"name": "Orders", "columns": columns}))
    made(people.post("/tables/orders/rows", {"person": [second] if many else second}))

    assert undone(people, id)["undone"] == {"rowsDeleted": 2, "rowsKept": 1}
    assert rows_of(people, "people", "name") == [["Ben"]]


def test_an_undo_leaves_what_is_needed_by_a_row_that_stays(people: Api):
    columns = [{"name": "Boss", "type": "relation", "options": {"table": "people"}}]
    made(people.post("/tables/people/columns", columns[0]))
    id = imported(people, "table=people", "name\nAnn\nBen\nEve\nFay\n")["id"]
    [[ann], [ben], [eve], [fay]] = rows_of(people, "people", "id")
    definition = find_definition("people")
    for row, boss in ((ben, ann), (fay, eve)):  # as imported with it, so that nobody has changed them since
        definition.rows().filter(pk=row).update(**{definition.own["boss"].attribute: boss})
    made(people.post("/tables", {"name": "Orders", "columns": columns}))
    made(people.post("/tables/orders/rows", {"boss": ben}))

    assert undone(people, id)["undone"] == {"rowsDeleted": 2, "rowsKept": 2}
    assert rows_of(people, "people", "name") == [["Ann"], ["Ben"]]


def test_an_undo_asks_once_what_is_needed_and_not_row_by_row(people: Api, django_assert_max_num_queries):
    id = imported(people, "table=people", "name\n" + "Ann\n" * 200)["id"]
    columns = [{"name": "Person", "type": "relation", "options": {"table": "people"}}]
    made(people.post("/tables", {"name": "Orders", "columns": columns}))
    made(people.post("/tables/orders/rows", [{"person": row} for [row] in rows_of(people, "people", "id")]))

    with django_assert_max_num_queries(100):
        result = undone(people, id)

    assert result["undone"] == {"rowsDeleted": 0, "rowsKept": 200}


def test_an_undo_that_is_asked_for_twice_is_done_once(people: Api):
    id = imported(people, "table=people", PERSON)["id"]
    undone(people, id)

    again = people.post(f"/imports/{id}/undo")

    assert made(again, 200)["undone"] == {"rowsDeleted": 1, "rowsKept": 0}


def test_what_runs_can_not_be_undone(people: Api):
    id = made(send(people, "table=people", PERSON), 202)["id"]

    assert made(people.post(f"/imports/{id}/undo"), 409)["code"] == "import-running"
