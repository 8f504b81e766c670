"""A console session calls the API: with its cookie, and with a CSRF token where something changes."""

import re
from typing import Any

import pytest

from authpages.models import HostedAuthSettings, User
from tests.authpages.conftest import Visitor

PATH = "/api/v1/settings/hosted-auth"


def test_the_cookie_is_enough_to_read(admin: Visitor) -> None:
    assert admin.get(PATH).json()["productName"] == "Fastgen"


def test_the_cookie_and_the_csrf_token_are_enough_to_write(admin: Visitor) -> None:
    answer = _change(admin, {"x-csrftoken": csrf_token(admin)})

    assert (answer.status_code, answer.json()["productName"]) == (200, "Acme")
    assert HostedAuthSettings.load().product_name == "Acme"


@pytest.mark.parametrize("token", [None, "", "x" * 64], ids=["no", "empty", "another"])
def test_a_write_without_the_csrf_token_is_refused(admin: Visitor, token: str | None) -> None:
    answer = _change(admin, {} if token is None else {"x-csrftoken": token})

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf-failed")
    assert HostedAuthSettings.load().product_name == "Fastgen"


def test_a_write_from_another_origin_is_refused_for_all_its_token(admin: Visitor) -> None:
    answer = _change(admin, {"x-csrftoken": csrf_token(admin), "origin": "https://evil.example"})

    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert HostedAuthSettings.load().product_name == "Fastgen"


def test_the_cookie_of_who_is_no_admin_any_more_is_no_credential(admin: Visitor, root: User) -> None:
    token = csrf_token(admin)
    User.objects.filter(pk=root.pk).update(is_superuser=False)

    assert _change(admin, {"x-csrftoken": token}).status_code == 401


def test_the_cookie_of_the_hosted_pages_is_no_credential(visitor: Visitor, root: User) -> None:
    assert visitor.log_in(root.email).status_code == 303

    assert visitor.get(PATH).status_code == 401


def csrf_token(admin: Visitor) -> str:
    """As a page of the console carries it."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', admin.get("/console/settings").content.decode())
    assert token
    return token[1]


def _change(admin: Visitor, headers: dict[str, str]) -> Any:
    return admin.client.patch(PATH, {"productName": "Acme"}, "application/json", headers=headers)
