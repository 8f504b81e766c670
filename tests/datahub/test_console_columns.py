"""The pages of columns: what they are, what they become, and what stands in the way."""

from collections.abc import Callable
from typing import Any

import pytest

from datahub.models import Column, Conversion, Table
from events.models import Event
from tests.authpages.conftest import text_of
from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.console_pages import Admin, form_with

PEOPLE = "/console/datahub/tables/people"
COLUMNS = f"{PEOPLE}/columns"
UPDATED = "api.dataTable_updated"


@pytest.fixture
def rows(people: Api) -> list[dict[str, Any]]:
    """Three people, two of the same city."""
    given = [
        {"name": "Ann", "email": "ann@example.com", "city": "Rome", "age": 41},
        {"name": "Béla", "email": "bela@example.com", "city": "12"},
        {"name": "Chidi", "email": "chidi@example.com", "city": "Rome"},
    ]
    return list(made(people.post("/tables/people/rows", given))["items"])


@pytest.fixture
def heard(people: Api, told: Callable[[], list[str]]) -> Callable[[], list[tuple[str, str]]]:
    """The events since the table was made, with their source."""
    before = len(told())
    return lambda: [(event.type, event.source) for event in Event.objects.order_by("id")[before:]]


def column(key: str) -> Column:
    return Column.objects.get(table__key="people", key=key, hidden_at=None)


def keys() -> list[str]:
    return [each.key for each in Column.objects.filter(table__key="people").visible()]


def short(row: Any) -> str:
    """How the row is named where it stands in the way; the whole id is behind it."""
    return f"{row['id'][:8]}…"


