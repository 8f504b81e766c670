"""`make bench`: what the product costs beside the bare minimum, on SQLite and, with TEST_DATABASE_URL, on PostgreSQL.

Every figure and its yardstick are taken in turns, three times each: machines drift, their ratio hardly does. It all
happens on this machine, in databases and processes of its own.
"""

import json
import os
import subprocess
from collections.abc import Iterator

from tests.bench import callback, grid, rows, web
from tests.bench.figures import Figure, table, write
from tests.bench.places import new_database, running

LONGEST_SECONDS = 150


def main() -> None:
    postgresql = os.environ.get("TEST_DATABASE_URL", "")
    servers = {"SQLite": ""} | ({"PostgreSQL": postgresql} if postgresql else {})
    figures: list[Figure] = []
    for database, server in servers.items():
        for measure in (web.measure, callback.measure, rows.measure, grid.measure, _inside):
            print(f"Measuring on {database}: {measure.__module__} …", flush=True)
            figures += measure(database, server)
    print(table(figures))
    print(f"Written to {write(figures)}")


def _inside(database: str, server: str) -> Iterator[Figure]:
    """The figures that are taken within a process of the product."""
    with (
        new_database(server) as url,
        running(
            "-m", "tests.bench.inside", database,
            out=subprocess.PIPE, DATABASE_URL=url, DJANGO_SETTINGS_MODULE="fastgen_backend.settings",
        ) as process,
    ):  # fmt: skip
        out, _ = process.communicate(timeout=LONGEST_SECONDS)
        if process.returncode:
            raise SystemExit("The measurements within the product failed; see above.")
        for line in out.splitlines():
            yield Figure(**json.loads(line))


if __name__ == "__main__":
    main()
