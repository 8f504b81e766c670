"""`/readyz`: whether the installation can do its work, told to any probe, without a secret and at no cost."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from events.api.operators import readiness
from events.models import Worker
from events.services import leases
from fastgen_backend.vault import verify_key
from tests.processes import PATIENCE

pytestmark = pytest.mark.django_db
WELL = {"database": "ok", "migrations": "ok", "worker": "ok", "key": "ok"}


@pytest.fixture(autouse=True)
def running() -> Iterator[None]:
    """A worker that lives, and a key that was checked."""
    verify_key()
    leases.register_worker()
    readiness.forget()
    yield
    readiness.forget()


def _ask(host: str = "10.0.0.7:8000") -> Any:
    return Client(raise_request_exception=False).get("/readyz", headers={"host": host})


def test_an_installation_that_works_is_ready_under_any_name():
    answer = _ask()

    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "checks": WELL})
    assert answer["Cache-Control"] == "no-store"


def test_a_probe_speaks_plain_http_to_a_public_installation(settings: Any):
    settings.SECURE_SSL_REDIRECT = True

    assert _ask().status_code == 200


def test_without_a_worker_it_is_not_ready():
    Worker.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=31))

    answer = _ask()

    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["checks"]["worker"].startswith("No worker has given a sign of life for 30 s")


def test_with_another_key_it_is_not_ready(settings: Any):
    settings.SECRET_KEY = "another-key-that-is-long-enough-to-be-taken-for-one"

    answer = _ask()

    assert (answer.status_code, answer.json()["checks"]["key"]) == (
        503,
        "SECRET_KEY does not open this database’s secrets.",
    )


def test_a_missing_migration_is_named_and_one_of_a_newer_version_does_no_harm():
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("events", "0001_the_beginning")
    recorder.record_applied("events", "9999_from_the_future")

    answer = _ask()

    assert answer.status_code == 503
    assert answer.json()["checks"].keys() == {"database", "migrations"}
    assert "events.0001_the_beginning" in answer.json()["checks"]["migrations"]


def test_a_database_that_is_away_is_told_without_its_address(monkeypatch: pytest.MonkeyPatch, caplog: Any):
    def refuse() -> str:
        raise OperationalError("connection to server at 10.1.2.3, user fastgen, failed")

    monkeypatch.setattr("events.services.readiness._database", refuse)
    caplog.set_level(logging.CRITICAL, "fastgen.readiness")

    answer = _ask()

    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "The database does not answer."})


def test_while_the_database_hangs_probes_are_told_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("events.api.operators.readiness", Mock(read=Mock(side_effect=TimeoutError)))

    answer = _ask()

    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "The database does not answer."})


def test_who_asks_often_costs_nothing(django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(readiness, "_seconds", PATIENCE)
    _ask()

    with django_assert_num_queries(0):
        assert _ask().status_code == 200
