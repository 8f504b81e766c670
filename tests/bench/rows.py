"""What the Datahub does in a second, beside PocketBase with the same rows: both know the caller, both check a rule."""

import csv
import http.client
import io
import itertools
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.bench.figures import Figure
from tests.bench.load import Load, http_request
from tests.bench.places import new_api_key, new_database
from tests.bench.pocketbase import PocketBase, is_there, running_pocketbase
from tests.bench.web import bare_view, sign_up_one, up

ROUNDS = 3
SECONDS = 2.0
LINES = 32
DEEP_SECONDS, DEEP_LINES = 6.0, 4  # a page that PocketBase takes a second for
ROWS = 100_000
PAGE = 50
DEEP_PAGE = 1500
LONGEST_IMPORT_SECONDS = 120
COLUMNS = [
    {"name": "name", "type": "text"},
    {"name": "city", "type": "text", "indexed": True},
    {"name": "age", "type": "integer"},
    {"name": "score", "type": "integer", "indexed": True},
    {"name": "active", "type": "boolean"},
    {"name": "note", "type": "text"},
]
RULES = {"list": "authenticated", "read": "authenticated", "create": "authenticated"}


@dataclass(frozen=True)
class Calls:
    """The requests of one server, ready to be sent, one of each kind after the other."""

    port: int
    read: Sequence[bytes]
    create: Sequence[bytes]
    first_page: Sequence[bytes]
    deep_page: Sequence[bytes]

    def per_second(self, kind: str) -> float:
        """Good answers to the requests of a kind."""
        requests: Sequence[bytes] = getattr(self, kind)
        lines, seconds = (DEEP_LINES, DEEP_SECONDS) if kind == "deep_page" else (LINES, SECONDS)
        return Load(self.port, itertools.cycle(requests), lines=lines).run(seconds).per_second


def measure(database: str, server: str) -> Iterator[Figure]:
    """Every figure of rows; without PocketBase only those that need none."""
    if not is_there():
        raise SystemExit("PocketBase is not installed: run `make bench`, which does so.")
    rows = made_up_rows()
    with new_database(server) as url, up(url) as port, running_pocketbase() as pocketbase, bare_view() as bare:
        ours = Datahub(port, url)
        yield _import(database, ours, pocketbase, rows)
        own, theirs = ours.calls(), _calls_of(pocketbase)
        for kind, work, aim in (
            ("read", "read a row", 0.5),
            ("create", "create a row", 0.4),
            ("first_page", "list 50, first page", 0.8),
            ("deep_page", "list 50, page 1,500", 5.0),
        ):
            rounds = [(theirs.per_second(kind), own.per_second(kind)) for _ in range(ROUNDS + 1)][1:]
            yardstick, values = zip(*rounds, strict=True)
            yield Figure(database, work, "/s", values, "PocketBase", list(yardstick), least_ratio=aim)
        yield _beside_bare(database, own, bare)


