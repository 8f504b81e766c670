"""The product on one database, in a process of its own, asked for one page after the other.

Two of them stand beside each other, so that a short list and a long one are asked in turns: machines drift, the ratio
of two pages hardly does.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import django

from tests.bench.figures import Figure
from tests.bench.places import new_database, running

WARM_UP, ROUNDS = 10, 21
RATIO, QUERIES = 2, 10  # at most, of each page


@dataclass(frozen=True)
class Answer:
    """What a page cost: seconds, queries (transaction control left out) and bytes."""

    status: int
    seconds: float
    queries: int
    bytes: int


@dataclass(frozen=True)
class Site:
    """The product, with an empty database at first."""

    url: str
    process: subprocess.Popen[str]

    def ask(self, path: str) -> Answer:
        """A page of the API or of the console, as an admin sees it; it has to be there."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        answer = Answer(**json.loads(self.process.stdout.readline()))
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return answer


def compare(few: Site, many: Site, asked: Sequence[str], *, work: str, against: str) -> tuple[Figure, int]:
    """A page of a long list beside the same of a short one, in turns; and the most queries that one of them took."""
    rounds = [(few.ask(asked[0]), many.ask(asked[1])) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    short, long = ([1000 * answer.seconds for answer in side] for side in zip(*rounds, strict=True))
    queries = max(answer.queries for both in rounds for answer in both)
    figure = Figure("PostgreSQL", work, "ms", long, against, short, most_ratio=RATIO, note=f"{queries} queries")
    return figure, queries


@contextlib.contextmanager
def site(server: str) -> Iterator[Site]:
    """A site on a new database of the server."""
    with (
        new_database(server) as url,
        running(
            "-m", "tests.soak.asked", into=subprocess.PIPE, out=subprocess.PIPE,
            DATABASE_URL=url, DJANGO_SETTINGS_MODULE="fastgen_backend.settings",
        ) as process,
    ):  # fmt: skip
        assert process.stdout
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("The site did not come up; see above.")
        yield Site(url, process)


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    call_command("migrate", verbosity=0)
    client = Client(headers={"host": "127.0.0.1"})
    _log_in(client)
    print("ready", flush=True)
    for line in sys.stdin:
        with CaptureQueriesContext(connection) as captured:
            begin = time.perf_counter()
            answer = client.get(line.strip())
            seconds = time.perf_counter() - begin
        queries = sum(not query["sql"].startswith(("BEGIN", "COMMIT")) for query in captured.captured_queries)
        print(json.dumps(asdict(Answer(answer.status_code, seconds, queries, len(answer.content)))), flush=True)


def _log_in(client: "django.test.Client") -> None:
    """Make an admin, and let them into the console, by whose cookie the API knows them as well."""
    from django.conf import settings
    from django.db import transaction

    from authpages.models import Session
    from authpages.services.sessions import start_browser_session
    from authpages.services.users import create_user
    from fastgen_backend.origin import COMMAND_LINE

    root = create_user(email="root@example.com", admin=True, origin=COMMAND_LINE)
    with transaction.atomic():
        started = start_browser_session(user=root, origin=COMMAND_LINE, kind=Session.Kind.CONSOLE)
    client.cookies[settings.CONSOLE_COOKIE_NAME] = started.cookie


if __name__ == "__main__":
    main()
