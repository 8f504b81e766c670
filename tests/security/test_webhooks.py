"""Checklist, everything else: calls that people can have made (46), and what the log of calls tells (47)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from authpages.services.auth_requests import resolve_due
from events.models import FinishedDelivery, Trial
from events.services.sequencing import sequence_events
from events.services.url_checks import check_endpoint
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import Api
from tests.events.conftest import work_until
from tests.receivers import Receiver, answer, echo

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = "hunter2-hunter2-hunter2"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def _create(caller: Api, receiver: Receiver, **members: Any) -> Any:
    return caller.post("/webhooks", {"url": receiver.url + "/hook", "events": ["auth.*"], **members}).json()


def test_46_neither_a_test_nor_a_replay_nor_a_look_at_a_url_leads_inside(
    key: Callable[..., Api], receiver: Receiver, settings: Any
) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS, settings.WEBHOOK_RETRY_SECONDS = True, []
    caller = key("*")
    Api().sign_up()
    while sequence_events():
        pass
    webhook = _create(caller, receiver)
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False

    caller.post(f"/webhooks/{webhook['id']}/test")
    replayed = caller.post(f"/webhooks/{webhook['id']}/replay", {"from": "1970-01-01T00:00:00Z"}).json()["total"]
    dead = FinishedDelivery.objects.filter(subscriber=webhook["id"], state="dead")
    work_until(lambda: Trial.objects.filter(delivered=False).exists() and dead.count() == replayed)
    checks = [check_endpoint(url=f"http://{host}/", origin=COMMAND_LINE) for host in ("127.0.0.1", "[::1]", "10.1.1.1")]

    assert receiver.calls == []
    assert {check.verdict for check in checks} == {"bad"}
    assert dead.count() == replayed


def test_46_a_redirect_leads_nowhere(key: Callable[..., Api], receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True
    receiver.on("/hook", answer(302, location=receiver.url + "/inside"))
    webhook = _create(key("*"), receiver)

    key("*").post(f"/webhooks/{webhook['id']}/test")
    work_until(lambda: Trial.objects.filter(delivered=False).exists())
    check_endpoint(url=receiver.url + "/hook", origin=COMMAND_LINE)

    assert {call.path for call in receiver.calls} == {"/hook"}


def test_47_the_log_of_calls_tells_no_secret_even_where_the_receiver_repeats_it(
    key: Callable[..., Api], api: Api, receiver: Receiver, mailed: Callable[[str], str], settings: Any
) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True
    caller = key("*")
    receiver.on("/hook", echo)
    webhook = _create(caller, receiver, includeSecrets=True, headers={"Authorization": f"Bearer {HEADER}"})
    api.sign_up()
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    tokens = [mailed("auth.email_verificationRequested"), mailed("auth.password_reset")]
    work_until(lambda: FinishedDelivery.objects.filter(subscriber=webhook["id"]).count() >= 3)

    items = caller.get(f"/webhooks/{webhook['id']}/deliveries").json()["items"]
    written = json.dumps([items, *(caller.get(f"/deliveries/{item['id']}").json() for item in items)])

    sent = b"".join(call.body for call in receiver.calls).decode()
    signatures = [call.headers["webhook-signature"] for call in receiver.calls]
    assert all(token in sent for token in tokens)
    assert {call.headers["authorization"] for call in receiver.calls} == {f"Bearer {HEADER}"}
    assert [secret for secret in (*tokens, *signatures, HEADER, webhook["secret"]) if secret in written] == []
