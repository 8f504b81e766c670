"""`/metrics`: figures in the format of Prometheus, for this machine and for keys that may read them."""

import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from events.api.operators import measured
from events.models import Delivery, Event, Subscriber, Webhook
from events.services import leases
from events.services.recording import record_custom_event
from events.services.sequencing import sequence_events
from events.services.webhooks import create_webhook
from fastgen_backend.origin import COMMAND_LINE
from fastgen_backend.version import VERSION
from tests.conftest import PROJECT, Api
from tests.processes import PATIENCE

pytestmark = pytest.mark.django_db
LOCAL = "127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _measured_anew() -> Iterator[None]:
    measured.forget()
    yield
    measured.forget()


def _ask(*, host: str = LOCAL, peer: str = "127.0.0.1", **headers: str) -> Any:
    return Client(REMOTE_ADDR=peer).get("/metrics", headers={"host": host, **headers})


def _figures() -> dict[str, float]:
    answer = _ask()
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = [each for family in text_string_to_metric_families(answer.content.decode()) for each in family.samples]
    return {"".join([each.name, *(f":{value}" for value in each.labels.values())]): each.value for each in samples}


def test_what_happens_is_counted(api: Api):
    api.sign_up()
    api.log_in()
    create_webhook(url="http://127.0.0.1:9/", filters=["custom.*"], origin=COMMAND_LINE, may_see_secrets=False)
    for _ in range(4):
        record_custom_event(type="custom.a", data={}, origin=COMMAND_LINE)
    sequence_events()
    record_custom_event(type="custom.a", data={}, origin=COMMAND_LINE)
    first, second, *_rest = Delivery.objects.order_by("sequence")
    Delivery.objects.filter(pk=first.pk).update(worker=leases.register_worker())
    Delivery.objects.filter(pk=second.pk).update(due_at=timezone.now() + timedelta(hours=1))

    found = _figures()

    assert found["fastgen_events_total"] == Event.objects.exclude(position=None).count()
    assert (found["fastgen_events_unsequenced"], found["fastgen_workers"]) == (1, 1)
    assert (found["fastgen_users"], found["fastgen_sessions"]) == (1, 2)
    pending = {state: found[f"fastgen_deliveries_pending:{state}"] for state in ("due", "waiting", "in_flight", "held")}
    assert pending == {"due": 2, "waiting": 1, "in_flight": 1, "held": 0}
    assert 0 < found["fastgen_deliveries_late_seconds"] < PATIENCE
    assert found["fastgen_webhooks:healthy"] == 1
    assert (found["fastgen_sign_ups_total"], found["fastgen_webhook_calls_total:failed"]) == (1, 0)
    assert (found["fastgen_logins_total:succeeded"], found["fastgen_logins_total:failed"]) == (1, 0)
    assert found[f"fastgen_build_info:{VERSION}"] == 1


def test_what_a_disabled_webhook_was_promised_is_held():
    create_webhook(url="http://127.0.0.1:9/", filters=["*"], origin=COMMAND_LINE, may_see_secrets=False)
    record_custom_event(type="custom.a", data={}, origin=COMMAND_LINE)
    sequence_events()
    Subscriber.objects.update(enabled=False)

    found = _figures()

    assert (found["fastgen_deliveries_pending:held"], found["fastgen_deliveries_late_seconds"]) == (1, 0)
    assert found["fastgen_webhooks:disabled"] == 1


def test_what_a_failing_webhook_holds_back_is_not_due():
    create_webhook(url="http://127.0.0.1:9/", filters=["*"], origin=COMMAND_LINE, may_see_secrets=False)
    record_custom_event(type="custom.a", data={}, origin=COMMAND_LINE)
    sequence_events()
    Webhook.objects.update(open_until=timezone.now() + timedelta(minutes=1))

    found = _figures()

    assert (found["fastgen_deliveries_pending:held"], found["fastgen_deliveries_pending:due"]) == (1, 0)


def test_what_waits_for_the_pace_of_its_webhook_is_not_late():
    create_webhook(url="http://127.0.0.1:9/", filters=["*"], origin=COMMAND_LINE, may_see_secrets=False)
    record_custom_event(type="custom.a", data={}, origin=COMMAND_LINE)
    sequence_events()
    Subscriber.objects.update(rate_per_second=1)

    found = _figures()

    assert (found["fastgen_deliveries_pending:due"], found["fastgen_deliveries_late_seconds"]) == (1, 0)


def test_an_empty_installation_has_figures_too():
    assert _figures()["fastgen_events_total"] == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"peer": "192.0.2.7"},
        {"host": "rebound.example"},  # a page that a browser on this machine was led to by the DNS
        {"x-forwarded-for": "192.0.2.7"},
        {"forwarded": "for=192.0.2.7"},
        {"via": "1.1 proxy"},
        {"x-real-ip": "192.0.2.7"},
    ],
)
def test_nobody_else_is_told_without_a_key(asked: dict[str, str]):
    answer = _ask(**asked)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_a_trusted_proxy_does_not_make_a_stranger_local(settings: Any):
    settings.TRUSTED_PROXIES = 1

    assert _ask(peer="10.0.0.1", **{"x-forwarded-for": "127.0.0.1"}).status_code == 401


def test_a_key_with_the_scope_is_told_under_any_name(key: Callable[..., Api]):
    bearer = {"authorization": f"Bearer {key('metrics:read').token}"}

    assert _ask(host="10.0.0.7:8000", peer="10.0.0.1", **bearer).status_code == 200


@pytest.mark.parametrize("scope", ["events:read", "settings:read"])
def test_a_key_without_it_is_not(key: Callable[..., Api], scope: str):
    answer = _ask(authorization=f"Bearer {key(scope).token}")

    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


def test_a_person_is_not(api: Api):
    api.sign_up()

    assert _ask(peer="192.0.2.7", authorization=f"Bearer {api.token}").status_code == 403


def test_scrapes_beside_each_other_are_counted_for_once(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(measured, "_seconds", PATIENCE)
    _ask()

    with django_assert_num_queries(0):
        assert _ask().status_code == 200


def test_one_web_process_tells_nothing_that_jumps_where_another_answers():
    assert not {"process_cpu_seconds_total", "process_start_time_seconds"} & _figures().keys()


def test_a_scraper_is_told_that_the_database_is_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("events.api.operators.measured", Mock(read=Mock(side_effect=TimeoutError)))
    hangs = _ask()
    monkeypatch.setattr("events.api.operators.measured", Mock(read=Mock(side_effect=_refused)))
    refuses = _ask()

    for answer in (hangs, refuses):
        assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")


def _refused() -> None:
    raise OperationalError("connection refused") from psycopg.OperationalError("connection refused")


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())

    assert project["project"]["version"] == VERSION
