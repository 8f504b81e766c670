"""Two requests at the same moment: exactly one wins, on both databases."""

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import hashers
from django.db import connection, connections, transaction
from django.utils import timezone

from authpages.errors import LastAdmin, TokenInvalid
from authpages.models import KnownDevice, Session, Throttle, User
from authpages.services import blocking, email_verification, password_change, password_reset, session_locks, sessions
from authpages.services.auth_requests import resolve_due
from authpages.services.blocking import block_user
from authpages.services.email_verification import request_own_verification
from authpages.services.known_devices import Browser, remember
from authpages.services.password_change import change_password
from authpages.services.roles import create_role, delete_role
from authpages.services.sessions import end_other_sessions, start_browser_session
from authpages.services.sign_in_obstacles import lift_throttle
from authpages.services.user_changes import change_user
from authpages.services.users import create_user, delete_user, lock_user
from authpages.signals import user_deleted
from authpages.throttles import Attempt, check_login, count_failed_login, delete_forgotten
from datahub.services.owners import known_people
from events.models import Event
from fastgen_backend.errors import DomainError
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import AT_ONCE, PASSWORD, Api, together
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
meeting_of_locks = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock, which is its own")


@pytest.fixture(autouse=True)
def _everyone_may_hash(settings: Any) -> None:
    settings.HASH_CONCURRENCY = 30


def test_one_address_signed_up_at_once_makes_one_account(told: Callable[[], list[str]]) -> None:
    body = {"email": "ann@example.com", "password": PASSWORD}

    statuses = together(lambda _: Api().post("/auth/signup", body).status_code)

    assert sorted(statuses) == [201] + [409] * (AT_ONCE - 1)
    assert told().count("auth.user_signedUp") == 1


def test_one_refresh_token_used_at_once_yields_one_child(settings: Any) -> None:
    settings.REFRESH_REPEAT_SECONDS = 60
    body = {"refreshToken": Api().sign_up()["session"]["refreshToken"]}

    answers = together(lambda _: Api().post("/auth/refresh", body).json()["session"]["refreshToken"])

    assert len(answers) == AT_ONCE
    assert len(set(answers)) == 1


def test_after_failures_guesses_sent_at_once_learn_no_more_than_guesses_in_a_row() -> None:
    Api().sign_up()
    for _ in range(9):
        Api().log_in(password="wrong")

    statuses = together(lambda _: Api().log_in(password="wrong").status_code)

    assert sorted(statuses) == [401] + [429] * (AT_ONCE - 1)
    assert Api().log_in().status_code == 429


@pytest.mark.parametrize("email", ["ann@example.com", "nobody@example.com"])
def test_the_first_guesses_on_an_account_sent_at_once_are_counted_like_any_others(
    email: str, many_connections: None
) -> None:
    Api().sign_up()

    statuses = together(lambda _: Api().log_in(email, password="wrong").status_code, count=30)

    assert sorted(statuses) == [401] * 10 + [429] * 20


def test_a_right_guess_sent_before_ten_failures_is_not_told_so_after_them(monkeypatch: pytest.MonkeyPatch) -> None:
    Api().sign_up()
    sent, failed, check = threading.Event(), threading.Event(), hashers.check_password

    def check_late(password: str, stored: str) -> bool:
        if password == PASSWORD:
            sent.set()
            failed.wait(60)
        return check(password, stored)

    def guess(number: int) -> int:
        if number == 0:
            return int(Api().log_in().status_code)
        sent.wait(60)
        wrong: list[int] = [Api().log_in(password="wrong").status_code for _ in range(10)]
        failed.set()
        return max(wrong)

    monkeypatch.setattr(hashers, "check_password", check_late)

    assert sorted(together(guess, count=2)) == [401, 429]


def test_a_login_and_a_reset_at_once_leave_no_session_of_the_old_password(mailed: Callable[[str], str]) -> None:
    Api().sign_up()
    Api().post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    body = {"token": mailed("auth.password_reset"), "password": "an entirely new password"}

    together(lambda number: Api().post("/auth/password-reset/submit", body) if number == 0 else Api().log_in())

    assert not Session.objects.filter(ended_at=None, user=User.objects.get()).exists()


