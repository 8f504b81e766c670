"""A client_id has one spelling: another one is that of no app, wherever it is sent."""

from collections.abc import Callable

import pytest

from tests.authpages.app_client import AppClient, confidential_app, refusal, send
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import asking

Spell = Callable[[str], str]

SPELLINGS: list[Spell] = [
    str.upper,
    lambda it: f"{{{{{it.replace('-', '')}}}}}",
    lambda it: it.replace("-", ""),
    lambda it: f"{{{it}}}",
    lambda it: f"urn:uuid:{it}",
    lambda it: f" {it}"[:36],
    lambda it: f"{it[:8]}{it[9:]}-",
]


@pytest.fixture
def app(db: None) -> AppClient:
    return confidential_app(scopes=["users:read"], post_logout_redirect_uris=["https://notes.example/"])


@pytest.fixture(params=SPELLINGS, ids=["upper", "braces", "bare", "brace", "urn", "space", "hyphens"])
def alias(request: pytest.FixtureRequest, app: AppClient) -> str:
    spell: Spell = request.param
    spelt = spell(app.id)
    assert spelt != app.id
    return spelt


def test_nobody_is_sent_anywhere_by_another_spelling(visitor: Visitor, app: AppClient, alias: str):
    page = visitor.get(asking(app.app, client_id=alias))

    assert page.status_code == 400
    assert "Location" not in page


def test_no_token_is_given_to_another_spelling(app: AppClient, alias: str):
    asked = {"grant_type": "client_credentials", "client_id": alias, "client_secret": app.secret}

    assert refusal(send("/oauth/token", asked)) == (401, "invalid_client")


def test_a_logout_by_another_spelling_leads_nowhere(visitor: Visitor, app: AppClient, alias: str):
    page = visitor.client.get(
        "/oauth/logout", {"client_id": alias, "post_logout_redirect_uri": "https://notes.example/"}
    )

    assert page.status_code == 400
    assert "We don’t know this app" in text_of(page)
