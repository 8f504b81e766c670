"""Chains of refresh tokens that are longer than PostgreSQL takes parameters: all that ends otherwise, ends."""

import uuid

import pytest
from django.db import connection
from django.utils import timezone

from authpages.models import App, AppSession, RefreshToken, Session, User
from authpages.services import forgetting
from authpages.services.apps import NOBODY, change_app, delete_app
from authpages.services.consents import remove_access
from authpages.services.retention import forget_some
from authpages.services.users import delete_user
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.app_client import AppClient, public_app, userinfo
from tests.conftest import PASSWORD, Api

MOST_PARAMETERS = 65_535
pytestmark = pytest.mark.django_db


@pytest.fixture
def app(api: Api) -> AppClient:
    """An app of ours, with Ann logged in."""
    api.sign_up()
    return public_app()


def lengthen(held: AppSession | None, session: Session) -> None:
    """Put used tokens before the one that is good, in one statement; on SQLite fewer, as it knows no such limit."""
    count = MOST_PARAMETERS + 500 if connection.vendor == "postgresql" else 900
    of_app = f"'{held.pk if connection.vendor == 'postgresql' else held.pk.hex}'" if held else "NULL"
    of_session = session.pk if connection.vendor == "postgresql" else session.pk.hex
    first = (RefreshToken.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    made = "SELECT %(first)s AS n UNION ALL SELECT n + 1 FROM made WHERE n < %(last)s"
    hashed = "decode(md5(n::text), 'hex')" if connection.vendor == "postgresql" else "CAST(n AS BLOB)"
    now = "now() - interval '1 day'" if connection.vendor == "postgresql" else "datetime('now', '-1 day')"
    statement = (
        f"WITH RECURSIVE made(n) AS ({made}) "  # noqa: S608  all of it ours
        "INSERT INTO authpages_refreshtoken (id, session_id, app_session_id, hash, parent_id, created_at, used_at) "
        f"SELECT n, '{of_session}', {of_app}, {hashed}, NULLIF(n - 1, %(first)s - 1), {now}, {now} FROM made"
    )
    last = first + count - 1
    with connection.cursor() as cursor:
        cursor.execute(statement % {"first": first, "last": last})
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(pg_get_serial_sequence('authpages_refreshtoken', 'id'), %s)", [last])
    RefreshToken.objects.filter(session=session, app_session=held, used_at=None).update(parent=last)


@pytest.fixture
def token(app: AppClient) -> str:
    """The refresh token of the app, at the end of a long chain."""
    token = str(app.tokens()["refresh_token"])
    held = AppSession.objects.get()
    lengthen(held, held.session)
    return token


def living() -> int:
    return AppSession.objects.alive(timezone.now()).count()


def test_the_app_gives_it_back(app: AppClient, token: str) -> None:
    answer = app.revoke(token)

    assert (answer.status_code, living()) == (200, 0)
    assert app.refresh(token).status_code == 400


def test_the_person_takes_it_back(app: AppClient, token: str) -> None:
    remove_access(user=User.objects.get(), app_id=app.app.pk, origin=COMMAND_LINE)

    assert living() == 0
    assert app.refresh(token).status_code == 400


def test_it_ends_with_a_change_of_party(app: AppClient, token: str) -> None:
    change_app(app_id=app.app.pk, changes={"first_party": False}, giver=NOBODY)

    assert living() == 0
    assert app.refresh(token).status_code == 400


def test_the_app_is_deleted(app: AppClient, token: str) -> None:
    delete_app(app_id=app.app.pk)

    assert not App.objects.exists()
    assert not RefreshToken.objects.filter(app_session__isnull=False).exists()
    assert Session.objects.get().ended_at is None


def test_the_person_is_deleted(app: AppClient, token: str) -> None:
    delete_user(user_id=User.objects.get().pk, origin=COMMAND_LINE)

    assert not User.objects.exists()
    assert not RefreshToken.objects.exists()


def test_a_person_is_deleted_of_whom_all_came_at_once(app: AppClient, token: str) -> None:
    RefreshToken.objects.update(used_at=timezone.now())

    delete_user(user_id=User.objects.get().pk, origin=COMMAND_LINE)

    assert not RefreshToken.objects.exists()


def test_the_app_changes_the_password(app: AppClient, token: str) -> None:
    caller = Api(app.refresh(token).json()["access_token"])

    answer = caller.post("/auth/password/change", {"currentPassword": PASSWORD, "newPassword": PASSWORD[::-1]})

    assert answer.status_code == 200
    assert RefreshToken.objects.filter(app_session__isnull=False).count() == 1


def test_a_program_changes_the_password(app: AppClient, api: Api) -> None:
    lengthen(None, Session.objects.get())

    answer = api.post("/auth/password/change", {"currentPassword": PASSWORD, "newPassword": PASSWORD[::-1]})

    assert (answer.status_code, RefreshToken.objects.count()) == (200, 1)


def test_what_has_ended_is_forgotten_in_bites(app: AppClient, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "TOKENS_AT_ONCE", 10_000 if connection.vendor == "postgresql" else 200)
    other = app.tokens()
    app.revoke(token)

    bites = 1
    while forget_some():
        bites += 1

    assert bites > 4
    assert living() == AppSession.objects.count() == 1
    assert RefreshToken.objects.filter(app_session__isnull=False).count() == 1
    assert userinfo(other["access_token"]).status_code == 200


def test_who_may_not_delete_a_person_touches_nothing(app: AppClient, token: str) -> None:
    count = RefreshToken.objects.count()

    for person in (uuid.uuid4(), User.objects.get().pk):
        User.objects.update(is_superuser=True)
        with pytest.raises(Exception, match=r"no such user|only admin"):
            delete_user(user_id=person, origin=COMMAND_LINE)

    assert RefreshToken.objects.count() == count
