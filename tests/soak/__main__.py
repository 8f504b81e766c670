"""`make soak`: what has to hold at size, on PostgreSQL, in databases of its own; it takes minutes.

Each part is a module with `measure(server, many)`, which makes what it needs by the million with a statement or two,
and tells figures with the limits that they have to keep. All of them are printed; one that is missed, or a part that
fails, fails the run, after the other parts had their turn.

`python -m tests.soak --many 20000 people` tries one part at a smaller size, where ratios say little.
"""

import argparse
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from tests.bench.figures import Figure, table
from tests.soak import events, moving, people

Measure = Callable[[str, int], Iterator[Figure]]
PARTS: Mapping[str, Measure] = {"people": people.measure, "events": events.measure, "moving": moving.measure}
MANY = 1_000_000
LONGEST_MINUTES = 15  # on two cores


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="What has to hold at size.")
    parser.add_argument("--many", default=MANY, type=int, help="people, and events, in a long list; 10,000 or more")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all of them by default")
    options = parser.parse_args()
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        sys.exit("make soak needs a PostgreSQL server: TEST_DATABASE_URL=postgres://user:password@host/name")
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(not run({name: PARTS[name] for name in options.parts or PARTS}, server, options.many))


def run(parts: Mapping[str, Measure], server: str, many: int) -> bool:
    """Measure and print; tells whether every part came to its end, and every limit was kept."""
    figures, failed, begins_at = list[Figure](), list[str](), time.monotonic()
    for name, measure in parts.items():
        print(f"Measuring {name} …", flush=True)
        try:
            with closing(measure(server, many)) as measuring:  # type: ignore[type-var]  # a generator
                figures.extend(measuring)
        except Exception as error:
            traceback.print_exc()
            failed.append(f"{name}: {type(error).__name__}: {error}")
    minutes = (time.monotonic() - begins_at) / 60
    figures.append(Figure("both", "all of this", "min", [minutes], most=LONGEST_MINUTES))
    missed = [figure for figure in figures if not figure.is_met]
    print(table(figures))
    print(f"Limits missed: {len(missed)}. Parts that failed: {len(failed)}.")
    for failure in failed:
        print(f"  {failure}")
    return not missed and not failed


def _stop(*_: Any) -> None:
    """As Ctrl-C does: every database and process is taken away on the way out."""
    sys.exit("The soak was stopped.")


if __name__ == "__main__":
    main()
