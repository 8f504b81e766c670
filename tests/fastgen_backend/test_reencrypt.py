"""`manage.py reencrypt`: from one SECRET_KEY to another, without a secret lost or a session ended."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import models
from django.utils import timezone

from authpages.models import SigningKey
from authpages.services.signing_keys import drop_private_halves, publish_next_key
from authpages.signing_keys import RS256, published_keys
from authpages.tokens import forget_keys
from events.models import EventSecret, Webhook
from events.services.custom_headers import open_headers
from events.services.secrets import open_secret, webhook_keys
from events.services.webhooks import create_webhook, rotate_secret
from fastgen_backend import reencryption
from fastgen_backend.origin import COMMAND_LINE
from fastgen_backend.reencryption import sealed_fields
from fastgen_backend.vault import is_of_today, reseal, verify_key
from tests.conftest import Api

pytestmark = pytest.mark.django_db
OLD, NEW = "the-key-of-yesterday-that-is-long-enough", "the-key-of-today-that-is-long-enough-too"
HEADERS = {"authorization": "Bearer of-the-receiver"}


@pytest.fixture
def rotated(settings: Any, api: Api) -> Api:
    """Ann, logged in, a webhook with two secrets and a header, and a key of tokens that is retired: under the old key.

    The new one is given by now. Some keys of secrets are remembered by processes, so each test has webhooks of its own.
    """
    settings.SECRET_KEY = OLD
    verify_key()
    api.sign_up()
    publish_next_key(RS256)
    SigningKey.objects.filter(is_current=False).update(retired_at=timezone.now() - timedelta(days=2))
    drop_private_halves()
    webhook = create_webhook(
        url="http://127.0.0.1:9/", filters=["*"], origin=COMMAND_LINE, may_see_secrets=True, headers=HEADERS
    ).webhook
    rotate_secret(webhook_id=webhook.pk)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    return api


def _reencrypt() -> str:
    out = StringIO()
    call_command("reencrypt", stdout=out)
    return out.getvalue()


def _sealed() -> Iterator[bytes]:
    """Whatever looks sealed in any column of bytes, whether or not its column says so."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.BinaryField):
                for value in model._default_manager.exclude(**{field.name: None}).values_list(field.name, flat=True):
                    if bytes(value).startswith(b"gAAAA"):  # Fernet: its version and the time
                        yield bytes(value)


def test_the_old_key_can_be_taken_out_afterwards(rotated: Api, settings: Any):
    webhook = Webhook.objects.get()
    keys = webhook_keys(webhook)

    told = _reencrypt()

    settings.SECRET_KEY_FALLBACKS = []
    forget_keys()  # as in a new process
    webhook.refresh_from_db()
    assert told.startswith("7 secrets were sealed anew; SECRET_KEY alone opens everything.")
    assert rotated.get("/auth/me").status_code == 200
    assert webhook_keys(webhook) == keys
    assert open_headers(webhook.sealed_headers) == HEADERS
    assert open_secret(bytes(EventSecret.objects.get().sealed))["token"]
    assert len(published_keys()) == 2  # RS256 and ES256
    verify_key()


def test_nothing_that_is_sealed_anywhere_is_passed_over(rotated: Api):
    before = list(_sealed())

    _reencrypt()

    after = list(_sealed())
    assert len(before) == len(after) == 7
    assert not any(map(is_of_today, before))
    assert all(map(is_of_today, after))
    assert {field.name for _model, field in sealed_fields()} == {
        *("check_value", "private_key", "public_key", "sealed", "sealed_secret", "retired_secret", "sealed_headers")
    }


def test_it_goes_on_where_it_was_stopped_and_does_nothing_twice(rotated: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reencryption, "AT_ONCE", 1)
    create_webhook(url="http://127.0.0.1:9/", filters=["*"], origin=COMMAND_LINE, may_see_secrets=True)  # by the new
    real, left = reseal, [2]

    def stop_after_two(sealed: bytes) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(sealed)

    monkeypatch.setattr(reencryption, "reseal", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        _reencrypt()
    monkeypatch.setattr(reencryption, "reseal", real)

    assert _reencrypt().startswith("5 secrets were sealed anew")
    assert _reencrypt().startswith("0 secrets were sealed anew")


def test_what_somebody_writes_meanwhile_is_theirs(rotated: Api, monkeypatch: pytest.MonkeyPatch):
    real, webhook = reseal, Webhook.objects.get()
    secrets: list[str] = []

    def rotate_meanwhile(sealed: bytes) -> bytes:
        if sealed == bytes(webhook.sealed_secret) and not secrets:
            secrets.append(rotate_secret(webhook_id=webhook.pk).secret)
        return real(sealed)

    monkeypatch.setattr(reencryption, "reseal", rotate_meanwhile)

    _reencrypt()

    webhook.refresh_from_db()
    assert secrets
    assert all(map(is_of_today, _sealed()))


def test_what_opens_with_no_key_is_named(rotated: Api, capsys: pytest.CaptureFixture[str]):
    EventSecret.objects.update(sealed=Fernet(Fernet.generate_key()).encrypt(b"{}"))

    with pytest.raises(SystemExit) as end:
        _reencrypt()

    told = capsys.readouterr().err
    assert end.value.code == 1
    assert f"No key opens events.EventSecret {EventSecret.objects.get().pk} (sealed)." in told
    assert "6 secrets were sealed anew; 1 open with no key." in told


def test_without_it_the_old_key_is_missed(rotated: Api, settings: Any):
    settings.SECRET_KEY_FALLBACKS = []

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY does not open this database's secrets"):
        verify_key()
