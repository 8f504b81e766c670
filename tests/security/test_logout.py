"""Checklist, OAuth and the callback: logging out (44), and ID tokens as hints (42)."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from authpages.models import Session
from tests.authpages.app_client import AppClient, public_app
from tests.authpages.conftest import Visitor
from tests.authpages.test_app_logout import AFTER, logging_out
from tests.security.test_tokens import Forger


@pytest.fixture
def notes(db: None) -> AppClient:
    return public_app(post_logout_redirect_uris=[AFTER])


@pytest.fixture
def ann(visitor: Visitor) -> Visitor:
    """Somebody who is logged in."""
    visitor.sign_up()
    return visitor


def _is_logged_in(visitor: Visitor) -> bool:
    return bool(visitor.get("/account").status_code == 200)


def _asks(answer: Any) -> bool:
    """Whether this is the page that asks."""
    return answer.status_code == 200 and "Log out?" in answer.content.decode()


@pytest.mark.parametrize("sent", [{}, {"post_logout_redirect_uri": AFTER}, {"logout_hint": "ann@example.com"}])
def test_44_a_link_alone_logs_nobody_out(ann: Visitor, notes: AppClient, sent: dict[str, str]) -> None:
    answers = [ann.get(logging_out(**sent)), ann.get(logging_out(client_id=notes.id, **sent))]

    assert all(map(_asks, answers))
    assert _is_logged_in(ann)


def test_44_a_form_of_another_site_logs_nobody_out(ann: Visitor, notes: AppClient) -> None:
    ann.client.defaults["HTTP_ORIGIN"] = "https://evil.example"

    answer = ann.client.post("/oauth/logout", {"client_id": notes.id, "post_logout_redirect_uri": AFTER})
    forged = ann.client.post("/oauth/logout", {"csrfmiddlewaretoken": "made up"})

    assert (answer.status_code, forged.status_code) == (303, 403)
    assert answer["Location"].startswith("/oauth/logout?")
    assert _asks(ann.get(answer["Location"]))
    assert _is_logged_in(ann)


def test_44_a_hint_of_another_person_is_asked_about(ann: Visitor, notes: AppClient) -> None:
    mallory = Visitor()
    mallory.sign_up("mallory@example.com")
    theirs = Session.objects.get(user__email="mallory@example.com")
    hint = notes.tokens(session=theirs)["id_token"]

    answer = ann.get(logging_out(id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert _asks(answer)
    assert _is_logged_in(ann)
    assert _is_logged_in(mallory)


def test_44_a_hint_of_another_session_of_the_same_person_is_asked_about(ann: Visitor, notes: AppClient) -> None:
    other = Visitor()
    other.log_in()
    hint = notes.tokens(session=Session.objects.latest("pk"))["id_token"]

    assert _asks(ann.get(logging_out(id_token_hint=hint)))
    assert _is_logged_in(ann)
    assert _is_logged_in(other)


def test_44_who_looks_with_head_changes_nothing(ann: Visitor, notes: AppClient) -> None:
    link = logging_out(id_token_hint=notes.tokens()["id_token"], post_logout_redirect_uri=AFTER)

    answer = ann.client.head(link)

    assert (answer.status_code, answer.content) == (200, b"")
    assert "fastgen_session" not in answer.cookies
    assert _is_logged_in(ann)


def test_44_the_page_that_asks_is_neither_framed_nor_stored(ann: Visitor) -> None:
    headers = ann.get("/oauth/logout").headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


FORGERIES: dict[str, Callable[[Forger], str]] = {
    "no signature": Forger.unsigned,
    "HMAC with the public key": Forger.hmac_signed,
    "another RSA key": lambda forger: forger.like(key=forger.own),
    "a key in jwk": lambda forger: forger.with_key_in_header("jwk"),
    "a key at jku": lambda forger: forger.with_key_in_header("jku"),
    "a key in x5c": lambda forger: forger.with_key_in_header("x5c"),
    "an unknown kid": lambda forger: forger.like(header={"kid": "nobody"}),
    "an access token": lambda forger: forger.like(header={"typ": "at+jwt"}),
    "another issuer": lambda forger: forger.like(iss="https://evil.example"),
    "several audiences": lambda forger: forger.like(aud=[forger.claims["aud"], "other"]),
    "an audience that is none": lambda forger: forger.like(aud="https://evil.example"),
    "no session": lambda forger: forger.like(sid=None),
    "another session": lambda forger: forger.like(sid=forger.claims["sub"]),
    "another person": lambda forger: forger.like(sub=forger.claims["sid"]),
    "a bit of the signature": lambda forger: forger.good[:-4],
    "claims that are no object": lambda forger: forger.good.split(".")[0] + ".W10." + forger.good.split(".")[2],
    "no token at all": lambda forger: "..",
}


@pytest.fixture
def forger(ann: Visitor, notes: AppClient) -> Forger:
    forger = Forger(notes.tokens()["id_token"])
    forger.header = forger.header | {"typ": "JWT"}
    return forger


def test_42_a_hint_like_ours_in_which_nothing_is_wrong_is_taken(ann: Visitor, forger: Forger) -> None:
    hint = forger.like(exp=int(time.time()) - 80 * 86_400)

    assert ann.get(logging_out(id_token_hint=hint))["Location"] == "/oauth/logout"
    assert not _is_logged_in(ann)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_42_a_forged_hint_is_as_none(ann: Visitor, forger: Forger, forgery: str) -> None:
    hint = FORGERIES[forgery](forger)

    answer = ann.get(logging_out(id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert _asks(answer)
    assert _is_logged_in(ann)
