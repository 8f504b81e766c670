"""Connections of the web's threads: one with outdated plans is closed after the request that failed by it."""

import pytest
from django.core.signals import got_request_exception
from django.db import NotSupportedError, connection


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("error", "is_closed"), [(NotSupportedError, True), (ValueError, False)])
def test_a_connection_is_closed_after_an_outdated_plan_and_no_other_error(
    error: type[Exception], is_closed: bool
) -> None:
    connection.ensure_connection()

    try:
        raise error("cached plan must not change result type")
    except error:
        got_request_exception.send(sender=None, request=None)

    assert (connection.connection is None) is is_closed
