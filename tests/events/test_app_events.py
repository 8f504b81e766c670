"""What people let apps know of them, and take back, as the log tells it: once for each change, and with it or not."""

from unittest.mock import patch

import pytest

from authpages.models import App, AppSession, Consent, HostedAuthSettings, Session, User
from authpages.services.consents import agree, remove_access
from authpages.services.users import delete_user
from events.models import Event
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.app_client import public_app
from tests.authpages.conftest import Visitor, admin, hosted, root, text_of, visitor
from tests.authpages.oauth import asking, make_app
from tests.authpages.test_own_apps import give_access, remove
from tests.conftest import Api, together

__all__ = ["admin", "hosted", "root", "visitor"]


@pytest.fixture
def stranger(db: None) -> App:
    """A third-party app."""
    return make_app(name="Stranger", first_party=False)


@pytest.fixture
def ann(visitor: Visitor) -> Visitor:
    """Somebody who is logged in."""
    visitor.sign_up()
    return visitor


def told_of_apps() -> list[tuple[str, list[str]]]:
    """What the log tells of apps, and the scope that each event names."""
    events = Event.objects.filter(type__startswith="auth.app_").order_by("id")
    return [(event.type.removeprefix("auth.app_"), event.data["scope"]) for event in events]


def test_a_yes_is_told_with_person_and_app(ann: Visitor, stranger: App) -> None:
    give_access(ann, stranger, scope="openid email")

    event, user = Event.objects.get(type="auth.app_authorized"), User.objects.get()
    assert (event.subject, event.actor, event.source) == (str(user.pk), f"user:{user.pk}", "hosted")
    assert event.data == {
        "userId": str(user.pk),
        "email": "ann@example.com",
        "emailVerified": False,
        "roles": [],
        "appId": str(stranger.pk),
        "appName": "Stranger",
        "scope": ["openid", "email"],
    }


def test_more_is_told_and_the_same_again_is_not(ann: Visitor, stranger: App) -> None:
    give_access(ann, stranger, scope="openid email")
    give_access(ann, stranger, scope="openid", prompt="consent")
    give_access(ann, stranger, scope="openid roles")

    assert told_of_apps() == [
        ("authorized", ["openid", "email"]),
        ("authorized", ["openid", "email", "roles"]),
    ]


def test_a_no_is_not_told(ann: Visitor, stranger: App) -> None:
    ann.send(ann.get(asking(stranger))["Location"], answer="deny")

    assert told_of_apps() == []


def test_what_is_taken_back_is_told_once(ann: Visitor, stranger: App) -> None:
    give_access(ann, stranger, scope="openid email")
    remove_access(user=User.objects.get(), app_id=stranger.pk, origin=COMMAND_LINE)
    remove_access(user=User.objects.get(), app_id=stranger.pk, origin=COMMAND_LINE)

    assert told_of_apps() == [("authorized", ["openid", "email"]), ("revoked", ["openid", "email"])]


def test_of_an_app_of_ours_nobody_is_asked_but_what_is_taken_back_is_told(
    ann: Visitor, hosted: HostedAuthSettings
) -> None:
    hosted.product_name, hosted.callback_url = "Acme", "https://notes.example/callback"
    hosted.save()
    app = make_app(name="", is_default=True)
    give_access(ann, app, scope="openid")

    remove(ann, app)

    event, user = Event.objects.get(type="auth.app_revoked"), User.objects.get()
    assert told_of_apps() == [("revoked", ["openid"])]
    assert (event.data["appName"], event.actor) == ("Acme", f"user:{user.pk}")


def test_without_its_event_nobody_agrees(ann: Visitor, stranger: App) -> None:
    with patch("events.receivers.record_event", side_effect=RuntimeError), pytest.raises(RuntimeError):
        agree(session=Session.objects.get(), app=stranger, scope="openid", origin=COMMAND_LINE)

    assert not Consent.objects.exists()


def test_without_its_event_nothing_is_taken_back(ann: Visitor, stranger: App) -> None:
    give_access(ann, stranger)

    with patch("events.receivers.record_event", side_effect=RuntimeError), pytest.raises(RuntimeError):
        remove_access(user=User.objects.get(), app_id=stranger.pk, origin=COMMAND_LINE)

    assert (Consent.objects.count(), AppSession.objects.count()) == (1, 1)


def test_with_the_person_it_is_forgotten(ann: Visitor, stranger: App) -> None:
    give_access(ann, stranger)

    delete_user(user_id=User.objects.get().pk, origin=COMMAND_LINE)

    assert Event.objects.get(type="auth.app_authorized").data == {}


@pytest.mark.parametrize("page", ["/console/events?type=auth.app_authorized", "/console/users/{person}"])
def test_the_log_and_the_person_s_story_name_the_app(admin: Visitor, stranger: App, page: str) -> None:
    ann = Visitor()
    ann.sign_up()
    give_access(ann, stranger, scope="openid")
    remove(ann, stranger)  # or the story would name it among the sessions, too

    text = text_of(admin.get(page.format(person=User.objects.get(email="ann@example.com").pk)))

    assert "auth.app_authorized ann@example.com Stranger" in text or "auth.app_authorized Stranger" in text


def test_the_log_names_the_app_whose_code_came_twice(admin: Visitor) -> None:
    Visitor().sign_up()
    app = public_app()
    code = app.code(Session.objects.get(user__email="ann@example.com"))
    app.exchange(code)
    app.exchange(code)

    text = text_of(admin.get("/console/events?type=auth.token_reused"))

    assert "auth.token_reused ann@example.com Notes" in text


@pytest.mark.django_db(transaction=True)
def test_an_app_that_is_deleted_just_now_is_agreed_to_by_nobody() -> None:
    Api().sign_up()
    session = Session.objects.select_related("user").get()
    app = make_app(first_party=False)
    gone = App.objects.get()
    app.delete()

    agree(session=session, app=gone, scope="openid", origin=COMMAND_LINE)

    assert not Consent.objects.exists()
    assert told_of_apps() == []
    with pytest.raises(NotFound):
        remove_access(user=session.user, app_id=gone.pk, origin=COMMAND_LINE)


@pytest.mark.django_db(transaction=True)
def test_what_many_agree_to_and_take_back_at_the_same_moment_is_told_once() -> None:
    Api().sign_up()
    session, app = Session.objects.select_related("user").get(), make_app(first_party=False)

    together(lambda _number: agree(session=session, app=app, scope="openid email", origin=COMMAND_LINE))
    together(lambda _number: remove_access(user=session.user, app_id=app.pk, origin=COMMAND_LINE))

    assert told_of_apps() == [("authorized", ["openid", "email"]), ("revoked", ["openid", "email"])]
