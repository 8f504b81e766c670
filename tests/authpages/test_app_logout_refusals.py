"""What apps ask for that send people to log out, and don't get; and what can't be read."""

from urllib.parse import urlencode

import pytest

from authpages.models import RefusedRedirect
from fastgen_backend.limits import LONGEST_URL
from tests.authpages.app_client import AppClient, public_app
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.test_app_logout import AFTER, is_logged_in, logging_out


@pytest.fixture
def notes(db: None) -> AppClient:
    """An app that people are logged out by."""
    return public_app(post_logout_redirect_uris=[AFTER])


@pytest.fixture
def ann(visitor: Visitor) -> Visitor:
    """Somebody who is logged in."""
    visitor.sign_up()
    return visitor


# Wrong addresses ----------------------------------------------------------------------------------------------------

WRONG = [
    AFTER + "/",
    AFTER + "?x=1",
    "https://NOTES.example/bye",
    "https://evil.example/",
    "javascript:alert(1)",
    "/account",
]


@pytest.mark.parametrize("uri", WRONG)
def test_an_address_that_is_not_registered_is_a_page_with_a_reference(
    visitor: Visitor, notes: AppClient, uri: str
) -> None:
    page = visitor.get(logging_out(client_id=notes.id, post_logout_redirect_uri=uri))

    refused = RefusedRedirect.objects.get()
    assert (page.status_code, "Location" in page.headers) == (400, False)
    assert refused.reference in text_of(page)
    assert (refused.app, refused.uri, refused.for_logout) == (notes.app, uri, True)


def test_a_redirect_uri_of_logins_is_none_of_logouts(visitor: Visitor, notes: AppClient) -> None:
    page = visitor.get(logging_out(client_id=notes.id, post_logout_redirect_uri="https://notes.example/callback"))

    assert page.status_code == 400


def test_who_is_meant_is_logged_out_though_the_address_is_wrong(ann: Visitor, notes: AppClient) -> None:
    link = logging_out(id_token_hint=notes.tokens()["id_token"], post_logout_redirect_uri=AFTER + "/")

    pages = [ann.get(link), ann.get(link)]

    assert [page.status_code for page in pages] == [400, 400]
    assert ["You are logged out." in text_of(page) for page in pages] == [True, False]
    assert not is_logged_in(ann)


def test_the_address_of_an_app_that_there_is_not_is_refused_too(visitor: Visitor) -> None:
    page = visitor.get(logging_out(client_id="nobody", post_logout_redirect_uri=AFTER))

    assert (page.status_code, RefusedRedirect.objects.get().app) == (400, None)


# Requests that can't be read ----------------------------------------------------------------------------------------


def test_a_hint_for_another_app_than_is_named_is_refused(ann: Visitor, notes: AppClient) -> None:
    other = public_app(post_logout_redirect_uris=[AFTER])
    hint = notes.tokens()["id_token"]

    page = ann.get(logging_out(client_id=other.id, id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert page.status_code == 400
    assert "issued to another app" in text_of(page)
    assert is_logged_in(ann)


@pytest.mark.parametrize(
    "query",
    [
        "state=a&state=b",
        "id_token_hint=a&id_token_hint=b",
        "state=" + "x" * 2001,
        "state=%C3%A9",
        "state=a%00b",
        "state=a%0Ab",
        "id_token_hint=" + "%25" * 6000,
        "id_token_hint=" + "x" * 8001,
        "post_logout_redirect_uri=https://notes.example/" + "x" * 2000,
    ],
)
def test_what_stands_twice_or_is_too_long_or_foreign_is_refused_by_get_and_post(ann: Visitor, query: str) -> None:
    page = ann.get(f"/oauth/logout?{query}")
    posted = ann.client.post("/oauth/logout", query, content_type="application/x-www-form-urlencoded")

    assert [page.status_code, posted.status_code] == [400, 400]
    assert 'href="/oauth/logout"' in page.content.decode()
    assert is_logged_in(ann)


@pytest.mark.parametrize("value", ["%00", "%ff%fe", "%F0%9F%98%80", "%0d%0aSet-Cookie:%20a=b", "💥"])
@pytest.mark.parametrize("name", ["id_token_hint", "client_id", "state", "logout_hint", "ui_locales", "next", "other"])
def test_whatever_the_parameters_hold_is_no_error(ann: Visitor, notes: AppClient, name: str, value: str) -> None:
    hint = {} if name in {"id_token_hint", "client_id"} else {"id_token_hint": notes.tokens()["id_token"]}

    answer = ann.get(f"/oauth/logout?{urlencode({'post_logout_redirect_uri': AFTER, **hint})}&{name}={value}")

    assert answer.status_code in {200, 303, 400}
    assert "Set-Cookie: a" not in answer.serialize_headers().decode()
    assert answer.get("Location", AFTER).startswith(AFTER)


def test_the_longest_state_comes_back_to_the_longest_address(ann: Visitor) -> None:
    uri = AFTER + "?" + "x" * (LONGEST_URL - len(AFTER) - 1)
    notes, state = public_app(post_logout_redirect_uris=[uri]), "%" * 2000
    hint = notes.tokens()["id_token"]

    posted = ann.client.post("/oauth/logout", {"id_token_hint": hint, "post_logout_redirect_uri": uri, "state": state})
    answer = ann.get(posted["Location"])

    assert (answer.status_code, answer["Location"]) == (303, f"{uri}&state={'%25' * 2000}")
