"""Changes of a column's type and options: values are converted, kept, or named where they can't be."""

from collections.abc import Callable
from typing import Any

import pytest

from datahub.models import Column
from tests.conftest import Api
from tests.datahub.conftest import made

pytestmark = pytest.mark.usefixtures("sound")

TABLE = "/tables/things"
COLUMN = f"{TABLE}/columns/value"
ROWS = f"{TABLE}/rows"
CHOICES = {"choices": ["a", "b", "c"]}
Told = Callable[[], list[str]]
Fill = Callable[..., Api]


@pytest.fixture
def fill(admin: Api) -> Fill:
    """Makes a table `things` with a column `value` of a type, and a row for each value."""

    def make(type: str, values: list[Any], **more: Any) -> Api:
        made(admin.post("/tables", {"name": "Things", "columns": [{"name": "Value", "type": type, **more}]}))
        if values:
            made(admin.post(ROWS, [{"value": value} for value in values]))
        return admin

    return make


def _values(admin: Api, key: str = "value") -> list[Any]:
    return [row[key] for row in made(admin.get(f"{ROWS}?limit=200"), 200)["items"]]


def _ids(admin: Api) -> list[str]:
    return [row["id"] for row in made(admin.get(f"{ROWS}?limit=200"), 200)["items"]]


def _change(admin: Api, status: int = 200, path: str = COLUMN, **changes: Any) -> Any:
    return made(admin.patch(path, changes), status)


def _version(admin: Api) -> int:
    return int(made(admin.get(TABLE), 200)["version"])


def _everything(admin: Api, told: Told) -> Any:
    """All that a dry run must leave as it is."""
    rows = made(admin.get(f"{ROWS}?limit=200"), 200)["items"]
    return rows, made(admin.get(TABLE), 200), list(Column.objects.order_by("id").values()), told()


MOMENT = "2026-11-24T23:30:00Z"
TWO_WAYS: list[tuple[str, dict[str, Any], list[Any], str, dict[str, Any], list[Any]]] = [
    ("integer", {}, [1, -20, None], "text", {}, ["1", "-20", None]),
    ("integer", {}, [0, 1], "boolean", {}, [False, True]),
    ("integer", {}, [5, 2**53], "float", {}, [5.0, 2.0**53]),
    ("decimal", {}, ["1.50", "-2.00"], "text", {}, ["1.50", "-2.00"]),
    ("decimal", {}, ["7.00"], "integer", {}, [7]),
    ("decimal", {}, ["1.25", None], "float", {}, [1.25, None]),
    ("decimal", {}, ["1.50"], "decimal", {"scale": 4}, ["1.5000"]),
    ("float", {}, [0.5, 1e-07], "text", {}, ["0.5", "1e-07"]),
    ("boolean", {}, [True, False, None], "text", {}, ["true", "false", None]),
    ("date", {}, ["2026-11-24"], "dateTime", {}, ["2026-11-24T00:00:00Z"]),
    ("date", {}, ["2026-11-24"], "text", {}, ["2026-11-24"]),
    ("dateTime", {}, [MOMENT], "text", {}, [MOMENT]),
    ("text", {}, ["a", "ß €", None], "longText", {}, ["a", "ß €", None]),
    ("text", {}, ["a", "c"], "choice", CHOICES, ["a", "c"]),
    ("text", {}, ['["a", "b"]'], "multiChoice", CHOICES, [["a", "b"]]),
    ("text", {}, ["a@b.example"], "email", {}, ["a@b.example"]),
    ("text", {}, ["https://a.example/"], "url", {}, ["https://a.example/"]),
    ("text", {}, ['{"a": [1]}'], "json", {}, [{"a": [1]}]),
    ("uuid", {}, ["019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"], "text", {}, ["019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"]),
    ("integer", {}, [3], "json", {}, [3]),
]


