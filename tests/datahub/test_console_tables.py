"""A table is made by a form of the console."""

from collections.abc import Callable
from typing import Any

import pytest

from datahub.models import Column, Table
from events.models import Event
from tests.authpages.conftest import text_of
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.console_pages import Admin, form_with

NEW = "/console/datahub/new"
CREATE = "Create table"


def test_a_table_with_columns_is_made_and_shown(root: Admin) -> None:
    answer = root.press(CREATE, NEW, {"name": "Big Orders", "columns-0-name": "Customer", "columns-0-required": "on"})

    table = Table.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, "/console/datahub/tables/big_orders?what-done=created")
    assert (table.name, table.key, table.description) == ("Big Orders", "big_orders", "")
    assert [(each.name, each.key, each.type, each.required) for each in table.columns.all()] == [
        ("Customer", "customer", "text", True)
    ]


def test_to_make_a_table_is_one_event_of_the_console(root: Admin, told: Callable[[], list[str]]) -> None:
    before = len(told())

    root.press(CREATE, NEW, {"name": "Orders", "columns-0-name": "Customer", "columns-2-name": "Total"})

    assert told()[before:] == ["api.dataTable_created"]
    assert Event.objects.order_by("-id")[0].source == "console"


def test_the_form_begins_with_four_blank_lines_which_make_no_columns(root: Admin) -> None:
    lines = [name for name in form_with(root.get(NEW), CREATE).fields if name.endswith("-type")]

    root.press(CREATE, NEW, {"name": "Notes"})

    assert len(lines) == 4
    assert not Column.objects.exists()


def test_without_script_a_button_adds_a_line_and_keeps_what_was_typed(root: Admin) -> None:
    answer = root.press("Add a column", NEW, {"name": "Orders", "columns-3-name": "Total", "columns-3-type": "decimal"})

    fields = form_with(answer, CREATE).fields
    assert answer.status_code == 200
    assert (fields["name"], fields["columns-3-name"], fields["columns-3-type"]) == ("Orders", "Total", "decimal")
    assert fields["columns-4-name"] == ""
    assert not Table.objects.exists()


@pytest.mark.parametrize(
    ("type", "given", "options"),
    [
        ("text", {"max_length": "80"}, {"maxLength": 80}),
        ("integer", {"min": "1", "max": "5"}, {"min": 1, "max": 5}),
        ("float", {"max": "2.5"}, {"min": None, "max": 2.5}),
        ("decimal", {"scale": "3", "min": "0.5"}, {"scale": 3, "min": "0.5", "max": None}),
        ("choice", {"choices": "open\r\n\r\n paid "}, {"choices": ["open", "paid"]}),
        ("multiChoice", {"choices": "a\nb"}, {"choices": ["a", "b"]}),
        ("boolean", {"max_length": "80"}, {}),
    ],
)
def test_a_type_takes_its_own_options_and_no_others(
    root: Admin, type: str, given: dict[str, str], options: dict[str, Any]
) -> None:
    line = {f"columns-0-options_{name}": value for name, value in given.items()}

    root.press(CREATE, NEW, {"name": "Orders", "columns-0-name": "It", "columns-0-type": type, **line})

    assert Column.objects.get().options == options


def test_a_column_can_refer_to_another_table(root: Admin, people: Api) -> None:
    target = made(people.get("/tables/people"), 200)["id"]
    line = {
        "columns-1-name": "Customer",
        "columns-1-type": "relation",
        "columns-1-options_table": target,
        "columns-1-options_many": "on",
        "columns-1-options_on_delete": "clear",
    }

    root.press(CREATE, NEW, {"name": "Orders", **line})

    column = Column.objects.get(key="customer")
    assert column.options == {"table": target, "many": True, "onDelete": "clear"}


@pytest.mark.parametrize(
    ("changes", "wrong", "said"),
    [
        ({"name": ""}, {"name"}, "Give it a name."),
        ({"key": "a b"}, {"key"}, "A key has 1 to 50 letters"),
        (
            {"columns-2-type": "choice", "columns-2-name": "State"},
            {"columns-2-options_choices"},
            "Name 1 to 500 choices.",
        ),
        (
            {"columns-2-type": "integer", "columns-2-name": "Age", "columns-2-options_min": "x"},
            {"columns-2-options_min"},
            "This must be a whole number.",
        ),
        ({"columns-2-required": "on"}, {"columns-2-name"}, "Give it a name."),
        (
            {"columns-2-type": "json", "columns-2-name": "It", "columns-2-unique": "on"},
            {"columns-2-unique"},
            "JSON can’t be indexed or unique.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_its_field_and_nothing_is_made(
    root: Admin, changes: dict[str, str], wrong: set[str], said: str
) -> None:
    answer = root.press(CREATE, NEW, {"name": "Orders", "columns-1-name": "Customer", **changes})

    assert answer.status_code == 400
    assert form_with(answer, CREATE).errors == wrong
    assert said in text_of(answer)
    assert "One field needs another look." in text_of(answer)
    assert not Table.objects.exists()


def test_a_key_that_is_taken_is_said_at_the_key(root: Admin, people: Api) -> None:
    answer = root.press(CREATE, NEW, {"name": "People", "key": "people"})

    assert answer.status_code == 409
    assert form_with(answer, CREATE).errors == {"key"}


def test_types_are_named_in_words_with_the_apis_name_beside(root: Admin) -> None:
    page = root.get(NEW).content.decode()

    assert '<option value="dateTime">Date and time · dateTime</option>' in page


def test_after_making_a_table_it_goes_on_where_the_page_before_wants_to(root: Admin) -> None:
    answer = root.press(CREATE, f"{NEW}?next=/console/datahub", {"name": "Orders"})

    assert answer["Location"] == "/console/datahub?what-done=created"
    assert "The table is made." in text_of(root.get(answer["Location"]))
