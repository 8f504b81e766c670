"""Rows that refer to rows: what is asked of both ends, and what becomes of one when the other goes."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datahub.access import EVERYTHING
from datahub.dynamic import definition_of, find_table
from datahub.expansion import expanded
from datahub.models import Job
from datahub.services import background_conversion, conversion, references
from tests.conftest import Api
from tests.datahub.conftest import made, pointers
from tests.datahub.importing import do_jobs

NOTHING = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
BOOKS = "/tables/books/rows"
PEOPLE = "/tables/authors/rows"


@pytest.fixture
def authors(admin: Api) -> Api:
    made(admin.post("/tables", {"name": "Authors", "columns": [{"name": "Name", "type": "text"}]}))
    return admin


def _books(admin: Api, *, many: bool = False, on_delete: str = "restrict", **settings: Any) -> None:
    """A table of books, which refer to their author or, with `many`, to their authors."""
    options = {"table": "authors", "many": many, "onDelete": on_delete}
    column = {"name": "By", "type": "relation", "options": options}
    made(admin.post("/tables", {"name": "Books", "columns": [column, {"name": "Title", "type": "text"}], **settings}))


def _authors(admin: Api, *names: str) -> list[str]:
    return [row["id"] for row in made(admin.post(PEOPLE, [{"name": name} for name in names]))["items"]]


def _book(admin: Api, by: Any) -> Any:
    return made(admin.post(BOOKS, {"by": by}))


def _now(admin: Api, row: Any) -> Any:
    return made(admin.get(f"{BOOKS}/{row['id']}"), 200)


# Referring ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [False, True])
def test_a_row_that_is_not_there_can_not_be_referred_to(authors: Api, many: bool):
    _books(authors, many=many)
    [ann] = _authors(authors, "Ann")
    good, bad = ([ann], [ann, NOTHING]) if many else (ann, NOTHING)
    book = _book(authors, good)

    assert pointers(authors.post(BOOKS, {"by": bad})) == ["/by"]
    assert pointers(authors.post(BOOKS, [{"by": good}, {"by": bad}])) == ["/1/by"]
    assert pointers(authors.patch(f"{BOOKS}/{book['id']}", {"by": bad})) == ["/by"]
    assert pointers(authors.patch(BOOKS, [{"id": book["id"], "by": bad}])) == ["/0/by"]
    assert authors.get(f"{BOOKS}?count=exact").json()["count"] == 1
    assert _now(authors, book) == book


def test_who_does_not_reach_a_row_learns_nothing_of_what_it_might_refer_to(authors: Api, person: Callable[..., Api]):
    _books(authors)
    [ann] = _authors(authors, "Ann")
    book, eve = _book(authors, ann), person("eve@example.com")
    authors.patch("/tables/books", {"access": {"update": "owner", "read": "admin"}})

    for id in (book["id"], NOTHING):
        for by in (ann, NOTHING):
            answer = eve.patch(f"{BOOKS}/{id}", {"by": by})
            assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no row {id}, or not for you.")


@pytest.mark.parametrize(("many", "by"), [(False, []), (False, 7), (True, NOTHING), (True, [7]), (True, [None])])
def test_a_relation_is_an_id_or_a_list_of_them(authors: Api, many: bool, by: Any):
    _books(authors, many=many)

    assert pointers(authors.post(BOOKS, {"by": by})) == ["/by"]


def test_a_row_refers_to_another_once(authors: Api):
    _books(authors, many=True)
    [ann] = _authors(authors, "Ann")

    assert pointers(authors.post(BOOKS, {"by": [ann, ann]})) == ["/by"]


def test_rows_are_found_by_what_they_refer_to(authors: Api):
    _books(authors)
    ann, bob = _authors(authors, "Ann", "Bob")
    books = [_book(authors, by) for by in (ann, bob, None)]

    assert [row["id"] for row in authors.get(f"{BOOKS}?by={ann}").json()["items"]] == [books[0]["id"]]
    assert [row["id"] for row in authors.get(f"{BOOKS}?by__isnull=true").json()["items"]] == [books[2]["id"]]


def test_rows_are_found_by_one_of_what_they_refer_to(authors: Api):
    _books(authors, many=True)
    ann, bob = _authors(authors, "Ann", "Bob")
    books = [_book(authors, by) for by in ([ann, bob], [bob], [], None)]

    found = authors.get(f"{BOOKS}?by__contains={bob}").json()["items"]
    empty = authors.get(f"{BOOKS}?by__empty=true").json()["items"]
    assert [row["id"] for row in found] == [books[0]["id"], books[1]["id"]]
    assert [row["id"] for row in empty] == [books[2]["id"], books[3]["id"]]


# Expanding ---------------------------------------------------------------------------------------------------------


def test_the_row_that_is_referred_to_is_answered_beside(authors: Api):
    _books(authors)
    [ann] = _authors(authors, "Ann")
    book, other = _book(authors, ann), _book(authors, None)

    shown = made(authors.get(f"{BOOKS}/{book['id']}?expand=by"), 200)
    items = made(authors.get(f"{BOOKS}?expand=by&fields=title"), 200)["items"]

    assert shown == {**book, "expand": {"by": authors.get(f"{PEOPLE}/{ann}").json()}}
    assert [item["expand"]["by"] and item["expand"]["by"]["name"] for item in items] == ["Ann", None]
    assert list(items[0]) == ["title", "expand"]
    assert other["by"] is None


def test_rows_that_are_referred_to_are_answered_in_their_order(authors: Api):
    _books(authors, many=True)
    ann, bob = _authors(authors, "Ann", "Bob")
    _book(authors, [bob, ann])
    _book(authors, None)

    items = made(authors.get(f"{BOOKS}?expand=by"), 200)["items"]

    assert [[author["name"] for author in item["expand"]["by"]] for item in items] == [["Bob", "Ann"], []]


def test_hidden_rows_are_left_out(authors: Api, api: Api):
    rule = {"filter": {"field": "name", "op": "ne", "value": "Bob"}}
    _books(authors, many=True, access={"list": "everyone"})
    made(authors.patch("/tables/authors", {"access": {"read": rule}}), 200)
    _book(authors, _authors(authors, "Ann", "Bob"))

    [item] = made(api.get(f"{BOOKS}?expand=by"), 200)["items"]

    assert [author["name"] for author in item["expand"]["by"]] == ["Ann"]


def test_more_rows_than_a_query_takes_parameters_are_answered_beside(authors: Api):
    _books(authors, many=True)
    [ann] = _authors(authors, "Ann")
    by = definition_of(find_table("books")).own["by"]
    ids = [*(str(uuid4()) for _time in range(66_000)), ann]

    [found] = expanded([{"by": ids}], [by], EVERYTHING)

    assert [author["name"] for author in found["by"]] == ["Ann"]


# Deleting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [False, True])
def test_a_row_in_use_stays_where_that_is_restricted(authors: Api, many: bool):
    _books(authors, many=many)
    ann, bob = _authors(authors, "Ann", "Bob")
    books = [_book(authors, [ann] if many else ann) for _time in range(3)]

    answer = authors.delete(f"{PEOPLE}/{ann}")

    problem = made(answer, 409)
    assert (problem["code"], problem["count"]) == ("row-in-use", 3)
    assert pointers(answer, 409) == [f"/rows/{book['id']}/by" for book in books]
    assert made(authors.delete(f"{PEOPLE}?name__in=Ann,Bob"), 409)["count"] == 3
    assert authors.delete(f"{PEOPLE}/{bob}").status_code == 204
    assert [row["name"] for row in authors.get(PEOPLE).json()["items"]] == ["Ann"]


def test_which_rows_are_in_the_way_is_told_to_those_alone_who_may_read_all(authors: Api, api: Api):
    _books(authors)
    [ann] = _authors(authors, "Ann")
    book = _book(authors, ann)
    made(authors.patch("/tables/authors", {"access": {"delete": "everyone", "list": "everyone"}}), 200)

    for answer in [api.delete(f"{PEOPLE}/{ann}"), api.delete(f"{PEOPLE}?name=Ann")]:
        assert "count" not in made(answer, 409)
        assert not any(hidden in answer.content.decode() for hidden in (book["id"], "books", "1 row"))


def test_a_row_that_is_cleared_refers_to_nothing_and_is_another_revision(authors: Api):
    _books(authors, on_delete="clear")
    ann, bob = _authors(authors, "Ann", "Bob")
    hers, his = _book(authors, ann), _book(authors, bob)

    assert authors.delete(f"{PEOPLE}/{ann}").status_code == 204

    now = _now(authors, hers)
    assert now == {**hers, "by": None, "revision": 2, "updatedAt": now["updatedAt"]}
    assert datetime.fromisoformat(now["updatedAt"]) > datetime.fromisoformat(hers["updatedAt"])
    assert _now(authors, his) == his


def test_of_many_that_are_referred_to_the_deleted_are_taken_out(authors: Api):
    _books(authors, many=True, on_delete="clear")
    ann, bob, cid = _authors(authors, "Ann", "Bob", "Cid")
    book = _book(authors, [cid, ann, bob])

    assert made(authors.delete(f"{PEOPLE}?name__in=Ann,Cid"), 200) == {"deleted": 2}

    assert (_now(authors, book)["by"], _now(authors, book)["revision"]) == ([bob], 2)


def test_a_required_relation_is_not_cleared(authors: Api):
    _books(authors, on_delete="clear")
    made(authors.patch("/tables/books/columns/by", {"required": True}), 200)
    [ann] = _authors(authors, "Ann")
    _book(authors, ann)

    assert authors.delete(f"{PEOPLE}/{ann}").status_code == 409


@pytest.mark.parametrize("many", [False, True])
def test_a_thousand_rows_are_deleted_with_what_refers_to_them(authors: Api, many: bool):
    _books(authors, many=many, on_delete="clear")
    ids = _authors(authors, *(["Ann"] * 1000))
    book = _book(authors, ids if many else ids[500])

    assert made(authors.delete(f"{PEOPLE}?name=Ann"), 200) == {"deleted": 1000}

    assert _now(authors, book)["by"] == ([] if many else None)


def test_a_hidden_relation_holds_nothing_back_and_dangles_not_when_it_is_back(authors: Api):
    _books(authors)
    [ann] = _authors(authors, "Ann")
    book = _book(authors, ann)
    authors.delete("/tables/books/columns/by")

    assert authors.delete(f"{PEOPLE}/{ann}").status_code == 204
    made(authors.post("/tables/books/columns/by/restore"), 200)
    assert _now(authors, book)["by"] is None


def test_a_change_by_clearing_is_told(authors: Api, told: Any):
    _books(authors, on_delete="clear", rowEvents=True)
    [ann] = _authors(authors, "Ann")
    _book(authors, ann)

    authors.delete(f"{PEOPLE}/{ann}")

    assert told()[-1] == "api.dataRow_updated"


def _queries(call: Callable[[], Any], status: int) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert call().status_code == status
    return len(queries)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("how", ["delete", "clear"])
def test_many_rows_are_cleared_by_as_few_queries_as_one(authors: Api, many: bool, how: str):
    def cost(count: int) -> int:
        [ann] = _authors(authors, "Ann")
        authors.post(BOOKS, [{"by": [ann] if many else ann}] * count)
        if how == "delete":
            return _queries(lambda: authors.delete(f"{PEOPLE}/{ann}"), 204)
        return _queries(lambda: authors.post("/tables/authors/clear"), 204)

    _books(authors, many=many, on_delete="clear")
    cost(1)

    assert cost(50) == cost(1)


def test_lists_of_which_different_ones_are_left_are_cleared_by_few_queries(authors: Api):
    _books(authors, many=True, on_delete="clear")
    ann, *others = _authors(authors, *map(str, range(51)))
    books = made(authors.post(BOOKS, [{"by": [other, ann]} for other in others]))["items"]

    assert _queries(lambda: authors.delete(f"{PEOPLE}/{ann}"), 204) < 30

    assert [(_now(authors, book)["by"], _now(authors, book)["revision"]) for book in books] == [
        ([other], 2) for other in others
    ]


@pytest.mark.parametrize("many", [False, True])
def test_a_relation_comes_back_by_few_queries(authors: Api, many: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(references, "BATCH", 20)
    _books(authors, many=many)
    ids = _authors(authors, *map(str, range(50)))
    books = made(authors.post(BOOKS, [{"by": [id] if many else id} for id in ids]))["items"]
    authors.delete("/tables/books/columns/by")
    authors.delete(f"{PEOPLE}/{ids[-1]}")

    assert _queries(lambda: authors.post("/tables/books/columns/by/restore"), 200) < 50

    assert [_now(authors, book) for book in books[:-1]] == books[:-1]
    assert _now(authors, books[-1])["by"] == ([] if many else None)


def test_a_relation_that_is_cleared_while_it_is_converted_is_converted_as_it_is(
    authors: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(conversion, "AT_ONCE_MAX", 1)
    monkeypatch.setattr(background_conversion, "FEW", 1)
    _books(authors, on_delete="clear")
    [ann] = _authors(authors, "Ann")
    books = [_book(authors, ann) for _time in range(3)]
    made(authors.patch("/tables/books/columns/by", {"type": "text"}), 202)
    do_jobs(1)

    assert authors.delete(f"{PEOPLE}/{ann}").status_code == 204
    Job.objects.update(worker=None)
    do_jobs()

    assert authors.get("/tables/books/columns").json()["items"][0]["type"] == "text"
    assert [_now(authors, book)["by"] for book in books] == [None] * 3


# Of one table ------------------------------------------------------------------------------------------------------


def _tree(admin: Api, on_delete: str) -> list[Any]:
    """A parent, its child and the child's child."""
    made(admin.post("/tables", {"name": "Books", "columns": [{"name": "Title", "type": "text"}]}))
    options = {"table": "books", "onDelete": on_delete}
    made(admin.post("/tables/books/columns", {"name": "By", "type": "relation", "options": options}))
    rows: list[Any] = []
    for _time in range(3):
        rows.append(_book(admin, rows[-1]["id"] if rows else None))
    return rows


