"""Apps over REST: what they are, their secrets, the default app, and what ends with one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from authpages.models import App, AppSession, Consent, HostedAuthSettings, RefreshToken, Session, User, token_hash
from authpages.services.app_sessions import start_app_session
from authpages.services.apps import default_app, end_former_secret, secret_is_right
from authpages.services.codes import exchange_code, find_code, issue_code
from authpages.services.consents import agree, has_consented
from authpages.services.refused_redirects import note_refused_redirect
from authpages.tokens import issue_app_token
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.app_rest import CALLBACK, NEW, app_of, make, problems
from tests.conftest import Api


def test_one_is_made_read_changed_listed_and_deleted(program: Api):
    made = make(program)
    secret = made.pop("secret")

    changed = program.patch(f"/apps/{made['id']}", {"name": " Store ", "idTokenAlgorithm": "ES256"})

    assert made == {
        "id": made["id"],
        "name": "Shop",
        "type": "confidential",
        "firstParty": True,
        "default": False,
        "redirectUris": [CALLBACK],
        "postLogoutRedirectUris": [],
        "scopes": [],
        "idTokenAlgorithm": "RS256",
        "createdAt": made["createdAt"],
    }
    assert changed.json() == {**made, "name": "Store", "idTokenAlgorithm": "ES256"}
    assert program.get(f"/apps/{made['id']}").json() == changed.json()
    assert changed.json() in program.get("/apps").json()["items"]
    assert secret_is_right(app_of(made), secret)
    assert program.delete(f"/apps/{made['id']}").status_code == 204
    assert program.get(f"/apps/{made['id']}").status_code == 404
    assert [each["default"] for each in program.get("/apps").json()["items"]] == [True]


def test_a_public_app_has_no_secret(program: Api):
    made = make(program, type="public")

    answer = program.post(f"/apps/{made['id']}/rotate-secret")

    assert "secret" not in made
    assert (answer.status_code, answer.json()["code"]) == (409, "app-has-no-secret")
    assert not secret_is_right(app_of(made), "")


def test_of_a_secret_only_the_hash_is_kept(program: Api):
    made = make(program)

    row = App.objects.values().get(pk=made["id"])

    assert made["secret"].startswith("fgs_")
    assert len(made["secret"]) == 47
    assert made["secret"] not in str(row)
    assert bytes(row["secret_hash"] or b"") == token_hash(made["secret"])
    assert not secret_is_right(app_of(made), made["secret"] + "x")


def test_after_a_rotation_both_secrets_work_for_a_day(program: Api):
    made = make(program)
    rotated = program.post(f"/apps/{made['id']}/rotate-secret").json()

    app = app_of(made)
    both = [secret_is_right(app, each["secret"]) for each in (made, rotated)]
    App.objects.update(former_secret_until=F("former_secret_until") - timedelta(hours=24))
    later = [secret_is_right(app_of(made), each["secret"]) for each in (made, rotated)]

    assert (both, later) == ([True, True], [False, True])


def test_a_secret_that_others_have_ends_at_once(program: Api):
    made, other = make(program), make(program)
    second = program.post(f"/apps/{made['id']}/rotate-secret").json()
    program.post(f"/apps/{made['id']}/rotate-secret")
    latest = program.post(f"/apps/{other['id']}/rotate-secret").json()
    end_former_secret(app_id=UUID(other["id"]))

    assert not secret_is_right(app_of(made), made["secret"])
    assert secret_is_right(app_of(made), second["secret"])
    assert [secret_is_right(app_of(other), each["secret"]) for each in (other, latest)] == [False, True]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "a\0b"}, "/name"),
        ({"type": "secret"}, "/type"),
        ({"idTokenAlgorithm": "none"}, "/idTokenAlgorithm"),
        ({"idTokenAlgorithm": "HS256"}, "/idTokenAlgorithm"),
        ({"firstParty": "yes"}, "/firstParty"),
        ({"firstParty": False, "redirectUris": []}, "/redirectUris"),
        ({"redirectUris": [f"{CALLBACK}/{number}" for number in range(101)]}, "/redirectUris"),
        ({"redirectUris": [CALLBACK, CALLBACK]}, "/redirectUris/1"),
        ({"postLogoutRedirectUris": [CALLBACK, "http://shop.example.com/"]}, "/postLogoutRedirectUris/1"),
        ({"secret": "fgs_mine"}, "/secret"),
    ],
)
def test_what_can_not_be_is_refused(program: Api, given: dict[str, Any], pointer: str):
    answer = program.post("/apps", {**NEW, **given})

    assert answer.status_code == 400
    assert [each for each, _code in problems(answer)] == [pointer]
    assert not App.objects.exists()


def test_the_type_stays(program: Api):
    made = make(program)

    answer = program.patch(f"/apps/{made['id']}", {"type": "public"})

    assert (answer.status_code, problems(answer)) == (400, [("/type", "unknown-member")])


# The default app


def test_the_default_app_follows_the_hosted_settings(program: Api, hosted: HostedAuthSettings):
    callback, further = "https://app.example.com/in", "https://app.example.com/too"
    program.patch(
        "/settings/hosted-auth", {"callbackUrl": callback, "allowedRedirectUrls": [further], "productName": "Acme"}
    )

    [shown] = program.get("/apps").json()["items"]

    assert shown["redirectUris"] == [callback, further]
    assert (shown["name"], shown["default"], shown["type"], shown["firstParty"]) == ("Acme", True, "public", True)
    assert str(default_app()) == "Acme"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "Other"}, "/name"),
        ({"redirectUris": [CALLBACK]}, "/redirectUris"),
        ({"firstParty": False}, "/firstParty"),
    ],
)
def test_what_the_settings_say_is_changed_there(program: Api, change: dict[str, Any], pointer: str):
    id = default_app().pk

    answer = program.patch(f"/apps/{id}", change)

    assert answer.status_code == 409
    assert problems(answer) == [(pointer, "follows-hosted-settings")]
    assert "callbackUrl" in answer.json()["detail"]


def test_the_rest_of_the_default_app_is_its_own(program: Api):
    id = default_app().pk
    same = program.get(f"/apps/{id}").json()

    answer = program.patch(
        f"/apps/{id}", {"name": same["name"], "postLogoutRedirectUris": [CALLBACK], "idTokenAlgorithm": "ES256"}
    )

    assert answer.json() == {**same, "postLogoutRedirectUris": [CALLBACK], "idTokenAlgorithm": "ES256"}


def test_the_default_app_stays(program: Api):
    answer = program.delete(f"/apps/{default_app().pk}")

    assert (answer.status_code, answer.json()["code"]) == (409, "default-app-stays")


# What ends with an app


@pytest.fixture
def ann(api: Api) -> Session:
    """A person's session."""
    return Session.objects.select_related("user").get(pk=api.sign_up()["session"]["id"])


