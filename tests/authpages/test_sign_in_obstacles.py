"""Why can’t this person sign in? Every reason is told, and what guesses left can be lifted."""

from typing import Any

import pytest
from django.utils import timezone

from authpages import throttles
from authpages.models import HostedAuthSettings, User
from authpages.services.sign_in_obstacles import Obstacle, SignInObstacle, lift_throttle, sign_in_obstacles
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.conftest import Api


@pytest.fixture
def ann(api: Api) -> User:
    api.sign_up()
    return User.objects.get()


def _guess(api: Api, times: int) -> None:
    for _ in range(times):
        api.log_in(password="wrong")


def _kinds(user: User) -> list[Obstacle]:
    return [obstacle.kind for obstacle in sign_in_obstacles(user)]


def test_nothing_stands_in_the_way_of_who_can_sign_in(ann: User) -> None:
    assert sign_in_obstacles(ann) == []


def test_everything_that_does_is_told_what_weighs_most_first(ann: User, hosted: HostedAuthSettings) -> None:
    hosted.pages_enabled, hosted.require_verified_email = False, True
    hosted.save()
    ann.blocked, ann.password = True, None

    assert _kinds(ann) == [Obstacle.BLOCKED, Obstacle.EMAIL_UNVERIFIED, Obstacle.NO_PASSWORD, Obstacle.PAGES_OFF]


def test_an_unverified_address_is_no_obstacle_where_none_has_to_be_verified(ann: User) -> None:
    assert not ann.email_verified
    assert _kinds(ann) == []


def test_wrong_passwords_in_a_row_are_counted(api: Api, ann: User) -> None:
    _guess(api, 3)

    assert sign_in_obstacles(ann) == [SignInObstacle(Obstacle.WRONG_PASSWORD, failures=3)]


def test_a_throttle_says_until_when(api: Api, ann: User) -> None:
    _guess(api, 10)

    [obstacle] = sign_in_obstacles(ann)

    assert (obstacle.kind, obstacle.failures) == (Obstacle.THROTTLED, 10)
    assert obstacle.until is not None
    assert 0 < (obstacle.until - timezone.now()).total_seconds() <= throttles.FIRST_WAIT_SECONDS


def test_too_many_failures_switch_the_password_off(api: Api, ann: User, settings: Any) -> None:
    settings.LOGIN_MAX_FAILURES = 2
    _guess(api, 2)

    assert sign_in_obstacles(ann) == [SignInObstacle(Obstacle.PASSWORD_LOGIN_OFF, failures=2)]


@pytest.mark.parametrize("most", [2, 100], ids=["switched off", "slowed down"])
def test_lifted_the_person_can_sign_in_at_once(api: Api, ann: User, settings: Any, most: int) -> None:
    settings.LOGIN_MAX_FAILURES = most
    _guess(api, 10)
    assert api.log_in().status_code in {403, 429}

    lift_throttle(user_id=ann.pk, origin=COMMAND_LINE)

    assert _kinds(ann) == []
    assert api.log_in().status_code == 200


def test_failures_in_a_browser_of_theirs_are_told_too(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.send("/logout")
    ann = User.objects.get()

    for _ in range(10):
        visitor.log_in(password="wrong")

    [obstacle] = sign_in_obstacles(ann)
    assert visitor.log_in().status_code == 429
    assert (obstacle.kind, obstacle.failures, obstacle.on_device) == (Obstacle.THROTTLED, 10, True)
