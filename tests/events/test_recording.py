"""Signals become events, in the transaction of their cause, with exactly the documented data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction
from django.dispatch import Signal

from authpages.models import OneTimeLink, Role, Session, User
from authpages.services.auth_requests import resolve_due
from authpages.services.login import Carrier, log_in
from datahub import signals
from events.catalog import CATALOG, KINDS, EventType
from events.envelope import has_secret
from events.models import Event, EventSecret
from events.services.recording import PayloadInvalid, record_custom_event, record_event
from fastgen_backend.errors import DomainError
from fastgen_backend.ids import uuid7
from fastgen_backend.origin import COMMAND_LINE, Origin, Source
from tests.conftest import PASSWORD, Api

DOCUMENTED = {
    *("api.dataTable_created", "api.dataTable_updated", "api.dataTable_emptied", "api.dataTable_deleted"),
    *("auth.user_loggedIn", "auth.user_signedUp", "auth.email_verificationRequested", "auth.email_verified"),
    "auth.password_reset",
}
PERSON = ["userId", "email", "emailVerified", "roles"]


def test_the_ten_documented_events_are_in_the_catalogue() -> None:
    assert {kind.type.value for kind in KINDS} >= DOCUMENTED
    assert {stage for name, stage in CATALOG if name == "auth.password_reset"} == {"requested", "completed"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.type}:{kind.stage}")
def test_every_example_fits_its_schema(kind: object) -> None:
    assert kind.flaw(kind.example) == ""  # type: ignore[attr-defined]


def test_the_catalogue_and_the_envelope_agree_on_what_is_secret() -> None:
    assert all(has_secret(kind.type, kind.stage) == kind.secret for kind in KINDS)


@pytest.mark.parametrize(
    ("signal", "type"),
    [
        (signals.table_created, "api.dataTable_created"),
        (signals.table_updated, "api.dataTable_updated"),
        (signals.table_emptied, "api.dataTable_emptied"),
        (signals.table_deleted, "api.dataTable_deleted"),
    ],
)
def test_a_table_event_carries_exactly_three_capitalised_keys(db: None, signal: Signal, type: str) -> None:
    table_id = uuid7()

    signal.send(sender=None, table_id=table_id, name="Test", description="", origin=COMMAND_LINE)

    event = Event.objects.get()
    assert (event.type, event.data) == (type, {"ID": str(table_id), "Name": "Test", "Description": ""})


def test_roles_are_their_names_spaces_and_all(api: Api) -> None:
    api.sign_up()
    User.objects.get().roles.add(Role.objects.create(name="My Super User Role", name_key="my super user role"))

    api.log_in()

    event = Event.objects.get(type="auth.user_loggedIn")
    assert event.data["roles"] == ["My Super User Role"]
    assert sorted(event.data) == sorted(PERSON)


def test_the_payloads_of_a_whole_story(api: Api, mailed: Callable[[str], str]) -> None:
    api.sign_up()
    api.post("/auth/email-verification/submit", {"token": mailed("auth.email_verificationRequested")})
    api.log_in()
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    api.post("/auth/password-reset/submit", {"token": mailed("auth.password_reset"), "password": "a new password"})

    for name, stage, verified, more in [
        ("auth.user_signedUp", "", False, []),
        ("auth.email_verificationRequested", "", False, ["expiresAt"]),
        ("auth.email_verified", "", True, []),
        ("auth.user_loggedIn", "", True, []),
        ("auth.password_reset", "requested", True, ["expiresAt"]),
        ("auth.password_reset", "completed", True, []),
    ]:
        event = Event.objects.get(type=name, stage=stage)
        assert sorted(event.data) == sorted(PERSON + more)
        assert event.data["emailVerified"] is verified


def test_data_that_its_schema_does_not_describe_rolls_the_change_back(db: None) -> None:
    with pytest.raises(PayloadInvalid, match="userId"), transaction.atomic():
        record_event(type=EventType.USER_SIGNED_UP, data={"email": "x"}, origin=COMMAND_LINE)

    assert not Event.objects.exists()


def test_an_event_tells_where_it_came_from(db: None) -> None:
    api = Api()
    api.sign_up()
    origin = Origin(Source.HOSTED, request_id="request-1")

    log_in(email="ann@example.com", password=PASSWORD, carrier=Carrier.COOKIE, origin=origin)

    event = Event.objects.get(type="auth.user_loggedIn")
    assert (event.source, event.request_id) == ("hosted", "request-1")


@pytest.mark.parametrize(
    ("type", "data", "pointer"),
    [
        ("auth.user_signedUp", {}, "/type"),
        ("custom.", {}, "/type"),
        ("custom." + "x" * 114, {}, "/type"),
        ("custom.x", {"a": "x" * 65_536}, "/data"),
    ],
)
def test_no_caller_can_record_a_custom_event_that_is_none(
    db: None, type: str, data: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        record_custom_event(type=type, data=data, origin=COMMAND_LINE)

    assert [error.pointer for error in refusal.value.errors] == [pointer]
    assert not Event.objects.exists()


@contextmanager
def _no_room_for(type: str) -> Iterator[None]:
    """Events of this type can't be written; those before them in the same transaction can."""

    def record(**event: Any) -> Event:
        if event["type"] == type:
            raise RuntimeError("no room")
        return record_event(**event)

    with patch("events.receivers.record_event", record):
        yield