@pytest.mark.parametrize(("type", "options", "values", "other", "other_options", "converted"), TWO_WAYS)
def test_values_are_converted_there_and_back(
    fill: Fill,
    type: str,
    options: dict[str, Any],
    values: list[Any],
    other: str,
    other_options: dict[str, Any],
    converted: list[Any],
):
    admin = fill(type, values, options=options)

    assert _change(admin, type=other, options=other_options)["type"] == other
    assert _values(admin) == converted
    back = {"scale": 2} if type == "decimal" else options
    assert _change(admin, type=type, options=back)["type"] == type
    assert _values(admin) == values
    assert _version(admin) == 3


def test_a_moment_becomes_its_day_in_utc(fill: Fill):
    admin = fill("dateTime", ["2026-11-25T00:30:00+01:00"])

    _change(admin, type="date")

    assert _values(admin) == ["2026-11-24"]


def test_a_changed_type_keeps_id_key_place_and_revisions(fill: Fill, told: Told):
    admin = fill("integer", [1, 2])
    [before] = made(admin.get(TABLE), 200)["columns"]

    after = _change(admin, type="text")

    assert after == {**before, "type": "text", "options": {"maxLength": 255}}
    assert {row["revision"] for row in made(admin.get(ROWS), 200)["items"]} == {1}
    assert told() == ["api.dataTable_created", "api.dataTable_updated"]


def test_more_rows_than_a_batch_are_converted(fill: Fill, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("datahub.services.conversion.BATCH", 3)
    admin = fill("integer", list(range(10)))

    _change(admin, type="text")

    assert sorted(map(int, _values(admin))) == list(range(10))


def test_values_that_can_not_be_converted_are_named_and_nothing_is_changed(fill: Fill, told: Told):
    admin = fill("text", ["1", "one", None, "2", "two"])
    ids = _ids(admin)
    before = _everything(admin, told)

    refusal = _change(admin, 409, type="integer")

    assert (refusal["code"], refusal["count"]) == ("unconvertible", 2)
    assert [(each["pointer"], each["detail"]) for each in refusal["errors"]] == [
        (f"/rows/{ids[1]}/value", "‘one’: This must be a whole number."),
        (f"/rows/{ids[4]}/value", "‘two’: This must be a whole number."),
    ]
    assert _everything(admin, told) == before


def test_a_choice_becomes_one_of_several_whatever_it_looks_like(fill: Fill):
    choices = ["Rome", "Paris, FR", '["Rome"]', "["]
    admin = fill("choice", choices, options={"choices": choices})

    _change(admin, type="multiChoice", options={"choices": choices})

    assert _values(admin) == [[choice] for choice in choices]


def test_a_hundred_values_are_named_and_all_are_counted(fill: Fill):
    admin = fill("text", ["one"] * 130)

    refusal = _change(admin, 409, type="integer")

    assert (refusal["count"], len(refusal["errors"])) == (130, 100)


def test_values_that_can_not_be_converted_are_left_out_where_that_is_asked_for(fill: Fill):
    admin = fill("text", ["1", "one", None])

    _change(admin, type="integer", onFailure="null")

    assert _values(admin) == [1, None, None]


def test_a_required_column_is_not_left_without_values(fill: Fill, told: Told):
    admin = fill("text", ["1", "one"], required=True)
    before = _everything(admin, told)

    refusal = _change(admin, 409, type="integer", onFailure="null")

    assert (refusal["code"], refusal["count"]) == ("missing-values", 1)
    assert _everything(admin, told) == before


def test_a_unique_column_does_not_come_to_hold_a_value_twice(fill: Fill, told: Told):
    admin = fill("text", ["1", "01"], unique=True)
    before = _everything(admin, told)

    assert _change(admin, 409, type="integer")["code"] == "duplicates"
    assert _everything(admin, told) == before


def test_a_unique_column_stays_unique_in_its_new_type(fill: Fill):
    admin = fill("text", ["1"], unique=True)

    assert _change(admin, type="integer")["unique"] is True
    assert admin.post(ROWS, {"value": 1}).status_code == 409


# Dry runs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"type": "integer"},
        {"type": "integer", "onFailure": "null"},
        {"type": "longText"},
        {"unique": True},
        {"required": True},
        {"options": {"maxLength": 2}},
        {"options": {"maxLength": 100}},
        {"name": "Other", "key": "other", "position": 1, "indexed": True},
        {"key": "limit"},
        {"type": "words"},
    ],
)
def test_a_dry_run_answers_the_same_and_changes_nothing(fill: Fill, told: Told, change: dict[str, Any]):
    admin = fill("text", ["1", "one", None, "1"])
    before = _everything(admin, told)

    tried = admin.patch(f"{COLUMN}?dryRun=true", change)

    assert _everything(admin, told) == before
    done = admin.patch(COLUMN, change)
    assert (tried.status_code, tried.json()) == (done.status_code, done.json())


