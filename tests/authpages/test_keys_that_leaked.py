"""A key got into other hands: new ones sign within seconds, no token of the old is believed, nobody is logged out."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from authpages import signing_keys
from authpages.models import SigningKey
from authpages.services.signing_keys import (
    PUBLISHED_AHEAD,
    keep_signing_keys,
    publish_new_keys,
    publish_next_key,
    replace_keys,
    take_back_keys,
)
from authpages.signing_keys import ES256, LOOK_AGAIN_SECONDS, RS256, UNKNOWN_SECONDS
from authpages.tokens import forget_keys
from tests.authpages.key_times import Elsewhere, clock, is_taken, kid_of, new_token
from tests.conftest import Api, together

__all__ = ["clock"]
pytestmark = pytest.mark.django_db
A_MOMENT = timedelta(minutes=1)


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
    assert is_taken(api, session["accessToken"])  # this process remembers that it verified it

    told = _replace_now(monkeypatch)
    clock(timedelta(seconds=LOOK_AGAIN_SECONDS))

    refreshed = api.post("/auth/refresh", {"refreshToken": session["refreshToken"]}).json()["session"]
    assert not is_taken(api, session["accessToken"])
    assert is_taken(api, refreshed["accessToken"])
    assert Elsewhere(api).believes(refreshed["accessToken"])
    assert not Elsewhere(api).believes(session["accessToken"])
    assert "Clients refresh, and nobody is logged out" in told
    assert set(SigningKey.objects.values_list("algorithm", "is_current")) == {(RS256, True), (ES256, True)}


def test_what_is_signed_while_the_command_waits_is_believed_then(
    api: Api, clock: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(signing_keys, "LOOK_AGAIN_SECONDS", 60)  # however slow this machine is
    api.sign_up()
    before, late, taken = new_token(api), [], []

    def meanwhile() -> None:
        late.append(new_token(api))  # of this process, which has not looked yet
        forget_keys()  # as another process, which has just begun
        taken.extend([is_taken(api, late[0]), is_taken(api, new_token(api))])

    _replace_now(monkeypatch, meanwhile)

    assert kid_of(late[0]) == kid_of(before)
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
    assert is_taken(api, new_token(api))


def test_a_new_key_that_is_unknown_here_is_looked_for_at_once(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.sign_up()
    here = signing_keys._keys
    new_token(api)

    monkeypatch.setattr(signing_keys, "_keys", signing_keys._Keys())  # another process
    replace_keys(publish_new_keys())
    there = new_token(api)
    monkeypatch.setattr(signing_keys, "_keys", here)

    assert is_taken(api, there)


def test_each_process_publishes_a_new_key_before_it_signs(api: Api, clock: Callable[[timedelta], None]):
    Elsewhere(api)  # this process has looked just now
    keys = publish_new_keys()
    clock(timedelta(seconds=UNKNOWN_SECONDS + 1))  # so long the command waits

    replace_keys(keys)
    published = {key.kid for key in Elsewhere(api).known}

    assert {str(key.pk) for key in keys} <= published


def test_keys_that_are_published_or_retired_are_taken_back_too(api: Api):
    api.sign_up()
    publish_next_key(RS256)
    keys = publish_new_keys()
    replace_keys(keys)

    assert SigningKey.objects.count() == 4
    assert take_back_keys(keys)
    assert SigningKey.objects.filter(is_current=True).count() == SigningKey.objects.count() == 2


def test_who_replaces_keys_is_told_where_somebody_else_took_them_back(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.sign_up()
    monkeypatch.setattr("authpages.management.commands.rotate_signing_keys.time.sleep", lambda _: take_back_keys([]))

    with pytest.raises(CommandError, match="Run this again"):
        call_command("rotate_signing_keys", "--now", stdout=StringIO())


def test_keys_are_replaced_all_together_or_not_at_all(api: Api):
    api.sign_up()
    signing = set(SigningKey.objects.filter(is_current=True))
    keys = publish_new_keys()
    keys[1].delete()

    assert not replace_keys(keys)
    assert set(SigningKey.objects.filter(is_current=True)) == signing


def test_keys_that_somebody_else_replaced_meanwhile_are_not_taken_back(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.sign_up()
    tokens: list[str] = []

    def meanwhile() -> None:
        forget_keys()
        tokens.append(new_token(api))  # signed with what the command has published
        replace_keys(publish_new_keys())

    with pytest.raises(CommandError, match="Somebody else replaced the keys"):
        _replace_now(monkeypatch, meanwhile)
    forget_keys()

    assert is_taken(api, tokens[0])
    assert SigningKey.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_of_several_who_replace_keys_at_once_the_last_one_is_done():
    Api().sign_up()
    done: list[bool] = []

    def replace_and_take_back(_number: int) -> None:
        keys = publish_new_keys()
        if replace_keys(keys) and take_back_keys(keys):
            done.append(True)

    together(replace_and_take_back, 4)

    assert SigningKey.objects.filter(is_current=True).count() == 2
    assert done


@pytest.mark.django_db(transaction=True)
def test_who_replaces_keys_while_workers_rotate_has_the_last_word():
    Api().sign_up()
    SigningKey.objects.update(created_at=timezone.now() - timedelta(days=91))
    first = SigningKey.objects.get()
    publish_next_key(RS256)
    SigningKey.objects.exclude(pk=first.pk).update(created_at=timezone.now() - PUBLISHED_AHEAD)
    old = set(SigningKey.objects.values_list("pk", flat=True))

    keys = publish_new_keys()

    together(lambda number: replace_keys(keys) if number == 0 else keep_signing_keys(), 4)
    taken_back = take_back_keys(keys)

    current = set(SigningKey.objects.filter(algorithm=RS256).values_list("pk", flat=True))
    assert taken_back
    assert len(current) == 1
    assert not current & old