def _ask_for_reset(api: Api) -> None:
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()


def test_without_its_event_no_address_is_verified(api: Api, mailed: Callable[[str], str]) -> None:
    api.sign_up()
    body = {"token": mailed("auth.email_verificationRequested")}

    with _no_room_for("auth.email_verified"):
        answer = api.post("/auth/email-verification/submit", body)

    assert answer.status_code == 500
    assert not User.objects.get().email_verified
    assert OneTimeLink.objects.open().count() == EventSecret.objects.count() == 1
    assert api.post("/auth/email-verification/submit", body).status_code == 200


@pytest.mark.parametrize("type", ["auth.session_ended", "auth.password_reset"])
def test_without_its_events_no_password_is_reset(api: Api, mailed: Callable[[str], str], type: str) -> None:
    api.sign_up()
    _ask_for_reset(api)
    body = {"token": mailed("auth.password_reset"), "password": "a new password"}
    before = User.objects.get().password

    with _no_room_for(type):
        answer = api.post("/auth/password-reset/submit", body)

    assert answer.status_code == 500
    assert User.objects.get().password == before
    assert OneTimeLink.objects.open().count() == EventSecret.objects.count() == 2
    assert api.get("/auth/me").status_code == 200
    assert api.post("/auth/password-reset/submit", body).status_code == 204


def test_without_its_event_no_reset_is_asked_for(api: Api, told: Callable[[], list[str]]) -> None:
    api.sign_up()
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})

    with _no_room_for("auth.password_reset"):
        resolve_due()

    assert told() == ["auth.user_signedUp", "auth.email_verificationRequested"]
    assert OneTimeLink.objects.count() == 1


def test_without_its_event_nobody_is_logged_in(api: Api) -> None:
    api.sign_up()
    before = User.objects.get().last_login_at

    with _no_room_for("auth.user_loggedIn"):
        answer = api.log_in()

    assert answer.status_code == 500
    assert Session.objects.count() == 1
    assert User.objects.get().last_login_at == before


def test_without_its_event_nobody_is_logged_out(api: Api) -> None:
    api.sign_up()

    with _no_room_for("auth.user_loggedOut"):
        answer = api.post("/auth/logout")

    assert answer.status_code == 500
    assert api.get("/auth/me").status_code == 200


@pytest.mark.parametrize("type", ["auth.session_ended", "auth.token_reused"])
def test_without_its_events_no_session_ends_for_a_reused_token(
    api: Api, told: Callable[[], list[str]], type: str
) -> None:
    first = api.sign_up()["session"]["refreshToken"]
    second = api.post("/auth/refresh", {"refreshToken": first}).json()["session"]["refreshToken"]
    third = api.post("/auth/refresh", {"refreshToken": second}).json()["session"]["refreshToken"]
    before = told()

    with _no_room_for(type):
        answer = api.post("/auth/refresh", {"refreshToken": first})

    assert answer.status_code == 500
    assert told() == before
    assert api.post("/auth/refresh", {"refreshToken": third}).status_code == 200