def test_of_two_admins_who_shut_each_other_out_at_once_one_stays() -> None:
    admins = [
        create_user(email=f"root{number}@example.com", admin=True, origin=COMMAND_LINE).pk for number in range(AT_ONCE)
    ]
    ways: list[Callable[..., Any]] = [
        lambda pk: change_user(user_id=pk, changes={"admin": False}, origin=COMMAND_LINE),
        lambda pk: block_user(user_id=pk, origin=COMMAND_LINE),
        lambda pk: delete_user(user_id=pk, origin=COMMAND_LINE),
    ]

    refused = together(lambda number: _refusal_of(ways[number % 3], admins[number]))

    assert [refusal for refusal in refused if refusal] == [LastAdmin]
    assert User.objects.admins().filter(blocked=False).count() == 1


def test_of_two_who_change_roles_at_once_the_last_has_their_way() -> None:
    ann = create_user(email="ann@example.com", origin=COMMAND_LINE)
    create_role(name="Editor")
    answers: list[User] = []

    def take_away() -> None:
        answers.append(change_user(user_id=ann.pk, changes={"roles": []}, origin=COMMAND_LINE))
        connection.close()

    last = threading.Thread(target=take_away)
    with transaction.atomic():
        change_user(user_id=ann.pk, changes={"roles": ["Editor"]}, origin=COMMAND_LINE)
        last.start()
        last.join(0.3)  # it waits for the account's lock
    last.join()

    assert answers[0].role_names == []
    assert not ann.roles.exists()


def test_a_role_that_is_given_while_it_is_deleted_is_given_or_unknown() -> None:
    people = [create_user(email=f"ann{number}@example.com", origin=COMMAND_LINE).pk for number in range(AT_ONCE)]
    role = create_role(name="Editor")

    def act(number: int) -> Any:
        if number == 0:
            return _refusal_of(delete_role, role_id=role.pk)
        return _refusal_of(change_user, user_id=people[number], changes={"roles": ["editor"]}, origin=COMMAND_LINE)

    refused = together(act)

    assert {refusal.code for refusal in refused if refusal} <= {"role-unknown"}
    assert not User.objects.filter(roles__isnull=False).exists()


def test_a_refresh_beside_a_change_of_password_is_refused_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    token = Api().sign_up()["session"]["refreshToken"]
    lock = session_locks.lock_session

    def lock_after_the_change(session_id: Any) -> Any:
        sessions.renew_session(session=Session.objects.get())
        return lock(session_id)

    monkeypatch.setattr("authpages.services.refresh_tokens.lock_session", lock_after_the_change)

    assert Api().post("/auth/refresh", {"refreshToken": token}).status_code == 401
    assert Session.objects.get().ended_at is None


