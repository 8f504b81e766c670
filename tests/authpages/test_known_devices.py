"""Known devices: what a browser that was used before is good for, and what its cookie is not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import KnownDevice, Throttle, User
from authpages.services.auth_requests import resolve_due
from authpages.services.known_devices import MOST_DEVICES
from authpages.services.sign_in_obstacles import lift_throttle
from authpages.services.users import create_user
from events.models import Event
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.conftest import AT_ONCE, PASSWORD, Api, together

ANN = "ann@example.com"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"


@pytest.fixture
def ann(visitor: Visitor) -> Visitor:
    """Ann's browser: she signed up with it, and logged out."""
    visitor.sign_up()
    visitor.send("/logout")
    return visitor


@pytest.fixture
def attacked(ann: Visitor, settings: Any) -> Visitor:
    """Ann's browser, while someone else guesses at her password until it has to wait."""
    settings.LOGIN_FREE_FAILURES, settings.LOGIN_MAX_FAILURES = 3, 6
    _guess(3)
    return ann


def _guess(times: int) -> None:
    for _ in range(times):
        Api().log_in(password="wrong")
        Throttle.objects.filter(key__startswith="login-from").delete()


def _wait(prefix: str = "login:") -> None:
    """Let the wait of a row pass."""
    Throttle.objects.filter(key__startswith=prefix).update(blocked_until=None)


def _cookie(visitor: Visitor, settings: Any) -> str:
    return str(visitor.client.cookies[settings.DEVICE_COOKIE_NAME].value)


def _with_cookie(value: str, settings: Any) -> Visitor:
    """Another browser, which has this cookie."""
    other = Visitor()
    other.client.cookies[settings.DEVICE_COOKIE_NAME] = value
    return other


def _statuses(visitor: Visitor, times: int, email: str = ANN) -> list[int]:
    return [visitor.log_in(email, "wrong").status_code for _ in range(times)]


def test_while_someone_guesses_the_owner_comes_in_and_strangers_do_not(attacked: Visitor) -> None:
    assert Visitor().log_in().status_code == 429
    assert attacked.log_in().status_code == 303


def test_the_owner_comes_in_even_where_password_login_is_off(attacked: Visitor) -> None:
    for _ in range(3):
        _wait()
        _guess(1)

    assert Visitor().log_in().status_code == 403
    assert attacked.log_in().status_code == 303


def test_the_owner_comes_in_from_an_address_that_has_to_wait(ann: Visitor, settings: Any) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR = 1
    for number in range(2):
        Api().log_in(f"user{number}@example.com", password="wrong")

    assert Visitor().log_in().status_code == 429
    assert ann.log_in().status_code == 303


def test_the_owner_who_came_in_lets_no_attacker_go_on(attacked: Visitor) -> None:
    attacked.log_in()

    assert Visitor().log_in().status_code == 429
    assert Throttle.objects.get(key__startswith="login:").count == 3


def test_what_strangers_slip_in_between_logins_does_not_add_up(ann: Visitor) -> None:
    _guess(2)

    ann.log_in()

    assert not Throttle.objects.filter(key__startswith="login:").exists()


