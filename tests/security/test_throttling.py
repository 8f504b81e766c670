"""Checklist, throttling: 13 to 17."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from authpages.models import Session
from authpages.services.auth_requests import resolve_due
from fastgen_backend import environment
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api


def _fail(api: Api, times: int, email: str = "ann@example.com") -> list[int]:
    return [api.log_in(email, password="wrong").status_code for _ in range(times)]


def test_13_a_hundred_failures_in_a_row_switch_the_password_off(api: Api, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES, settings.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR = 100, 1000
    api.sign_up()

    failed = _fail(api, 100)

    assert failed == [401] * 100
    assert (api.log_in().status_code, api.log_in().json()["code"]) == (403, "password-login-off")


def test_13_a_login_in_between_begins_a_new_row(api: Api, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES, settings.LOGIN_MAX_FAILURES = 3, 3
    api.sign_up()

    for _ in range(3):
        assert _fail(api, 2) == [401, 401]
        assert api.log_in().status_code == 200


@pytest.mark.parametrize("email", ["ann@example.com", "nobody@example.com"])
def test_14_failures_count_on_an_account_that_may_not_even_exist(api: Api, settings: Any, email: str) -> None:
    settings.LOGIN_FREE_FAILURES = 3
    api.sign_up()

    failed = _fail(api, 4, email)

    assert failed == [401, 401, 401, 429]


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("192.0.2.1", "192.0.2.2", 401),
        ("2001:db8::1", "2001:db8::ffff:2", 429),
        ("2001:db8::1", "2001:db8:0:1::1", 401),
    ],
)
def test_14_failures_count_on_the_address_and_its_neighbours(
    api: Api, settings: Any, first: str, second: str, status: int
) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR = 1
    api.client.defaults["REMOTE_ADDR"] = first
    failed = _fail(api, 1, "one@example.com") + _fail(api, 1, "two@example.com") + _fail(api, 1, "three@example.com")

    api.client.defaults["REMOTE_ADDR"] = second

    assert failed == [401, 401, 429]
    assert _fail(api, 1, "four@example.com") == [status]


def test_15_reset_stays_usable_while_login_is_off(api: Api, mailed: Callable[[str], str], settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES, settings.LOGIN_MAX_FAILURES = 2, 2
    api.sign_up()
    _fail(api, 2)
    assert api.log_in().status_code == 403

    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    api.post("/auth/password-reset/submit", {"token": mailed("auth.password_reset"), "password": "a new one !"})

    assert api.log_in(password="a new one !").status_code == 200


def test_15_a_known_device_passes_while_others_have_to_wait(visitor: Visitor, api: Api, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 2
    visitor.sign_up()
    visitor.send("/logout")
    _fail(api, 2)

    assert (api.log_in().status_code, Visitor().log_in().status_code) == (429, 429)
    assert visitor.log_in().status_code == 303
    assert api.log_in().status_code == 429


def test_15_a_stolen_device_has_no_more_guesses_than_a_strangers(visitor: Visitor, settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES = 2
    visitor.sign_up()
    thief = Visitor()
    thief.client.cookies[settings.DEVICE_COOKIE_NAME] = visitor.client.cookies[settings.DEVICE_COOKIE_NAME].value

    guesses = [thief.log_in(password="wrong").status_code for _ in range(3)]

    assert guesses == [401, 401, 429]
    assert thief.log_in().status_code == 429


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [("", "127.0.0.1"), ("1", "203.0.113.9"), ("127.0.0.0/8", "203.0.113.9"), ("2", "198.51.100.7")],
)
def test_16_the_address_comes_from_configured_proxies_alone(
    api: Api, settings: Any, monkeypatch: pytest.MonkeyPatch, proxies: str, seen: str
) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", proxies)
    settings.TRUSTED_PROXIES = environment.proxies("TRUSTED_PROXIES")
    body = {"email": "ann@example.com", "password": PASSWORD}

    api.post("/auth/signup", body, **{"x-forwarded-for": "192.0.2.1, 198.51.100.7, 203.0.113.9"})

    assert Session.objects.get().ip_address == seen


def test_16_a_bad_proxy_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "everyone")

    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        environment.proxies("TRUSTED_PROXIES")


@pytest.mark.parametrize("path", ["/auth/password-reset/request", "/auth/email-verification/request"])
def test_17_mails_are_limited_per_account_and_per_address(api: Api, settings: Any, path: str) -> None:
    settings.MAILS_PER_ADDRESS_PER_HOUR = 7

    one = [api.post(path, {"email": "ann@example.com"}).status_code for _ in range(6)]
    others = [api.post(path, {"email": f"user{number}@example.com"}).status_code for number in range(2)]

    assert one == [202] * 5 + [429]
    assert others == [202, 429]