def test_a_column_is_added(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    answer = root.press("Add column", f"{COLUMNS}/new", {"name": "Born on", "type": "date", "indexed": "on"})

    made_one = column("born_on")
    assert (answer.status_code, answer["Location"]) == (303, f"{PEOPLE}?what-done=column-added")
    assert (made_one.type, made_one.indexed, made_one.required) == ("date", True, False)
    assert heard() == [(UPDATED, "console")]


def test_what_is_wrong_with_a_new_column_is_said_in_its_field(root: Admin, people: Api) -> None:
    answer = root.press("Add column", f"{COLUMNS}/new", {"name": "State", "type": "choice", "options_choices": ""})

    assert answer.status_code == 400
    assert form_with(answer, "Add column").errors == {"options_choices"}


def test_a_required_column_is_refused_where_there_are_rows_and_they_are_shown(root: Admin, rows: Any) -> None:
    answer = root.press("Add column", f"{COLUMNS}/new", {"name": "State", "required": "on"})

    assert answer.status_code == 409
    assert "3 rows would have no value; add the column, fill it, then make it required." in text_of(answer)
    assert short(rows[0]) in text_of(answer)


def test_a_column_is_renamed_and_nothing_else_of_it_is_sent(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    page = root.get(f"{COLUMNS}/age")
    Column.objects.filter(key="age").update(required=True)

    answer = root.press("Save", page, {"name": "Years"})

    assert (answer.status_code, answer["Location"]) == (303, f"{PEOPLE}?what-done=column-saved")
    assert (column("age").name, column("age").required) == ("Years", True)
    assert heard() == [(UPDATED, "console")]


def test_saving_a_column_as_it_is_changes_nothing(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    for key in ("age", "amount", "name", "email"):
        assert root.press("Save", f"{COLUMNS}/{key}").status_code == 303

    assert heard() == []


def test_an_option_is_taken_away_by_emptying_its_field(root: Admin, people: Api) -> None:
    root.press("Save", f"{COLUMNS}/age", {"options_min": "", "options_max": "120"})

    assert column("age").options == {"min": None, "max": 120}


def test_a_type_is_changed_with_its_options(root: Admin, rows: Any, heard: Callable[[], Any]) -> None:
    root.press("Save", f"{COLUMNS}/city", {"type": "choice", "options_choices": "Rome\n12"})

    assert (column("city").type, column("city").options) == ("choice", {"choices": ["Rome", "12"]})
    assert [name for name, _source in heard() if name == UPDATED] == [UPDATED]


def test_values_that_cant_be_converted_are_shown_before_anything_happens(root: Admin, rows: Any) -> None:
    answer = root.press("Save", f"{COLUMNS}/city", {"type": "integer"})

    said = text_of(answer)
    assert answer.status_code == 409
    assert "2 values can’t become what was asked for: Whole number. Nothing was changed." in said
    assert f"Ann {short(rows[0])} Rome This must be a whole number." in said
    assert "kept for 30 days and can be restored" in said
    assert column("city").type == "text"


def test_the_change_is_made_anyway_by_a_button_that_says_what_is_lost(root: Admin, people: Api, rows: Any) -> None:
    refused = root.press("Save", f"{COLUMNS}/city", {"type": "integer", "name": "Number"})

    answer = root.press("Change anyway — 2 values become empty", refused)

    assert answer.status_code == 303
    assert (column("city").type, column("city").name) == ("integer", "Number")
    assert [row["city"] for row in people.get("/tables/people/rows").json()["items"]] == [None, 12, None]


def test_values_that_stand_twice_are_shown(root: Admin, rows: Any) -> None:
    answer = root.press("Save", f"{COLUMNS}/city", {"unique": "on"})

    assert answer.status_code == 409
    assert "2 rows have a value that another has as well; make them differ first." in text_of(answer)
    assert f"Chidi {short(rows[2])} Rome Another row has it as well." in text_of(answer)


def test_rows_without_a_value_are_shown(root: Admin, rows: Any) -> None:
    answer = root.press("Save", f"{COLUMNS}/age", {"required": "on"})

    assert answer.status_code == 409
    assert f"Béla {short(rows[1])} none There is no value." in text_of(answer)


def test_a_column_of_which_rules_speak_keeps_its_key(root: Admin, people: Api) -> None:
    people.patch("/tables/people", {"access": {"list": {"filter": {"field": "city", "value": "Rome"}}}})

    answer = root.press("Save", f"{COLUMNS}/city", {"key": "town"})

    assert answer.status_code == 409
    assert "These access rules speak of it; change them first: list." in text_of(answer)


def test_a_conversion_in_the_background_shows_how_far_it_is(root: Admin, rows: Any) -> None:
    Conversion.objects.create(column=column("city"), type="integer", rows_converted=1)

    said = text_of(root.get(f"{COLUMNS}/city"))

    assert "The values are being converted: Whole number." in said
    assert "1 of about 3 rows so far." in said


def test_a_conversion_that_failed_says_why_and_lets_one_leave_values_out(root: Admin, rows: Any) -> None:
    error = {"pointer": f"/rows/{rows[0]['id']}/city", "code": "unconvertible", "detail": "‘Rome’: No number."}
    Conversion.objects.create(column=column("city"), type="integer", state="failed", detail="–", errors=[error])

    page = root.get(f"{COLUMNS}/city")
    answer = root.press("Save", page, {"type": "integer", "leaves_out": "on"})

    assert "The last change of type failed, and changed nothing." in text_of(page)
    assert f"Ann {short(rows[0])} Rome No number." in text_of(page)
    assert (answer.status_code, column("city").type) == (303, "integer")


def test_deleting_asks_and_says_until_when_it_can_be_restored(root: Admin, rows: Any) -> None:
    said = text_of(root.get(f"{COLUMNS}/city/delete"))

    assert "Delete the column “City”?" in said
    assert "Its values in 3 rows of People are seen no more." in said
    assert "it can be restored with its values" in said
    assert "city" in keys()


def test_the_way_back_leads_to_paths_of_our_own_alone(root: Admin, people: Api) -> None:
    page = root.get(f"{COLUMNS}/city/delete?next=javascript:alert(1)").content.decode()

    assert 'javascript:alert(1)"' not in page.replace("?next=javascript:alert(1)", "")
    assert f'href="{PEOPLE}/settings">Cancel' in page


def test_a_column_is_deleted_restored_and_purged(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    gone = column("city")

    deleted = root.press("Delete column", f"{COLUMNS}/city/delete")
    assert (deleted.status_code, "city" in keys()) == (303, False)
    settings = f"{PEOPLE}/settings"
    restored = root.press("Restore City", settings)
    assert (restored["Location"], keys()[-1]) == (f"{settings}?what-done=column-restored", "city")
    root.press("Delete column", f"{COLUMNS}/city/delete")
    asked = root.get(f"{COLUMNS}/{gone.uid}/purge")
    assert "This can’t be undone." in text_of(asked)
    purged = root.press("Purge column", asked)

    assert purged["Location"] == f"{PEOPLE}?what-done=column-purged"
    assert not Column.objects.filter(uid=gone.uid).exists()
    assert heard() == [(UPDATED, "console")] * 3


@pytest.mark.parametrize(
    ("sent", "order"),
    [
        ({"by": "-1"}, ["name", "age", "email", "city", "amount"]),
        ({"by": "1"}, ["name", "email", "city", "age", "amount"]),
        ({"position": "1"}, ["age", "name", "email", "city", "amount"]),
        ({"position": "9"}, ["name", "email", "city", "amount", "age"]),
    ],
)
def test_a_column_is_moved(root: Admin, people: Api, sent: dict[str, str], order: list[str]) -> None:
    answer = _post(root, f"{COLUMNS}/age/move?next={PEOPLE}/settings", sent)

    assert (answer.status_code, answer["Location"]) == (303, f"{PEOPLE}/settings")
    assert keys() == order


def test_the_first_column_can_t_be_moved_before_itself(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    answer = _post(root, f"{COLUMNS}/name/move", {"by": "-1"})

    assert answer.status_code == 303
    assert heard() == []


@pytest.mark.parametrize("sent", [{}, {"by": "2"}, {"position": "0"}, {"position": "x"}])
def test_a_place_that_is_none_is_refused(root: Admin, people: Api, sent: dict[str, str]) -> None:
    assert _post(root, f"{COLUMNS}/age/move", sent).status_code == 400


def test_what_a_column_demands_is_set(root: Admin, people: Api, heard: Callable[[], Any]) -> None:
    answer = _post(root, f"{COLUMNS}/name/flags", {"required": "false", "indexed": "true"})

    assert (answer.status_code, answer["Location"]) == (303, PEOPLE)
    assert (column("name").required, column("name").indexed) == (False, True)
    assert heard() == [(UPDATED, "console")]


def test_a_demand_that_rows_do_not_meet_shows_them(root: Admin, rows: Any) -> None:
    answer = _post(root, f"{COLUMNS}/city/flags", {"unique": "true"})

    assert answer.status_code == 409
    assert short(rows[0]) in text_of(answer)


def test_a_demand_is_true_or_false(root: Admin, people: Api) -> None:
    assert _post(root, f"{COLUMNS}/city/flags", {"unique": "on"}).status_code == 400


@pytest.mark.parametrize("page", ["", "/delete", "/purge"])
def test_a_column_that_is_not_there_is_not_found(root: Admin, people: Api, page: str) -> None:
    assert root.get(f"{COLUMNS}/nothing{page}").status_code == 404
    assert root.get(f"/console/datahub/tables/nothing/columns/age{page}").status_code == 404


@pytest.mark.parametrize("path", ["/new", "/age", "/age/delete"])
def test_columns_are_for_admins(people: Api, path: str) -> None:
    answer = Admin().get(f"{COLUMNS}{path}")

    assert (answer.status_code, answer["Location"]) == (303, f"/console/login?next={COLUMNS}{path}")


def test_in_the_panel_a_page_is_a_part_and_goes_on_by_a_redirect_of_htmx(root: Admin, people: Api) -> None:
    headers = {"HX-Request": "true", "HX-Target": "panel"}

    part = root.client.get(f"{COLUMNS}/age", headers=headers).content.decode()
    token = root.client.cookies["fastgen_csrf"].value
    answer = root.client.post(f"{COLUMNS}/age/delete", {"csrfmiddlewaretoken": token}, headers=headers)

    assert "<html" not in part
    assert (answer.status_code, answer["HX-Redirect"]) == (200, f"{PEOPLE}?what-done=column-deleted")


def _post(root: Admin, path: str, sent: dict[str, str]) -> Any:
    token = form_with(root.get(f"{COLUMNS}/age"), "Save").fields["csrfmiddlewaretoken"]
    return root.client.post(path, {"csrfmiddlewaretoken": token, **sent})


def test_one_change_is_one_version(root: Admin, people: Api) -> None:
    root.press("Save", f"{COLUMNS}/age", {"name": "Years", "type": "text", "indexed": "on"})

    assert Table.objects.get(key="people").version == 2
