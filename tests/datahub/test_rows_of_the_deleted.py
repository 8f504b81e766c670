"""What becomes of a person's rows when the person is deleted, and of what refers to them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from authpages.models import User
from authpages.services.users import delete_user
from datahub.errors import RowInUse
from datahub.models import Column, Table
from datahub.services import ownership, references
from events.models import Event
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api

Key = Callable[..., Api]


def _notes(admin: Api, **settings: Any) -> None:
    rules = {"access": {"create": "authenticated", "list": "everyone"}, "columns": [{"name": "Text", "type": "text"}]}
    assert admin.post("/tables", {"name": "Notes", **rules, **settings}).status_code == 201


def _ann(api: Api) -> UUID:
    return UUID(api.sign_up()["user"]["id"])


def _listed(admin: Api) -> list[tuple[str, str | None]]:
    return [(row["text"], row["owner"]) for row in admin.get("/tables/notes/rows").json()["items"]]


@pytest.mark.parametrize(
    ("how", "left"),
    [("keep", lambda ann: [("hers", str(ann)), ("ours", None)]), ("clear", lambda _: [("hers", None), ("ours", None)])],
)
def test_rows_stay_with_or_without_their_owner(key: Key, api: Api, how: str, left: Callable[[UUID], Any]):
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete=how)
    api.post("/tables/notes/rows", {"text": "hers"})
    admin.post("/tables/notes/rows", {"text": "ours"})

    delete_user(user_id=ann, origin=COMMAND_LINE)

    assert _listed(admin) == left(ann)


def test_rows_go_with_their_owner(key: Key, api: Api):
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete="delete")
    api.post("/tables/notes/rows", [{"text": f"hers {number}"} for number in range(1000)])
    api.post("/tables/notes/rows", {"text": "one more"})
    admin.post("/tables/notes/rows", {"text": "ours"})

    delete_user(user_id=ann, origin=COMMAND_LINE)

    assert _listed(admin) == [("ours", None)]


def test_a_cleared_owner_is_a_change_of_the_row(key: Key, api: Api):
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete="clear", rowEvents=True)
    row = api.post("/tables/notes/rows", {"text": "hers"}).json()

    delete_user(user_id=ann, origin=COMMAND_LINE)

    assert admin.get(f"/tables/notes/rows/{row['id']}").json()["revision"] == 2
    assert Event.objects.get(type="api.dataRow_updated").data["values"] == {"owner": None}


def test_a_person_stays_whose_rows_others_must_not_be_without(key: Key, api: Api):
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete="delete")
    row = api.post("/tables/notes/rows", {"text": "hers"}).json()
    relation = {"name": "Note", "type": "relation", "options": {"table": "notes"}}
    admin.post("/tables", {"name": "Pins", "columns": [relation]})
    admin.post("/tables/pins/rows", {"note": row["id"]})

    with pytest.raises(RowInUse):
        delete_user(user_id=ann, origin=COMMAND_LINE)

    assert User.objects.filter(pk=ann).exists()
    assert _listed(admin) == [("hers", str(ann))]


def _pin(admin: Api, api: Api, **options: Any) -> Any:
    """A note, and a pin on it that goes with its owner, too; both are Ann's."""
    note = api.post("/tables/notes/rows", {"text": "hers"}).json()
    relation = {"name": "Note", "type": "relation", "options": {"table": "notes", **options}}
    settings = {"access": {"create": "authenticated"}, "onOwnerDelete": "delete", "rowEvents": True}
    admin.post("/tables", {"name": "Pins", "columns": [relation], **settings})
    return api.post("/tables/pins/rows", {"note": note["id"]}).json()


