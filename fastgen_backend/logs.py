"""What is kept out of the logs."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.db import DataError, Error


class NoRefusals(logging.Filter):
    """Drops "503 Too busy": Django logs every answer from 500 up as an error, and this one is a refusal like 429."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE


class NoValues(logging.Formatter):
    """Stack traces without the values that errors of databases quote: PostgreSQL adds the whole row it refused."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  the name is logging's
        text = super().formatException(ei)
        for error in _chain(ei[1]):
            if isinstance(error, Error) and str(error):
                text = text.replace(str(error), _plain(error))
        return text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _plain(error: Error) -> str:
    """Its first line: the others quote rows and SQL. That of bad data quotes it as well."""
    return "values are not logged" if isinstance(error, DataError) else str(error).partition("\n")[0]
