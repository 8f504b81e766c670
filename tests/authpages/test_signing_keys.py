"""Signing keys follow each other, and no token that was good becomes bad, but where a key got into other hands."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from authpages import signing_keys
from authpages.models import SigningKey
from authpages.services.signing_keys import (
    JWKS_SECONDS,
    PUBLISHED_AHEAD,
    keep_signing_keys,
    publish_new_keys,
    publish_next_key,
    replace_keys,
    take_back_keys,
)
from authpages.signing_keys import ES256, LOOK_AGAIN_SECONDS, RS256, UNKNOWN_SECONDS, believed_for, find_past_key
from authpages.tokens import forget_keys
from events.housekeeping import keep_house
from fastgen_backend import vault
from tests.conftest import Api, together

pytestmark = pytest.mark.django_db
A_MOMENT = timedelta(seconds=1)


class Elsewhere:
    """Somebody who verifies our tokens by the JWKS that they fetched, and kept."""

    def __init__(self, api: Api) -> None:
        self.known = KeySet.import_key_set(api.client.get("/.well-known/jwks.json").json())

    def believes(self, token: str) -> bool:
        try:
            return bool(jwt.decode(token, self.known, algorithms=["RS256", "ES256"]))
        except JoseError:
            return False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Lets time pass for the keys: they become older, and processes look again."""

    def pass_by(time: timedelta) -> None:
        for key in SigningKey.objects.all():
            key.created_at -= time
            key.retired_at = key.retired_at and key.retired_at - time
            key.save()
        passed.append(time.total_seconds())

    passed: list[float] = []
    ours = SimpleNamespace(monotonic=lambda: monotonic() + sum(passed))
    monkeypatch.setattr("authpages.signing_keys.time", ours)
    return pass_by


def _token(api: Api) -> str:
    return str(api.log_in().json()["session"]["accessToken"])


def _kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def _is_taken(api: Api, token: str) -> bool:
    status = api.call("GET", "/auth/me", authorization=f"Bearer {token}").status_code
    assert status in {200, 401}
    return bool(status == 200)


def test_tokens_of_before_and_after_are_good_at_every_step(api: Api, clock: Callable[[timedelta], None]):
    api.sign_up()
    before = _token(api)
    steps: list[tuple[bool, bool, bool]] = []

    def look() -> None:
        newest = _token(api)
        steps.append((_is_taken(api, before), _is_taken(api, newest), elsewhere.believes(newest)))

    elsewhere = Elsewhere(api)
    publish_next_key(RS256)
    look()
    clock(timedelta(seconds=JWKS_SECONDS))
    elsewhere = Elsewhere(api)
    look()
    clock(timedelta(seconds=JWKS_SECONDS))
    keep_signing_keys()
    look()
    clock(timedelta(seconds=LOOK_AGAIN_SECONDS))
    look()

    assert steps == [(True,) * 3] * 4
    assert _kid_of(_token(api)) != _kid_of(before)
    assert Elsewhere(api).believes(before)


def test_a_new_key_does_not_sign_before_everyone_can_know_it(api: Api, clock: Callable[[timedelta], None]):
    api.sign_up()
    first = _kid_of(_token(api))
    following = publish_next_key(RS256)

    clock(PUBLISHED_AHEAD - A_MOMENT)
    keep_signing_keys()
    too_early = _kid_of(_token(api))
    clock(A_MOMENT + A_MOMENT)
    keep_signing_keys()
    clock(timedelta(seconds=LOOK_AGAIN_SECONDS))

    assert following
    assert (too_early, _kid_of(_token(api))) == (first, str(following.pk))
    assert timedelta(seconds=JWKS_SECONDS + LOOK_AGAIN_SECONDS) < PUBLISHED_AHEAD


def test_what_a_process_signs_that_has_not_looked_yet_is_good_to_its_end(
    api: Api, clock: Callable[[timedelta], None], settings: Any
):
    api.sign_up()
    publish_next_key(RS256)
    clock(PUBLISHED_AHEAD)
    first = _kid_of(_token(api))
    keep_signing_keys()
    late = _token(api)
    retired = SigningKey.objects.get(pk=first).retired_at
    assert retired

    forget_keys()
    SigningKey.objects.filter(pk=first).update(retired_at=timezone.now() - believed_for() + A_MOMENT)

    assert _kid_of(late) == first
    assert _is_taken(api, late)
    assert believed_for() > timedelta(seconds=settings.ACCESS_TOKEN_SECONDS + LOOK_AGAIN_SECONDS)


