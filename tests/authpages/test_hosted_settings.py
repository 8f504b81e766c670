"""The hosted authentication settings over REST."""

from collections.abc import Callable
from typing import Any

import pytest

from authpages.models import HostedAuthSettings
from tests.conftest import Api

PATH = "/settings/hosted-auth"
DEFAULTS = {
    "pagesEnabled": True,
    "callbackUrl": "",
    "allowedRedirectUrls": [],
    "allowedOrigins": [],
    "allowSignups": True,
    "requireVerifiedEmail": False,
    "builtinMailer": True,
    "productName": "Fastgen",
    "logoUrl": "",
    "accentColor": "#4f46e5",
    "supportEmail": "",
    "termsUrl": "",
    "privacyUrl": "",
}


@pytest.fixture
def admin(key: Callable[..., Api]) -> Api:
    return key("settings:read", "settings:write")


def test_the_defaults_are_the_documented_ones(admin: Api) -> None:
    assert admin.get(PATH).json() == DEFAULTS


def test_a_change_is_kept_and_the_rest_stays(admin: Api) -> None:
    answer = admin.patch(PATH, {"callbackUrl": "https://app.example.com/in?x=1", "productName": "Acme"})

    expected = {
        **DEFAULTS,
        "callbackUrl": "https://app.example.com/in?x=1",
        "productName": "Acme",
        "allowedOrigins": ["https://app.example.com"],
    }
    assert (answer.status_code, answer.json()) == (200, expected)
    assert admin.get(PATH).json() == expected


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "/relative",
            "app.example.com",
            "https://ann:secret@app.example.com/",
            "data:text/html,x",
        ),
        *(
            "http://app.example.com/",
            "https://app.example.com/#x",
            "https://",
            "https://app.example.com\\@evil.example",
        ),
        *(
            "https://app.example.com/a b",
            "https://app.example.com:99999/",
            "ftp://app.example.com/",
            "//app.example.com/",
        ),
        *("https://app.example.com/\n/x", "https://\u0430pp.example.com/", "https://x/" + "y" * 2000),
    ],
)
def test_a_callback_that_people_must_not_be_sent_to_is_refused(admin: Api, url: str) -> None:
    answer = admin.patch(PATH, {"callbackUrl": url, "productName": "Acme"})

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/callbackUrl"]
    assert not HostedAuthSettings.objects.exists()


@pytest.mark.parametrize(
    "url", ["https://app.example.com", "http://localhost:3000/cb", "http://127.0.0.1:1/", "http://[::1]:3/"]
)
def test_https_anywhere_and_http_on_this_machine_are_fine(admin: Api, url: str) -> None:
    assert admin.patch(PATH, {"callbackUrl": url}).json()["callbackUrl"] == url


@pytest.mark.parametrize(
    ("member", "value", "pointer"),
    [
        ("accentColor", "red", "/accentColor"),
        ("accentColor", "#fff", "/accentColor"),
        ("accentColor", "#12345g", "/accentColor"),
        ("productName", " ", "/productName"),
        ("productName", "x" * 61, "/productName"),
        ("supportEmail", "nobody", "/supportEmail"),
        ("termsUrl", "javascript:alert(1)", "/termsUrl"),
        ("allowedRedirectUrls", ["https://a.example/", "x"], "/allowedRedirectUrls/1"),
        ("allowedOrigins", ["https://a.example/path"], "/allowedOrigins/0"),
        ("allowedOrigins", ["*"], "/allowedOrigins/0"),
        ("logoUrl", "file:///etc/passwd", "/logoUrl"),
        ("logoUrl", "http://169.254.169.254/latest", "/logoUrl"),
        ("logoUrl", f"https://{'a' * 64}.example/", "/logoUrl"),
        ("logoUrl", "https://a..example/", "/logoUrl"),
        ("allowedOrigins", "https://a.example", "/allowedOrigins"),
        ("allowedRedirectUrls", ["https://a.example/", 1], "/allowedRedirectUrls/1"),
        ("pagesEnabled", "off", "/pagesEnabled"),
        ("pagesEnabled", 0, "/pagesEnabled"),
        ("productName", 1, "/productName"),
        ("pagesEnabled", "maybe", "/pagesEnabled"),
        ("nothing", 1, "/nothing"),
    ],
)
def test_a_setting_that_can_not_be_is_named(admin: Api, member: str, value: Any, pointer: str) -> None:
    answer = admin.patch(PATH, {member: value})

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_the_scopes_are_needed(key: Callable[..., Api], api: Api) -> None:
    assert api.get(PATH).status_code == 401
    assert key("events:read").get(PATH).status_code == 403
    assert key("settings:read").patch(PATH, {}).status_code == 403
    assert key("*").patch(PATH, {}).status_code == 200


def test_a_person_may_not_change_them(api: Api) -> None:
    api.sign_up()

    assert api.patch(PATH, {"productName": "Mine"}).status_code == 403


def test_the_ink_on_every_accent_is_readable() -> None:
    inks = {color: HostedAuthSettings(accent_color=color).accent_ink for color in ("#4f46e5", "#ffff00", "#000000")}

    assert inks == {"#4f46e5": "#ffffff", "#ffff00": "#000000", "#000000": "#ffffff"}