def test_rows_that_refer_to_each_other_go_together(admin: Api):
    parent, child, grandchild = _tree(admin, "restrict")

    assert admin.delete(f"{BOOKS}/{parent['id']}").status_code == 409
    assert admin.delete(f"{BOOKS}?id__in={parent['id']},{child['id']}").status_code == 409
    assert made(admin.delete(f"{BOOKS}?revision=1"), 200) == {"deleted": 3}
    assert grandchild["by"] == child["id"]


def test_a_child_is_cleared_of_its_parent(admin: Api):
    parent, child, grandchild = _tree(admin, "clear")

    assert made(admin.delete(f"{BOOKS}?id__in={parent['id']},{child['id']}"), 200) == {"deleted": 2}

    assert (_now(admin, grandchild)["by"], _now(admin, grandchild)["revision"]) == (None, 2)


def test_a_row_may_refer_to_itself(admin: Api):
    parent, *_others = _tree(admin, "restrict")
    made(admin.patch(f"{BOOKS}/{parent['id']}", {"by": parent["id"]}), 200)

    assert admin.delete(f"{BOOKS}?count=x").status_code == 400
    assert made(admin.delete(f"{BOOKS}?revision__gte=1"), 200) == {"deleted": 3}


# Of tables ---------------------------------------------------------------------------------------------------------


