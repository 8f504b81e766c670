"""Requests that are sent again with the same Idempotency-Key."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from datahub.models import IdempotentAnswer
from datahub.services import idempotency
from datahub.services.idempotency import delete_old_answers
from tests.conftest import Api, together
from tests.datahub.conftest import made

ROWS = "/tables/people/rows"


def _post(caller: Api, body: Any, key: str = "one", path: str = ROWS) -> Any:
    return caller.post(path, body, **{"idempotency-key": key})


def _count(people: Api) -> int:
    return int(people.get(f"{ROWS}?count=exact").json()["count"])


def test_the_same_request_is_answered_the_same_and_done_once(people: Api):
    first, second = _post(people, {"name": "Ann", "age": 1}), _post(people, {"age": 1, "name": "Ann"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first["Content-Type"] == second["Content-Type"]
    assert _count(people) == 1


def test_upserts_and_bulks_are_done_once_as_well(people: Api):
    path = f"{ROWS}?onConflict=email&resolution=merge"
    answers = [_post(people, [{"name": "Ann"}, {"name": "Bob"}], path=path) for _time in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert _count(people) == 2


def test_a_key_belongs_to_one_body(people: Api):
    _post(people, {"name": "Ann"})

    assert made(_post(people, {"name": "Bob"}), 409)["code"] == "idempotency-key-reused"
    assert made(_post(people, [{"name": "Ann"}]), 409)["errors"]
    assert _count(people) == 1


def test_a_key_belongs_to_one_address(people: Api):
    _post(people, {"name": "Ann"})

    assert _post(people, {"name": "Ann"}, path=f"{ROWS}?onConflict=email&resolution=merge").status_code == 409


def test_a_key_belongs_to_one_table_whatever_others_are_called(people: Api):
    _post(people, {"name": "Ann"})
    people.delete("/tables/people")
    made(people.post("/tables", {"name": "People", "columns": [{"name": "Name", "type": "text"}]}))

    assert made(_post(people, {"name": "Ann"}), 409)["code"] == "idempotency-key-reused"


def test_an_answer_that_is_too_large_to_keep_is_refused_and_nothing_done(people: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(idempotency, "ANSWER_MAX", 1000)
    rows = [{"name": "Ann"}] * 10

    refusal = made(_post(people, rows), 409)

    assert (refusal["code"], refusal["detail"]) == (
        "answer-too-large",
        "Send fewer rows at once, or leave out the Idempotency-Key.",
    )
    assert _count(people) == 0
    assert _post(people, rows[:2]).status_code == 201


def test_a_key_of_another_caller_is_another_key(people: Api, key: Callable[..., Api], person: Callable[..., Api]):
    people.patch("/tables/people", {"access": {"create": "everyone"}})

    for caller in [people, key("*"), person(), person("bob@example.com"), Api()]:
        assert _post(caller, {"name": "Ann"}).status_code == 201

    assert _count(people) == 5


def test_a_key_of_a_stranger_at_another_address_is_another_key(people: Api):
    people.patch("/tables/people", {"access": {"create": "everyone"}})
    strangers = [Api(), Api(), Api()]
    for stranger, address in zip(strangers, ["192.0.2.7", "192.0.2.8", "192.0.2.7"], strict=True):
        stranger.client.defaults["REMOTE_ADDR"] = address

    ids = [made(_post(stranger, {"name": "Ann"}))["id"] for stranger in strangers]

    assert ids[0] == ids[2] != ids[1]
    assert _count(people) == 2


@pytest.mark.parametrize("refused", [{"name": None}, {"name": "Ann", "email": "bob@example.com"}])
def test_a_refusal_is_not_kept(people: Api, refused: dict[str, Any]):
    people.post(ROWS, {"name": "Bob", "email": "bob@example.com"})

    assert _post(people, refused).status_code in {400, 409}
    assert IdempotentAnswer.objects.count() == 0
    assert _post(people, {"name": "Ann"}).status_code == 201


def test_without_a_key_everything_is_done_again(people: Api):
    for _time in range(2):
        people.post(ROWS, {"name": "Ann"})

    assert _count(people) == 2


@pytest.mark.parametrize("given", ["", "a" * 256, "a\tb"])
def test_a_key_is_short_and_printable(people: Api, given: str):
    assert _post(people, {"name": "Ann"}, given).status_code == 400
    assert _count(people) == 0


def test_a_key_is_free_again_after_a_day(people: Api):
    _post(people, {"name": "Ann"})
    IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))

    assert _post(people, {"name": "Bob"}).status_code == 201


def test_old_answers_are_forgotten(people: Api):
    _post(people, {"name": "Ann"})
    IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    _post(people, {"name": "Bob"}, "two")

    assert delete_old_answers() == 1
    assert IdempotentAnswer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_it_once(people: Api):
    people.get("/tables/people")

    answers = together(lambda _: _post(Api(people.token), {"name": "Ann"}), 4)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert _count(people) == 1