def hold(app: App, session: Session) -> tuple[AppSession, str]:
    """What the app holds of the session, and an access token of it."""
    code = issue_code(session=session, app=app, redirect_uri=CALLBACK, scope="openid", nonce="", code_challenge="x")
    found = find_code(code, app)
    assert found is not None
    held = exchange_code(code=found, app=app, origin=COMMAND_LINE).app_session
    held.app, held.session = app, session
    return held, issue_app_token(held, "openid")


def test_with_an_app_all_goes_that_it_holds(program: Api, ann: Session):
    app = app_of(make(program))
    _held, token = hold(app, ann)
    issue_code(session=ann, app=app, redirect_uri=CALLBACK, scope="", nonce="", code_challenge="x")
    Consent.objects.create(user=ann.user, app=app)
    note_refused_redirect(app=app, client_id=str(app.pk), uri=CALLBACK, for_logout=False)
    before = Api(token).get("/auth/me").status_code

    program.delete(f"/apps/{app.pk}")

    assert (before, Api(token).get("/auth/me").status_code) == (200, 401)
    assert not AppSession.objects.exists()
    assert not RefreshToken.objects.filter(app_session__isnull=False).exists()
    assert not Consent.objects.exists()
    assert Session.objects.get(pk=ann.pk).ended_at is None


@pytest.mark.parametrize("party", [True, False])
def test_what_an_app_holds_ends_where_its_party_changes(program: Api, ann: Session, party: bool):
    app, other = app_of(make(program, firstParty=party)), app_of(make(program))
    Consent.objects.create(user=ann.user, app=app, scope="openid")
    hold(app, ann)
    kept, token = hold(other, ann)

    program.patch(f"/apps/{app.pk}", {"firstParty": party, "name": "Same"})
    before = AppSession.objects.alive(timezone.now()).filter(app=app).count()
    program.patch(f"/apps/{app.pk}", {"firstParty": not party})

    assert before == 1
    assert AppSession.objects.alive(timezone.now()).get() == kept
    assert Api(token).get("/auth/me").status_code == 200


def test_what_was_agreed_to_is_asked_anew_where_the_party_changes(program: Api, ann: Session):
    app, other = app_of(make(program, firstParty=False)), app_of(make(program, firstParty=False))
    for each in (app, other):
        agree(session=ann, app=each, scope="openid", origin=COMMAND_LINE)
    code = issue_code(session=ann, app=app, redirect_uri=CALLBACK, scope="openid", nonce="", code_challenge="x")

    program.patch(f"/apps/{app.pk}", {"firstParty": False, "name": "Same"})
    before = has_consented(ann.user, app, "openid")
    for party in (True, False):
        program.patch(f"/apps/{app.pk}", {"firstParty": party})

    assert before
    assert not has_consented(ann.user, app, "openid")
    assert find_code(code, app) is None
    assert has_consented(ann.user, other, "openid")


def test_many_are_deleted_in_bites(program: Api, ann: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authpages.services.forgetting.HELD_AT_ONCE", 2)
    app = app_of(make(program))
    for _number in range(5):
        start_app_session(session=ann, app=app, scope="")

    program.delete(f"/apps/{app.pk}")

    assert not AppSession.objects.exists()


# Who comes in


def test_apps_are_for_who_may_see_and_change_settings(api: Api, key: Callable[..., Api], root: User):
    app = default_app()
    reader, stranger = key("settings:read"), key("users:write")
    person = Api()
    person.sign_up()

    for caller, reads in ((reader, 200), (stranger, 403), (person, 403), (api, 401)):
        assert caller.get("/apps").status_code == caller.get(f"/apps/{app.pk}").status_code == reads
        writes = [
            caller.post("/apps", NEW),
            caller.patch(f"/apps/{app.pk}", {}),
            caller.post(f"/apps/{app.pk}/rotate-secret"),
            caller.delete(f"/apps/{app.pk}"),
        ]
        assert {answer.status_code for answer in writes} == {401 if reads == 401 else 403}
    assert App.objects.get() == app


def test_there_is_no_app_where_there_is_none(program: Api):
    path = f"/apps/{uuid4()}"

    answers = [
        program.get(path),
        program.patch(path, {}),
        program.delete(path),
        program.post(f"{path}/rotate-secret"),
    ]

    assert {answer.status_code for answer in answers} == {404}
