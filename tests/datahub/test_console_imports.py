"""Files are imported in the console: sent, looked at, corrected, watched, mended, and taken out again."""

import csv
import html
import io
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from authpages.models import User
from datahub.dynamic import find_definition
from datahub.models import Import, RejectedRow, Table
from datahub.services.column_checks import NewColumn
from datahub.services.tables import create_table
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, admin, root, text_of, visitor
from tests.datahub.importing import do_jobs

__all__ = ["admin", "root", "visitor"]

pytestmark = pytest.mark.django_db
CONTENT = "Name,Age,State\nAnn,42,open\nBen,7,paid\n"
IMPORT = "/console/datahub/import"


@pytest.fixture
def people(root: User) -> Table:
    columns = [NewColumn("Name", "text", required=True), NewColumn("Age", "integer"), NewColumn("City", "text")]
    return create_table(name="People", columns=columns, origin=COMMAND_LINE)


def send(
    who: Visitor, content: str | bytes = CONTENT, name: str = "things.csv", to: str = IMPORT, **fields: str
) -> Any:
    """Send a file as the form at `to` does."""
    body = content.encode() if isinstance(content, str) else content
    file: Any = SimpleUploadedFile(name, body)
    return who.client.post(to, form_of(who.get(to), "import") | fields | {"file": file})


def looked_at(who: Visitor, content: str = CONTENT, **fields: str) -> str:
    """The address of the columns of a file that was sent."""
    answer = send(who, content, **fields)
    assert answer.status_code == 303, text_of(answer)
    do_jobs()
    return str(who.get(answer["Location"])["Location"])


