"""What is measured within the product, on the database of DATABASE_URL: `python -m tests.bench.inside` prints JSON.

A process of its own, because Django knows one set of settings only.
"""

import json
import sys
from dataclasses import asdict

import django


def main() -> None:
    django.setup()
    from django.core.management import call_command

    from tests.bench import deliveries, log, neighbours, queries

    call_command("migrate", verbosity=0)
    database = sys.argv[1]
    for part in (queries, log, deliveries, neighbours):
        for figure in part.measure(database):
            print(json.dumps(asdict(figure)), flush=True)


if __name__ == "__main__":
    main()