@pytest.mark.parametrize("restricts", [True, False])
def test_what_refers_to_them_is_looked_at_as_it_is_once_nobody_changes_it(
    key: Key, api: Api, monkeypatch: pytest.MonkeyPatch, restricts: bool
):
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete="delete")
    note = api.post("/tables/notes/rows", {"text": "hers"}).json()["id"]
    on_delete = {"onDelete": "restrict" if restricts else "clear"}
    relation = {"name": "Note", "type": "relation", "options": {"table": "notes", **on_delete}}
    admin.post("/tables", {"name": "Links", "columns": [relation]})
    admin.post("/tables/links/rows", {"note": note})
    look, looks = references.referring_to, iter([True])

    def look_before_a_change(table: Table) -> list[Column]:
        found = look(table)
        if next(looks, False):
            assert admin.patch("/tables/links/columns/note", {"key": "entry"}).status_code == 200
        return found

    monkeypatch.setattr(references, "referring_to", look_before_a_change)
    if restricts:
        with pytest.raises(RowInUse):
            delete_user(user_id=ann, origin=COMMAND_LINE)
    else:
        delete_user(user_id=ann, origin=COMMAND_LINE)

    [link] = admin.get("/tables/links/rows").json()["items"]
    names = link["note"] if restricts else link["entry"]  # what was refused took the change along
    assert (names, len(_listed(admin))) == ((note, 1) if restricts else (None, 0))


def test_rows_that_refer_to_each_other_go_together(key: Key, api: Api):
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete="delete")
    _pin(admin, api)

    delete_user(user_id=ann, origin=COMMAND_LINE)

    assert _listed(admin) == admin.get("/tables/pins/rows").json()["items"] == []


def test_a_row_that_goes_is_not_changed_before(key: Key, api: Api, told: Callable[[], list[str]]):
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete="delete")
    _pin(admin, api, onDelete="clear")

    delete_user(user_id=ann, origin=COMMAND_LINE)

    assert told()[-2:] == ["api.dataRow_deleted", "auth.user_deleted"]
    assert "api.dataRow_updated" not in told()


def test_a_row_of_another_still_holds_it_back(key: Key, api: Api):
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete="delete")
    pin = _pin(admin, api)
    admin.patch(f"/tables/pins/rows/{pin['id']}", {"owner": None})

    with pytest.raises(RowInUse):
        delete_user(user_id=ann, origin=COMMAND_LINE)


def test_more_rows_of_one_table_than_are_deleted_at_once_go_together(
    key: Key, api: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ownership, "BATCH", 2)
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete="delete")
    relation = {"name": "Parent", "type": "relation", "options": {"table": "notes"}}
    admin.post("/tables/notes/columns", relation)
    parent = api.post("/tables/notes/rows", {"text": "first"}).json()["id"]
    api.post("/tables/notes/rows", [{"parent": parent}] * 4)

    delete_user(user_id=ann, origin=COMMAND_LINE)

    assert _listed(admin) == []


def test_the_deletion_and_its_rows_are_told_in_one_transaction(key: Key, api: Api, told: Callable[[], list[str]]):
    admin, ann = key("*"), _ann(api)
    _notes(admin, onOwnerDelete="delete", rowEvents=True)
    api.post("/tables/notes/rows", {"text": "hers"})

    delete_user(user_id=ann, origin=COMMAND_LINE)

    assert told()[-3:] == ["api.dataRow_created", "api.dataRow_deleted", "auth.user_deleted"]


@pytest.mark.parametrize("how", ["keep", "delete"])
def test_nobody_can_be_made_an_owner(key: Key, how: str):
    admin = key("*")
    _notes(admin, onOwnerDelete=how)
    row = admin.post("/tables/notes/rows", {"text": "ours"}).json()
    nobody = "01890000-0000-7000-8000-000000000000"

    answers = [
        admin.post("/tables/notes/rows", {"text": "theirs", "owner": nobody}),
        admin.patch(f"/tables/notes/rows/{row['id']}", {"owner": nobody}),
    ]

    assert [answer.json()["errors"][0]["pointer"] for answer in answers] == ["/owner"] * 2
    assert _listed(admin) == [("ours", None)]


def test_an_admin_gives_a_row_to_a_person(key: Key, api: Api):
    admin, ann = key("*"), _ann(api)
    _notes(admin)

    admin.post("/tables/notes/rows", {"text": "hers", "owner": str(ann)})

    assert _listed(admin) == [("hers", str(ann))]
