"""Every endpoint of the Datahub, to be attacked."""

import json
from typing import Any

import pytest

from tests.conftest import Api
from tests.datahub.conftest import made
from tests.datahub.importing import imported

ROWS = "/tables/people/rows"
ANN = {"name": "Ann", "email": "ann@example.com", "age": 30}
Named = dict[str, str]
Endpoint = tuple[str, str, Any]

CHANGES: list[Endpoint] = [
    ("POST", "/tables", {"name": "New"}),
    ("PATCH", "/tables/people", {"description": "New"}),
    ("DELETE", "/tables/people", None),
    ("POST", "/tables/people/clear", None),
    ("POST", "/tables/people/columns", {"name": "New", "type": "text"}),
    ("PATCH", "/tables/people/columns/age", {"name": "New"}),
    ("PATCH", "/tables/people/columns/age?dryRun=true", {"type": "text"}),
    ("DELETE", "/tables/people/columns/age", None),
    ("POST", "/tables/people/columns/gone/restore", None),
    ("POST", "/tables/people/columns/gone/purge", None),
    ("POST", ROWS, {"name": "New"}),
    ("POST", f"{ROWS}?onConflict=email&resolution=merge", {"name": "New", "email": "ann@example.com"}),
    ("PATCH", ROWS, [{"id": "{row}", "age": 1}]),
    ("DELETE", f"{ROWS}?name=Ann", None),
    ("PATCH", f"{ROWS}/{{row}}", {"age": 1}),
    ("DELETE", f"{ROWS}/{{row}}", None),
    ("POST", f"{ROWS}/query", {}),
    ("POST", "/imports?table=people", None),
    ("POST", "/imports/{upload}/undo", None),
]
READS: list[Endpoint] = [
    ("GET", path, None)
    for path in (
        *("/tables", "/tables/people", "/tables/people/columns?hidden=true", "/tables/people/openapi.json"),
        *(ROWS, f"{ROWS}/{{row}}", f"{ROWS}/aggregate?group=city", f"{ROWS}.csv", f"{ROWS}.ndjson"),
        *("/tables/people/imports", "/imports/{upload}"),
    )
]
every_change = pytest.mark.parametrize("endpoint", CHANGES, ids=lambda endpoint: f"{endpoint[0]} {endpoint[1]}")
every_endpoint = pytest.mark.parametrize(
    "endpoint", [*CHANGES, *READS], ids=lambda endpoint: f"{endpoint[0]} {endpoint[1]}"
)


@pytest.fixture
def named(people: Api) -> Named:
    """The row and the import that addresses name; a column is deleted, too."""
    row = made(people.post(ROWS, ANN))["id"]
    made(people.post("/tables/people/columns", {"name": "Gone", "type": "text"}))
    assert people.delete("/tables/people/columns/gone").status_code == 204
    return {"row": row, "upload": imported(people, "table=people", "name\nBob\n")["id"]}


def send(caller: Api, endpoint: Endpoint, named: Named, **headers: Any) -> Any:
    """The answer to a request, whose address and body name what there is."""
    method, path, body = endpoint
    for name, id in named.items():
        path = path.replace(f"{{{name}}}", id)
        body = json.loads(json.dumps(body).replace(f"{{{name}}}", id))
    if path.startswith("/imports?"):
        return caller.call(method, path, raw=b"name\nEve\n", **{"content-type": "text/csv", **headers})
    return caller.call(method, path, body, **headers)


def state(people: Api) -> list[Any]:
    """All there is."""
    paths = ("/tables", "/tables/people/columns?hidden=true", ROWS)
    return [people.get(path).json() for path in paths]
