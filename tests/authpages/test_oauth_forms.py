"""What apps send by themselves is read strictly: one form in the body, each parameter once, and no cookie."""

import pytest
from django.test import Client

from tests.authpages.app_client import FORM, AppClient, confidential_app, public_app, refusal, send
from tests.authpages.oauth import CALLBACK, VERIFIER
from tests.conftest import Api


@pytest.fixture
def app(api: Api) -> AppClient:
    """An app of ours that keeps no secret, with Ann logged in."""
    api.sign_up()
    return public_app()


@pytest.mark.parametrize("missing", ["grant_type", "code", "code_verifier", "redirect_uri"])
@pytest.mark.parametrize("empty", [False, True])
def test_what_is_missing_or_empty_spends_no_code(app: AppClient, missing: str, empty: bool) -> None:
    form = {"grant_type": "authorization_code", "code": app.code(), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    form["client_id"] = app.id
    changed = form | {missing: ""} if empty else {name: value for name, value in form.items() if name != missing}

    answer = send("/oauth/token", changed)

    assert refusal(answer) == (400, "invalid_grant" if missing == "redirect_uri" else "invalid_request")
    assert send("/oauth/token", form).status_code == 200


def test_a_refresh_without_a_token_says_so(app: AppClient) -> None:
    assert refusal(app.refresh("")) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
def test_other_methods_are_405(db: None, method: str, path: str) -> None:
    answer = Client(headers={"host": "127.0.0.1:8000"}).generic(method, path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "type", [f"{FORM}; charset=utf-16", "application/json", "multipart/form-data; boundary=x", "text/plain"]
)
def test_only_forms_are_taken(app: AppClient, type: str) -> None:
    assert refusal(send("/oauth/token", '{"grant_type":"authorization_code"}', type=type)) == (400, "invalid_request")


def test_a_form_may_say_that_it_is_utf_8(app: AppClient) -> None:
    form = f"grant_type=refresh_token&client_id={app.id}&refresh_token={app.tokens()['refresh_token']}"

    assert send("/oauth/token", form, type=f"{FORM}; charset=UTF-8").status_code == 200


def test_a_parameter_that_stands_twice_is_refused(app: AppClient) -> None:
    code = app.code()

    answer = send("/oauth/token", f"grant_type=authorization_code&client_id={app.id}&code={code}&code={code}")

    assert refusal(answer) == (400, "invalid_request")


@pytest.mark.parametrize("query", ["grant_type=refresh_token", "&".join("a" * 10_001), "&"])
def test_nothing_is_taken_from_the_address(app: AppClient, query: str) -> None:
    assert refusal(app.post(f"/oauth/token?{query}", {"grant_type": "refresh_token"})) == (400, "invalid_request")


def test_unknown_parameters_are_passed_over(app: AppClient) -> None:
    assert app.exchange(app.code(), resource="https://api.example.com").status_code == 200


def test_too_large_a_body_is_413(app: AppClient) -> None:
    answer = send("/oauth/token", "grant_type=" + "a" * 65_536)

    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")
    assert (answer.json()["code"], answer.json()["error"]) == ("body-too-large", "invalid_request")


def test_too_many_parameters_are_refused(app: AppClient) -> None:
    assert refusal(send("/oauth/token", "&".join(f"a{n}=1" for n in range(2000)))) == (400, "invalid_request")


ODD = ["%00", "%ff%fe", "%ED%A0%80", "%C3%A9", "x" * 5000, "%20", "%5B%5D", "*", "a.b.c", ".."]


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/introspect"])
@pytest.mark.parametrize("grant", ["authorization_code", "refresh_token", "client_credentials"])
@pytest.mark.parametrize("odd", ODD)
def test_whatever_is_sent_is_refused_or_good_for_nothing(db: None, path: str, grant: str, odd: str) -> None:
    server = confidential_app(scopes=["users:read"])
    shown = [f"client_id={server.id}&client_secret={server.secret}", f"client_id={server.id}&client_secret={odd}"]
    names = ("code", "code_verifier", "redirect_uri", "refresh_token", "scope", "token", "token_type_hint")
    form = f"grant_type={grant}&{'&'.join(f'{name}={odd}' for name in names)}"

    answers = [send(path, f"{form}&{client}") for client in [*shown, f"client_id={odd}"]]

    assert [answer.status_code for answer in answers][1:] == [401, 401]
    assert answers[0].status_code in {200, 400}


def test_no_cookie_is_looked_at_and_no_csrf_token_needed(app: AppClient) -> None:
    cookies = {"cookie": "fastgen_session=planted; fastgen_csrf=planted", "origin": "https://evil.example"}
    form = {"grant_type": "refresh_token", "refresh_token": app.tokens()["refresh_token"]}

    answer = app.post("/oauth/token", form, **cookies)

    assert (answer.status_code, len(answer.cookies)) == (200, 0)
