"""What a reverse proxy is told of who comes to a site behind it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import Session, User
from tests.authpages.conftest import Visitor
from tests.authpages.test_hosted_next import FOREIGN
from tests.conftest import Api

PATH = "/oauth/forward-auth"


@pytest.fixture
def ann(visitor: Visitor) -> Visitor:
    """Ann, who is logged in."""
    visitor.sign_up()
    return visitor


def _person(**changes: Any) -> None:
    User.objects.update(**changes)


def _ask(visitor: Visitor, path: str = PATH, **headers: str) -> Any:
    return visitor.client.get(path, headers=headers)


def _told(answer: Any) -> dict[str, str]:
    assert answer.status_code == 200, answer.content
    return {name.removeprefix("X-Auth-User-"): text for name, text in answer.items() if name.startswith("X-Auth-User-")}


def test_who_is_logged_in_is_told_in_headers(ann: Visitor, key: Callable[..., Api]):
    user = User.objects.get()
    program = key("*")
    for name in ("editor", "Chief"):
        program.post("/roles", {"name": name})
    program.patch(f"/users/{user.pk}", {"firstName": "Ann", "lastName": "Lee", "roles": ["editor", "Chief"]})

    answer = _ask(ann)

    assert answer.content == b""
    assert _told(answer) == {
        "Id": str(user.pk),
        "Email": "ann@example.com",
        "Email-Verified": "false",
        "Name": "Ann Lee",
        "Roles": "Chief,editor",
    }


def test_names_of_all_kinds_travel_and_none_ends_a_header(ann: Visitor, key: Callable[..., Api]):
    names = ["a,b", "100%", "Žofia", "x\r\nX-Auth-User-Id: root", "\N{ZERO WIDTH SPACE}"]
    program = key("*")
    roles = [program.post("/roles", {"name": name}).json().get("name") for name in ("a,b", "c%2Cd", "größe")]
    program.patch(f"/users/{User.objects.get().pk}", {"roles": roles})

    for name in names:
        _person(first_name=name)
        told = _told(_ask(ann))

        assert unquote(told["Name"]) == name
        assert all(text.isascii() and text.isprintable() for text in told.values())
        assert [unquote(each) for each in told["Roles"].split(",")] == sorted(roles)


def test_an_address_travels_whatever_it_holds(ann: Visitor):
    for address in ("ann+tag@example.com", "ann%2540x@example.com", "änn@exämple.com", '"a,b"@example.com'):
        _person(email=address)

        assert unquote(_told(_ask(ann))["Email"]) == address


def test_it_takes_one_query_and_is_seen(ann: Visitor):
    _ask(ann)

    with CaptureQueriesContext(connection) as queries:
        answer = _ask(ann, f"{PATH}?role=editor")

    assert (answer.status_code, len(queries)) == (403, 1)
    before = timezone.now()
    Session.objects.update(last_seen_at=before - timedelta(minutes=5))
    _ask(ann)
    assert Session.objects.get().last_seen_at >= before


@pytest.mark.parametrize("header", ["X-Original-URI", "X-Forwarded-Uri"])
def test_nobody_is_sent_to_the_login_and_back(db: None, header: str):
    answer = Client(headers={"host": "127.0.0.1:8000"}).get(PATH, headers={header: "/reports/2026?month=11&a=%26"})

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer.json()["code"] == "not-authenticated"
    login = urlsplit(answer["X-Auth-Login-Url"])
    assert (login.scheme, login.netloc, login.path) == ("http", "127.0.0.1:8000", "/login")
    assert parse_qs(login.query) == {"next": ["/reports/2026?month=11&a=%26"]}
    assert "Location" not in answer
    assert not [name for name in answer.headers if name.startswith("X-Auth-User")]


def test_a_proxy_that_hands_the_answer_on_may_ask_for_a_redirect(visitor: Visitor):
    answer = _ask(visitor, f"{PATH}?login=redirect&role=editor", **{"x-forwarded-uri": "/reports"})

    assert (answer.status_code, answer["Location"]) == (303, "http://127.0.0.1:8000/login?next=/reports")
    visitor.sign_up()
    assert _ask(visitor, f"{PATH}?login=redirect").status_code == 200
    assert _ask(visitor, f"{PATH}?login=redirect&role=editor").status_code == 403


@pytest.mark.parametrize("text", FOREIGN)
def test_no_login_leads_to_another_origin(visitor: Visitor, text: str):
    answer = _ask(visitor, **{"x-original-uri": text, "x-forwarded-uri": text, "x-forwarded-host": "evil.example"})

    assert (answer.status_code, answer["X-Auth-Login-Url"]) == (401, "http://127.0.0.1:8000/login")


def test_the_way_back_leads_there(visitor: Visitor):
    Visitor().sign_up()
    login = urlsplit(_ask(visitor, **{"x-original-uri": "/reports?a=b"})["X-Auth-Login-Url"])

    answer = visitor.log_in(at=f"{login.path}?{login.query}")

    assert (answer.status_code, answer["Location"]) == (303, "/reports?a=b")
    assert _ask(visitor).status_code == 200


@pytest.mark.parametrize("way", ["blocked", "logged out", "ended", "idle"])
def test_whose_session_is_over_is_nobody_at_once(ann: Visitor, key: Callable[..., Api], way: str):
    user = User.objects.get()
    match way:
        case "blocked":
            key("*").post(f"/users/{user.pk}/block")
        case "ended":
            key("*").post(f"/users/{user.pk}/end-sessions")
        case "logged out":
            ann.press("/account", "/logout")
        case "idle":
            Session.objects.update(last_seen_at=timezone.now() - timedelta(days=31))

    assert _ask(ann).status_code == 401


def test_the_console_s_cookie_is_no_login_here(admin: Visitor):
    assert _ask(admin).status_code == 401


def test_a_token_is_no_login_here(api: Api):
    api.sign_up()

    answer = api.client.get(PATH, headers={"authorization": f"Bearer {api.token}"})

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Cookie")


def test_a_role_may_be_asked_for(ann: Visitor, key: Callable[..., Api]):
    program = key("*")
    program.post("/roles", {"name": "Editor"})
    program.patch(f"/users/{User.objects.get().pk}", {"roles": ["Editor"]})

    def status(query: str) -> int:
        return int(_ask(ann, f"{PATH}?{query}").status_code)

    assert status("role=Editor") == status("role=editor") == status("role=chief&role=Editor") == 200
    assert status("role=chief") == status("role=chief&role=boss") == status("role=") == status("role=Edit") == 403
    assert Visitor().get(f"{PATH}?role=Editor").status_code == 401


def test_who_lacks_the_roles_is_told_which(ann: Visitor):
    answer = _ask(ann, f"{PATH}?role=chief&role=boss")

    assert answer.json()["code"] == "not-allowed"
    assert "chief, boss" in answer.json()["detail"]
    assert not [name for name in answer.headers if name.startswith("X-Auth-")]


@pytest.mark.parametrize("query", ["roles=chief", "login=yes", "login=", "login=redirect&login=redirect"])
def test_a_slip_in_the_proxy_s_configuration_is_told(ann: Visitor, query: str):
    answer = _ask(ann, f"{PATH}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-input")
    assert query.partition("=")[0] in answer.json()["detail"]


def test_what_is_told_is_kept_by_no_cache(ann: Visitor):
    assert _ask(ann)["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("query", ["", "?role=editor"])
def test_no_other_method_is_ever_taken_for_a_yes(ann: Visitor, method: str, query: str):
    for browser in (ann.client, Client(headers={"host": "127.0.0.1:8000"})):
        answer = browser.generic(method, PATH + query)

        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
        assert answer.json()["code"] == "method-not-allowed"
        assert not [name for name in answer.headers if name.startswith("X-Auth-User")]


def test_a_head_is_as_a_get(ann: Visitor):
    assert _told(ann.client.head(PATH)) == _told(_ask(ann))
    assert Client(headers={"host": "127.0.0.1:8000"}).head(PATH).status_code == 401
