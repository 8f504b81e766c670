"""Who may let an app do what in its own name, and that it ends with the admin who did."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.models import App, Session, User
from authpages.services.api_keys import create_api_key
from authpages.services.apps import secret_is_right
from authpages.services.blocking import block_user, unblock_user
from authpages.services.users import create_user, delete_user
from authpages.tokens import issue_client_token
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.app_client import AppClient, confidential_app, refusal
from tests.authpages.app_rest import NEW, app_of, make, problems
from tests.authpages.conftest import Visitor, text_of
from tests.conftest import PASSWORD, Api


def test_a_scope_is_given_by_who_has_it(program: Api, key: Callable[..., Api], everything: Api):
    wider = key("settings:write", "rows:read")

    answers = [caller.post("/apps", {**NEW, "scopes": ["rows:read"]}) for caller in (program, wider, everything)]
    too_wide = wider.post("/apps", {**NEW, "scopes": ["rows:read", "*"]})

    assert [answer.status_code for answer in answers] == [403, 201, 201]
    assert problems(answers[0]) == [("/scopes", "scopes-not-allowed")]
    assert too_wide.status_code == 403
    assert App.objects.count() == 2


def test_who_may_change_settings_gets_no_hold_of_what_an_app_may(program: Api, everything: Api):
    made = make(everything, scopes=["users:write", "rows:read"])
    path = f"/apps/{made['id']}"

    attempts = [
        program.post(f"{path}/rotate-secret"),
        program.patch(path, {"scopes": ["*"]}),
        program.patch(path, {"scopes": []}),  # and then a secret, and the scopes come back some day
        program.patch(path, {"scopes": ["rows:read"]}),
    ]

    assert [answer.status_code for answer in attempts] == [403] * 4
    assert everything.get(path).json()["scopes"] == ["rows:read", "users:write"]
    assert secret_is_right(app_of(made), made["secret"])
    assert program.patch(path, {"name": "Renamed", "scopes": ["users:write", "rows:read"]}).status_code == 200


def test_a_key_that_expires_gives_nothing_that_stays(program: Api):
    expiring = Api(create_api_key(name="x", scopes=["*"], expires_at=timezone.now() + timedelta(days=1))[1])

    answers = [expiring.post("/apps", {**NEW, "scopes": ["rows:read"]}), expiring.post("/apps", NEW)]

    assert [answer.status_code for answer in answers] == [403, 201]


def test_an_app_gives_nothing_that_outlives_it(everything: Api):
    app = app_of(make(everything, scopes=["*"]))
    caller = Api(issue_client_token(app, ["*"]))

    answers = [caller.post("/apps", {**NEW, "scopes": ["rows:read"]}), caller.post(f"/apps/{app.pk}/rotate-secret")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert caller.post("/apps", NEW).status_code == 201


def test_an_admin_gives_any_scope(admin: Any):
    token = admin.client.cookies["fastgen_csrf"].value
    headers = {"X-CSRFToken": token}

    answer = admin.client.post(
        "/api/v1/apps", {**NEW, "scopes": ["*"]}, content_type="application/json", headers=headers
    )

    assert (answer.status_code, answer.json()["scopes"]) == (201, ["*"])


@pytest.mark.parametrize(
    ("type", "scopes", "code"),
    [("public", ["rows:read"], "not-confidential"), ("confidential", ["rows:eat"], "unknown-scope")],
)
def test_scopes_that_can_not_be_are_refused(everything: Api, type: str, scopes: list[str], code: str):
    answer = everything.post("/apps", {**NEW, "type": type, "scopes": scopes})

    assert (answer.status_code, problems(answer)) == (400, [("/scopes", code)])


def test_of_a_scope_that_there_is_not_everyone_is_told_that(program: Api, everything: Api):
    made = make(everything)

    answers = [
        program.post("/apps", {**NEW, "scopes": ["rows:eat"]}),
        program.patch(f"/apps/{made['id']}", {"scopes": ["rows:eat", "*"]}),
    ]

    assert [(answer.status_code, problems(answer)) for answer in answers] == [
        (400, [("/scopes", "unknown-scope")]),
        (400, [("/scopes", "unknown-scope")]),
    ]


# They end with the admin who gave them


@pytest.fixture
def giver(root: User) -> User:
    """An admin beside the first one."""
    return create_user(email="gil@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)


@pytest.fixture
def of_giver(giver: User) -> Api:
    """A key of that admin's, with which apps are made."""
    return Api(create_api_key(name="x", scopes=["*"], made_by=giver)[1])


def block(giver: User) -> None:
    block_user(user_id=giver.pk, origin=COMMAND_LINE)


def remove_admin(giver: User) -> None:
    User.objects.filter(pk=giver.pk).update(is_superuser=False)


def remove(giver: User) -> None:
    delete_user(user_id=giver.pk, origin=COMMAND_LINE)


LEAVES: list[Callable[[User], None]] = [block, remove_admin, remove]


def client(made: Any) -> AppClient:
    return AppClient(app_of(made), made["secret"])


@pytest.mark.parametrize("leave", LEAVES)
def test_scopes_end_with_the_admin_who_gave_them(giver: User, of_giver: Api, leave: Callable[[User], None]):
    app = client(make(of_giver, scopes=["*"]))
    token = app.client_credentials().json()["access_token"]
    asker = confidential_app()
    before = Api(token).get("/users").status_code, asker.introspect(token).json()["active"]

    leave(giver)

    assert before == (200, True)
    assert Api(token).get("/users").status_code == 401
    assert Api(token).post("/users", {"email": "eve@example.com", "admin": True}).status_code == 401
    assert asker.introspect(token).json() == {"active": False}
    assert refusal(app.client_credentials()) == (400, "unauthorized_client")
    assert app_of({"id": app.id}).scopes == ["*"]