@pytest.mark.parametrize(("days", "age", "keys"), [(90, 91, 2), (90, 89, 1), (0, 1000, 1), (30, 31, 2)])
def test_a_key_is_followed_after_so_many_days(
    api: Api, clock: Callable[[timedelta], None], settings: Any, days: int, age: int, keys: int
):
    settings.SIGNING_KEY_DAYS = days
    api.sign_up()
    clock(timedelta(days=age))

    keep_house()
    keep_house()

    assert SigningKey.objects.filter(algorithm=RS256).count() == keys
    assert SigningKey.objects.filter(is_current=True).count() == 1


def test_a_key_without_use_has_no_private_half_and_knows_whom_it_was_about(
    api: Api, clock: Callable[[timedelta], None]
):
    api.sign_up()
    token = _token(api)
    kid = _kid_of(token)
    publish_next_key(RS256)
    clock(PUBLISHED_AHEAD)
    keep_signing_keys()

    clock(believed_for() + A_MOMENT)
    keep_signing_keys()

    row = SigningKey.objects.get(pk=kid)
    assert row.private_key is None
    assert b"PRIVATE" not in vault.decrypt(bytes(row.public_key or b""))
    assert not find_past_key(kid).is_private
    assert jwt.decode(token, find_past_key(kid)).claims["email"] == "ann@example.com"
    assert not _is_taken(api, token)
    assert not Elsewhere(api).believes(token)


def test_a_key_is_gone_when_no_session_of_its_time_can_live(
    api: Api, clock: Callable[[timedelta], None], settings: Any
):
    api.sign_up()
    first = SigningKey.objects.get()
    publish_next_key(RS256)
    clock(PUBLISHED_AHEAD)
    keep_signing_keys()
    clock(timedelta(days=settings.SESSION_DAYS) + believed_for() - A_MOMENT)
    settings.SIGNING_KEY_DAYS = 0

    keep_signing_keys()
    there_before = SigningKey.objects.filter(pk=first.pk).exists()
    clock(A_MOMENT + A_MOMENT)
    keep_signing_keys()

    assert there_before
    assert not SigningKey.objects.filter(pk=first.pk).exists()


def test_nobody_can_plant_a_public_key_that_we_believe(api: Api):
    api.sign_up()
    SigningKey.objects.create(public_key=b"-----BEGIN PUBLIC KEY-----", is_current=False, retired_at=timezone.now())
    forget_keys()

    assert api.client.get("/.well-known/jwks.json").status_code == 500


def test_where_a_key_is_published_already_no_other_is_made(api: Api):
    api.sign_up()

    assert publish_next_key(RS256) == publish_next_key(RS256)
    assert SigningKey.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_workers_that_keep_house_at_once_let_one_key_follow():
    Api().sign_up()
    first = SigningKey.objects.get()
    SigningKey.objects.update(created_at=timezone.now() - timedelta(days=91))

    together(lambda _: keep_signing_keys(), 4)
    published = SigningKey.objects.exclude(pk=first.pk).get()
    SigningKey.objects.filter(pk=published.pk).update(created_at=timezone.now() - PUBLISHED_AHEAD)
    together(lambda _: keep_signing_keys(), 4)

    assert SigningKey.objects.get(is_current=True) == published
    assert [key.pk for key in SigningKey.objects.filter(retired_at__isnull=False)] == [first.pk]
    assert SigningKey.objects.count() == 2


# Where a key got into other hands -----------------------------------------------------------------------------------


def _replace_now(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any] = lambda: None) -> str:
    """Run the command; while it waits for processes to look again, `meanwhile` is called."""
    out = StringIO()

    def wait(seconds: float) -> None:
        if seconds > LOOK_AGAIN_SECONDS:
            meanwhile()

    monkeypatch.setattr("authpages.management.commands.rotate_signing_keys.time.sleep", wait)
    call_command("rotate_signing_keys", "--now", stdout=out)
    return out.getvalue()


