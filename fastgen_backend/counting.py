"""How many rows there are, at a cost that does not grow with them."""

import json
from typing import Any

from django.db import connection, models

COUNTED_MAX = 20_000  # exactly: some milliseconds


def about(rows: "models.QuerySet[Any]") -> int:
    """The number of rows: up to 20,000 exactly; beyond that PostgreSQL estimates, by what its last ANALYZE saw.

    SQLite estimates nothing, and has no transactions to look through: it counts a million in some ten milliseconds.
    """
    rows = rows.order_by()
    if connection.vendor != "postgresql":
        return rows.count()
    number = rows[: COUNTED_MAX + 1].count()
    if number <= COUNTED_MAX:
        return number
    [plan] = json.loads(rows.explain(format="json"))
    return max(number, int(plan["Plan"]["Plan Rows"]))


class CountUpTo(models.Subquery):
    """How many rows a query has with a limit, for each row of an outer one; a million cost no more than that."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = models.IntegerField()
