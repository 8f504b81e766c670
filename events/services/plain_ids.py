"""Ids in plain statements: PostgreSQL knows UUIDs, SQLite keeps their digits."""

from typing import Any
from uuid import UUID

from django.db import connection, models


def stored_id(identifier: UUID) -> Any:
    """An id as a parameter of a plain statement."""
    return models.UUIDField().get_db_prep_value(identifier, connection)


def as_id(value: str | UUID) -> UUID:
    """An id as the answer to a plain statement has it."""
    return value if isinstance(value, UUID) else UUID(value)