def test_a_key_that_leaked_is_believed_no_more_and_clients_refresh(
    api: Api, clock: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
):
    session = api.sign_up()["session"]
    assert _is_taken(api, session["accessToken"])  # this process remembers that it verified it

    told = _replace_now(monkeypatch)
    clock(timedelta(seconds=LOOK_AGAIN_SECONDS))

    refreshed = api.post("/auth/refresh", {"refreshToken": session["refreshToken"]}).json()["session"]
    assert not _is_taken(api, session["accessToken"])
    assert _is_taken(api, refreshed["accessToken"])
    assert Elsewhere(api).believes(refreshed["accessToken"])
    assert not Elsewhere(api).believes(session["accessToken"])
    assert "clients refresh, and nobody is logged out" in told
    assert set(SigningKey.objects.values_list("algorithm", "is_current")) == {(RS256, True), (ES256, True)}


def test_what_is_signed_while_the_command_waits_is_believed_then(
    api: Api, clock: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
):
    api.sign_up()
    before, late, taken = _token(api), [], []

    def meanwhile() -> None:
        late.append(_token(api))  # of this process, which has not looked yet
        forget_keys()  # as another process, which has just begun
        taken.extend([_is_taken(api, late[0]), _is_taken(api, _token(api))])

    _replace_now(monkeypatch, meanwhile)

    assert _kid_of(late[0]) == _kid_of(before)
    assert taken == [True, True]


def test_when_keys_are_taken_back_every_process_signs_with_the_new_one(
    api: Api, clock: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
):
    api.sign_up()
    slept: list[float] = []
    monkeypatch.setattr("authpages.management.commands.rotate_signing_keys.time.sleep", slept.append)

    call_command("rotate_signing_keys", "--now", stdout=StringIO())
    clock(timedelta(seconds=slept[1]))

    assert slept[0] > UNKNOWN_SECONDS
    assert slept[1] > LOOK_AGAIN_SECONDS
    assert _is_taken(api, _token(api))


def test_a_new_key_that_is_unknown_here_is_looked_for_at_once(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.sign_up()
    here = signing_keys._keys
    _token(api)

    monkeypatch.setattr(signing_keys, "_keys", signing_keys._Keys())  # another process
    replace_keys(publish_new_keys())
    there = _token(api)
    monkeypatch.setattr(signing_keys, "_keys", here)

    assert _is_taken(api, there)


def test_keys_that_are_published_or_retired_are_taken_back_too(api: Api):
    api.sign_up()
    publish_next_key(RS256)
    replace_keys(publish_new_keys())

    assert take_back_keys() == 2
    assert SigningKey.objects.filter(is_current=True).count() == SigningKey.objects.count() == 2


def test_who_replaces_keys_is_told_where_somebody_else_took_them_back(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.sign_up()
    monkeypatch.setattr("authpages.management.commands.rotate_signing_keys.time.sleep", lambda _: take_back_keys())

    with pytest.raises(CommandError, match="Run this again"):
        call_command("rotate_signing_keys", "--now", stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_who_replaces_keys_while_workers_rotate_has_the_last_word():
    Api().sign_up()
    SigningKey.objects.update(created_at=timezone.now() - timedelta(days=91))
    first = SigningKey.objects.get()
    publish_next_key(RS256)
    SigningKey.objects.exclude(pk=first.pk).update(created_at=timezone.now() - PUBLISHED_AHEAD)
    old = set(SigningKey.objects.values_list("pk", flat=True))

    together(lambda number: replace_keys(publish_new_keys()) if number == 0 else keep_signing_keys(), 4)
    take_back_keys()

    current = set(SigningKey.objects.filter(algorithm=RS256).values_list("pk", flat=True))
    assert len(current) == 1
    assert not current & old


# The command without --now ------------------------------------------------------------------------------------------


def test_the_command_publishes_a_key_of_each_algorithm_and_says_when_it_signs(db: None):
    out = StringIO()

    call_command("rotate_signing_keys", stdout=out)
    call_command("rotate_signing_keys", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[:2] == lines[2:]
    assert [line[:7] for line in lines[:2]] == ["RS256: ", "ES256: "]
    assert "is published. It signs from " in lines[0]
    assert SigningKey.objects.filter(is_current=False, retired_at=None).count() == 2
