"""`make soak`: what has to hold at size, on PostgreSQL, in databases of its own; it takes minutes.

Each part is a module with `measure(server)`, which makes what it needs by the million with a statement or two, and
tells figures with the limits that they have to keep. All of them are printed; one that is missed fails the run.
"""

import os
import sys

from tests.bench.figures import Figure, table
from tests.soak import events, moving, people

PARTS = (people, events, moving)


def main() -> None:
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        raise SystemExit("make soak needs a PostgreSQL server: TEST_DATABASE_URL=postgres://user:password@host/name")
    figures: list[Figure] = []
    for part in PARTS:
        print(f"Measuring {part.__name__} …", flush=True)
        figures += part.measure(server)
    print(table(figures))
    sys.exit(not all(figure.is_met for figure in figures))


if __name__ == "__main__":
    main()
