"""The API page of a table: its examples are pasted, and do what they say."""

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from datahub.column_types import BY_NAME
from datahub.console.example_values import Examples
from datahub.dynamic import find_definition
from tests.authpages.conftest import text_of
from tests.conftest import PASSWORD, Api, is_required
from tests.datahub.conftest import made
from tests.datahub.console_pages import Admin
from tests.processes import Running, database_url, environment, run, start, up, wait_for

__all__ = ["database_url", "start", "up"]

pytestmark = pytest.mark.whichever_database

PAGE = "/console/datahub/tables/people/api"
COLUMNS: list[dict[str, Any]] = [
    {"name": "Name", "type": "text", "required": True, "options": {"maxLength": 4}},
    {"name": "Email", "type": "email", "unique": True},
    {"name": "Age", "type": "integer", "options": {"min": 21, "max": 30}},
    {"name": "Paid", "type": "boolean"},
    {"name": "Amount", "type": "decimal", "options": {"scale": 0}},
    {"name": "Mood", "type": "choice", "options": {"choices": ["it's “so, so” 🙂", "fine\\"]}, "required": True},
    {"name": "About", "type": "json", "required": True},
    {"name": "Day", "type": "date", "required": True},
    {"name": "Best friend", "type": "relation", "options": {"table": "friends"}, "required": True},
]
PROGRAMS: dict[str, tuple[str, list[str]]] = {
    "curl": ("paste.sh", ["bash", "-euo", "pipefail"]),
    "python": ("paste.py", [sys.executable]),
    "javascript": ("paste.mjs", ["node"]),
}


@pytest.fixture
def live_key(database_url: str, up: Running) -> str:
    """An API key of the running server."""
    return run("create_api_key", "test", "--scope", "*", DATABASE_URL=database_url).stdout.strip()


@pytest.fixture
def live(up: Running, live_key: str) -> Iterator[httpx.Client]:
    """A program that calls the running server, where there are people and friends."""
    with httpx.Client(base_url=f"{up.url}/api/v1", headers={"Authorization": f"Bearer {live_key}"}) as client:
        client.post("/tables", json={"name": "Friends"}).raise_for_status()
        client.post("/tables/friends/rows", json={}).raise_for_status()
        client.post("/tables", json={"name": "People", "columns": COLUMNS}).raise_for_status()
        yield client


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_examples_do_what_they_say_when_they_are_pasted(
    up: Running, live: httpx.Client, live_key: str, tmp_path: Path, language: str
) -> None:
    name, line = PROGRAMS[language]
    _need(line[0], "curl" if language == "curl" else line[0])
    (tmp_path / name).write_text(_pasted(up, language))
    variables = environment({"FASTGEN_KEY": live_key})

    done = subprocess.run(
        [*line, name], cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert wait_for(lambda: len(_rows(live)) == 2), done.stdout
    by_name = {row["name"]: row for row in _rows(live)}
    assert sorted(row["email"].partition("@")[2] for row in by_name.values()) == ["example.com", "example.com"]
    assert {row["revision"] for row in by_name.values()} == {1}
    if language != "javascript":
        assert (tmp_path / "people.csv").read_text().startswith("id,")


def test_the_page_is_about_this_very_table(root: Admin, people: Api) -> None:
    said = text_of(root.get(PAGE))

    assert "/tables/people/rows?name__icontains=a&order=-name&limit=10" in said
    assert "onConflict=email&resolution=merge" in said
    assert "create_api_key my-program \\ --scope rows:read --scope rows:write" in said
    assert "/api/v1/tables/people/openapi.json" in said


def test_a_table_without_a_unique_column_has_no_upsert(root: Admin, admin: Api) -> None:
    made(admin.post("/tables", {"name": "Notes", "columns": [{"name": "Text", "type": "longText"}]}))

    said = text_of(root.get("/console/datahub/tables/notes/api"))

    assert "Upsert" not in said
    assert '{"text": "Ann"}' in said


def test_a_table_without_columns_has_examples_as_well(root: Admin, admin: Api) -> None:
    made(admin.post("/tables", {"name": "Marks"}))

    said = text_of(root.get("/console/datahub/tables/marks/api"))

    assert 'call("POST", "/tables/marks/rows", {})' in said
    assert "?order=-createdAt&limit=10" in said


def test_examples_take_values_that_no_row_has_yet(root: Admin, people: Api) -> None:
    made(people.post("/tables/people/rows", {"name": "Ann", "email": "ann@example.com"}))

    said = text_of(root.get(PAGE))

    assert "bela@example.com" in said
    assert "ann@example.com" not in said


def test_what_needs_a_row_elsewhere_first_says_so(root: Admin, people: Api) -> None:
    relation = {"name": "By", "type": "relation", "options": {"table": "people"}, "required": True}
    made(people.post("/tables", {"name": "Orders", "columns": [relation]}))

    said = text_of(root.get("/console/datahub/tables/orders/api"))

    assert "First make a row that it can refer to, and name that by its id as by." in said


def test_every_kind_of_column_has_an_example_that_the_api_takes(root: Admin, people: Api) -> None:
    options = {"choice": {"choices": ["a", "b"]}, "multiChoice": {"choices": ["a"]}, "relation": {"table": "people"}}
    made(people.post("/tables/people/rows", {"name": "Ann"}))
    columns = [{"name": name, "type": name, "options": options.get(name, {}), "required": True} for name in BY_NAME]
    made(people.post("/tables", {"name": "All", "columns": columns}))

    row = Examples(find_definition("all")).row()

    assert len(row) == len(BY_NAME)
    made(people.post("/tables/all/rows", row))


def test_the_page_is_for_admins(people: Api) -> None:
    assert Admin().get(PAGE)["Location"] == f"/console/login?next={PAGE}"


def _rows(api: httpx.Client) -> list[dict[str, Any]]:
    return list(api.get("/tables/people/rows").json()["items"])


def _need(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            (pytest.fail if is_required() else pytest.skip)(f"The examples need {program}, and it is not installed.")


def _pasted(up: Running, language: str) -> str:
    """All examples of one language, in their order, from the page of the running server."""
    link = re.search(r"http\S+/console/setup\?token=\S+", up.out.read_text())
    assert link
    with httpx.Client(headers={"Origin": up.url}, follow_redirects=True) as browser:
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', browser.get(link[0]).text))
        sent = browser.post(
            f"{up.url}/console/setup", data={**fields, "email": "root@example.com", "password": PASSWORD}
        )
        assert sent.status_code == 200, sent.text
        page = browser.get(f"{up.url}{PAGE}").text
    return "\n".join(
        html.unescape(code) for code in re.findall(rf'data-code="{language}"[^>]*>(.*?)</pre>', page, re.S)
    )
