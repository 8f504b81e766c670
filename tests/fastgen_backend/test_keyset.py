"""Pages of a list: every row once, in any order of columns that together are unique."""

import pytest
from django.db import connection
from django.utils import timezone

from events.models import Event
from fastgen_backend.errors import InvalidInput
from fastgen_backend.keyset import make_cursor, rows_after


@pytest.mark.django_db
@pytest.mark.parametrize("order", [("type", "-id"), ("-type", "id"), ("-created_at", "-id")])
def test_pages_have_every_row_once_and_in_order(order: tuple[str, ...]) -> None:
    now = timezone.now()
    for kind in "abacabba":
        Event.objects.create(type=kind, source="api", data={}, created_at=now)
    pages, cursor = [], ""

    while True:
        rows, cursor = rows_after(cursor, Event.objects.all(), order=order, limit=3)
        pages.append(rows)
        if not cursor:
            break

    assert [row.pk for page in pages for row in page] == list(
        Event.objects.order_by(*order).values_list("pk", flat=True)
    )
    assert [len(page) for page in pages] == [3, 3, 2]


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["%", make_cursor("a"), make_cursor("a\0b"), make_cursor("a\0001\0002")])
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput, match="no cursor of this list"):
        rows_after(cursor, Event.objects.all(), order=("type", "id"), limit=3)


@pytest.mark.django_db
def test_postgresql_keeps_no_plan_of_a_page_but_of_other_statements_still() -> None:
    for _ in range(5):
        rows_after("", Event.objects.all(), order=("-id",), limit=3)
        Event.objects.filter(type="x").exists()

    assert not _kept("ORDER BY")
    assert _kept("LIMIT") or connection.vendor == "sqlite"


def _kept(words: str) -> list[str]:
    """The statements on events, with these words, whose plans PostgreSQL may keep; SQLite has none."""
    if connection.vendor == "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement FROM pg_prepared_statements WHERE statement LIKE %s", [f"%events_event%{words}%"]
        )
        return [statement for (statement,) in cursor.fetchall()]