def test_a_table_in_use_is_not_deleted(authors: Api):
    _books(authors)

    assert made(authors.delete("/tables/authors"), 409)["code"] == "table-in-use"
    assert authors.delete("/tables/books").status_code == 204
    assert authors.delete("/tables/authors").status_code == 204


def test_a_table_that_refers_to_itself_is_deleted_and_cleared(admin: Api):
    _tree(admin, "restrict")

    assert admin.post("/tables/books/clear").status_code == 204
    assert admin.get(BOOKS).json()["items"] == []
    assert admin.delete("/tables/books").status_code == 204


@pytest.mark.parametrize("many", [False, True])
def test_a_table_is_not_cleared_while_its_rows_are_in_use(authors: Api, many: bool):
    _books(authors, many=many)
    [ann] = _authors(authors, "Ann")
    book = _book(authors, [ann] if many else ann)

    assert made(authors.post("/tables/authors/clear"), 409)["count"] == 1
    made(authors.patch(f"{BOOKS}/{book['id']}", {"by": [] if many else None}), 200)
    assert authors.post("/tables/authors/clear").status_code == 204


@pytest.mark.parametrize("many", [False, True])
def test_a_table_that_is_cleared_is_referred_to_no_more(authors: Api, many: bool):
    _books(authors, many=many, on_delete="clear")
    [ann] = _authors(authors, "Ann")
    book, other = _book(authors, [ann] if many else ann), _book(authors, None)

    assert authors.post("/tables/authors/clear").status_code == 204

    assert (_now(authors, book)["by"], _now(authors, book)["revision"]) == ([] if many else None, 2)
    assert _now(authors, other) == other