def test_a_dry_run_tells_what_would_be_left_out_as_the_refusal_does(fill: Fill):
    admin = fill("text", ["1", *(f"word {number}" for number in range(102)), None])
    dry = f"{COLUMN}?dryRun=true"

    refused = _change(admin, 409, dry, type="integer")
    told = _change(admin, 200, dry, type="integer", onFailure="null")["unconvertible"]

    assert told == {"count": 102, "errors": refused["errors"]}
    assert len(told["errors"]) == 100
    assert told["errors"][0]["pointer"] == f"/rows/{_ids(admin)[1]}/value"


def test_only_a_change_of_type_leaves_values_out(fill: Fill):
    admin = fill("text", ["1"])
    dry = f"{COLUMN}?dryRun=true"

    assert _change(admin, 200, dry, type="integer", onFailure="null")["unconvertible"] == {"count": 0, "errors": []}
    assert "unconvertible" not in _change(admin, 200, dry, type="integer")
    assert "unconvertible" not in _change(admin, 200, dry, name="Other", onFailure="null")


# Originals ----------------------------------------------------------------------------------------------------------


def test_the_values_of_before_are_kept_and_can_be_restored_beside(fill: Fill):
    admin = fill("text", ["1", "one", None])
    column = _change(admin, type="integer", onFailure="null")

    [original] = made(admin.get(f"{TABLE}/columns?hidden=true"), 200)["items"]
    restored = made(admin.post(f"{TABLE}/columns/{original['id']}/restore"), 200)

    assert (original["key"], original["type"], original["originalOf"]) == ("value", "text", column["id"])
    assert (restored["key"], restored["type"], restored["unique"]) == ("value_2", "text", False)
    assert _values(admin, "value_2") == ["1", "one", None]
    assert _values(admin) == [1, None, None]
    assert _version(admin) == 3


@pytest.mark.django_db(transaction=True)  # a refused query would spoil the one around a test
def test_an_original_is_purged_for_good(fill: Fill):
    admin = fill("text", ["1"])
    _change(admin, type="integer")

    assert admin.post(f"{COLUMN}/purge").status_code == 204

    assert made(admin.get(f"{TABLE}/columns?hidden=true"), 200)["items"] == []
    assert _values(admin) == [1]


def test_an_original_can_be_restored_after_its_column_was_purged(fill: Fill):
    admin = fill("text", ["one"])
    column = _change(admin, type="integer", onFailure="null")["id"]
    [original] = made(admin.get(f"{TABLE}/columns?hidden=true"), 200)["items"]
    admin.delete(COLUMN)
    assert admin.post(f"{TABLE}/columns/{column}/purge").status_code == 204

    assert made(admin.post(f"{TABLE}/columns/{original['id']}/restore"), 200)["key"] == "value"
    assert _values(admin) == ["one"]


