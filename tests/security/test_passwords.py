"""Checklist, passwords and hashing: 1 to 11."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connections

from authpages import passwords
from authpages.models import User
from events.envelope import MASK
from events.services.sequencing import sequence_events
from fastgen_backend.errors import DomainError
from tests.authpages.conftest import Visitor, text_of
from tests.conftest import PASSWORD, Api
from tests.processes import PATIENCE, wait_for


def _refused(password: str, email: str = "ann@example.com") -> str:
    try:
        passwords.check_password_is_good(password, email=email, product_name="Acme Notes")
    except DomainError as refusal:
        return refusal.detail
    return ""


def test_01_a_password_has_at_least_8_characters() -> None:
    assert _refused("k3#xQp9")
    assert not _refused("k3#xQp9v")


def test_02_long_passwords_are_accepted_and_never_cut() -> None:
    long = "correct horse battery staple " * 4

    assert not _refused(long)
    assert _refused("é" * 513)
    assert not passwords.verify_password(long + "x", passwords.hash_password(long))


def test_03_there_are_no_rules_of_composition() -> None:
    assert not _refused("justlowercaseletters")


def test_04_any_unicode_is_a_character_normalised_once() -> None:
    assert not _refused("пароль для Анны")
    assert passwords.verify_password("e\u0301 caf\u00e9 \u2460", passwords.hash_password("\u00e9 cafe\u0301 1"))


@pytest.mark.parametrize(
    "password", ["password1", "iloveyou1", "ann@example.com", "acme notes", "Acme Notes1", "example99"]
)
def test_05_common_and_context_words_are_refused_with_the_reason(password: str) -> None:
    assert "common" in _refused(password) or "Don’t build" in _refused(password)


def test_06_password_managers_work(visitor: Visitor) -> None:
    assert 'autocomplete="new-password"' in visitor.get("/signup").content.decode()
    assert 'autocomplete="current-password"' in visitor.get("/login").content.decode()
    assert 'autocomplete="username"' in visitor.get("/login").content.decode()


def test_06_a_change_needs_the_current_one(visitor: Visitor, api: Api) -> None:
    api.sign_up()
    before = User.objects.get().password

    answers = [
        api.post("/auth/password/change", {"newPassword": "an entirely new one"}),
        api.post("/auth/password/change", {"currentPassword": "", "newPassword": "an entirely new one"}),
        api.patch("/auth/me", {"password": "an entirely new one"}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert User.objects.get().password == before


def test_06_password_managers_know_which_one_is_which(visitor: Visitor) -> None:
    visitor.sign_up()

    page = visitor.get("/account").content.decode()

    assert re.search(r'name="username" value="ann@example.com" autocomplete="username"', page)
    assert re.search(r'name="current_password" autocomplete="current-password"', page)
    assert re.search(r'name="new_password" autocomplete="new-password"', page)


def test_07_there_is_no_default_account(db: None) -> None:
    assert not User.objects.exists()


def test_07_an_admin_starts_a_reset_and_never_sees_a_password(api: Api, key: Callable[..., Api]) -> None:
    program, ann = key("users:read", "users:write", "events:read"), f"/users/{api.sign_up()['user']['id']}"

    started = program.post(f"{ann}/send-password-reset")

    sequence_events()
    stored = User.objects.get().password
    answers = [started, program.get(ann), program.get("/users"), program.patch(ann, {"password": "given by an admin"})]
    assert (started.status_code, started.json()) == (202, {})
    assert stored
    assert not any(secret in str(answer.json()) for answer in answers for secret in (stored, PASSWORD, "given by"))
    tokens = [event["data"]["token"] for event in program.get("/events?types=auth.password_reset").json()["items"]]
    assert tokens == [MASK]


def test_08_argon2id_at_the_floor_of_owasp(api: Api, settings: Any) -> None:
    settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME_COST, settings.ARGON2_PARALLELISM = 19456, 2, 1

    api.sign_up()

    assert (User.objects.get().password or "").startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_09_a_login_hashes_anew_when_the_parameters_changed(api: Api, settings: Any) -> None:
    api.sign_up()
    before = User.objects.get().password or ""
    settings.ARGON2_TIME_COST += 1

    api.log_in()

    after = User.objects.get().password or ""
    assert (f"t={settings.ARGON2_TIME_COST}," in before, f"t={settings.ARGON2_TIME_COST}," in after) == (False, True)


@dataclass
class Crowd:
    """Twelve people who log in at once, while no hash comes to its end before `go`."""

    go: threading.Event
    answers: list[Any] = field(default_factory=list)
    running: int = 0
    most_running: int = 0


@pytest.fixture(params=["/api/v1/auth/login", "/login"])
def crowd(
    request: pytest.FixtureRequest, transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Crowd]:
    settings.HASH_CONCURRENCY, settings.THROTTLES = 1, False
    passwords.verify_password("what unknown addresses are checked against is made once", None)
    crowd, counting = Crowd(threading.Event()), threading.Lock()

    def check(password: str, stored: str) -> bool:
        with counting:
            crowd.running += 1
            crowd.most_running = max(crowd.most_running, crowd.running)
        crowd.go.wait(PATIENCE)
        with counting:
            crowd.running -= 1
        return False

    def log_in() -> None:
        try:
            crowd.answers.append(Api().log_in() if request.param != "/login" else Visitor().log_in())
        finally:
            connections.close_all()

    monkeypatch.setattr(hashers, "check_password", check)
    threads = [threading.Thread(target=log_in) for _ in range(12)]
    for thread in threads:
        thread.start()
    yield crowd
    crowd.go.set()
    for thread in threads:
        thread.join()


def test_10_more_logins_at_once_than_may_run_and_wait_are_turned_away(crowd: Crowd) -> None:
    assert wait_for(lambda: len(crowd.answers) == 7)
    turned_away = list(crowd.answers)

    crowd.go.set()

    assert wait_for(lambda: len(crowd.answers) == 12)
    assert [answer.status_code for answer in turned_away] == [503] * 7
    assert {answer.headers["Retry-After"] for answer in turned_away} == {"1"}
    assert [answer.status_code for answer in crowd.answers[7:]] == [401] * 5
    assert crowd.most_running == 1


@pytest.mark.parametrize("crowd", ["/api/v1/auth/login"], indirect=True)
def test_10_who_is_turned_away_is_told_so_and_nothing_else(crowd: Crowd) -> None:
    assert wait_for(lambda: crowd.answers)

    assert crowd.answers[0].headers["Content-Type"] == "application/problem+json"
    assert crowd.answers[0].json() == {
        "type": "urn:fastgen:problem:too-busy",
        "title": crowd.answers[0].json()["title"],
        "status": 503,
        "detail": "Too many people are logging in right now; please try again.",
        "code": "too-busy",
    }


@pytest.mark.parametrize("crowd", ["/login"], indirect=True)
def test_10_a_person_is_told_so_on_the_page(crowd: Crowd) -> None:
    assert wait_for(lambda: crowd.answers)

    assert "Too many people are logging in right now" in text_of(crowd.answers[0])
    assert 'name="password"' in crowd.answers[0].content.decode()


def test_11_an_unknown_account_costs_one_hash(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.sign_up()
    checked: list[str] = []
    real = hashers.check_password

    def check(raw: str, stored: str) -> bool:
        checked.append(stored)
        return real(raw, stored)

    monkeypatch.setattr(hashers, "check_password", check)

    api.log_in("nobody@example.com")
    api.log_in(password="wrong")

    assert len(checked) == 2
    assert checked[0].rpartition("$")[0].rpartition("$")[0] == checked[1].rpartition("$")[0].rpartition("$")[0]
