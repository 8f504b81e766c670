"""Signing keys follow each other, and no token that was good becomes bad, but where a key got into other hands."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.utils import timezone
from joserfc import jwt

from authpages.models import SigningKey
from authpages.services.signing_keys import (
    JWKS_SECONDS,
    PUBLISHED_AHEAD,
    keep_signing_keys,
    publish_next_key,
)
from authpages.signing_keys import (
    BELIEVED_FOR,
    ES256,
    LONGEST_TOKEN,
    LOOK_AGAIN_SECONDS,
    RS256,
    find_past_key,
    make_first_keys,
)
from authpages.tokens import forget_keys
from events.housekeeping import keep_house
from fastgen_backend import vault
from fastgen_backend.vault import verify_key
from tests.authpages.key_times import Elsewhere, clock, is_taken, kid_of, new_token
from tests.conftest import Api, together
from tests.processes import refusal, run

__all__ = ["clock"]
pytestmark = pytest.mark.django_db
A_MOMENT = timedelta(minutes=1)


def test_tokens_of_before_and_after_are_good_at_every_step(api: Api, clock: Callable[[timedelta], None]):
    api.sign_up()
    before = new_token(api)
    steps: list[tuple[bool, bool, bool]] = []

    def look() -> None:
        newest = new_token(api)
        steps.append((is_taken(api, before), is_taken(api, newest), elsewhere.believes(newest)))

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
    assert kid_of(new_token(api)) != kid_of(before)
    assert Elsewhere(api).believes(before)


def test_a_new_key_does_not_sign_before_everyone_can_know_it(api: Api, clock: Callable[[timedelta], None]):
    api.sign_up()
    first = kid_of(new_token(api))
    following = publish_next_key(RS256)

    clock(PUBLISHED_AHEAD - A_MOMENT)
    keep_signing_keys()
    too_early = kid_of(new_token(api))
    clock(A_MOMENT + A_MOMENT)
    keep_signing_keys()
    clock(timedelta(seconds=LOOK_AGAIN_SECONDS))

    assert following
    assert (too_early, kid_of(new_token(api))) == (first, str(following.pk))
    assert timedelta(seconds=JWKS_SECONDS + LOOK_AGAIN_SECONDS) < PUBLISHED_AHEAD


def test_what_a_process_signs_that_has_not_looked_yet_is_good_to_its_end(
    api: Api, clock: Callable[[timedelta], None], settings: Any
):
    api.sign_up()
    publish_next_key(RS256)
    clock(PUBLISHED_AHEAD)
    first = kid_of(new_token(api))
    keep_signing_keys()
    late = new_token(api)
    retired = SigningKey.objects.get(pk=first).retired_at
    assert retired

    forget_keys()
    SigningKey.objects.filter(pk=first).update(retired_at=timezone.now() - BELIEVED_FOR + A_MOMENT)

    assert kid_of(late) == first
    assert is_taken(api, late)
    assert timedelta(seconds=settings.ACCESS_TOKEN_SECONDS + LOOK_AGAIN_SECONDS) < BELIEVED_FOR


def test_a_long_token_is_good_to_its_end_though_tokens_are_short_by_now(
    api: Api, clock: Callable[[timedelta], None], settings: Any
):
    settings.ACCESS_TOKEN_SECONDS = LONGEST_TOKEN.total_seconds()
    api.sign_up()
    long = new_token(api)
    settings.ACCESS_TOKEN_SECONDS = 900

    publish_next_key(RS256)
    clock(PUBLISHED_AHEAD)
    keep_signing_keys()
    clock(LONGEST_TOKEN - PUBLISHED_AHEAD)
    keep_signing_keys()

    assert kid_of(new_token(api)) != kid_of(long)
    assert is_taken(api, long)


@pytest.mark.whichever_database
def test_no_token_is_longer_than_its_key_is_believed():
    longer = int(LONGEST_TOKEN.total_seconds()) + 1

    assert "ACCESS_TOKEN_SECONDS must be" in refusal(run("check", ACCESS_TOKEN_SECONDS=str(longer)))


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
    token = new_token(api)
    kid = kid_of(token)
    publish_next_key(RS256)
    clock(PUBLISHED_AHEAD)
    keep_signing_keys()

    clock(BELIEVED_FOR + A_MOMENT)
    keep_signing_keys()

    row = SigningKey.objects.get(pk=kid)
    assert row.private_key is None
    assert b"PRIVATE" not in vault.decrypt(bytes(row.public_key or b""))
    assert not find_past_key(kid).is_private
    assert jwt.decode(token, find_past_key(kid)).claims["email"] == "ann@example.com"
    assert not is_taken(api, token)
    assert not Elsewhere(api).believes(token)


def test_a_key_is_gone_when_no_session_of_its_time_can_live(
    api: Api, clock: Callable[[timedelta], None], settings: Any
):
    api.sign_up()
    first = SigningKey.objects.get()
    publish_next_key(RS256)
    clock(PUBLISHED_AHEAD)
    keep_signing_keys()
    clock(timedelta(days=settings.SESSION_DAYS) + BELIEVED_FOR - A_MOMENT)
    settings.SIGNING_KEY_DAYS = 0

    keep_signing_keys()
    there_before = SigningKey.objects.filter(pk=first.pk).exists()
    clock(A_MOMENT + A_MOMENT)
    keep_signing_keys()

    assert there_before
    assert not SigningKey.objects.filter(pk=first.pk).exists()


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


# The command without --now ------------------------------------------------------------------------------------------


def test_the_command_publishes_a_key_of_each_algorithm_and_says_when_it_signs(db: None):
    out = StringIO()

    call_command("rotate_signing_keys", stdout=out)
    call_command("rotate_signing_keys", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[:2] == lines[2:]
    assert [line[:7] for line in lines[:2]] == ["RS256: ", "ES256: "]
    assert re.search(r"is published\. It signs as soon after \d\d:\d\d UTC as the events worker runs\.$", lines[0])
    assert SigningKey.objects.filter(is_current=False, retired_at=None).count() == 2


def test_with_another_secret_key_the_command_says_so_and_seals_nothing(api: Api, settings: Any):
    verify_key()
    api.sign_up()
    settings.SECRET_KEY = "another-key-that-is-long-enough-to-be-taken-for-one"

    for options in ([], ["--now"]):
        with pytest.raises(ImproperlyConfigured, match="SECRET_KEY does not open this database's secrets"):
            call_command("rotate_signing_keys", *options)

    assert SigningKey.objects.count() == 1


def test_the_first_keys_are_made_once(db: None):
    make_first_keys()
    first = set(SigningKey.objects.values_list("pk", flat=True))
    make_first_keys()

    assert set(SigningKey.objects.values_list("algorithm", "is_current")) == {(RS256, True), (ES256, True)}
    assert set(SigningKey.objects.values_list("pk", flat=True)) == first