class Datahub:
    """A running `up` with the table `items`, its admin's key and a person who may list, read and create."""

    def __init__(self, port: int, url: str) -> None:
        self.port = port
        self._key = new_api_key(url)
        self._make_table("items")
        self.token = sign_up_one(port, "ann@example.com")

    def call(
        self, method: str, path: str, body: bytes = b"", *, kind: str = "application/json", token: str = ""
    ) -> Any:
        """The answer to a request of the program that manages all."""
        server = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": kind, "Authorization": f"Bearer {token or self._key}"}
        server.request(method, f"/api/v1{path}", body, headers)
        answer = server.getresponse()
        text = answer.read()
        server.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return json.loads(text) if text else None

    def load(self, content: bytes, rows: int, table: str = "items") -> None:
        """Import a CSV file, and wait until it is in."""
        job = self.call("POST", f"/imports?table={table}", content, kind="text/csv")
        deadline = time.monotonic() + LONGEST_IMPORT_SECONDS
        while job["state"] == "running" and time.monotonic() < deadline:
            time.sleep(0.02)
            job = self.call("GET", f"/imports/{job['id']}")
        if (job["state"], job["rowsImported"]) != ("done", rows):
            raise RuntimeError(f"The import ended with {job}.")

    def new_table(self, name: str) -> None:
        """Another table of the same columns."""
        self._make_table(name)

    def calls(self) -> Calls:
        """What is measured, as the person."""
        paths = "/api/v1/tables/items/rows"
        caller = {"Authorization": f"Bearer {self.token}"}
        ids = [row["id"] for row in self.call("GET", "/tables/items/rows?limit=200")["items"]]
        listing = f"{paths}?active=true&order=-score&limit={PAGE}"
        return Calls(
            self.port,
            read=[http_request("GET", f"{paths}/{id}", b"", **caller) for id in ids],
            create=[http_request("POST", paths, json.dumps(row).encode(), **caller) for row in made_up_rows(200)],
            first_page=[http_request("GET", listing, b"", **caller)],
            deep_page=[http_request("GET", f"{listing}&cursor={self._deep_cursor()}", b"", **caller)],
        )

    def _deep_cursor(self) -> str:
        """Where page 1,500 begins; got by walking there."""
        cursor, most = "", 200
        for _page in range((DEEP_PAGE - 1) * PAGE // most):
            page = self._page(most, cursor)
            cursor = page["nextCursor"]
        rest = (DEEP_PAGE - 1) * PAGE % most
        return str(self._page(rest, cursor)["nextCursor"] if rest else cursor)

    def _page(self, limit: int, cursor: str) -> Any:
        return self.call("GET", f"/tables/items/rows?active=true&order=-score&limit={limit}&cursor={cursor}&fields=id")

    def _make_table(self, name: str) -> None:
        self.call("POST", "/tables", json.dumps({"name": name, "columns": COLUMNS, "access": RULES}).encode())


def made_up_rows(number: int = ROWS) -> list[dict[str, Any]]:
    """The same rows each time: four of five are active, cities repeat, scores hardly do."""
    chance = random.Random(7)  # noqa: S311  not a secret
    return [
        {
            "name": f"Person {index}",
            "city": f"City {chance.randrange(200)}",
            "age": chance.randrange(100),
            "score": chance.randrange(10_000_000),
            "active": chance.random() < 0.8,
            "note": "n" * chance.randrange(40),
        }
        for index in range(number)
    ]


def _import(database: str, ours: Datahub, pocketbase: PocketBase, rows: Sequence[dict[str, Any]]) -> Figure:
    """Rows a second: ours three times, into a table each time; PocketBase's once, for it takes long."""
    start = time.monotonic()
    pocketbase.load(rows)
    theirs = len(rows) / (time.monotonic() - start)
    content, values = _as_csv(rows), []
    for name in ("items", "twin", "triplet"):
        if name != "items":
            ours.new_table(name)
        start = time.monotonic()
        ours.load(content, len(rows), name)
        values.append(len(rows) / (time.monotonic() - start))
    return Figure(database, "import 100,000 rows", "rows/s", values, "PocketBase", [theirs] * 3, least_ratio=8.0)


def _calls_of(pocketbase: PocketBase) -> Calls:
    paths = "/api/collections/items/records"
    caller = {"Authorization": pocketbase.token}
    ids = [row["id"] for row in pocketbase.call("GET", f"{paths}?perPage=200&skipTotal=1")["items"]]
    listing = f"{paths}?perPage={PAGE}&skipTotal=1&sort=-score&filter={quote('active=true')}"
    return Calls(
        pocketbase.port,
        read=[http_request("GET", f"{paths}/{id}", b"", **caller) for id in ids],
        create=[http_request("POST", paths, json.dumps(row).encode(), **caller) for row in made_up_rows(200)],
        first_page=[http_request("GET", listing, b"", **caller)],
        deep_page=[http_request("GET", f"{listing}&page={DEEP_PAGE}", b"", **caller)],
    )


def _beside_bare(database: str, own: Calls, bare_port: int) -> Figure:
    view = http_request("GET", "/bare")
    rounds = [
        (Load(bare_port, itertools.repeat(view), lines=LINES).run(SECONDS).per_second, own.per_second("read"))
        for _ in range(ROUNDS + 1)
    ][1:]
    yardstick, values = zip(*rounds, strict=True)
    return Figure(database, "read a row", "/s", values, "bare Django view", list(yardstick))


def _as_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows({**row, "active": str(row["active"]).lower()} for row in rows)
    return text.getvalue().encode()
