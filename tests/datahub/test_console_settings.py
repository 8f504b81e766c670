"""The settings of a table, and the two things that can't be undone."""

from collections.abc import Callable
from typing import Any

import pytest

from authpages.models import Role
from datahub.dynamic import find_definition
from datahub.models import Column, Table
from events.models import Event
from tests.authpages.conftest import text_of
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.console_pages import Admin, form_with

PEOPLE = "/console/datahub/tables/people"
SETTINGS = f"{PEOPLE}/settings"
UPDATED = "api.dataTable_updated"


@pytest.fixture
def heard(people: Api, told: Callable[[], list[str]]) -> Callable[[], list[tuple[str, str]]]:
    """The events since the table was made, with their source."""
    before = len(told())
    return lambda: [(event.type, event.source) for event in Event.objects.order_by("id")[before:]]


def table() -> Table:
    return Table.objects.get()


def test_settings_are_saved_with_a_word(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    changes = {"name": "Persons", "description": "All of them.", "row_events": "on", "on_owner_delete": "delete"}

    answer = root.press("Save", SETTINGS, changes)

    saved = table()
    assert (answer.status_code, answer["Location"]) == (303, f"{SETTINGS}?what-done=saved")
    assert "The settings are saved." in text_of(root.get(answer["Location"]))
    assert (saved.name, saved.description, saved.row_events, saved.on_owner_delete) == (
        "Persons",
        "All of them.",
        True,
        "delete",
    )
    assert heard() == [(UPDATED, "console")]


def test_saving_settings_as_they_are_changes_nothing(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    filter = {"and": [{"field": "city", "value": "Rome"}, {"field": "age", "op": "gte", "value": 18}]}
    people.patch("/tables/people", {"access": {"list": {"filter": filter}, "read": {"roles": ["a", "b"]}}})

    answer = root.press("Save", SETTINGS)

    assert answer.status_code == 303
    assert [source for _type, source in heard()] == ["api"]


def test_what_another_admin_changed_since_the_page_was_opened_stays(root: Admin, people: Api) -> None:
    page = root.get(SETTINGS)
    people.patch("/tables/people", {"name": "Theirs", "access": {"list": "everyone"}})

    root.press("Save", page, {"description": "Mine", "access_read": "authenticated"})

    assert (table().name, table().description) == ("Theirs", "Mine")
    assert (table().access["list"], table().access["read"]) == ("everyone", "authenticated")


def test_a_key_changes_and_the_page_goes_on_at_the_new_address(root: Admin, people: Api) -> None:
    answer = root.press("Save", SETTINGS, {"key": "persons"})

    assert answer["Location"] == "/console/datahub/tables/persons/settings?what-done=saved"
    assert people.get("/tables/people").status_code == 404


def test_a_key_that_is_taken_is_said_at_the_key(root: Admin, people: Api) -> None:
    made(people.post("/tables", {"name": "Orders"}))

    answer = root.press("Save", SETTINGS, {"key": "orders"})

    assert answer.status_code == 409
    assert form_with(answer, "Save").errors == {"key"}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"access_list": "everyone"}, "everyone"),
        ({"access_list": "roles", "access_list_roles": "editor\r\nstaff\r\n"}, {"roles": ["editor", "staff"]}),
        (
            {"access_list": "filter", "access_list_filter": '{"field": "city", "value": "Rome"}'},
            {"filter": {"field": "city", "value": "Rome"}},
        ),
    ],
)
def test_a_rule_is_chosen_in_plain_words(root: Admin, people: Api, given: dict[str, str], rule: Any) -> None:
    root.press("Save", SETTINGS, given)

    assert table().access == {"list": rule, "read": "admin", "create": "admin", "update": "admin", "delete": "admin"}


@pytest.mark.parametrize(
    ("given", "wrong", "said"),
    [
        ({"access_list": "roles"}, "access_list_roles", "Name 1 to 50 roles."),
        ({"access_list": "filter"}, "access_list_filter", 'Write {"field", "op", "value"}'),
        ({"access_list": "filter", "access_list_filter": "{"}, "access_list_filter", "This is no JSON:"),
        ({"access_list": "filter", "access_list_filter": "[" * 9999}, "access_list_filter", "nested too deeply"),
        (
            {"access_list": "filter", "access_list_filter": '{"and": [{"field": "no", "value": 1}]}'},
            "access_list_filter",
            "There is no column ‘no’",
        ),
        ({"name": ""}, "name", "Give it a name."),
    ],
)
def test_what_is_wrong_is_said_in_its_field(
    root: Admin, people: Api, given: dict[str, str], wrong: str, said: str
) -> None:
    answer = root.press("Save", SETTINGS, given)

    assert answer.status_code == 400
    assert form_with(answer, "Save").errors == {wrong}
    assert said in text_of(answer)
    assert table().version == 1


def test_the_roles_that_there_are_stand_beside(root: Admin, people: Api) -> None:
    Role.objects.create(name="editor", name_key="editor")

    assert "There are: editor" in text_of(root.get(SETTINGS))