def test_what_other_admins_and_the_command_line_gave_stays(giver: User, of_giver: Api, everything: Api, root: User):
    kept = [client(make(everything, scopes=["users:read"]))]
    kept.append(client(make(Api(create_api_key(name="y", scopes=["*"], made_by=root)[1]), scopes=["users:read"])))
    make(of_giver, scopes=["users:read"])

    remove(giver)

    tokens = [app.client_credentials().json()["access_token"] for app in kept]
    assert [Api(token).get("/users").status_code for token in tokens] == [200, 200]


def test_who_was_blocked_and_is_let_in_again_has_given_them(giver: User, of_giver: Api):
    app = client(make(of_giver, scopes=["users:read"]))
    block(giver)
    asleep = app_of({"id": app.id}).is_asleep

    unblock_user(user_id=giver.pk, origin=COMMAND_LINE)

    assert asleep
    assert app.client_credentials().status_code == 200


def test_who_logs_in_through_an_app_that_is_asleep_does_so_as_ever(giver: User, of_giver: Api, api: Api):
    app = client(make(of_giver, scopes=["users:read"]))
    session = Session.objects.get(pk=api.sign_up()["session"]["id"])

    remove(giver)

    answer = app.exchange(app.code(session, redirect_uri=NEW["redirectUris"][0]), redirect_uri=NEW["redirectUris"][0])
    assert answer.status_code == 200


def test_who_changes_the_scopes_gives_them_all_from_then_on(giver: User, of_giver: Api, everything: Api):
    made = make(of_giver, scopes=["users:read", "rows:read"])

    everything.patch(f"/apps/{made['id']}", {"scopes": ["users:read"]})
    remove(giver)

    assert app_of(made).scopes_given_by_id is None
    assert client(made).client_credentials().status_code == 200


def test_who_gives_or_takes_one_scope_must_have_all_of_the_others(key: Callable[..., Api], everything: Api):
    made = make(everything, scopes=["users:read", "rows:read"])
    narrow = key("settings:write", "rows:read", "tables:read")

    answers = [
        narrow.patch(f"/apps/{made['id']}", {"scopes": scopes})
        for scopes in (["users:read"], ["rows:read"], ["users:read", "rows:read", "tables:read"])
    ]

    assert [answer.status_code for answer in answers] == [403] * 3


def test_nothing_wakes_an_app_but_a_new_secret(giver: User, of_giver: Api, everything: Api):
    made = make(of_giver, scopes=["users:read"])
    path = f"/apps/{made['id']}"
    remove(giver)

    for scopes in (["rows:read"], [], ["users:read"]):
        assert everything.patch(path, {"scopes": scopes, "name": "Other"}).status_code == 200
    asleep = client(made).client_credentials()
    woken = everything.post(f"{path}/rotate-secret").json()

    assert refusal(asleep) == (400, "unauthorized_client")
    assert client(woken).client_credentials().status_code == 200
    assert refusal(client(made).client_credentials()) == (401, "invalid_client")  # that the former admin may know


def test_who_makes_a_new_secret_gives_the_scopes_by_it(giver: User, of_giver: Api, everything: Api):
    made = make(everything, scopes=["users:read"])
    rotated = of_giver.post(f"/apps/{made['id']}/rotate-secret").json()
    both = [client(each).client_credentials().status_code for each in (made, rotated)]

    remove_admin(giver)

    assert both == [200, 200]
    assert app_of(made).scopes_given_by_id == giver.pk
    assert refusal(client(rotated).client_credentials()) == (400, "unauthorized_client")


def test_an_app_without_scopes_is_given_by_nobody(giver: User, of_giver: Api):
    made = make(of_giver)
    assert app_of(made).scopes_given_by_id is None

    of_giver.patch(f"/apps/{made['id']}", {"scopes": ["rows:read"]})
    given = app_of(made).scopes_given_by_id
    of_giver.patch(f"/apps/{made['id']}", {"scopes": []})

    assert (given, app_of(made).scopes_given_by_id) == (giver.pk, None)


# In the console


def test_the_console_says_who_gave_them_and_whether_it_is_asleep(
    admin: Visitor, giver: User, of_giver: Api, root: User
):
    path = f"/console/apps/{make(of_giver, scopes=['users:read'])['id']}"

    pages = [text_of(admin.get(path))]
    for leave in LEAVES:
        leave(giver)
        pages.append(text_of(admin.get(path)))
        User.objects.filter(pk=giver.pk).update(blocked=False, is_superuser=True)
    asked = text_of(admin.get(f"{path}/rotate-secret"))
    admin.press(f"{path}/rotate-secret", f"{path}/rotate-secret")

    assert "gil@example.com" in pages[0]
    assert "Asleep" not in pages[0]
    assert ["Asleep: blocked" in pages[1], "Asleep: no admin any more" in pages[2]] == [True, True]
    assert "an admin who was removed Asleep" in pages[3]
    assert "The one there is now ends at once" in asked
    assert App.objects.get(name="Shop").scopes_given_by == root
    assert "Asleep" not in text_of(admin.get(path))


def test_an_admin_gives_scopes_in_the_console(admin: Visitor, root: User):
    form = {"name": "Shop", "kind": "machine", "first_party": "first", "scopes": ["rows:read"]}
    token = admin.client.cookies["fastgen_csrf"].value

    admin.client.post("/console/apps/new", {**form, "csrfmiddlewaretoken": token})

    assert App.objects.get().scopes_given_by == root
