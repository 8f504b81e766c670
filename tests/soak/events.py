"""The log: a page of 1,000,000 events takes at most twice the time of one of 1,000, whatever is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from tests.bench.figures import Figure
from tests.soak.asked import QUERIES, Site, compare, site

FEW = 1_000
BEGIN = 1_600_000_000  # a second later each

ANN = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
EVENTS = b"""
INSERT INTO events_event (uid, type, stage, source, subject, actor, request_id, data, created_at, position)
SELECT
  (lpad(to_hex(1600000000000 + number * 1000), 12, '0') || '70008000' || lpad(to_hex(number), 12, '0'))::uuid,
  CASE
    WHEN number %% 500 = 7 THEN 'events.webhook_disabled'
    WHEN number <= 20 THEN 'auth.token_reused'
    ELSE ('{auth.user_loggedIn,auth.user_signedUp,api.dataRow_created,custom.order_placed}'::text[])[1 + number %% 4]
  END,
  '', CASE WHEN number <= 30 THEN 'cli' ELSE ('{hosted,api,console}'::text[])[1 + number %% 3] END,
  CASE WHEN number <= 40 THEN %s ELSE gen_random_uuid()::text END,
  CASE WHEN number <= 40 THEN 'user:' || %s ELSE '' END,
  '', jsonb_build_object('email', 'person.' || number || '@example.com'), to_timestamp(1600000000 + number), number
FROM generate_series(1, %s::bigint) AS number
"""
LAST = b"UPDATE events_event SET position = %s + id WHERE position IS NULL"
EVENT_IN_THE_MIDDLE = b"SELECT 'evt_' || replace(uid::text, '-', '') FROM events_event WHERE position = %s"

REST = {
    "first page": "",
    "newest first": "order=-position",
    "page in the middle": "after={id}",
    "a type": "types=auth.user_signedUp",
    "a family, in the middle": "types=auth.*&after={id}",
    "a type that only the oldest are of": "types=auth.token_reused&order=-position",
}
CONSOLE = {
    "first page": "",
    "page in the middle": "before={position}",
    "a type": "type=auth.user_signedUp",
    "a family": "type=auth.*",
    "a rare family": "type=events.*",
    "a type that only the oldest are of": "type=auth.token_reused",
    "whom only the oldest are about": f"subject={ANN}",
    "who did only the oldest": f"actor=user:{ANN}",
    "where only the oldest come from": "source=cli",
    "a person and a type": f"subject={ANN}&type=auth.user_loggedIn",
    "a time in the middle": "since={since}&until={until}",
}


def measure(server: str, count: int) -> Iterator[Figure]:
    """Every page by both doors, in turns with the same of few events."""
    with site(server) as few, site(server) as many:
        places = [_fill(few, FEW), _fill(many, count)]
        most = 0
        doors = [("REST", "/api/v1/events", REST), ("console", "/console/events", CONSOLE)]
        for door, path, pages in doors:
            for name, query in pages.items():
                asked = [f"{path}?{query.format(**place)}" for place in places]
                figure, queries = compare(
                    few, many, asked, work=f"{door}, {count:,} events: {name}", against=f"{FEW:,}"
                )
                most = max(most, queries)
                yield figure
        yield Figure("PostgreSQL", "any page of the log", "queries", [most], most=QUERIES)


def _fill(place: Site, count: int) -> dict[str, str]:
    """Record so many events, beside the login that is there; answers what names those in their middle."""
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute(EVENTS, [ANN, ANN, count])
        connection.execute(LAST, [count])
        connection.execute(b"VACUUM ANALYZE")
        middle = count // 2
        found = connection.execute(EVENT_IN_THE_MIDDLE, [middle]).fetchone()
    assert found
    since, until = (f"{datetime.fromtimestamp(BEGIN + middle + off, UTC):%Y-%m-%dT%H:%M}" for off in (-300, 300))
    return {"id": found[0], "position": str(middle), "since": since, "until": until}