def test_columns_are_listed_with_their_types_in_words(root: Admin, people: Api) -> None:
    said = text_of(root.get(SETTINGS))

    assert "Age age Whole number integer" in said
    assert "Email email E-mail address email unique" in said


def test_columns_are_moved_from_the_settings(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    answer = root.press("Move Age up", SETTINGS)

    assert answer["Location"] == f"{SETTINGS}#columns"
    assert [each.key for each in Column.objects.visible()] == ["name", "age", "email", "city", "amount"]
    assert heard() == [(UPDATED, "console")]


def test_the_original_of_a_changed_type_can_be_restored(root: Admin, people: Api) -> None:
    made(people.post("/tables/people/rows", {"name": "Ann", "age": 41}))
    made(people.patch("/tables/people/columns/age", {"type": "text"}), 200)

    assert "Original of Age, whose type changed on" in text_of(root.get(SETTINGS))
    root.press("Restore Age", SETTINGS)

    assert [(each.key, each.type) for each in Column.objects.visible()][-1] == ("age_2", "integer")


def test_what_destroys_stands_last_and_is_named_as_it_is(root: Admin, people: Api) -> None:
    page = root.get(SETTINGS).content.decode()

    clear, delete = page.index(">Clear table</a>"), page.index(">Delete Table</a>")
    assert page.index(">Save</button>") < page.index("Danger zone") < clear < delete
    assert page.count("button danger") == 2


def test_clearing_asks_and_names_what_is_lost(root: Admin, people: Api) -> None:
    made(people.post("/tables/people/rows", [{"name": "Ann"}, {"name": "Bela"}]))

    said = text_of(root.get(f"{PEOPLE}/clear"))

    assert "Clear the table “People”?" in said
    assert "All its 2 rows are deleted." in said
    assert "Name, Email, Age, City, Amount" in said
    assert "This can’t be undone." in said


def test_a_table_is_cleared(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    made(people.post("/tables/people/rows", {"name": "Ann"}))

    answer = root.press("Clear table", f"{PEOPLE}/clear")

    assert (answer.status_code, answer["Location"]) == (303, f"{PEOPLE}?what-done=cleared")
    assert not find_definition("people").rows().exists()
    assert heard() == [("api.dataTable_emptied", "console")]


def test_rows_that_others_need_are_not_cleared_and_it_is_said(root: Admin, people: Api) -> None:
    relation = {"name": "By", "type": "relation", "options": {"table": "people"}}
    made(people.post("/tables", {"name": "Orders", "columns": [relation]}))
    ann = made(people.post("/tables/people/rows", {"name": "Ann"}))
    made(people.post("/tables/orders/rows", {"by": ann["id"]}))

    asked = root.get(f"{PEOPLE}/clear")
    answer = root.press("Clear table", asked)

    assert "orders.by" in text_of(asked)
    assert answer.status_code == 409
    assert "Other rows refer to this one" in text_of(answer)


def test_deleting_asks_for_the_key_and_says_that_the_address_stops_working(root: Admin, people: Api) -> None:
    asked = root.get(f"{PEOPLE}/delete")

    answer = root.press("Delete Table", asked, {"confirmation": "orders"})

    assert "/api/v1/tables/people , stops working." in text_of(asked)
    assert answer.status_code == 400
    assert "Type ‘people’, the key of this table." in text_of(answer)
    assert Table.objects.exists()


def test_a_table_is_deleted(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    answer = root.press("Delete Table", f"{PEOPLE}/delete", {"confirmation": "people"})

    assert (answer.status_code, answer["Location"]) == (303, "/console/datahub?what-done=deleted")
    assert "The table is deleted." in text_of(root.get(answer["Location"]))
    assert not Table.objects.exists()
    assert heard() == [("api.dataTable_deleted", "console")]


def test_a_table_that_others_refer_to_is_not_deleted_and_they_are_named(root: Admin, people: Api) -> None:
    relation = {"name": "By", "type": "relation", "options": {"table": "people"}}
    made(people.post("/tables", {"name": "Orders", "columns": [relation]}))

    answer = root.press("Delete Table", f"{PEOPLE}/delete", {"confirmation": "people"})

    assert answer.status_code == 409
    assert "orders.by" in text_of(answer)
    assert Table.objects.filter(key="people").exists()


@pytest.mark.parametrize("page", ["settings", "clear", "delete"])
def test_a_table_that_is_not_there_is_not_found(root: Admin, page: str) -> None:
    assert root.get(f"/console/datahub/tables/nothing/{page}").status_code == 404


@pytest.mark.parametrize("page", ["settings", "clear", "delete"])
def test_tables_are_for_admins(people: Api, page: str) -> None:
    answer = Admin().get(f"{PEOPLE}/{page}")

    assert (answer.status_code, answer["Location"]) == (303, f"/console/login?next={PEOPLE}/{page}")
