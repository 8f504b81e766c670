"""Who is blocked is out at once and can't come in; who is unblocked can."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import EndReason, OneTimeLink, Session
from events.models import EventSecret
from tests.authpages.conftest import Visitor
from tests.conftest import Api


@pytest.fixture
def program(key: Callable[..., Api]) -> Api:
    return key("users:read", "users:write")


@pytest.fixture
def ann(api: Api) -> str:
    return f"/users/{api.sign_up()['user']['id']}"


def test_a_block_ends_cookie_and_tokens_at_once(program: Api, ann: str, api: Api, visitor: Visitor) -> None:
    visitor.log_in()
    refresh = api.log_in().json()["session"]["refreshToken"]

    answer = program.post(f"{ann}/block")

    assert (answer.status_code, answer.json()["blocked"]) == (200, True)
    assert api.get("/auth/me").status_code == 401
    assert api.post("/auth/refresh", {"refreshToken": refresh}).status_code == 401
    assert visitor.get("/account").status_code == 303
    assert api.log_in().json()["code"] == "user-blocked"


def test_what_ended_stays_ended_after_an_unblock(program: Api, ann: str, api: Api) -> None:
    program.post(f"{ann}/block")

    answer = program.post(f"{ann}/unblock")

    assert (answer.status_code, answer.json()["blocked"]) == (200, False)
    assert api.get("/auth/me").status_code == 401
    assert api.log_in().status_code == 200


def test_links_on_the_way_die_with_a_block(program: Api, ann: str) -> None:
    program.post(f"{ann}/block")

    assert not OneTimeLink.objects.open().exists()
    assert not EventSecret.objects.exists()


def test_no_mail_is_sent_to_who_is_blocked(program: Api, ann: str) -> None:
    program.post(f"{ann}/block")

    answers = [program.post(f"{ann}/{mail}") for mail in ("send-password-reset", "send-email-verification")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "account-blocked")] * 2


@pytest.mark.parametrize("way", ["action", "change"])
def test_each_is_told_once(program: Api, ann: str, told: Callable[[], list[str]], way: str) -> None:
    for blocked in (True, True, False, False):
        if way == "action":
            program.post(f"{ann}/{'block' if blocked else 'unblock'}")
        else:
            program.patch(ann, {"blocked": blocked})

    assert told()[2:] == ["auth.session_ended", "auth.user_blocked", "auth.user_unblocked"]


@pytest.mark.parametrize(
    "over", [{"expires_at": timezone.now()}, {"last_seen_at": timezone.now() - timedelta(days=31)}]
)
def test_a_session_that_was_over_ends_without_a_word(
    program: Api, ann: str, told: Callable[[], list[str]], over: dict[str, Any]
) -> None:
    Session.objects.update(**over)

    program.post(f"{ann}/block")

    assert told()[2:] == ["auth.user_blocked"]
    assert Session.objects.get().end_reason == EndReason.BLOCKED