def test_failures_on_a_known_device_count_on_it_alone(ann: Visitor, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 3

    assert _statuses(ann, 4) == [401, 401, 401, 429]

    assert ann.log_in().status_code == 429
    assert Visitor().log_in().status_code == 303


def test_a_stolen_cookie_is_no_free_pass(ann: Visitor, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES, settings.LOGIN_MAX_FAILURES = 2, 4
    thief = _with_cookie(_cookie(ann, settings), settings)
    for _ in range(4):
        thief.log_in(ANN, "wrong")
        _wait("login-device:")

    assert not KnownDevice.objects.exists()
    assert not Throttle.objects.filter(key__startswith="login-device:").exists()
    assert _statuses(thief, 3) == [401, 401, 429]


def test_a_success_begins_a_new_row_on_the_device(ann: Visitor, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 3
    _statuses(ann, 2)

    assert ann.log_in().status_code == 303

    assert not Throttle.objects.filter(key__startswith="login-device:").exists()


def test_an_admin_lifts_the_wait_of_a_device_too(ann: Visitor, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 1
    assert _statuses(ann, 2) == [401, 429]

    lift_throttle(user_id=User.objects.get().pk, origin=COMMAND_LINE)

    assert ann.log_in().status_code == 303


def test_what_is_no_token_of_ours_is_not_sent_back(ann: Visitor, settings: Any) -> None:
    other = _with_cookie('x" ; Domain=evil.example.' + "y" * 43, settings)

    other.log_in()

    new, *others = _cookie(other, settings).split(".")
    assert (len(new), others) == (43, ["y" * 43])


def test_guesses_at_a_password_that_was_changed_count_no_more(attacked: Visitor) -> None:
    attacked.log_in()
    page = attacked.get("/account").content.decode()
    token = page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    passwords = {"current_password": PASSWORD, "new_password": PASSWORD[::-1]}

    answer = attacked.client.post("/account/password", {"csrfmiddlewaretoken": token, **passwords})

    assert answer.status_code == 303
    assert Visitor().log_in(password=PASSWORD[::-1]).status_code == 303


def test_a_device_is_known_for_the_account_alone_that_used_it(attacked: Visitor, settings: Any) -> None:
    bob = Visitor()
    bob.sign_up("bob@example.com")

    assert bob.log_in().status_code == 429


def test_several_accounts_share_a_browser(attacked: Visitor) -> None:
    attacked.sign_up("bob@example.com")
    attacked.send("/logout")

    assert attacked.log_in().status_code == 303
    assert KnownDevice.objects.count() == 2


def test_every_login_hands_out_a_new_token_and_the_one_before_is_worth_nothing(ann: Visitor, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 1
    before = _cookie(ann, settings)
    ann.log_in()
    _guess(1)

    assert _cookie(ann, settings) != before
    assert _with_cookie(before, settings).log_in().status_code == 429
    assert KnownDevice.objects.count() == 1


def test_a_cookie_that_was_planted_is_not_made_a_known_one(ann: Visitor, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 1
    planted = "x" * 43
    _with_cookie(planted, settings).log_in()
    _guess(1)

    assert _with_cookie(planted, settings).log_in().status_code == 429


def test_a_reset_forgets_every_device(attacked: Visitor, mailed: Callable[[str], str], settings: Any) -> None:
    Api().post("/auth/password-reset/request", {"email": ANN})
    resolve_due()

    reset = {"token": mailed("auth.password_reset"), "password": PASSWORD[::-1]}
    assert Api().post("/auth/password-reset/submit", reset).status_code == 204

    assert not KnownDevice.objects.exists()


def test_a_device_that_was_not_used_for_a_year_is_a_strangers(attacked: Visitor) -> None:
    KnownDevice.objects.update(last_seen_at=timezone.now() - timedelta(days=366))

    assert attacked.log_in().status_code == 429


def test_the_oldest_goes_where_a_person_has_too_many(ann: Visitor) -> None:
    user = User.objects.get()
    seen = timezone.now() - timedelta(days=1)
    KnownDevice.objects.bulk_create(
        KnownDevice(user=user, hash=bytes([number]), last_seen_at=seen + timedelta(minutes=number))
        for number in range(MOST_DEVICES - 1)
    )

    Visitor().log_in()

    assert user.devices.count() == MOST_DEVICES
    assert not user.devices.filter(hash=bytes([0])).exists()
    assert user.devices.filter(hash=bytes([1])).exists()


def test_a_cookie_tells_nobody_whether_an_account_exists(ann: Visitor, settings: Any) -> None:
    cookie = _cookie(ann, settings)
    answers = []
    for email in ("bob@example.com", "nobody@example.com"):
        other = _with_cookie(cookie, settings)
        create_user(email="bob@example.com", password=PASSWORD, origin=COMMAND_LINE) if email[0] == "b" else None
        other.get("/login")
        with CaptureQueriesContext(connection) as queries:
            answer = other.log_in(email, "wrong")
        answers.append((answer.status_code, len(queries)))

    assert answers[0] == answers[1]


def test_an_admin_is_known_in_the_console(admin: Visitor, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 1
    Api().log_in("root@example.com", password="wrong")

    assert admin.log_in("root@example.com").status_code == 303


@pytest.mark.django_db(transaction=True)
def test_guesses_on_a_device_sent_at_once_are_counted_like_any_others(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HASH_CONCURRENCY, settings.LOGIN_FREE_FAILURES = 30, 4
    first = Visitor()
    first.sign_up()
    cookie = _cookie(first, settings)

    statuses = together(lambda _: _with_cookie(cookie, settings).log_in(ANN, "wrong").status_code)

    assert sorted(statuses) == [401] * 4 + [429] * (AT_ONCE - 4)


def _new_devices() -> list[Any]:
    return [event.data for event in Event.objects.filter(type="auth.new_device").order_by("id")]


def test_a_login_in_another_browser_is_an_event(ann: Visitor) -> None:
    ann.client.defaults["HTTP_USER_AGENT"] = FIREFOX
    other = Visitor()
    other.client.defaults["HTTP_USER_AGENT"] = FIREFOX

    other.log_in()

    [event] = _new_devices()
    assert (event["device"], event["ipAddress"], event["email"]) == ("Firefox on Linux", "127.0.0.1", ANN)


def test_a_browser_that_is_known_is_not_new_wherever_it_is(ann: Visitor) -> None:
    ann.client.defaults |= {"HTTP_USER_AGENT": FIREFOX, "REMOTE_ADDR": "203.0.113.9"}

    ann.log_in()

    assert _new_devices() == []


@pytest.mark.parametrize(("address", "count"), [("192.0.2.200", 0), ("198.51.100.7", 1), ("2001:db8::1", 1)])
def test_a_program_is_new_in_another_network_alone(api: Api, address: str, count: int) -> None:
    api.client.defaults["REMOTE_ADDR"] = "192.0.2.1"
    api.sign_up()
    api.client.defaults["REMOTE_ADDR"] = address

    api.log_in()
    api.log_in()

    assert len(_new_devices()) == count


def test_sign_up_and_the_first_login_of_all_are_not_new(api: Api) -> None:
    api.sign_up("bob@example.com")
    create_user(email=ANN, password=PASSWORD, origin=COMMAND_LINE)

    assert api.log_in().status_code == 200

    assert _new_devices() == []


def test_a_login_after_many_failures_is_an_event(api: Api, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 3
    api.sign_up()
    _guess(3)
    _wait()

    api.log_in()

    event = Event.objects.get(type="auth.login_afterFailures")
    assert (event.data["failures"], event.data["ipAddress"]) == (3, "127.0.0.1")


def test_after_a_few_failures_it_is_none(api: Api) -> None:
    api.sign_up()
    _guess(2)

    api.log_in()

    assert not Event.objects.filter(type="auth.login_afterFailures").exists()
