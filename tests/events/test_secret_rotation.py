"""A webhook's secret is changed without a call that its receiver can't verify."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from events.models import FinishedDelivery, Webhook
from tests.conftest import Api
from tests.events.conftest import happen, work_until
from tests.receivers import Call, Receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    return key("webhooks:read", "webhooks:write")


@pytest.fixture
def created(caller: Api, receiver: Receiver) -> Any:
    return caller.post("/webhooks", {"url": receiver.url + "/hook", "events": ["custom.*"]}).json()


def _rotate(caller: Api, created: Any) -> str:
    return str(caller.post(f"/webhooks/{created['id']}/rotate-secret").json()["secret"])


def _call(receiver: Receiver) -> Call:
    happen()
    work_until(FinishedDelivery.objects.exists)
    return receiver.at("/hook")[-1]


def _verifies(secret: str, call: Call) -> bool:
    try:
        Verifier(secret).verify(call.body, call.headers)
    except WebhookVerificationError:
        return False
    return True


def test_the_new_secret_is_told_once_with_the_webhook(caller: Api, created: Any):
    answer = caller.post(f"/webhooks/{created['id']}/rotate-secret")

    read = caller.get(f"/webhooks/{created['id']}").json()
    secret = answer.json()["secret"]
    assert answer.status_code == 200
    assert secret.startswith("whsec_")
    assert secret != created["secret"]
    assert {**answer.json(), "secret": None} == {**read, "secret": None}
    assert "secret" not in read


def test_a_call_is_verified_by_the_new_secret_and_the_one_before(caller: Api, created: Any, receiver: Receiver):
    new = _rotate(caller, created)

    call = _call(receiver)

    assert [_verifies(secret, call) for secret in (created["secret"], new)] == [True, True]


def test_after_24_hours_only_the_new_one_signs(caller: Api, created: Any, receiver: Receiver):
    new = _rotate(caller, created)
    webhook = Webhook.objects.get()
    assert webhook.retired_until
    assert timedelta(hours=23, minutes=59) < webhook.retired_until - timezone.now() <= timedelta(hours=24)
    Webhook.objects.update(retired_until=timezone.now())

    call = _call(receiver)

    assert [_verifies(secret, call) for secret in (created["secret"], new)] == [False, True]


def test_a_second_rotation_meanwhile_drops_the_oldest(caller: Api, created: Any, receiver: Receiver):
    second, third = _rotate(caller, created), _rotate(caller, created)

    call = _call(receiver)

    assert [_verifies(secret, call) for secret in (created["secret"], second, third)] == [False, True, True]


def test_who_only_reads_webhooks_rotates_nothing(created: Any, key: Callable[..., Api]):
    before = bytes(Webhook.objects.get().sealed_secret)

    answer = key("webhooks:read", "events:write").post(f"/webhooks/{created['id']}/rotate-secret")

    assert answer.status_code == 403
    assert bytes(Webhook.objects.get().sealed_secret) == before
