"""A signing key that no `SECRET_KEY` of a process opens is none to it, and all else goes on."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.utils import timezone

from authpages.models import SigningKey
from authpages.services.signing_keys import PUBLISHED_AHEAD, drop_private_halves, keep_signing_keys, publish_next_key
from authpages.signing_keys import BELIEVED_FOR, ES256, LOOK_AGAIN_SECONDS, RS256, current_key, find_key, seal_new_key
from authpages.tokens import forget_keys
from tests.authpages.key_times import clock, is_taken, new_token
from tests.conftest import Api

__all__ = ["clock"]
pytestmark = pytest.mark.django_db
OTHER = "another-key-that-is-long-enough-to-be-taken-for-one"


@pytest.fixture
def seal_elsewhere(settings: Any) -> Callable[[], bytes]:
    """Seals a new key with a `SECRET_KEY` that this process has not."""

    def seal() -> bytes:
        ours, settings.SECRET_KEY = settings.SECRET_KEY, OTHER
        sealed = seal_new_key(RS256)
        settings.SECRET_KEY = ours
        return sealed

    return seal


def _published(api: Api) -> set[str]:
    answer = api.client.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    return {key["kid"] for key in answer.json()["keys"]}


def test_nobody_can_plant_a_public_key_that_we_believe(api: Api):
    api.sign_up()
    token = new_token(api)
    planted = SigningKey.objects.create(public_key=b"-----BEGIN PUBLIC KEY-----", is_current=False)
    forget_keys()

    assert str(planted.pk) not in _published(api)
    with pytest.raises(KeyError):
        find_key(str(planted.pk))
    assert is_taken(api, token)


def test_a_key_of_who_has_another_secret_key_already_stops_nobody(
    api: Api, clock: Callable[[timedelta], None], settings: Any, caplog: pytest.LogCaptureFixture
):
    api.sign_up()
    token, ours = new_token(api), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER, [ours]
    published = publish_next_key(RS256)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = ours, []
    assert published

    for _ in range(3):
        clock(timedelta(seconds=LOOK_AGAIN_SECONDS))
        assert is_taken(api, token)
        assert is_taken(api, new_token(api))
        assert str(published.pk) not in _published(api)

    [told] = [record.getMessage() for record in caplog.records if record.name == "fastgen.signing_keys"]
    assert str(published.pk) in told
    assert "SECRET_KEY_FALLBACKS" in told


def test_a_key_that_stays_closed_never_comes_to_sign(
    api: Api, clock: Callable[[timedelta], None], seal_elsewhere: Callable[[], bytes]
):
    api.sign_up()
    closed = SigningKey.objects.create(private_key=seal_elsewhere(), is_current=False)

    for wait in (timedelta(days=91), PUBLISHED_AHEAD, PUBLISHED_AHEAD):
        clock(wait)
        keep_signing_keys()
        clock(timedelta(seconds=LOOK_AGAIN_SECONDS))
        assert is_taken(api, new_token(api))

    closed.refresh_from_db()
    assert not closed.is_current
    assert SigningKey.objects.filter(algorithm=RS256, retired_at=None).count() == 2  # it, and who came after the first
    assert publish_next_key(RS256) != closed


def test_where_the_current_key_stays_closed_nothing_is_signed_and_no_other_key_made(
    api: Api, seal_elsewhere: Callable[[], bytes]
):
    api.sign_up()
    assert _published(api)
    SigningKey.objects.filter(algorithm=RS256).update(private_key=seal_elsewhere())
    forget_keys()

    with pytest.raises(ImproperlyConfigured, match="No SECRET_KEY that is given opens the signing key"):
        current_key()
    assert api.log_in().status_code == 500
    assert _published(api) == {str(SigningKey.objects.get(algorithm=ES256).pk)}
    assert SigningKey.objects.count() == 2


def test_a_current_key_that_stays_closed_can_be_replaced(
    api: Api, seal_elsewhere: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
):
    api.sign_up()
    SigningKey.objects.update(private_key=seal_elsewhere())
    monkeypatch.setattr("authpages.management.commands.rotate_signing_keys.time.sleep", lambda _seconds: None)

    call_command("rotate_signing_keys", "--now", stdout=StringIO())
    forget_keys()

    assert is_taken(api, new_token(api))


def test_private_halves_are_deleted_of_all_keys_but_those(api: Api, seal_elsewhere: Callable[[], bytes]):
    long_ago = timezone.now() - BELIEVED_FOR - timedelta(minutes=1)
    for sealed in (seal_elsewhere(), seal_new_key(RS256)):
        SigningKey.objects.create(private_key=sealed, is_current=False, retired_at=long_ago)

    drop_private_halves()

    assert [key.private_key is None for key in SigningKey.objects.order_by("pk")] == [False, True]
