"""What takes the database too long is refused, once and in plain words; what rightly takes long is not."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest

from authpages.models import User
from authpages.services.users import delete_user
from datahub import ddl, export, listing, statements
from datahub.models import Column
from datahub.services import ownership, references
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.conftest import Api
from tests.datahub.conftest import id_of, made
from tests.slowness import run_long

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = "/tables/people/rows"


@pytest.fixture
def slow(people: Api, hurried: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Mock]:
    """Makes the lists of rows slow, from the nth statement on."""

    def make(nth: int = 1, share: float = 100) -> Mock:
        def select(*given: Any) -> Any:
            if asked.call_count >= nth:
                run_long(share)
            return statements.select(*given)

        asked = Mock(side_effect=select)
        monkeypatch.setattr(listing, "select", asked)
        return asked

    return make


def test_a_slow_list_is_refused_and_told_what_to_do(people: Api, slow: Callable[..., Mock]):
    slow()

    answer = people.get(f"{ROWS}?name__icontains=x")

    problem = made(answer, 503)
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["code"] == "query-too-slow"
    assert "narrow the filter" in problem["detail"]
    assert "0.5 seconds" in problem["detail"]
    assert answer["X-Request-Id"]


def test_a_slow_list_is_not_tried_again(people: Api, slow: Callable[..., Mock]):
    people.get(ROWS)  # whose definition is remembered
    asked = slow()

    people.get(ROWS)

    assert asked.call_count == 1


def test_the_next_request_is_served(people: Api, slow: Callable[..., Mock], monkeypatch: pytest.MonkeyPatch):
    slow()
    people.get(ROWS)
    monkeypatch.undo()

    assert people.get(ROWS).status_code == 200


def test_it_is_logged_without_the_query(people: Api, slow: Callable[..., Mock], caplog: pytest.LogCaptureFixture):
    slow()

    people.get(f"{ROWS}?name__icontains=secret")

    assert "503 GET /api/v1/tables/people/rows, the query takes too long" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_an_export_that_is_slow_to_begin_is_refused(people: Api, slow: Callable[..., Mock], ending: str):
    slow()

    assert made(people.get(f"{ROWS}.{ending}"), 503)["code"] == "query-too-slow"


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_an_export_that_has_begun_comes_to_its_end(
    people: Api, slow: Callable[..., Mock], monkeypatch: pytest.MonkeyPatch, ending: str
):
    made(people.post(ROWS, [{"name": name} for name in "abc"]))
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    slow(2, share=2)

    answer = people.get(f"{ROWS}.{ending}?fields=name")

    assert len(bytes(answer.getvalue()).splitlines()) == {"csv": 4, "ndjson": 3}[ending]


def test_statements_are_limited_again_after_an_export(people: Api, slow: Callable[..., Mock]):
    made(people.post(ROWS, {"name": "a"}))
    assert people.get(f"{ROWS}.csv").getvalue()
    slow()

    assert people.get(ROWS).status_code == 503


def test_a_client_that_leaves_an_export_lifts_no_limit(
    people: Api, slow: Callable[..., Mock], monkeypatch: pytest.MonkeyPatch
):
    made(people.post(ROWS, [{"name": name} for name in "abc"]))
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 1)
    answer = people.get(f"{ROWS}.ndjson")
    pieces = iter(answer.streaming_content)
    next(pieces), next(pieces)
    answer.close()
    slow()

    assert people.get(ROWS).status_code == 503


def test_a_change_of_a_table_takes_the_time_it_needs(people: Api, hurried: None, monkeypatch: pytest.MonkeyPatch):
    def add_column(*given: Any) -> None:
        run_long(share=2)
        ddl_add_column(*given)

    ddl_add_column = ddl.add_column
    monkeypatch.setattr(ddl, "add_column", add_column)

    made(people.post("/tables/people/columns", {"name": "Shoes", "type": "integer"}))

    assert Column.objects.filter(key="shoes").exists()


def test_a_table_is_cleared_however_long_that_takes(people: Api, hurried: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(references, "let_go_of_all", lambda *_: run_long(share=2))

    assert people.post("/tables/people/clear").status_code == 204


def test_a_person_is_deleted_however_many_rows_that_takes(
    people: Api, person: Callable[..., Api], hurried: None, monkeypatch: pytest.MonkeyPatch
):
    person()
    made(people.patch("/tables/people", {"onOwnerDelete": "delete"}), 200)
    monkeypatch.setattr(ownership, "_treat", lambda *_: run_long(share=2))

    delete_user(user_id=UUID(id_of("ann@example.com")), origin=COMMAND_LINE)

    assert not User.objects.filter(email="ann@example.com").exists()


def test_a_slow_page_says_so_to_people(hurried: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authpages.models.HostedAuthSettings.load", lambda: run_long())

    answer = Visitor().get("/signup")

    assert answer.status_code == 503
    assert "takes too long" in answer.content.decode()
