"""The console's grid on a million rows, beside the same pages on a thousand: what one can see must not grow slower."""

import csv
import html
import io
import itertools
import random
import re
import subprocess
import sys
from collections.abc import Iterator

import httpx

from tests.bench.figures import Figure
from tests.bench.load import Load, http_request
from tests.bench.places import new_database
from tests.bench.rows import Datahub
from tests.bench.web import up
from tests.processes import PROJECT, environment

ROUNDS = 3
SECONDS = 2.0
LINES = 4
SMALL, LARGE = 1_000, 1_000_000
LEAST_RATIO = 0.5  # of the pages on the small table: so the large one's take twice as long at most
LATE_PAGE = 5  # of those that one gets to by scrolling
ADMIN = {"email": "root@example.com", "password": "correct horse battery staple"}


def measure(database: str, server: str) -> Iterator[Figure]:
    """Pages a second: the first, one that was scrolled to, and one that is filtered and counted."""
    with new_database(server) as url, up(url) as port:
        datahub = Datahub(port, url)
        for name, rows in (("small", SMALL), ("large", LARGE)):
            datahub.new_table(name)
            datahub.load(_as_csv(rows), rows, name)
        _make_admin(url)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as browser:
            _log_in(browser)
            cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            pages = {name: _pages(browser, name, cookie) for name in ("small", "large")}
        for work in pages["small"]:
            rounds = [tuple(_per_second(port, pages[name][work]) for name in pages) for _ in range(ROUNDS + 1)][1:]
            small, large = zip(*rounds, strict=True)
            yield Figure(
                database,
                f"grid of 1,000,000 rows, {work}",
                "/s",
                large,
                "of 1,000",
                list(small),
                least_ratio=LEAST_RATIO,
            )


def _pages(browser: httpx.Client, table: str, cookie: str) -> dict[str, bytes]:
    """The requests, ready to be sent."""
    grid = f"/console/datahub/tables/{table}"
    address = grid
    for _page in range(LATE_PAGE):
        found = re.search(r'<tr id="more"><td colspan="\d+"><a href="([^"]+)"', browser.get(address).text)
        assert found, "There is no next page."
        address = html.unescape(found[1])
    scrolled = {"HX-Request": "true", "HX-Target": "more"}
    return {
        "first page": http_request("GET", grid, Cookie=cookie),
        "scrolled page": http_request("GET", address, b"", Cookie=cookie, **scrolled),
        "filtered page": http_request("GET", f"{grid}?city=City%207", Cookie=cookie),
        "sorted page": http_request("GET", f"{grid}?order=-score", Cookie=cookie),
    }


def _per_second(port: int, request: bytes) -> float:
    return Load(port, itertools.repeat(request), lines=LINES).run(SECONDS).per_second


def _log_in(browser: httpx.Client) -> None:
    page = browser.get("/console/login").text
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[:1]
    answer = browser.post("/console/login", data={**ADMIN, "csrfmiddlewaretoken": token})
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text


def _make_admin(url: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "createsuperuser", "--noinput"],
        cwd=PROJECT,
        env=environment(
            {f"DJANGO_SUPERUSER_{key.upper()}": value for key, value in ADMIN.items()} | {"DATABASE_URL": url}
        ),
        check=True,
        capture_output=True,
    )


def _as_csv(number: int) -> bytes:
    """Rows of which a filter by city finds one in ten: pages are full in both tables."""
    chance = random.Random(7)  # noqa: S311  not a secret
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["name", "city", "age", "score", "active", "note"])
    for index in range(number):
        writer.writerow([f"Person {index}", f"City {index % 10}", index % 90, chance.randrange(10**7), "true", "note"])
    return text.getvalue().encode()
