"""What the Datahub keeps beside the rows: tables and columns, answers to be repeated, jobs and imports."""

from datahub.models.answers import IdempotentAnswer
from datahub.models.conversions import Conversion
from datahub.models.jobs import Import, ImportBatch, ImportChunk, ImportReject, Job
from datahub.models.tables import (
    DESCRIPTION_MAX,
    KEY_MAX,
    NAME_MAX,
    Column,
    ColumnQuerySet,
    Table,
    TableQuerySet,
    Verb,
    closed_to_all,
)

__all__ = [
    "DESCRIPTION_MAX",
    "KEY_MAX",
    "NAME_MAX",
    "Column",
    "ColumnQuerySet",
    "Conversion",
    "IdempotentAnswer",
    "Import",
    "ImportBatch",
    "ImportChunk",
    "ImportReject",
    "Job",
    "Table",
    "TableQuerySet",
    "Verb",
    "closed_to_all",
]
