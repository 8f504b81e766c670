"""Lists of people: a page among 1,000,000 takes at most twice the time of one among 1,000, wherever it is."""

import base64
from collections.abc import Iterator

import psycopg

from tests.bench.figures import Figure
from tests.soak.asked import QUERIES, Site, compare, site

FEW = 1_000

PEOPLE = b"""
INSERT INTO authpages_user (
  id, email, email_key, email_verified, first_name, last_name, name_key, last_name_key,
  blocked, is_superuser, locale, metadata, app_metadata, created_at
)
SELECT
  (lpad(to_hex(1600000000000 + number * 1000), 12, '0') || '70008000' || lpad(to_hex(number), 12, '0'))::uuid,
  address, address, number %% 3 <> 0, first, last, lower(first || ' ' || last), lower(last),
  number BETWEEN 101 AND 200, false, '', '{}', '{}', to_timestamp(1600000000 + number)
FROM (
  SELECT number, first, last, lower(first || '.' || last || '.' || number || '@example.com') AS address
  FROM (
    SELECT
      number,
      ('{Ann,Bob,Carla,Dmitri,Eva,Farid,Grace,Hiro,Ines,Jonas}'::text[])[1 + number * 7919 %% 10] AS first,
      ('{Adams,Baker,Costa,Dubois,Evans,Fischer,Garcia,Huber,Ito,Jensen,Khan}'::text[])[1 + number / 10 %% 11] AS last
    FROM generate_series(1, %s::bigint) AS number
  ) AS named
) AS addressed
"""
ROLES = b"""
INSERT INTO authpages_role (id, name, name_key, description, created_at)
SELECT gen_random_uuid(), name, name, '', now() FROM unnest('{reader,founder}'::text[]) AS name
"""
HELD = b"""
INSERT INTO authpages_user_roles (user_id, role_id)
SELECT person.id, role.id
FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM authpages_user WHERE NOT is_superuser) AS person
JOIN authpages_role AS role ON role.name = 'reader' AND number % 2 = 0 OR role.name = 'founder' AND number <= 100
"""
MIDDLE = b"SELECT id FROM authpages_user WHERE NOT is_superuser ORDER BY id OFFSET %s LIMIT 1"

LISTS = {
    "first page": "",
    "page in the middle": "cursor={middle}",
    "one address": "q=ann.adams.10@example.com",
    "a beginning that many have": "q=a",
    "one that nobody has": "q=zzz",
    "a role that half have": "role=reader",
    "a role that only the oldest have": "role=founder",
    "unverified": "verified=false",
    "blocked, the oldest": "blocked=true",
    "all of it": "role=reader&verified=false&q=e",
}
DOORS = {"REST": "/api/v1/users", "console": "/console/users"}


def measure(server: str, count: int) -> Iterator[Figure]:
    """Every list by every door, in turns with the same of few people."""
    with site(server) as few, site(server) as many:
        middles = [_fill(few, FEW), _fill(many, count)]
        most = 0
        for door, path in DOORS.items():
            for name, query in LISTS.items():
                asked = [f"{path}?{query.format(middle=middle)}" for middle in middles]
                figure, queries = compare(
                    few, many, asked, work=f"{door}, {count:,} people: {name}", against=f"{FEW:,}"
                )
                most = max(most, queries)
                yield figure
        yield Figure("PostgreSQL", "any list of people", "queries", [most], most=QUERIES)


def _fill(place: Site, count: int) -> str:
    """Make so many people; answers the cursor of the one in their middle."""
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute(PEOPLE, [count])
        connection.execute(ROLES)
        connection.execute(HELD)
        connection.execute(b"VACUUM ANALYZE")
        middle = connection.execute(MIDDLE, [count // 2]).fetchone()
    assert middle
    return base64.urlsafe_b64encode(str(middle[0]).encode()).decode().rstrip("=")
