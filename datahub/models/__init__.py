"""What the Datahub keeps beside the rows: tables and columns, answers to be repeated, jobs and imports."""

from datahub.models.answers import IdempotentAnswer
from datahub.models.conversions import Conversion
from datahub.models.imports import (
    FILE_NAME_MAX,
    Import,
    ImportBatch,
    ImportChunk,
    ImportPreview,
    ImportReject,
    RejectedRow,
)
from datahub.models.jobs import Job
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
    "FILE_NAME_MAX",
    "KEY_MAX",
    "NAME_MAX",
    "Column",
    "ColumnQuerySet",
    "Conversion",
    "IdempotentAnswer",
    "Import",
    "ImportBatch",
    "ImportChunk",
    "ImportPreview",
    "ImportReject",
    "Job",
    "RejectedRow",
    "Table",
    "TableQuerySet",
    "Verb",
    "closed_to_all",
]
