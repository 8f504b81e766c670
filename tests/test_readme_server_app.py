"""The README's server app, by authlib's client in Flask; and what else authlib's client does, with its checks on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.conftest import PASSWORD
from tests.http_browser import HttpBrowser, http_browser
from tests.processes import Running, new_database, run, starting, wait_for
from tests.readme import block, server_app

__all__ = ["http_browser"]
THERE = "http://127.0.0.1:3000"  # the app, at which nothing listens


@pytest.fixture(scope="module")
def fastgen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, httpx.Client]]:
    """Fastgen, and its API for who may do everything."""
    folder = tmp_path_factory.mktemp("up")
    with new_database(folder) as database_url, starting(folder, database_url) as start:
        up = start()
        assert wait_for(up.is_ready), up.err.read_text()
        key = run("create_api_key", "test", "--scope", "*", DATABASE_URL=database_url).stdout.strip()
        with httpx.Client(base_url=f"{up.url}/api/v1", headers={"authorization": f"Bearer {key}"}) as api:
            yield up, api


@pytest.fixture
def email() -> str:
    """The address of somebody who is not there yet."""
    return f"ann.{uuid4().hex[:8]}@example.com"


@pytest.fixture
def app(fastgen: tuple[Running, httpx.Client], tmp_path: Path) -> Iterator[str]:
    with server_app(tmp_path, fastgen[0].url, fastgen[1]) as address:
        yield address


@pytest.mark.whichever_database
def test_the_server_app_of_the_readme_learns_who_signed_in(app: str, http_browser: HttpBrowser, email: str) -> None:
    login = http_browser.follow(http_browser.open(f"{app}/"), "Log in")
    assert login.url.path == "/login"

    home = http_browser.sign_up(login, email)

    assert (str(home.url), home.status_code) == (f"{app}/", 200)
    assert f"Hello {email}." in home.text


@pytest.mark.whichever_database
def test_who_logs_out_of_the_server_app_of_the_readme_is_logged_out_everywhere(
    fastgen: tuple[Running, httpx.Client], app: str, http_browser: HttpBrowser, email: str
) -> None:
    home = http_browser.sign_up(http_browser.open(f"{app}/login"), email)

    gone = http_browser.follow(home, "Log out")

    assert str(gone.url).startswith(f"{app}/?state=")
    assert email not in gone.text + http_browser.open(f"{app}/").text
    assert http_browser.open(f"{fastgen[0].url}/account").url.path == "/login"


@pytest.mark.whichever_database
def test_who_comes_back_to_the_server_app_in_another_browser_is_asked_to_begin_anew(
    app: str, http_browser: HttpBrowser, email: str
) -> None:
    with httpx.Client() as client:
        login = HttpBrowser(client).open(f"{app}/login")  # whose way on a mail would carry to the other browser

    back = http_browser.sign_up(login, email)
    home = http_browser.follow(back, "Log in")

    assert (back.status_code, back.url.path) == (400, "/callback")
    assert "Nobody is logged in here (mismatching_state)." in back.text
    assert f"Hello {email}." in home.text


@pytest.mark.whichever_database
def test_who_cancels_gets_a_calm_answer_of_the_server_app(
    fastgen: tuple[Running, httpx.Client], http_browser: HttpBrowser, email: str, tmp_path: Path
) -> None:
    with server_app(tmp_path, fastgen[0].url, fastgen[1], firstParty=False) as app:
        consent = http_browser.sign_up(http_browser.open(f"{app}/login"), email)
        back = http_browser.send(consent, answer="deny")

    assert (back.status_code, back.url.path) == (400, "/callback")
    assert "Nobody is logged in here (access_denied)." in back.text


def test_an_api_of_one_s_own_takes_the_access_tokens_of_its_app_alone(
    fastgen: tuple[Running, httpx.Client], http_browser: HttpBrowser, email: str
) -> None:
    up, api = fastgen
    with _client(api, "RS256") as client, _client(api, "RS256") as other:
        told = _logged_in(client, _metadata(up), http_browser, email)
        others = _logged_in(other, _metadata(up), http_browser, email)
        code = block("python", "JWTClaimsRegistry").replace("http://127.0.0.1:8000", up.url)
        own_api: dict[str, Any] = {}
        exec(code.replace("<id>", client.client_id), own_api)  # noqa: S102  the README's
    ours = api.post("/auth/login", json={"email": email, "password": PASSWORD}).json()["session"]["accessToken"]
    who_calls = own_api["who_calls"]

    assert who_calls(told["access_token"])["sub"] == told["user"]["id"]
    for token, error in [(told["id_token"], ValueError), (others["access_token"], JoseError), (ours, JoseError)]:
        with pytest.raises(error):
            who_calls(token)
    with pytest.raises(JoseError):
        who_calls(told["access_token"][:-8] + "AAAAAAAA")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_authlib_s_client_does_all_that_it_can(
    fastgen: tuple[Running, httpx.Client], http_browser: HttpBrowser, email: str, algorithm: str
) -> None:
    up, api = fastgen
    with _client(api, algorithm) as client:
        server = _metadata(up)
        told = _logged_in(client, server, http_browser, email)
        claims = _checked(told, server, client.client_id, algorithm)
        client.get(server["userinfo_endpoint"]).raise_for_status()
        assert client.get(server["userinfo_endpoint"]).json()["email"] == email

        renewed = client.refresh_token(server["token_endpoint"], refresh_token=told["refresh_token"])
        token = renewed["access_token"]
        seen = [client.introspect_token(server["introspection_endpoint"], token=token).json()["active"]]
        client.revoke_token(server["revocation_endpoint"], token=renewed["refresh_token"]).raise_for_status()
        seen.append(client.introspect_token(server["introspection_endpoint"], token=token).json()["active"])

    assert seen == [True, False]
    assert claims["sub"] == told["user"]["id"]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_who_is_logged_out_by_authlib_s_client_is_out_everywhere(
    fastgen: tuple[Running, httpx.Client], http_browser: HttpBrowser, email: str, algorithm: str
) -> None:
    up, api = fastgen
    with _client(api, algorithm) as client:
        server = _metadata(up)
        told = _logged_in(client, server, http_browser, email)
        before = client.get(server["userinfo_endpoint"]).status_code
        hint = {"id_token_hint": told["id_token"], "post_logout_redirect_uri": f"{THERE}/bye", "state": "over"}

        gone = http_browser.open(add_params_to_uri(server["end_session_endpoint"], hint.items()), f"{THERE}/bye")

        assert gone.headers["location"] == f"{THERE}/bye?state=over"
        assert (before, client.get(server["userinfo_endpoint"]).status_code) == (200, 401)
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh_token(server["token_endpoint"], refresh_token=told["refresh_token"])
    assert http_browser.open(f"{up.url}/account").url.path == "/login"


def _metadata(up: Running) -> dict[str, Any]:
    told: dict[str, Any] = httpx.get(f"{up.url}/.well-known/openid-configuration").json()
    return told


def _client(api: httpx.Client, algorithm: str) -> OAuth2Session:
    """The client of a new app."""
    uris = {"redirectUris": [f"{THERE}/back"], "postLogoutRedirectUris": [f"{THERE}/bye"]}
    made = api.post("/apps", json={"name": "A", "type": "confidential", "idTokenAlgorithm": algorithm, **uris}).json()
    return OAuth2Session(
        made["id"],
        made["secret"],
        scope="openid email offline_access",
        redirect_uri=f"{THERE}/back",
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    )


def _logged_in(client: OAuth2Session, server: dict[str, Any], browser: HttpBrowser, email: str) -> dict[str, Any]:
    """The tokens of somebody new, who has signed up on the way."""
    verifier = uuid4().hex * 2
    url, state = client.create_authorization_url(
        server["authorization_endpoint"], code_verifier=verifier, nonce="once", max_age=3600
    )
    back = browser.lead_back(url, THERE, email)
    told: dict[str, Any] = client.fetch_token(
        server["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )
    return told


def _checked(told: dict[str, Any], server: dict[str, Any], client_id: str, algorithm: str) -> CodeIDToken:
    """The claims of the ID token, once authlib finds nothing wrong with it."""
    keys = KeySet.import_key_set(httpx.get(server["jwks_uri"]).json())
    token = jwt.decode(told["id_token"], keys, algorithms=[algorithm])
    assert token.header["alg"] == algorithm
    options = {"iss": {"essential": True, "values": [server["issuer"]]}, "at_hash": {"essential": True}}
    expected = {"nonce": "once", "client_id": client_id, "access_token": told["access_token"], "max_age": 3600}
    claims = CodeIDToken(token.claims, token.header, options, expected)
    claims.validate()
    return claims
