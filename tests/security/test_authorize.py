"""Checklist, OAuth and the callback, where apps send people: 35 to 39, 41 and 48."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from authpages.errors import CodeInvalid
from authpages.models import App, AuthorizationCode, AuthorizationRequest, Consent, Session, token_hash
from authpages.services.codes import exchange_code, find_code
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.authpages.oauth import CALLBACK, CHALLENGE, asking, make_app, make_confidential_app, told_to_app
from tests.conftest import PASSWORD

ONE_BYTE_OFF = [
    CALLBACK[:-1],
    CALLBACK + "/",
    CALLBACK + "?",
    CALLBACK + "%00",
    CALLBACK.replace("callback", "Callback"),
    CALLBACK.replace("callback", "%63allback"),
    CALLBACK.replace("https", "http"),
    CALLBACK.replace("notes.example", "notes.example."),
    CALLBACK.replace("notes.example", "notes.example:443"),
    CALLBACK.replace("notes.example", "www.notes.example"),
    CALLBACK.replace("notes.example", "notes.example@evil.example"),
    CALLBACK.replace("/callback", "/x/../callback"),
    CALLBACK.replace("/callback", "\\callback"),
    f" {CALLBACK}",
    f"{CALLBACK} ",
]


@pytest.fixture
def ann(visitor: Visitor) -> Visitor:
    """Somebody who is logged in."""
    visitor.sign_up()
    return visitor


@pytest.mark.parametrize("uri", ONE_BYTE_OFF)
def test_35_another_address_by_a_byte_is_refused(ann: Visitor, uri: str) -> None:
    page = ann.get(asking(make_app(), redirect_uri=uri))

    assert (page.status_code, "Location" in page) == (400, False)
    assert not AuthorizationCode.objects.exists()


def test_35_the_address_of_another_app_is_refused(ann: Visitor) -> None:
    make_app(name="Other", redirect_uris=["https://other.example/"])

    assert ann.get(asking(make_app(), redirect_uri="https://other.example/")).status_code == 400


@pytest.mark.parametrize("uri", ["http://127.0.0.1/c", "http://[::1]/c", "http://localhost:3000/c"])
def test_35_the_port_of_a_loopback_address_alone_may_differ(ann: Visitor, uri: str) -> None:
    app, host = make_app(redirect_uris=[uri]), uri.rpartition("/")[0].removesuffix(":3000")

    other_port = ann.get(asking(app, redirect_uri=f"{host}:49152/c"))
    other_path = ann.get(asking(app, redirect_uri=f"{host}:49152/d"))

    assert "code" in told_to_app(other_port, f"{host}:49152/c?")
    assert other_path.status_code == 400


@pytest.mark.parametrize("changes", [{"response_type": "token"}, {"prompt": "none"}, {"code_challenge": None}], ids=str)
@pytest.mark.parametrize("uri", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_36_no_error_leads_to_a_stranger(visitor: Visitor, uri: str, changes: dict[str, Any]) -> None:
    page = visitor.get(asking(make_app(), redirect_uri=uri, **changes))

    assert (page.status_code, "Location" in page) == (400, False)
    assert uri not in page.content.decode()


@pytest.mark.parametrize("make", [make_app, make_confidential_app])
@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": CHALLENGE + "="},
        {"code_challenge": CHALLENGE[:-1]},
    ],
    ids=str,
)
def test_37_no_code_without_pkce_by_s256(ann: Visitor, make: Any, changes: dict[str, str | None]) -> None:
    told = told_to_app(ann.get(asking(make(), **changes)))

    assert told["error"] == "invalid_request"
    assert not AuthorizationCode.objects.exists()


def test_38_a_code_is_good_for_a_minute_and_kept_as_a_hash(ann: Visitor) -> None:
    app = make_app()
    code = told_to_app(ann.get(asking(app)))["code"]
    row = AuthorizationCode.objects.get()

    assert len(code) >= 43
    assert bytes(row.hash) == token_hash(code)
    assert code not in str(list(AuthorizationCode.objects.values()))
    assert row.expires_at - row.created_at == timedelta(seconds=60)


def test_38_an_older_one_is_refused(ann: Visitor) -> None:
    app = make_app()
    told = told_to_app(ann.get(asking(app)))
    AuthorizationCode.objects.update(expires_at=timezone.now())
    code = find_code(told["code"], app)
    assert code

    with pytest.raises(CodeInvalid):
        exchange_code(code=code, app=app, origin=COMMAND_LINE)


@pytest.mark.parametrize("type", ["token", "id_token", "id_token token", "code token", "code id_token", "none"])
def test_39_no_implicit_grant(ann: Visitor, type: str) -> None:
    answer = ann.get(asking(make_app(), response_type=type, nonce="n"))

    assert told_to_app(answer)["error"] == "unsupported_response_type"
    assert "#" not in answer["Location"]


@pytest.mark.parametrize("make", [make_app, make_confidential_app])
def test_39_no_password_grant(ann: Visitor, make: Any) -> None:
    app, person = make(), {"username": "ann@example.com", "password": PASSWORD}
    sent = {"grant_type": "password", "client_id": app.pk, **person}
    sent |= {"client_secret": "a secret"} if app.secret_hash else {}

    answer = ann.client.post("/oauth/token", urlencode(sent), "application/x-www-form-urlencoded")

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_41_each_page_on_the_way_is_left_by_303_and_neither_framed_nor_stored(visitor: Visitor) -> None:
    stranger = make_app(first_party=False)
    asked = visitor.get(asking(stranger))
    landed = visitor.sign_up(at=asked["Location"].replace("/login", "/signup"))
    on = visitor.get(landed["Location"])
    page = visitor.get(on["Location"])
    back = visitor.send(on["Location"], answer="allow")

    assert [answer.status_code for answer in (asked, landed, on, page, back)] == [303, 303, 303, 200, 303]
    for answer in (asked, on, page, back):
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "same-origin")


def test_48_a_get_agrees_to_nothing_and_ends_nothing(ann: Visitor) -> None:
    stranger = make_app(first_party=False)
    page = ann.get(asking(stranger))["Location"]

    for path in (page, f"{page}&answer=allow", f"/account/apps/{stranger.pk}/remove"):
        ann.get(path)

    assert not Consent.objects.exists()
    assert Session.objects.get().ended_at is None


def test_48_nobody_can_guess_what_an_app_waits_for(visitor: Visitor) -> None:
    for _number in range(2):
        visitor.get(asking(make_app()))

    assert {each.pk.version for each in AuthorizationRequest.objects.all()} == {4}
    assert App.objects.count() == 2
