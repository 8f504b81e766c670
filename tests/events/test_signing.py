"""Real Standard Webhooks libraries accept our calls, and nothing else."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from django.utils import timezone

from events.models import FinishedDelivery, Webhook
from events.services.webhooks import create_webhook
from events.signing import make_secret, shown_secret, signed_headers
from fastgen_backend.origin import COMMAND_LINE
from fastgen_backend.vault import decrypt, encrypt
from tests.events.conftest import happen, work_until
from tests.receivers import Receiver

LIBRARIES = [standardwebhooks.Webhook, svix.webhooks.Webhook]
BODY = '{"id":"evt_1","data":{"name":"Zoë"}}'.encode()
Library = Callable[[str], Any]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_call_is_verified_by(library: Library):
    secret = make_secret()

    headers = signed_headers("evt_1", int(time.time()), BODY, [secret])

    library(shown_secret(secret)).verify(BODY, headers)  # raises where it is not ours
    assert headers["webhook-id"] == "evt_1"


@pytest.mark.parametrize("library", LIBRARIES)
def test_after_a_rotation_a_call_is_verified_with_the_old_secret_and_the_new(library: Library):
    new, old = make_secret(), make_secret()

    headers = signed_headers("evt_1", int(time.time()), BODY, [new, old])

    library(shown_secret(new)).verify(BODY, headers)  # raises where it is not ours
    library(shown_secret(old)).verify(BODY, headers)
    assert headers["webhook-signature"].count(" ") == 1


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("changed", [{"body": b"{}"}, {"message_id": "evt_2"}, {"timestamp": 1}, {"keys": [bytes(32)]}])
def test_a_call_that_was_changed_is_refused(library: Library, changed: dict[str, Any]):
    secret = make_secret()
    sent: dict[str, Any] = {"message_id": "evt_1", "timestamp": int(time.time()), "body": BODY, "keys": [secret]}
    headers = signed_headers(**sent | changed)
    if "message_id" in changed:
        headers["webhook-id"] = "evt_1"

    with pytest.raises((standardwebhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError)):
        library(shown_secret(secret)).verify(BODY, headers)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("library", LIBRARIES)
def test_what_a_receiver_gets_is_verified_with_the_secret_it_was_shown(library: Library, receiver: Receiver):
    secret = create_webhook(url=receiver.url + "/", filters=["*"], origin=COMMAND_LINE, may_see_secrets=False).secret
    happen(customer="Zoë")

    work_until(FinishedDelivery.objects.exists)

    (call,) = receiver.calls
    library(secret).verify(call.body, call.headers)  # raises where it is not ours
    assert json.loads(call.body)["data"] == {"customer": "Zoë"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("hours", "signatures"), [(1, 2), (-1, 1)])
def test_a_retired_secret_signs_until_its_time_is_over(
    hours: int, signatures: int, subscribe: Callable[..., Webhook], receiver: Receiver
):
    webhook = subscribe()
    webhook.retired_secret, webhook.sealed_secret = webhook.sealed_secret, encrypt(make_secret())
    webhook.retired_until = timezone.now() + timedelta(hours=hours)
    webhook.save()
    happen()

    work_until(FinishedDelivery.objects.exists)

    (call,) = receiver.calls
    new = shown_secret(decrypt(bytes(webhook.sealed_secret)))
    assert len(call.headers["webhook-signature"].split(" ")) == signatures
    assert standardwebhooks.Webhook(new).verify(call.body, call.headers)
