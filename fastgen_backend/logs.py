"""What is kept out of the logs."""

import logging
from http import HTTPStatus


class NoRefusals(logging.Filter):
    """Drops "503 Too busy": Django logs every answer from 500 up as an error, and this one is a refusal like 429."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != HTTPStatus.SERVICE_UNAVAILABLE