@pytest.mark.parametrize(
    ("module", "name", "event", "path", "more"),
    [
        (email_verification, "known_link", "auth.email_verificationRequested", "email-verification", {}),
        (password_reset, "find_link", "auth.password_reset", "password-reset", {"password": "an entirely new one"}),
    ],
)
def test_a_link_of_an_account_that_is_deleted_meanwhile_is_refused(
    module: Any, name: str, event: str, path: str, more: dict[str, str], mailed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Api().sign_up()
    Api().post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    find = getattr(module, name)

    def find_just_before(*asked: Any) -> Any:
        link = find(*asked)
        User.objects.all().delete()
        return link

    monkeypatch.setattr(module, name, find_just_before)

    answer = Api().post(f"/auth/{path}/submit", {"token": mailed(event), **more})

    assert (answer.status_code, answer.json()["code"]) == (400, "link-invalid")


def test_who_is_deleted_meanwhile_is_mailed_nothing_and_has_no_sessions_to_end() -> None:
    Api().sign_up()
    session = Session.objects.select_related("user").get()
    User.objects.all().delete()

    request_own_verification(user=session.user, origin=COMMAND_LINE)

    assert _refusal_of(end_other_sessions, session=session, origin=COMMAND_LINE) is TokenInvalid


def test_admins_who_are_made_and_unmade_at_once_wait_for_each_other_in_one_order() -> None:
    people = [create_user(email=f"ann{number}@example.com", origin=COMMAND_LINE).pk for number in range(4)]
    create_user(email="root@example.com", admin=True, origin=COMMAND_LINE)

    def act(number: int) -> bool:
        for turn in range(8):
            change_user(user_id=people[(number + turn) % 4], changes={"admin": True}, origin=COMMAND_LINE)
            change_user(user_id=people[(number * 3 + turn) % 4], changes={"admin": False}, origin=COMMAND_LINE)
        return True

    assert together(act, count=6) == [True] * 6


def test_rows_are_given_to_admins_while_one_of_them_is_shut_out() -> None:
    admins = [create_user(email=f"root{number}@example.com", admin=True, origin=COMMAND_LINE).pk for number in range(6)]

    def act(number: int) -> bool:
        for turn in range(20):
            if number % 2:
                blocking.block_user(user_id=admins[turn % 4], origin=COMMAND_LINE)
                blocking.unblock_user(user_id=admins[turn % 4], origin=COMMAND_LINE)
                continue
            with transaction.atomic():
                for admin in admins[::-1]:
                    assert known_people([admin])
        return True

    assert together(act, count=6) == [True] * 6


def test_a_throttle_is_lifted_while_a_known_device_fails(settings: Any) -> None:
    settings.LOGIN_FREE_FAILURES, settings.LOGIN_FAILURES_PER_ADDRESS_PER_HOUR = 100, 1000
    ann = create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    attempt = Attempt(ann.email_key, "192.0.2.1", KnownDevice.objects.create(user=ann, hash=b"known").pk)
    account = Attempt(ann.email_key, "192.0.2.2")

    def act(number: int) -> bool:
        for _ in range(20):
            if number % 2:
                lift_throttle(user_id=ann.pk, origin=COMMAND_LINE)
                continue
            with transaction.atomic():
                check_login(attempt, lock=True)
                count_failed_login(attempt)
            with transaction.atomic():
                count_failed_login(account)
        return True

    assert together(act, count=6) == [True] * 6


@meeting_of_locks
def test_a_password_change_meets_a_reset_after_a_guess_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = create_user(email="ann@example.com", password=PASSWORD, origin=COMMAND_LINE)
    session = start_browser_session(user=ann, origin=COMMAND_LINE).session
    cookie = remember(browser=Browser(), user=ann, origin=COMMAND_LINE)

    def lock_as_others_come(user_id: Any) -> Any:
        locked = lock_user(user_id)
        _aside(_fail, Attempt(ann.email_key, "192.0.2.1")).join()
        others.append(_aside(change_user, user_id=ann.pk, changes={"password": "by an admin"}, origin=COMMAND_LINE))
        assert wait_for(_someone_waits)
        return locked

    others: list[threading.Thread] = []
    monkeypatch.setattr(password_change, "lock_user", lock_as_others_come)

    change_password(session=session, current=PASSWORD, new=PASSWORD[::-1], origin=COMMAND_LINE, device_cookie=cookie)

    others[0].join()
    assert Api().log_in(password="by an admin").status_code == 200


@meeting_of_locks
def test_guesses_on_an_account_and_in_a_browser_of_its_owner_meet_at_one_address() -> None:
    ann = create_user(email="ann@example.com", origin=COMMAND_LINE)
    device = KnownDevice.objects.create(user=ann, hash=b"known").pk
    stranger, owner = (Attempt(ann.email_key, "192.0.2.1", each) for each in (None, device))
    _fail(Attempt(ann.email_key, "192.0.2.2"))
    with transaction.atomic():
        check_login(stranger, lock=True)
        _aside(_fail, Attempt("bob@example.com", "192.0.2.1")).join()
        meeting = _aside(_fail, owner)
        assert wait_for(_someone_waits)
        count_failed_login(stranger)

    meeting.join()

    assert sorted(Throttle.objects.values_list("count", flat=True)) == [1, 1, 1, 2, 3]


@meeting_of_locks
def test_what_counts_no_more_but_is_held_is_left_for_the_next_time() -> None:
    row = Throttle.objects.create(key="test", forgotten_at=timezone.now())
    with transaction.atomic():
        Throttle.objects.select_for_update().get()
        _aside(delete_forgotten).join()
        row.refresh_from_db()

    delete_forgotten()

    assert not Throttle.objects.exists()


@meeting_of_locks
def test_an_account_is_changed_while_a_row_is_given_to_its_owner_but_not_deleted() -> None:
    ann = create_user(email="ann@example.com", origin=COMMAND_LINE).pk
    with transaction.atomic():
        assert known_people([ann])
        _aside(block_user, user_id=ann, origin=COMMAND_LINE).join(60)
        blocked = User.objects.get().blocked
        deleting = _aside(delete_user, user_id=ann, origin=COMMAND_LINE)
        assert wait_for(_someone_waits)

    deleting.join()

    assert blocked
    assert not User.objects.exists()


@meeting_of_locks
def test_whoever_gives_a_row_to_who_is_being_deleted_gives_it_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = create_user(email="ann@example.com", origin=COMMAND_LINE).pk
    found: list[set[Any]] = []

    def as_others_come(**_: Any) -> None:
        others.append(_aside(lambda: found.append(known_people([ann]))))
        assert wait_for(_someone_waits)

    others: list[threading.Thread] = []
    monkeypatch.setattr(user_deleted, "send", as_others_come)

    delete_user(user_id=ann, origin=COMMAND_LINE)

    others[0].join()
    assert found == [set()]


@meeting_of_locks
def test_a_name_that_changes_while_those_of_before_get_their_keys_has_the_key_of_the_new_one() -> None:
    ann = create_user(email="ann@example.com", first_name="Ann", origin=COMMAND_LINE)
    fill = import_module("authpages.migrations.0006_names_have_their_keys").fill
    with transaction.atomic():
        change_user(user_id=ann.pk, changes={"first_name": "Bea"}, origin=COMMAND_LINE)
        filling = _aside(lambda: fill(apps, connection.schema_editor()))
        assert wait_for(_someone_waits)

    filling.join()

    assert User.objects.get().name_key == "bea"


@meeting_of_locks
@pytest.mark.parametrize("changes", [{"first_name": "Ann"}, {"roles": ["Editor"]}])
def test_who_waited_to_change_an_account_tells_the_roles_that_it_has_by_then(changes: dict[str, Any]) -> None:
    ann = create_user(email="ann@example.com", origin=COMMAND_LINE).pk
    create_role(name="Editor")
    told: list[list[str]] = []

    def change() -> None:
        told.append(change_user(user_id=ann, changes=changes, origin=COMMAND_LINE).role_names)

    with transaction.atomic():
        change_user(user_id=ann, changes={"roles": ["Editor"]}, origin=COMMAND_LINE)
        changing = _aside(change)
        assert wait_for(_someone_waits)

    changing.join()

    told += [each.data["roles"] for each in Event.objects.filter(type="auth.user_updated")]
    assert told == [["Editor"]] * len(told)


def _aside(act: Callable[..., Any], *args: Any, **named: Any) -> threading.Thread:
    """Have something done beside this thread, which goes on."""

    def run() -> None:
        try:
            act(*args, **named)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def _fail(attempt: Attempt) -> None:
    with transaction.atomic():
        check_login(attempt, lock=True)
        count_failed_login(attempt)


def _someone_waits() -> bool:
    """For what this thread holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone() is not None


def _refusal_of(act: Callable[..., Any], *args: Any, **named: Any) -> type[DomainError] | None:
    try:
        act(*args, **named)
    except DomainError as refusal:
        return type(refusal)
    return None
