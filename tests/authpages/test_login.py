"""Logging in, and being kept from guessing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages import passwords, throttles
from authpages.models import Session, Throttle, User
from events.models import Event
from tests.conftest import PASSWORD, Api


def test_the_right_password_begins_a_session(api: Api, told: Callable[[], list[str]]) -> None:
    api.sign_up()

    answer = api.log_in("ANN@example.com")

    assert answer.status_code == 200
    assert answer.json()["user"]["email"] == "ann@example.com"
    assert told()[-1] == "auth.user_loggedIn"
    assert Session.objects.count() == 2


def test_unknown_address_and_wrong_password_answer_alike(api: Api) -> None:
    api.sign_up()
    api.token = ""

    with CaptureQueriesContext(connection) as known_queries:
        known = api.log_in(password="wrong")
    with CaptureQueriesContext(connection) as unknown_queries:
        unknown = api.log_in("nobody@example.com", password="wrong")

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.json()["code"] == "invalid-credentials"
    assert len(known_queries) == len(unknown_queries)


def test_a_refusal_leaves_its_trace(api: Api) -> None:
    user = api.sign_up()["user"]

    api.log_in(password="wrong")
    api.log_in("nobody@example.com", password="wrong")

    first, second = Event.objects.filter(type="auth.login_failed").order_by("id")
    assert first.data == {"email": "ann@example.com", "userId": user["id"], "reason": "invalid_credentials"}
    assert second.data == {"email": "nobody@example.com", "userId": None, "reason": "invalid_credentials"}
    assert "wrong" not in str(first.data)


def test_only_the_right_password_learns_that_the_account_is_blocked(api: Api) -> None:
    api.sign_up()
    User.objects.update(blocked=True)

    assert api.log_in(password="wrong").json()["code"] == "invalid-credentials"
    assert api.log_in().json()["code"] == "user-blocked"


def test_after_ten_failures_even_the_right_password_has_to_wait(api: Api) -> None:
    api.sign_up()
    for _ in range(10):
        assert api.log_in(password="wrong").status_code == 401

    answer = api.log_in()

    assert (answer.status_code, answer.json()["code"]) == (429, "login-throttled")
    assert 1 <= int(answer.headers["Retry-After"]) <= throttles.FIRST_WAIT_SECONDS


def test_the_waits_grow_and_a_success_forgets_them(api: Api) -> None:
    api.sign_up()
    for _ in range(10):
        api.log_in(password="wrong")
    _wait_is_over()

    api.log_in(password="wrong")
    assert int(api.log_in().headers["Retry-After"]) > throttles.FIRST_WAIT_SECONDS
    _wait_is_over()

    assert api.log_in().status_code == 200
    assert not Throttle.objects.filter(key__startswith="login:").exists()


def test_after_a_hundred_failures_only_a_reset_helps(api: Api, mailed: Callable[[str], str]) -> None:
    from authpages.services.auth_requests import resolve_due

    api.sign_up()
    Throttle.objects.create(key=throttles._key("login", "ann@example.com"), count=100)

    assert api.log_in().json()["code"] == "password-login-off"
    assert api.post("/auth/password-reset/request", {"email": "ann@example.com"}).status_code == 202
    resolve_due()
    new = {"token": mailed("auth.password_reset"), "password": "another long password"}
    assert api.post("/auth/password-reset/submit", new).status_code == 204
    assert api.log_in(password="another long password").status_code == 200


def test_failures_count_for_unknown_accounts_too(api: Api) -> None:
    for _ in range(10):
        api.log_in("nobody@example.com", password="wrong")

    assert api.log_in("nobody@example.com").status_code == 429


def test_an_address_that_tries_many_accounts_has_to_wait(api: Api, settings: object) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR = 3  # type: ignore[attr-defined]
    api.sign_up()

    answers = [api.log_in(f"user{number}@example.com", password="wrong") for number in range(5)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429]


def test_ipv6_neighbours_count_as_one() -> None:
    assert throttles.network_of("2001:db8::1") == throttles.network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert throttles.network_of("192.0.2.1") == "192.0.2.1"


def test_no_account_has_an_address_in_the_table_of_throttles(api: Api) -> None:
    api.log_in("nobody@example.com", password="wrong")

    assert all("nobody" not in key and "127.0.0.1" not in key for key in Throttle.objects.values_list("key", flat=True))


def test_the_password_is_rehashed_when_the_parameters_changed(api: Api, settings: object) -> None:
    api.sign_up()
    settings.ARGON2_MEMORY_KIB = 128  # type: ignore[attr-defined]

    api.log_in()

    assert "m=128," in (User.objects.get().password or "")
    assert api.log_in().status_code == 200


def test_an_account_without_a_password_costs_the_same_hash_as_none_at_all(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.sign_up()
    User.objects.update(password=None)
    verified: list[str] = []
    real = hashers.check_password

    def check(password: str, stored: str) -> bool:
        verified.append(stored)
        return real(password, stored)

    monkeypatch.setattr(hashers, "check_password", check)

    ours, nobodys = api.log_in("ann@example.com"), api.log_in("nobody@example.com")

    assert (ours.status_code, ours.content) == (nobodys.status_code, nobodys.content)
    assert ours.json()["code"] == "invalid-credentials"
    assert len(verified) == 2
    assert verified[0] == verified[1]


@pytest.mark.parametrize("password", ["", "nobody has this password"])
def test_no_password_opens_an_account_without_one(api: Api, password: str) -> None:
    api.sign_up()
    User.objects.update(password=None)

    assert api.log_in(password=password).status_code in {400, 401}
    assert Session.objects.count() == 1


def test_a_login_makes_at_most_12_queries(transactional_db: None) -> None:
    api = Api()
    api.sign_up()

    with CaptureQueriesContext(connection) as queries:
        assert api.log_in().status_code == 200

    asked = [query for query in queries if not query["sql"].startswith(("BEGIN", "COMMIT"))]
    assert len(asked) <= 12


@pytest.mark.parametrize("password", ["", "x" * 10_001, "nul\0nul", "p" * 5000])
def test_strange_passwords_are_refused_and_never_an_error(api: Api, password: str) -> None:
    assert api.log_in(password=password).status_code in {400, 401}


def test_spellings_of_one_password_are_one_password(api: Api) -> None:
    api.sign_up(password="pässwort für ann")

    assert api.log_in(password="pa\u0308sswort fu\u0308r ann").status_code == 200


def _wait_is_over() -> None:
    Throttle.objects.update(blocked_until=timezone.now() - timedelta(seconds=1))


def test_the_default_password_of_tests_is_good() -> None:
    passwords.check_password_is_good(PASSWORD, email="ann@example.com", product_name="Fastgen")
