"""Where people may be sent: `next` and the callback."""

import pytest

from fastgen_backend.redirects import own_path, with_parameter
from tests.authpages.conftest import Visitor

FOREIGN = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/%2Fevil.example",
    "/%252Fevil.example",
    "/%5Cevil.example",
    "/%09/evil.example",
    "javascript:alert(1)",
    "account",
    " /account",
    "/account\r\nSet-Cookie: a=b",
    "/" + "a" * 5000,
    "",
]


@pytest.mark.parametrize(
    "path", ["/account", "/", "/a/b?c=d&e=https%3A%2F%2Fapp.example%2F#f", "/oauth/authorize?x=//y"]
)
def test_a_path_of_our_own_is_taken(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize("text", FOREIGN)
def test_anything_else_is_dropped(text: str) -> None:
    assert own_path(text) == ""


def test_a_login_goes_on_to_next(visitor: Visitor) -> None:
    Visitor().sign_up()

    answer = visitor.log_in(at="/login?next=/logout")

    assert (answer.status_code, answer["Location"]) == (303, "/logout")


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example/", "/%2Fevil.example"])
def test_a_foreign_next_is_dropped_without_a_word(visitor: Visitor, following: str) -> None:
    Visitor().sign_up()

    shown = visitor.get(f"/login?next={following}")
    answer = visitor.log_in(at=f"/login?next={following}")

    assert shown.status_code == 200
    assert "evil" not in shown.content.decode()
    assert (answer.status_code, answer["Location"]) == (303, "/account")


def test_next_travels_to_the_other_pages(visitor: Visitor) -> None:
    page = visitor.get("/login?next=/account?a=b").content.decode()

    assert 'href="/signup?next=/account%3Fa%3Db"' in page


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", "https://a.example?iss=b"),
        ("https://a.example/c", "https://a.example/c?iss=b"),
        ("https://a.example/c?d=%20e&f", "https://a.example/c?d=%20e&f&iss=b"),
    ],
)
def test_a_parameter_is_added_and_nothing_else_changes(url: str, expected: str) -> None:
    assert with_parameter(url, "iss", "b") == expected


def test_the_bare_address_leads_to_the_account(visitor: Visitor) -> None:
    answer = visitor.get("/")

    assert (answer.status_code, answer["Location"]) == (302, "/account")
