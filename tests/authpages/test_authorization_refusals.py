"""What is wrong with an app's request is told to the app where people may be sent there, and on our own page else."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from authpages.models import AuthorizationCode, AuthorizationRequest, RefusedRedirect
from fastgen_backend.limits import LONGEST_URL
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import CALLBACK, ISSUER, asking, make_app, parameters_of, told_to_app

TOLD = [
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "id_token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": 'é"\\'}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"response_mode": "form_post"}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"request": "e30.e30."}, "request_not_supported"),
    ({"request_uri": "https://notes.example/request"}, "request_uri_not_supported"),
    ({"registration": "{}"}, "registration_not_supported"),
    ({"prompt": "login dance"}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "login  consent"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "1.5"}, "invalid_request"),
    ({"max_age": "٣"}, "invalid_request"),
    ({"max_age": "9" * 11}, "invalid_request"),
    ({"nonce": "n" * 501}, "invalid_request"),
    ({"nonce": "a\x00b"}, "invalid_request"),
    ({"scope": "openid " * 200}, "invalid_request"),
    ({"scope": "openid\x00"}, "invalid_request"),
    ({"ui_locales": "de " * 100}, "invalid_request"),
]


@pytest.mark.parametrize(("changes", "error"), TOLD, ids=lambda each: str(each)[:60])
def test_the_app_is_told_what_is_wrong(visitor: Visitor, changes: dict[str, str | None], error: str) -> None:
    visitor.sign_up()

    told = told_to_app(visitor.get(asking(make_app(), **changes)))

    assert (told.pop("error"), told.pop("state"), told.pop("iss")) == (error, "a state", ISSUER)
    assert re.fullmatch(r"[ -!#-\[\]-~]+", told.pop("error_description"), re.ASCII)
    assert told == {}
    assert not AuthorizationCode.objects.exists()
    assert not AuthorizationRequest.objects.exists()


@pytest.mark.parametrize("state", ["s" * 2001, "a\x00b", "a\nb", "\x7f", "é", "€" * 2000])
def test_a_state_that_is_not_good_does_not_come_back(visitor: Visitor, state: str) -> None:
    told = told_to_app(visitor.get(asking(make_app(), state=state)))

    assert (told["error"], "state" in told) == ("invalid_request", False)


def test_the_longest_state_comes_back_to_the_longest_address(visitor: Visitor) -> None:
    visitor.sign_up()
    uri = CALLBACK + "?" + "x" * (LONGEST_URL - len(CALLBACK) - 1)
    app, state = make_app(redirect_uris=[uri]), "%" * 2000

    by_get = visitor.get(asking(app, state=state))
    posted = visitor.client.post("/oauth/authorize", parameters_of(app, state=state))

    assert told_to_app(by_get, uri)["state"] == state
    assert told_to_app(visitor.get(posted["Location"]), uri)["state"] == state


@pytest.mark.parametrize("nonce", ["n", "€" * 500])
def test_what_is_too_long_to_be_sent_on_is_told_to_the_app(visitor: Visitor, nonce: str) -> None:
    sent = parameters_of(make_app(), state="%" * 2000, nonce=nonce, id_token_hint="%" * 8000, ui_locales="%" * 200)

    told = told_to_app(visitor.client.post("/oauth/authorize", sent))

    assert (told["error"], told["error_description"]) == (
        "invalid_request",
        "The parameters are too long, all together.",
    )


@pytest.mark.parametrize("name", ["state", "scope", "nonce", "code_challenge", "response_type", "max_age", "foreign"])
def test_a_parameter_stands_once(visitor: Visitor, name: str) -> None:
    visitor.sign_up()
    app = make_app()

    told = told_to_app(visitor.get(f"{asking(app, **{name: '1'})}&{name}=1"))

    assert told["error"] == "invalid_request"


@pytest.mark.parametrize("value", ["", None])
def test_a_parameter_without_a_value_is_as_none(visitor: Visitor, value: str | None) -> None:
    visitor.sign_up()

    told = told_to_app(visitor.get(asking(make_app(), nonce=value, prompt=value, max_age=value, scope=value)))

    assert "code" in told


def test_what_is_unknown_is_passed_over(visitor: Visitor) -> None:
    visitor.sign_up()

    told = told_to_app(
        visitor.get(asking(make_app(), display="page", acr_values="aal9", claims="{}", x="y", scope="openid foreign"))
    )

    assert "code" in told
    assert AuthorizationCode.objects.get().scope == "openid"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": None},
        {"redirect_uri": ""},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": CALLBACK + "?x=y"},
        {"redirect_uri": CALLBACK + "#"},
        {"redirect_uri": CALLBACK + "\x00"},
        {"redirect_uri": CALLBACK.replace("https", "http")},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "x" * 5000},
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": "0" * 36},
        {"client_id": "\x00"},
        {"client_id": "00000000-0000-4000-8000-000000000000"},
    ],
    ids=str,
)
def test_nobody_is_sent_where_the_app_may_not_send_people(visitor: Visitor, changes: dict[str, str | None]) -> None:
    visitor.sign_up()

    page = visitor.get(asking(make_app(), **changes))

    assert page.status_code == 400
    assert RefusedRedirect.objects.get().reference in text_of(page)
    assert "Location" not in page
    assert not AuthorizationCode.objects.exists()


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_nor_where_it_says_so_twice(visitor: Visitor, name: str) -> None:
    visitor.sign_up()
    app = make_app()

    page = visitor.get(f"{asking(app)}&{urlencode({name: parameters_of(app)[name]})}")

    assert page.status_code == 400
    assert not AuthorizationCode.objects.exists()


def test_a_client_id_that_stands_twice_is_told_as_that(admin: Visitor) -> None:
    app = make_app()

    admin.get(f"{asking(app)}&{urlencode({'client_id': app.pk})}")

    reference = RefusedRedirect.objects.get().reference
    told = text_of(admin.get(f"/console/apps?reference={reference}"))
    assert f"The app sent its client ID more than once: {app.pk} {app.pk} . It has to stand there once." in told
    assert "There is no app with the client ID" not in told


def test_nor_where_another_app_may(visitor: Visitor) -> None:
    visitor.sign_up()
    other = make_app(name="Other", redirect_uris=["https://other.example/"])

    page = visitor.get(asking(make_app(), redirect_uri=other.redirect_uris[0]))

    assert page.status_code == 400


def test_an_error_of_the_request_is_told_after_that(visitor: Visitor) -> None:
    page: Any = visitor.get(asking(make_app(), redirect_uri="https://evil.example/", response_type="token"))

    assert page.status_code == 400


@pytest.mark.parametrize("client_id", [None, "nobody"])
def test_of_an_app_that_is_not_known_the_page_says_so(visitor: Visitor, client_id: str | None) -> None:
    app = make_app()

    unknown, forbidden = (
        text_of(visitor.get(asking(app, **changes)))
        for changes in ({"client_id": client_id}, {"redirect_uri": "https://evil.example/"})
    )

    assert ("We don’t know this app" in unknown, "isn’t registered for" in unknown) == (True, False)
    assert ("We don’t know this app" in forbidden, "isn’t registered for" in forbidden) == (False, True)
