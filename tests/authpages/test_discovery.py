"""What apps read first: it is complete and true, and the same for everyone."""

from typing import Any

import pytest
from authlib.oauth2 import rfc8414, rfc9207
from authlib.oidc import discovery, rpinitiated
from django.test import Client
from django.urls import resolve

from authpages.models import HostedAuthSettings, SigningKey, User
from authpages.oauth.discovery import metadata
from authpages.oauth.provider import OPENID_SCOPES
from tests.authpages.app_client import public_app, read_claims, userinfo
from tests.conftest import Api

pytestmark = pytest.mark.django_db
PROVIDER = "/.well-known/openid-configuration"
SERVER = "/.well-known/oauth-authorization-server"
JWKS = "/.well-known/jwks.json"
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}  # RFC 7518, 6.2.2 and 6.3.2


def _get(path: str, **options: Any) -> Any:
    return Client(headers={"host": "127.0.0.1:8000"}).get(path, **options)


def test_the_metadata_are_valid_by_the_rules_of_the_standards(settings: Any):
    settings.BASE_URL = "https://id.example.com"
    document = metadata()

    discovery.OpenIDProviderMetadata(document).validate(
        [rfc9207.AuthorizationServerMetadata, rpinitiated.OpenIDProviderMetadata]
    )
    rfc8414.AuthorizationServerMetadata(document).validate()

    assert document["issuer"] == "https://id.example.com"
    assert document["end_session_endpoint"] == "https://id.example.com/oauth/logout"


def test_every_address_in_it_is_one_of_ours(settings: Any):
    document = _get(PROVIDER).json()
    addresses = {value for name, value in document.items() if name.endswith(("_endpoint", "_uri", "_documentation"))}

    assert len(addresses) == 8
    for address in addresses:
        assert address.startswith(f"{settings.BASE_URL}/")
        assert resolve(address.removeprefix(settings.BASE_URL))


def test_it_is_made_of_base_url_and_not_of_the_host_that_was_asked():
    answer = Client(headers={"host": "localhost:1234"}).get(PROVIDER)

    assert answer.json()["issuer"] == "http://127.0.0.1:8000"


def test_it_stands_where_oauth_looks_for_it_too():
    assert _get(SERVER).json() == _get(PROVIDER).json()


def test_it_says_what_apps_can_rely_on():
    document = _get(PROVIDER).json()

    assert document["response_types_supported"] == ["code"]
    assert document["response_modes_supported"] == ["query"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["scopes_supported"] == list(OPENID_SCOPES)
    assert document["authorization_response_iss_parameter_supported"] is True
    assert {"none", "login", "consent", "select_account", "create"} == set(document["prompt_values_supported"])
    assert document["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post", "none"]
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]


def test_it_names_all_that_an_app_is_told(api: Api):
    api.sign_up()
    User.objects.update(first_name="Ann", last_name="Ánn", locale="de")
    tokens = public_app().tokens(scope=" ".join(OPENID_SCOPES))

    id_token, document = read_claims(tokens["id_token"]), _get(PROVIDER).json()

    assert {*id_token, *userinfo(tokens["access_token"]).json()} == set(document["claims_supported"])
    assert id_token["acr"] in document["acr_values_supported"]


@pytest.mark.parametrize("what", ["claims_parameter", "request_parameter", "request_uri_parameter"])
def test_it_promises_nothing_that_a_client_would_take_for_granted(what: str):
    assert _get(PROVIDER).json()[f"{what}_supported"] is False


@pytest.mark.parametrize("path", [PROVIDER, SERVER, JWKS])
def test_everyone_may_keep_it_for_five_minutes(path: str):
    answer = _get(path)

    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Content-Type"] == "application/json"
    assert not answer.cookies
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", [PROVIDER, SERVER, JWKS])
def test_nothing_is_to_be_sent_there(path: str):
    client = Client(headers={"host": "127.0.0.1:8000"})

    assert client.post(path).status_code == 405
    assert client.head(path).status_code == 200


def test_the_keys_are_public_and_tell_what_they_are_for():
    keys = _get(JWKS).json()["keys"]

    assert [(key["kty"], key["alg"], key["use"]) for key in keys] == [("RSA", "RS256", "sig"), ("EC", "ES256", "sig")]
    assert {key["kid"] for key in keys} == {str(pk) for pk in SigningKey.objects.values_list("pk", flat=True)}
    assert not any(PRIVATE & set(key) for key in keys)


def test_the_first_key_of_an_algorithm_is_published_before_it_signs(api: Api):
    api.sign_up()

    published = {key["alg"] for key in _get(JWKS).json()["keys"]}

    assert published == {"RS256", "ES256"}


def test_the_keys_cost_no_query_each(django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("authpages.signing_keys.UNKNOWN_SECONDS", 60)
    _get(JWKS)

    with django_assert_num_queries(0):
        _get(JWKS)
        _get(PROVIDER)


def test_while_the_hosted_pages_are_off_only_authorization_is_gone(hosted: HostedAuthSettings):
    before = _get(PROVIDER).json()
    hosted.pages_enabled = False
    hosted.save()

    assert _get(PROVIDER).json() == before
    assert _get(JWKS).status_code == 200
    assert _get("/oauth/authorize").status_code == 404
    assert _get("/oauth/logout").status_code == 200
