"""A person who is deleted is gone: account, sessions, links, and the data of their events."""

from typing import Any

import pytest

from authpages import signals
from authpages.errors import LastAdmin
from authpages.models import OneTimeLink, Session, User
from authpages.services.users import create_user, delete_user
from events.models import Event, EventSecret
from fastgen_backend.errors import NotFound
from fastgen_backend.ids import uuid7
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD, Api
from tests.slowness import hurry, run_long


def test_a_deleted_person_is_told_with_their_last_values(api: Api):
    user = api.sign_up()["user"]

    delete_user(user_id=user["id"], origin=COMMAND_LINE)

    told = Event.objects.get(type="auth.user_deleted")
    assert told.data == {"userId": user["id"], "email": "ann@example.com", "emailVerified": False, "roles": []}


def test_sessions_and_links_go_with_the_account(api: Api):
    user = api.sign_up()["user"]

    delete_user(user_id=user["id"], origin=COMMAND_LINE)

    assert api.get("/auth/me").status_code == 401
    assert not Session.objects.exists()
    assert not OneTimeLink.objects.exists()
    assert api.log_in().status_code == 401


def test_events_of_a_deleted_person_lose_their_data_but_stay(api: Api):
    user = api.sign_up()["user"]
    before = list(Event.objects.order_by("id").values_list("uid", "type"))

    delete_user(user_id=user["id"], origin=COMMAND_LINE)

    events = list(Event.objects.order_by("id"))
    assert [(event.uid, event.type) for event in events[:-1]] == before
    assert [event.data for event in events[:-1]] == [{}] * len(before)
    assert not EventSecret.objects.exists()


def test_an_unknown_person_is_not_found(db: None):
    with pytest.raises(NotFound):
        delete_user(user_id=uuid7(), origin=COMMAND_LINE)


def test_the_only_admin_stays(db: None):
    admin = create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)

    with pytest.raises(LastAdmin):
        delete_user(user_id=admin.pk, origin=COMMAND_LINE)

    assert User.objects.filter(pk=admin.pk).exists()


def test_one_of_two_admins_may_go(db: None):
    admins = [
        create_user(email=f"root{number}@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
        for number in range(2)
    ]

    delete_user(user_id=admins[0].pk, origin=COMMAND_LINE)

    assert [user.pk for user in User.objects.admins()] == [admins[1].pk]


@pytest.mark.django_db(transaction=True)
def test_it_takes_the_time_it_needs() -> None:
    ann = create_user(email="ann@example.com", origin=COMMAND_LINE)

    def hear_slowly(**_: Any) -> None:
        run_long(2)

    signals.user_deleted.connect(hear_slowly)
    try:
        with hurry():
            delete_user(user_id=ann.pk, origin=COMMAND_LINE)
    finally:
        signals.user_deleted.disconnect(hear_slowly)

    assert not User.objects.exists()
