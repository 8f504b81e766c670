"""PostgreSQL hangs up, as it does when it restarts or a firewall forgets a connection: nobody notices."""

import os
from collections.abc import Callable
from http import HTTPStatus

import httpx
import pytest

from tests.chaos.conftest import EVENTS, Installation, assert_promises_are_kept
from tests.processes import Running, query, wait_for
from tests.receivers import Receiver

pytestmark = pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"),
    reason="SQLite is a file: there is no connection that its server could cut",
)
CUT = "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = current_database()"
OTHERS = f"{CUT} AND pid <> pg_backend_pid()"


def test_a_web_process_whose_idle_postgresql_connection_was_cut_answers_the_next_request(
    start: Callable[..., Running], database_url: str
) -> None:
    up = start(WEB_PROCESSES="1", WEB_THREADS="1")
    assert wait_for(up.is_ready), up.err.read_text()
    assert httpx.get(f"{up.url}/login").status_code == HTTPStatus.OK

    cut = query(database_url, f"{OTHERS} AND query LIKE '%authpages_hostedauthsettings%'")

    assert cut == [(True,)]
    assert [httpx.get(f"{up.url}/login").status_code for _ in range(3)] == [HTTPStatus.OK] * 3
    assert up.err.read_text() == ""


def test_a_worker_whose_postgresql_connections_were_all_cut_goes_on(
    installation: Installation, receiver: Receiver
) -> None:
    worker = installation.start_worker()
    installation.happen(count=1)
    receiver.wait_for(1)

    cut = installation.query(OTHERS)
    installation.happen(count=EVENTS - 1)

    assert len(cut) > 1
    assert wait_for(lambda: installation.count("events_finisheddelivery") == EVENTS)
    assert worker.poll() is None
    assert_promises_are_kept(installation, receiver)