# Options ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "options", "fitting", "unfit", "narrow"),
    [
        ("text", {"maxLength": 10}, ["abc", None], ["abcd"], {"maxLength": 3}),
        ("integer", {}, [5, 10], [4, 11], {"min": 5, "max": 10}),
        ("float", {}, [0.5], [0.4], {"min": 0.5}),
        ("decimal", {"scale": 3}, ["1.500"], ["1.505"], {"scale": 2}),
        ("choice", CHOICES, ["a", "b"], ["c"], {"choices": ["b", "a"]}),
        ("multiChoice", CHOICES, [["a"], []], [["a", "c"]], {"choices": ["a", "b"]}),
    ],
)
def test_narrower_options_need_values_that_fit(
    fill: Fill, type: str, options: dict[str, Any], fitting: list[Any], unfit: list[Any], narrow: dict[str, Any]
):
    admin = fill(type, [*fitting, *unfit], options=options)
    kept = _values(admin)[: len(fitting)]

    refusal = _change(admin, 409, options=narrow)

    assert (refusal["code"], refusal["count"]) == ("unconvertible", len(unfit))
    for id in _ids(admin)[len(fitting) :]:
        assert admin.delete(f"{ROWS}/{id}").status_code == 204
    assert narrow.items() <= _change(admin, options=narrow)["options"].items()
    expected = ["1.50"] if type == "decimal" else kept
    assert _values(admin) == expected
    assert admin.post(ROWS, {"value": unfit[0]}).status_code == 400


def test_values_that_narrower_options_leave_out_are_kept_as_an_original(fill: Fill):
    admin = fill("text", ["abc", "abcd"])

    _change(admin, options={"maxLength": 3}, onFailure="null")

    assert _values(admin) == ["abc", None]
    made(admin.post(f"{COLUMN}/restore"), 200)
    assert _values(admin, "value_2") == ["abc", "abcd"]


def test_options_that_keep_every_value_make_no_original(fill: Fill):
    admin = fill("choice", ["a"], options=CHOICES)

    _change(admin, options={"choices": ["a", "z"]})

    assert made(admin.get(f"{TABLE}/columns?hidden=true"), 200)["items"] == []


def test_an_option_that_is_not_named_stays(fill: Fill):
    admin = fill("integer", [5], options={"min": 1})

    assert _change(admin, options={"max": 9})["options"] == {"min": 1, "max": 9}
    assert _change(admin, options={"min": None})["options"] == {"max": 9}


def test_an_indexed_text_can_not_become_too_long_for_its_index(fill: Fill, told: Told):
    admin = fill("text", ["a"], indexed=True)
    before = _everything(admin, told)

    refusal = _change(admin, 400, options={"maxLength": 501})

    assert refusal["errors"][0]["pointer"] in {"/indexed", "/options/maxLength"}
    assert _everything(admin, told) == before


# Relations ----------------------------------------------------------------------------------------------------------


def test_a_text_that_names_rows_becomes_a_relation_and_back(fill: Fill):
    admin = fill("text", [])
    one = made(admin.post(ROWS, {}))["id"]
    made(admin.post(ROWS, {"value": one}))

    _change(admin, type="relation", options={"table": "things", "many": True})
    assert _values(admin) == [None, [one]]
    _change(admin, options={"many": False})
    assert _values(admin) == [None, one]
    _change(admin, type="text")
    assert _values(admin) == [None, one]


def test_a_text_that_names_a_row_that_is_not_there_becomes_no_relation(fill: Fill):
    admin = fill("text", ["019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"])

    assert _change(admin, 409, type="relation", options={"table": "things"})["code"] == "unconvertible"


def test_a_relation_to_another_table_needs_its_rows(fill: Fill):
    admin = fill("text", [])
    made(admin.post("/tables", {"name": "Others"}))
    one = made(admin.post(ROWS, {}))["id"]
    made(admin.post(ROWS, {"value": one}))
    _change(admin, type="relation", options={"table": "things"})

    assert _change(admin, 409, options={"table": "others"})["count"] == 1
    _change(admin, options={"table": "others"}, onFailure="null")

    assert _values(admin) == [None, None]
    assert admin.delete("/tables/others").status_code == 409


def test_a_table_is_free_again_once_a_column_is_no_relation_any_more(fill: Fill):
    admin = fill("text", [])
    made(admin.post("/tables", {"name": "Others"}))
    _change(admin, type="relation", options={"table": "others"})
    assert admin.delete("/tables/others").status_code == 409

    _change(admin, type="text")

    assert admin.delete("/tables/others").status_code == 204
