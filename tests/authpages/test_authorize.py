"""The way from an app to a login and back, in one browser."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authpages.models import AuthorizationCode, AuthorizationRequest, HostedAuthSettings, Session, token_hash
from authpages.services.apps import default_app
from tests.authpages.conftest import Visitor
from tests.authpages.oauth import CALLBACK, CHALLENGE, ISSUER, asking, make_app, parameters_of, told_to_app, way_on

AT_ONCE = ["SELECT", "SELECT", "SELECT", "SELECT", "SELECT", "INSERT"]  # settings, app, session; both held, the code


def test_who_is_logged_in_comes_back_with_a_code_at_once(visitor: Visitor) -> None:
    visitor.sign_up()

    told = told_to_app(visitor.get(asking(make_app(), nonce="n")))

    assert told == {"code": told["code"], "state": "a state", "iss": ISSUER}
    row = AuthorizationCode.objects.get(hash=token_hash(told["code"]))
    kept = (row.redirect_uri, row.scope, row.nonce, row.code_challenge, row.session)
    assert kept == (CALLBACK, "openid email", "n", CHALLENGE, Session.objects.get())
    assert not AuthorizationRequest.objects.exists()


def test_who_is_not_logged_in_logs_in_and_comes_back(visitor: Visitor) -> None:
    Visitor().sign_up()

    asked = visitor.get(asking(make_app()))
    landed = visitor.log_in(at=asked["Location"])
    told = told_to_app(visitor.get(landed["Location"]))

    assert (asked.status_code, asked["Location"].partition("%")[0]) == (303, "/login?next=/oauth/authorize")
    assert (set(told), told["state"]) == ({"code", "state", "iss"}, "a state")


def test_who_is_new_signs_up_from_there_and_comes_back(visitor: Visitor) -> None:
    at = visitor.get(asking(make_app()))["Location"]

    assert f'href="/signup?{at.partition("?")[2]}"' in visitor.get(at).content.decode()
    landed = visitor.sign_up(at=at.replace("/login", "/signup"))

    assert set(told_to_app(visitor.get(landed["Location"]))) == {"code", "state", "iss"}


def test_a_code_at_once_takes_six_queries(visitor: Visitor) -> None:
    visitor.sign_up()
    address = asking(make_app())

    with CaptureQueriesContext(connection) as queries:
        visitor.get(address)

    asked = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert asked == AT_ONCE


def test_the_default_app_takes_no_more(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    hosted.callback_url = CALLBACK
    hosted.save()
    visitor.sign_up()
    address = asking(default_app(), redirect_uri=CALLBACK)

    with CaptureQueriesContext(connection) as queries:
        visitor.get(address)

    asked = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert asked == AT_ONCE


def test_on_the_way_back_the_app_is_loaded_once_and_held(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.get(asking(make_app(), prompt="login"))
    way = visitor.log_in(at=f"/login?next={way_on()}")["Location"]

    with CaptureQueriesContext(connection) as queries:
        told_to_app(visitor.get(way))

    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(asked) == 6  # settings, request, app, session, and the last two once more, held
    assert sum('"authpages_app"' in each for each in asked) == 2


def test_a_post_is_as_a_get(visitor: Visitor) -> None:
    visitor.sign_up()
    app = make_app()

    answer = Visitor().client.post(
        "/oauth/authorize", parameters_of(app, nonce="n"), headers={"origin": "https://x.example"}
    )

    assert (answer.status_code, answer["Location"].partition("?")[0]) == (303, "/oauth/authorize")
    assert set(told_to_app(visitor.get(answer["Location"]))) == {"code", "state", "iss"}
    assert AuthorizationCode.objects.get().nonce == "n"


def test_a_post_that_is_not_good_is_answered_as_a_get(visitor: Visitor) -> None:
    answer = visitor.client.post("/oauth/authorize", parameters_of(make_app(), code_challenge=None))

    assert told_to_app(answer)["error"] == "invalid_request"


@pytest.mark.parametrize("method", ["head", "put", "delete"])
def test_no_other_method_is_there(visitor: Visitor, method: str) -> None:
    visitor.sign_up()

    answer = getattr(visitor.client, method)(asking(make_app()))

    assert answer.status_code == 405
    assert not AuthorizationCode.objects.exists()


def test_while_the_pages_are_off_there_is_none(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    hosted.pages_enabled = False
    hosted.save()

    answer = visitor.get(asking(make_app()))

    assert answer.status_code == 404
    assert "text/html" in answer["Content-Type"]


def test_nothing_is_stored_and_a_login_may_end_at_the_app_alone(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    hosted.callback_url = "https://other.example/"
    hosted.save()
    asked = visitor.get(asking(make_app()))

    pages = [visitor.get(asked["Location"]), visitor.get(asked["Location"].replace("/login", "/signup"))]

    assert asked["Cache-Control"] == "no-store"
    for page in pages:
        assert "form-action 'self' https://notes.example;" in page["Content-Security-Policy"]


def test_a_form_may_end_at_an_app_on_the_device(visitor: Visitor) -> None:
    app = make_app(redirect_uris=["com.example.notes:/callback"])

    page = visitor.get(visitor.get(asking(app))["Location"])

    assert "form-action 'self' com.example.notes:;" in page["Content-Security-Policy"]
    visitor.sign_up()
    assert "code" in told_to_app(visitor.get(asking(app)), "com.example.notes:/callback?")


@pytest.mark.parametrize(
    ("uri", "begins"),
    [
        ("https://notes.example/c?tenant=7&x=%20y", "https://notes.example/c?tenant=7&x=%20y&code="),
        ("https://notes.example", "https://notes.example?code="),
        ("https://notes.example/c?", "https://notes.example/c?code="),
        ("https://Notes.example/A/../b//", "https://Notes.example/A/../b//?code="),
    ],
)
def test_what_the_registered_address_has_stays_as_it_is(visitor: Visitor, uri: str, begins: str) -> None:
    visitor.sign_up()

    answer = visitor.get(asking(make_app(redirect_uris=[uri])))

    assert answer["Location"].startswith(begins)


def test_a_loopback_address_may_have_any_port(visitor: Visitor) -> None:
    visitor.sign_up()
    app = make_app(redirect_uris=["http://127.0.0.1/callback"])

    answer = visitor.get(asking(app, redirect_uri="http://127.0.0.1:51004/callback"))

    assert "code" in told_to_app(answer, "http://127.0.0.1:51004/callback?")


@pytest.mark.parametrize("state", ["", '"~ !', "a&b=c#d", "x" * 2000, '<script>"'])
def test_the_state_comes_back_as_it_was(visitor: Visitor, state: str) -> None:
    visitor.sign_up()

    told = told_to_app(visitor.get(asking(make_app(), state=state)))

    assert told.get("state", "") == state


def test_an_address_that_a_policy_can_t_name_is_gone_to_by_a_page(visitor: Visitor) -> None:
    app = make_app(redirect_uris=["http://[::1]:3000/callback"])
    asked = visitor.get(asking(app))

    page = visitor.get(visitor.sign_up(at=asked["Location"].replace("/login", "/signup"))["Location"])
    at_once = visitor.get(asking(app))

    onward = r'content="0;url=(http://\[::1\]:3000/callback\?code=[\w-]+&amp;state=a\+state&amp;iss=[^"]+)"'
    assert page.status_code == 200
    assert re.search(onward, page.content.decode())
    assert "code" in told_to_app(at_once, "http://[::1]:3000/callback?")
    assert "[" not in visitor.get(asked["Location"])["Content-Security-Policy"]


def test_the_default_app_follows_the_settings(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    hosted.callback_url = "https://home.example/back"
    hosted.save()
    visitor.sign_up()
    app = make_app(name="", is_default=True, redirect_uris=[])

    answer = visitor.get(asking(app, redirect_uri="https://home.example/back"))

    assert "code" in told_to_app(answer, "https://home.example/back?")
