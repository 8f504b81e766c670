"""What is kept out of the logs."""

import sys

import pytest
from django.db import DataError, IntegrityError

from fastgen_backend.logs import NoValues


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (IntegrityError("it violates\nDETAIL:  Failing row contains (1, s3cret\n\nlines)."), "it violates\n"),
        (DataError('invalid input syntax for type integer: "s3cret"'), "values are not logged\n"),
        (ValueError("a bug\nof two lines"), "a bug\nof two lines\n"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_stack_trace_has_no_values_that_a_database_quotes(error: Exception, kept: str):
    try:
        try:
            raise error
        except Exception as cause:
            raise RuntimeError("what came of it") from cause
    except RuntimeError:
        text = NoValues().formatException(sys.exc_info())

    assert f"Error: {kept}" in text
    assert text.endswith("RuntimeError: what came of it")
    assert "s3cret" not in text