def form_of(page: Any, which: str) -> dict[str, str]:
    """The fields of the form on a page that goes to an address with this end, as a browser would send them."""
    [form] = re.findall(
        rf'<form[^>]*action="[^"]*{which}(?:\?[^"]*)?"[^>]*>.*?</form>', page.content.decode(), re.DOTALL
    )
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if (
            "name" in attributes
            and attributes.get("type") != "file"
            and (attributes.get("type") != "checkbox" or " checked" in tag)
        ):
            default = "on" if attributes.get("type") == "checkbox" else ""
            fields[attributes["name"]] = html.unescape(attributes.get("value", default))
    for name, inside in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form, re.DOTALL):
        [chosen] = re.findall(r'value="([^"]*)" selected', inside)
        fields[name] = chosen
    for name, inside in re.findall(r'<textarea name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        fields[name] = html.unescape(inside)
    return fields


def confirm(who: Visitor, url: str, *, without: tuple[str, ...] = (), **changes: str) -> Any:
    fields = form_of(who.get(url), "columns") | {name.replace("_", "-"): value for name, value in changes.items()}
    return who.client.post(url, {name: value for name, value in fields.items() if name not in without})


def imported(who: Visitor, people: Table, content: str) -> str:
    """The address of an import into the table of people that has ended."""
    answer = send(who, content, to=f"{IMPORT}?table=people")
    assert answer.status_code == 303, text_of(answer)
    do_jobs()
    return str(answer["Location"])


def mend(who: Visitor, url: str, cells: dict[str, str], **button: str) -> Any:
    fields = form_of(who.get(f"{url}/rejects"), "rejects")
    assert cells.keys() <= fields.keys()
    return who.client.post(f"{url}/rejects", fields | cells | (button or {"rows": "changed"}))


def names(table: str) -> list[str]:
    definition = find_definition(table)
    return list(definition.rows().order_by("pk").values_list(definition.own["name"].attribute, flat=True))


# Sending -------------------------------------------------------------------------------------------------------------


class Unread(io.BytesIO):
    """A body that nobody may read."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("The body was read.")


def send_unread(who: Visitor, size: int, **headers: str) -> Any:
    """The answer to a body that is not read."""
    environ: Any = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(size)}
    return who.client.generic("POST", IMPORT, b"", "multipart/form-data; boundary=x", headers=headers, **environ)


def test_a_stranger_is_sent_to_log_in_before_the_body_is_read(visitor: Visitor):
    answer = send_unread(visitor, 500_000_000)

    back = "/console/datahub/import%3Fwhat-done%3Dnot-sent"
    assert (answer.status_code, answer["Location"]) == (303, f"/console/login?next={back}")


def test_an_admin_needs_the_token_of_the_form(admin: Visitor):
    answer = admin.client.post(IMPORT, {"file": SimpleUploadedFile("a.csv", b"a\n1\n"), "name": "A", "key": ""})

    assert answer.status_code == 403
    assert not Import.objects.exists()


def test_a_form_of_another_site_is_refused_unread(admin: Visitor):
    assert send_unread(admin, 500_000_000, origin="https://evil.example").status_code == 403


def test_a_body_beyond_the_limit_is_refused_unread(admin: Visitor):
    assert send_unread(admin, settings.IMPORT_LIMIT_BYTES + 200_000).status_code == 413


def test_what_is_no_file_is_not_taken_into_memory_without_end(admin: Visitor):
    fields = form_of(admin.get(IMPORT), "import") | {"key": "x" * (settings.ROWS_LIMIT_BYTES + 1)}

    assert admin.client.post(IMPORT, fields).status_code in {400, 413}


def test_a_large_file_goes_by_way_of_the_disk(admin: Visitor):
    content = "a\n" + "x" * 99 + "\n" + "y\n" * 1_500_000

    answer = send(admin, content)

    assert answer.status_code == 303
    assert Import.objects.get().size == len(content)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("", "a.csv", "The file is empty."),
        ("a,a\n", "a.csv", "The header ‘a’ stands twice."),
        ('[{"a": 1}]', "a.json", "This is a JSON array."),
        (b"\xff\xfea\0", "a.csv", "The file is not UTF-8"),
        ("a;b\n", "a.csv", "this file has semicolons"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_at_the_file(admin: Visitor, content: str | bytes, name: str, said: str):
    answer = send(admin, content, name)

    assert answer.status_code == 400
    assert said in text_of(answer)
    assert 'aria-describedby="id_file_error"' in answer.content.decode()


def test_without_a_file_one_is_asked_for(admin: Visitor):
    assert "Choose a file." in text_of(admin.client.post(IMPORT, form_of(admin.get(IMPORT), "import")))


def test_a_key_that_is_taken_is_said_at_the_key(admin: Visitor, people: Table):
    answer = send(admin, key="people")

    assert 'id="id_key_error"' in answer.content.decode()


def test_headers_that_name_no_column_are_said(admin: Visitor, people: Table):
    answer = send(admin, "Name,Shoes\nAnn,1\n", to=f"{IMPORT}?table=people")

    assert "There is no column ‘Shoes’" in text_of(answer)


def test_a_table_that_is_not_there_is_404(admin: Visitor):
    assert admin.get(f"{IMPORT}?table=nothing").status_code == 404


def test_a_file_goes_into_the_table_that_is_named(admin: Visitor, people: Table):
    url = imported(admin, people, "Name\nAnn\n")

    assert names("people") == ["Ann"]
    found = Import.objects.get()
    assert (found.file_name, found.origin["source"]) == ("things.csv", "console")
    assert "Open the table" in text_of(admin.get(url))


def test_objects_are_known_by_the_name_of_their_file(admin: Visitor):
    send(admin, '{"a": 1}\n', "things.jsonl")

    assert Import.objects.get().format == "ndjson"


def test_with_script_the_browser_is_told_where_to_go(admin: Visitor):
    file: Any = SimpleUploadedFile("a.csv", b"a\n1\n")
    fields = form_of(admin.get(IMPORT), "import") | {"file": file}

    answer = admin.client.post(IMPORT, fields, headers={"hx-request": "true", "hx-target": "upload"})

    assert answer["HX-Redirect"].startswith("/console/datahub/imports/")


# Columns -------------------------------------------------------------------------------------------------------------


def test_a_file_for_a_new_table_waits_to_be_confirmed(admin: Visitor):
    page = text_of(admin.get(looked_at(admin)))

    assert "things.csv · 2 rows" in page
    assert "Choice of 2" in page
    assert not Table.objects.exists()


def test_the_page_shows_names_types_and_the_first_rows(admin: Visitor):
    page = admin.get(looked_at(admin))

    fields = form_of(page, "columns")
    assert (fields["name"], fields["name-1"], fields["type-1"]) == ("things", "Age", "integer")
    assert ">Ben<" in page.content.decode()


def test_what_is_confirmed_is_made(admin: Visitor):
    url = looked_at(admin)

    answer = confirm(admin, url, without=("keep-2",), name="People of ours", name_0="Who", type_1="text")
    do_jobs()

    assert answer.status_code == 303
    table = Table.objects.get()
    assert table.name == "People of ours"
    assert list(table.columns.order_by("position").values_list("name", "type")) == [("Who", "text"), ("Age", "text")]
    assert "2 " in text_of(admin.get(answer["Location"]))


def test_flaws_are_said_at_their_fields_and_what_was_typed_stays(admin: Visitor):
    url = looked_at(admin, "a,b\n1,2\n")

    answer = confirm(admin, url, name="", name_0="", name_1="Mine", type_1="longText", unique_1="on")

    page = answer.content.decode()
    assert answer.status_code == 400
    assert [each for each in ("id_name", "id_name-0", "id_unique-1") if f'id="{each}_error"' in page] == [
        "id_name",
        "id_name-0",
        "id_unique-1",
    ]
    assert 'value="Mine"' in page


def test_to_leave_out_everything_is_refused(admin: Visitor):
    answer = confirm(admin, looked_at(admin), without=("keep-0", "keep-1", "keep-2"))

    assert "Keep one column at least." in text_of(answer)


def test_what_was_confirmed_is_not_confirmed_again(admin: Visitor):
    url = looked_at(admin)
    confirm(admin, url)

    assert admin.get(url)["Location"] == url.removesuffix("/columns")


def test_a_file_that_is_cancelled_is_forgotten(admin: Visitor):
    url = looked_at(admin)
    fields = form_of(admin.get(url), "forget")

    answer = admin.client.post(url.replace("columns", "forget"), fields)
    do_jobs()

    assert "The file is forgotten" in text_of(admin.get(answer["Location"]))
    assert not Import.objects.exists()
    assert admin.get(url.removesuffix("/columns")).status_code == 404


def test_a_file_with_four_hundred_columns_can_be_confirmed(admin: Visitor):
    header = ",".join(f"a{number}" for number in range(400))
    url = looked_at(admin, f"{header}\n{header}\n")

    assert confirm(admin, url).status_code == 303


# How far it is -------------------------------------------------------------------------------------------------------


def test_what_runs_is_asked_for_every_second_with_and_without_script(admin: Visitor):
    page = admin.get(send(admin)["Location"]).content.decode()

    assert "Looking through the file" in page
    assert 'hx-trigger="every 1s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page


def test_only_the_state_is_sent_to_whom_it_is_asked_by(admin: Visitor):
    url = send(admin)["Location"]

    answer = admin.client.get(url, headers={"hx-request": "true", "hx-target": "import-state"})

    assert "<html" not in answer.content.decode()


def test_who_watches_is_led_to_the_columns(admin: Visitor):
    url = send(admin)["Location"]
    do_jobs()

    answer = admin.client.get(url, headers={"hx-request": "true", "hx-target": "import-state"})

    assert answer["HX-Redirect"] == f"{url}/columns"


def test_what_has_ended_is_not_asked_for_again_and_is_told(admin: Visitor, people: Table):
    url = imported(admin, people, "Name,Age\nAnn,1\nBen,x\n")

    answer = admin.client.get(url, headers={"hx-request": "true", "hx-target": "import-state"})

    assert "every 1s" not in answer.content.decode()
    assert "Imported. Rows imported: 1; rejected: 1." in text_of(answer)


def test_why_an_import_failed_is_said(admin: Visitor, people: Table):
    url = send(admin, "Name\nAnn\n", to=f"{IMPORT}?table=people")["Location"]
    Table.objects.all().delete()
    do_jobs()

    assert "The table was deleted meanwhile." in text_of(admin.get(url))


def test_an_undo_asks_first(admin: Visitor, people: Table):
    url = imported(admin, people, "Name\nAnn\nBen\n")

    page = text_of(admin.get(f"{url}/undo"))

    assert "2 rows that it made in People are deleted." in page
    assert names("people") == ["Ann", "Ben"]


def test_an_undo_takes_the_rows_out(admin: Visitor, people: Table):
    url = imported(admin, people, "Name\nAnn\nBen\n")
    answer = admin.client.post(f"{url}/undo", form_of(admin.get(f"{url}/undo"), "undo"))

    assert "Taking the rows out again" in text_of(admin.get(answer["Location"]))
    do_jobs()
    assert "Undone" in text_of(admin.get(url))
    assert names("people") == []


def test_imports_are_listed_newest_first_of_all_tables_or_one(admin: Visitor, people: Table):
    imported(admin, people, "Name\nAnn\n")
    looked_at(admin)

    everything = text_of(admin.get("/console/datahub/imports"))
    assert everything.index("Waiting for you") < everything.index("Imported 1", everything.index("Begun"))
    assert "Waiting for you" not in text_of(admin.get("/console/datahub/imports?table=people"))


def test_where_there_is_none_the_list_says_what_it_is_for(admin: Visitor):
    assert "Nothing was imported yet" in text_of(admin.get("/console/datahub/imports"))


@pytest.mark.parametrize("page", ["", "/columns", "/undo", "/rejects", "/rejects.csv"])
def test_an_import_that_is_not_there_is_404(admin: Visitor, page: str):
    answer = admin.get(f"/console/datahub/imports/019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02{page}")

    while answer.status_code == 303:
        answer = admin.get(answer["Location"])
    assert answer.status_code == 404


@pytest.mark.parametrize("page", ["", "/columns", "/undo", "/rejects", "/rejects.csv"])
def test_no_stranger_sees_an_import(visitor: Visitor, page: str):
    answer = visitor.get(f"/console/datahub/imports/019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02{page}")

    assert answer["Location"].startswith("/console/login")


# Mending -------------------------------------------------------------------------------------------------------------

REJECTS = "Name,Age,City\nAnn,1,Rome\nBen,old,Oslo\n,3,Bonn\nEve\nFay,4,Rome,more\n"


def test_each_rejected_row_is_a_line_with_its_cells_and_reasons(admin: Visitor, people: Table):
    url = imported(admin, people, REJECTS)

    page = admin.get(f"{url}/rejects")

    fields = form_of(page, "rejects")
    assert [fields[f"cell-3-{place}"] for place in range(3)] == ["Ben", "old", "Oslo"]
    assert fields["cell-6-3"] == "more"
    assert 'aria-describedby="wrong-3-1"' in page.content.decode()
    assert "This must be a whole number." in text_of(page)
    assert page.content.decode().count('placeholder="missing"') == 2


def test_what_was_changed_is_taken_in_and_nothing_else(admin: Visitor, people: Table):
    url = imported(admin, people, REJECTS)

    answer = mend(admin, url, {"cell-3-1": "7"})

    assert names("people") == ["Ann", "Ben"]
    assert "1 row went in." in text_of(admin.get(answer["Location"]))
    assert RejectedRow.objects.count() == 3


def test_all_can_be_tried_and_those_that_are_not_fit_stay_as_they_were_typed(admin: Visitor, people: Table):
    url = imported(admin, people, REJECTS)

    answer = mend(admin, url, {"cell-3-1": "older", "cell-4-0": "Dan", "cell-6-3": ""}, rows="all")

    page = admin.get(answer["Location"])
    assert names("people") == ["Ann", "Dan", "Eve", "Fay"]
    assert form_of(page, "rejects")["cell-3-1"] == "older"
    assert "3 rows went in. 1 still needs a look." in text_of(page)


def test_nothing_that_was_changed_is_said(admin: Visitor, people: Table):
    url = imported(admin, people, REJECTS)

    assert "Nothing was changed" in text_of(admin.get(mend(admin, url, {})["Location"]))


def test_line_ends_in_a_cell_are_no_change(admin: Visitor, people: Table):
    url = imported(admin, people, 'Name,Age,City\n"A\r\nnn",x,Rome\n')
    fields = form_of(admin.get(f"{url}/rejects"), "rejects")

    admin.client.post(f"{url}/rejects", fields | {"cell-2-0": "A\r\nnn", "cell-2-1": "1", "rows": "changed"})

    assert names("people") == ["A\r\nnn"]


def test_who_sends_twice_has_one_row(admin: Visitor, people: Table):
    url = imported(admin, people, REJECTS)
    fields = form_of(admin.get(f"{url}/rejects"), "rejects") | {"cell-3-1": "7", "rows": "changed"}

    for _time in range(2):
        admin.client.post(f"{url}/rejects", fields)

    assert names("people") == ["Ann", "Ben"]


def test_who_types_into_one_row_does_not_take_back_what_another_typed_into_the_next(admin: Visitor, people: Table):
    url = imported(admin, people, REJECTS)
    early = form_of(admin.get(f"{url}/rejects"), "rejects")
    mend(admin, url, {"cell-3-1": "still wrong"})

    admin.client.post(f"{url}/rejects", early | {"cell-4-0": "Dan", "rows": "changed"})

    assert RejectedRow.objects.get(line=3).cells == ["Ben", "still wrong", "Oslo"]
    assert names("people") == ["Ann", "Dan"]


def test_to_leave_one_out_keeps_what_was_typed_into_others(admin: Visitor, people: Table):
    url = imported(admin, people, REJECTS)

    answer = mend(admin, url, {"cell-3-1": "half"}, leave_out="4")

    assert "1 row is left out." in text_of(admin.get(answer["Location"]))
    assert list(RejectedRow.objects.order_by("line").values_list("line", flat=True)) == [3, 5, 6]
    assert RejectedRow.objects.get(line=3).cells == ["Ben", "half", "Oslo"]


def test_many_rejected_rows_come_page_by_page(admin: Visitor, people: Table):
    url = imported(admin, people, "Name,Age\n" + "Ann,x\n" * 60)

    first = admin.get(f"{url}/rejects")
    second = admin.get(f"{url}/rejects?after=51")

    assert 'href="?after=51"' in first.content.decode()
    assert len([name for name in form_of(second, "rejects") if name.startswith("seal-")]) == 10


def test_a_row_too_large_to_be_kept_is_said_to_be(admin: Visitor, people: Table):
    url = imported(admin, people, f"Name,City\n{'x' * 300},{'y' * 20_000}\n")

    assert "This row is too large to be kept" in text_of(admin.get(f"{url}/rejects"))


def test_what_is_undone_can_not_be_mended(admin: Visitor, people: Table):
    url = imported(admin, people, REJECTS)
    fields = form_of(admin.get(f"{url}/rejects"), "rejects") | {"cell-3-1": "7", "rows": "changed"}
    admin.client.post(f"{url}/undo", form_of(admin.get(f"{url}/undo"), "undo"))
    do_jobs()

    assert admin.client.post(f"{url}/rejects", fields).status_code == 409
    assert "can’t be taken in any more" in text_of(admin.get(f"{url}/rejects"))


def test_the_rejected_rows_are_a_file_with_the_reasons(admin: Visitor, people: Table):
    url = imported(admin, people, REJECTS)

    answer = admin.get(f"{url}/rejects.csv")

    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert lines[0] == ["Name", "Age", "City", "beyond 1", "line", "reason"]
    assert lines[1] == ["Ben", "old", "Oslo", "", "3", "age: This must be a whole number."]
    assert lines[4][:5] == ["Fay", "4", "Rome", "more", "6"]
    assert answer["Content-Disposition"] == 'attachment; filename="people-rejected.csv"'


def test_when_all_is_mended_the_page_says_so(admin: Visitor, people: Table):
    url = imported(admin, people, "Name,Age\nAnn,x\n")
    mend(admin, url, {"cell-2-1": "1"})

    assert "Nothing is left to mend" in text_of(admin.get(f"{url}/rejects"))


def test_a_file_in_another_encoding_is_refused_before_anything_is_made_of_it(admin: Visitor) -> None:
    answer = send(admin, "Name\nZoë\n".encode("latin-1"))

    assert answer.status_code == 400
    assert "The file is not UTF-8; export it again as “CSV UTF-8”." in text_of(answer)
    assert not Import.objects.exists()


def test_one_bad_byte_does_not_refuse_a_whole_file(admin: Visitor) -> None:
    answer = send(admin, "Name\nZoë\nÅsa\nZo".encode() + b"\xeb\nAnn\n")

    assert answer.status_code == 303
