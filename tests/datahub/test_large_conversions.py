"""Changes of type of large tables: in the background, beside writers, all or nothing."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from datahub.column_types.numbers import Integer
from datahub.models import Column, Conversion, Job
from datahub.services import background_conversion, conversion, jobs
from datahub.services.work import Working
from events.models import Worker
from events.services.leases import register_worker
from tests.conftest import Api

Key = Callable[..., Api]
ROWS = "/tables/items/rows"


@pytest.fixture
def admin(key: Key, monkeypatch: pytest.MonkeyPatch) -> Api:
    """An admin of a table of 25 rows, where more than 10 are many and a batch has 4."""
    monkeypatch.setattr(conversion, "AT_ONCE_MAX", 10)
    monkeypatch.setattr(conversion, "BATCH", 4)
    monkeypatch.setattr(background_conversion, "FEW", 2)
    admin = key("*")
    columns = [{"name": "Size", "type": "text", "indexed": True}, {"name": "Name", "type": "text"}]
    assert admin.post("/tables", {"name": "Items", "columns": columns}).status_code == 201
    admin.post(ROWS, [{"size": str(number), "name": f"n{number}"} for number in range(25)])
    return admin


@pytest.fixture
def portions(db: None) -> Callable[[], Iterator[None]]:
    """Does the job portion by portion, as a worker would."""

    def work() -> Iterator[None]:
        worker = register_worker()
        lease = jobs.claim_job(worker=worker, living=lambda: Worker.objects.values("pk"))
        assert lease is not None
        working = Working(lease)
        while working.step():
            yield
        assert not Job.objects.exists()

    return work


def _change(admin: Api, **changes: Any) -> Any:
    return admin.patch("/tables/items/columns/size", {"type": "integer"} | changes)


def _column(admin: Api) -> Any:
    return admin.get("/tables/items/columns").json()["items"][0]


def _sizes(admin: Api) -> list[Any]:
    return [row["size"] for row in admin.get(f"{ROWS}?limit=200").json()["items"]]


def test_it_is_accepted_and_the_column_stays_as_it_is_meanwhile(admin: Api, portions: Any):
    answer = _change(admin)

    assert (answer.status_code, answer.json()["type"]) == (202, "text")
    assert _column(admin)["conversion"] == {
        "type": "integer",
        "state": "running",
        "detail": "",
        "rowsConverted": 0,
        "errors": [],
    }
    assert _sizes(admin) == [str(number) for number in range(25)]


def test_every_value_is_converted_and_the_original_kept(admin: Api, portions: Any):
    _change(admin)

    list(portions())

    assert _sizes(admin) == list(range(25))
    assert "conversion" not in _column(admin)
    [original] = admin.get("/tables/items/columns?hidden=true").json()["items"]
    assert (original["type"], original["originalOf"]) == ("text", _column(admin)["id"])


def test_its_begin_and_its_end_are_a_version_each(admin: Api, portions: Any, told: Callable[[], list[str]]):
    _change(admin)
    begun = (admin.get("/tables/items").json()["version"], told().count("api.dataTable_updated"))

    list(portions())

    assert begun == (2, 1)
    assert (admin.get("/tables/items").json()["version"], told().count("api.dataTable_updated")) == (3, 2)


def test_what_is_written_meanwhile_is_converted_too(admin: Api, portions: Any):
    ids = [row["id"] for row in admin.get(f"{ROWS}?limit=200").json()["items"]]
    _change(admin)

    work = portions()
    for number in range(7):
        next(work)
        admin.patch(f"{ROWS}/{ids[number]}", {"size": str(100 + number)})
        admin.patch(f"{ROWS}/{ids[-1 - number]}", {"size": None})
        admin.post(ROWS, {"size": str(200 + number)})
    list(work)

    sizes = _sizes(admin)
    assert sizes[:7] == [100 + number for number in range(7)]
    assert sizes[7:18] == list(range(7, 18))
    assert sizes[18:25] == [None] * 7
    assert sizes[25:] == [200 + number for number in range(7)]


def test_a_value_that_cannot_be_converted_leaves_all_as_it_was(admin: Api, portions: Any):
    admin.post(ROWS, {"size": "large"})
    _change(admin)

    list(portions())

    column = _column(admin)
    assert (column["type"], column["conversion"]["state"]) == ("text", "failed")
    assert "1 value can’t be converted" in column["conversion"]["detail"]
    assert _sizes(admin)[-1] == "large"
    assert Column.objects.count() == 2
    assert admin.get("/tables/items").json()["version"] == 3


def test_after_a_failure_it_can_be_asked_for_again(admin: Api, portions: Any):
    row = admin.post(ROWS, {"size": "large"}).json()
    _change(admin)
    list(portions())
    admin.patch(f"{ROWS}/{row['id']}", {"size": "25"})

    _change(admin)
    list(portions())

    assert _sizes(admin) == list(range(26))


def test_values_that_cannot_be_converted_may_become_null(admin: Api, portions: Any):
    admin.post(ROWS, [{"size": "large"} for _ in range(9)])
    _change(admin, onFailure="null")

    list(portions())

    assert _sizes(admin) == [*range(25), *[None] * 9]


def test_a_column_that_is_converted_waits_with_other_changes(admin: Api):
    _change(admin)

    answers = [
        admin.patch("/tables/items/columns/size", {"name": "Width"}),
        admin.delete("/tables/items/columns/size"),
        _change(admin),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "column-converting")] * 3


def test_other_columns_can_be_changed_meanwhile(admin: Api, portions: Any):
    _change(admin)

    work = portions()
    next(work)
    answer = admin.patch("/tables/items/columns/name", {"name": "Title"})
    list(work)

    assert answer.status_code == 200
    assert _sizes(admin) == list(range(25))


def test_what_becomes_unique_is_so_in_the_end(admin: Api, portions: Any):
    assert _change(admin, unique=True).status_code == 202

    list(portions())

    assert _column(admin)["unique"]
    assert admin.post(ROWS, {"size": 3}).status_code == 409


def test_values_that_become_the_same_are_a_failure_where_they_must_differ(admin: Api, portions: Any):
    admin.post(ROWS, {"size": "07"})
    _change(admin, unique=True)

    list(portions())

    assert _column(admin)["conversion"]["state"] == "failed"
    assert _sizes(admin)[-1] == "07"


def test_a_dry_run_tells_what_stands_in_the_way_and_changes_nothing(admin: Api):
    admin.post(ROWS, {"size": "large"})

    refused = admin.patch("/tables/items/columns/size?dryRun=true", {"type": "integer"})
    taken = admin.patch("/tables/items/columns/size?dryRun=true", {"type": "integer", "onFailure": "null"})

    assert (refused.status_code, refused.json()["count"]) == (409, 1)
    assert (taken.status_code, taken.json()["type"]) == (200, "integer")
    assert taken.json()["unconvertible"] == {"count": 1, "errors": refused.json()["errors"]}
    assert not Conversion.objects.exists()
    assert admin.get("/tables/items").json()["version"] == 1


@pytest.mark.parametrize("at_once", [10, 1_000_000], ids=["a large table", "a small one"])
@pytest.mark.parametrize(
    ("more", "code"),
    [({"key": "taken"}, "key-taken"), ({"key": "__"}, "invalid-input"), ({"type": "json", "unique": True}, None)],
)
def test_a_dry_run_refuses_what_the_change_would_be_refused_for(
    admin: Api, monkeypatch: pytest.MonkeyPatch, at_once: int, more: dict[str, Any], code: str | None
):
    admin.post("/tables/items/columns", {"name": "Taken", "type": "text"})
    monkeypatch.setattr(conversion, "AT_ONCE_MAX", at_once)

    answer = admin.patch("/tables/items/columns/size?dryRun=true", {"type": "integer"} | more)

    assert answer.status_code in {400, 409}
    assert code is None or answer.json()["code"] == code


def test_a_dry_run_waits_for_the_end_of_a_conversion(admin: Api, portions: Any):
    _change(admin)

    answer = admin.patch("/tables/items/columns/size?dryRun=true", {"type": "integer"})

    assert (answer.status_code, answer.json()["code"]) == (409, "column-converting")


def test_a_dry_run_shows_all_that_the_column_would_be(admin: Api):
    change = {"type": "integer", "key": "amount", "name": "Amount", "indexed": True}

    answer = admin.patch("/tables/items/columns/size?dryRun=true", change).json()

    assert change.items() <= answer.items()


def test_wider_options_need_no_job(admin: Api):
    answer = admin.patch("/tables/items/columns/size", {"options": {"maxLength": 300}})

    assert (answer.status_code, answer.json()["options"]) == (200, {"maxLength": 300})


def test_a_table_may_be_deleted_meanwhile(admin: Api, portions: Any):
    _change(admin)

    work = portions()
    next(work)
    answer = admin.delete("/tables/items")
    list(work)

    assert answer.status_code == 204
    assert not Conversion.objects.exists()


def test_a_failure_tells_of_all_values_in_the_way(admin: Api, portions: Any):
    rows = admin.post(ROWS, [{"size": "large"} for _ in range(9)]).json()["items"]
    _change(admin)

    list(portions())

    told = _column(admin)["conversion"]
    assert "9 values can’t be converted" in told["detail"]
    assert [error["pointer"] for error in told["errors"]] == [f"/rows/{row['id']}/size" for row in rows]


def test_a_column_may_have_any_name_meanwhile(admin: Api, portions: Any):
    admin.post("/tables/items/columns", {"name": "arriving", "type": "text"})
    _change(admin)

    list(portions())

    assert _sizes(admin) == list(range(25))


def test_values_that_were_left_out_are_told_until_the_next_change(admin: Api, portions: Any):
    ids = [row["id"] for row in admin.post(ROWS, [{"size": f"large {n}"} for n in range(120)]).json()["items"]]
    _change(admin, onFailure="null")
    admin.patch(f"{ROWS}/{ids[1]}", {"size": "1"})

    list(portions())

    told = _column(admin)["conversion"]
    assert (told["type"], told["state"]) == ("integer", "done")
    assert told["detail"].startswith("119 values could not be converted and were left out")
    assert len(told["errors"]) == 4  # as many as a batch has here
    assert told["errors"][0] == {
        "pointer": f"/rows/{ids[0]}/size",
        "code": "unconvertible",
        "detail": "‘large 0’: This must be a whole number.",
    }
    assert admin.patch("/tables/items/columns/size", {"name": "Sizes"}).json()["type"] == "integer"
    assert "conversion" not in _column(admin)


def test_values_that_cannot_be_converted_are_tried_once(admin: Api, portions: Any, monkeypatch: pytest.MonkeyPatch):
    admin.post(ROWS, [{"size": "large"} for _ in range(40)])
    monkeypatch.setattr(background_conversion, "SKEW", timedelta(0))
    tried: list[str] = []
    convert = Integer.convert

    def count(type: Integer, value: Any, source: Any) -> int:
        tried.append(value)
        return convert(type, value, source)

    monkeypatch.setattr(Integer, "convert", count)
    _change(admin, onFailure="null")

    list(portions())

    assert tried.count("large") == 40 + 4  # a batch once more, to tell them


def test_a_rule_that_could_not_be_asked_any_more_stands_in_the_way_at_once(admin: Api):
    rule = {"filter": {"field": "size", "op": "startswith", "value": "1"}}
    admin.patch("/tables/items", {"access": {"list": rule}})

    answers = [_change(admin), admin.patch("/tables/items/columns/size?dryRun=true", {"type": "integer"})]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "column-in-use")] * 2


def test_a_rule_that_came_meanwhile_is_a_failure(admin: Api, portions: Any):
    _change(admin)
    rule = {"filter": {"field": "size", "op": "startswith", "value": "1"}}
    admin.patch("/tables/items", {"access": {"list": rule}})

    list(portions())

    assert (_column(admin)["type"], _column(admin)["conversion"]["state"]) == ("text", "failed")


@pytest.fixture
def authors(admin: Api) -> list[str]:
    """The ids of the rows of another table, which the first rows of `items` have as texts."""
    admin.post("/tables", {"name": "Authors", "columns": [{"name": "Name", "type": "text"}]})
    ids = [row["id"] for row in admin.post("/tables/authors/rows", [{"name": "Ann"}] * 6).json()["items"]]
    rows = admin.get(f"{ROWS}?limit=200").json()["items"]
    admin.patch(ROWS, [{"id": row["id"], "size": ids[number % 6]} for number, row in enumerate(rows)])
    return ids


def test_a_row_that_is_deleted_meanwhile_is_referred_to_by_none(admin: Api, authors: list[str], portions: Any):
    _change(admin, type="relation", options={"table": "authors"}, onFailure="null")
    work = portions()
    next(work)

    assert admin.delete(f"/tables/authors/rows/{authors[0]}").status_code == 204
    list(work)

    expected = [None if number % 6 == 0 else authors[number % 6] for number in range(25)]
    assert _column(admin)["type"] == "relation"
    assert _sizes(admin) == expected


def test_a_table_that_a_column_is_about_to_refer_to_stays(admin: Api, authors: list[str], portions: Any):
    _change(admin, type="relation", options={"table": "authors"})

    assert admin.delete("/tables/authors").json()["code"] == "table-in-use"
