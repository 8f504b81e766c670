"""A new password from the command line, for whoever nobody else can let in."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from authpages.models import User
from authpages.throttles import Attempt, count_failed_login
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD

NEW = "an entirely new password"
Types = Callable[..., None]


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Types:
    """Somebody at a terminal, who will type these, one after another."""

    def will_type(*words: str) -> None:
        coming = iter(words)
        monkeypatch.setattr("authpages.management.commands.changepassword.getpass", lambda _prompt: next(coming))

    return will_type


def _change(email: str) -> str:
    said = StringIO()
    call_command("changepassword", email, stdout=said)
    return said.getvalue()


def test_an_admin_found_by_any_spelling_comes_in_with_the_new_one(visitor: Visitor, root: User, types: Types) -> None:
    types(NEW, NEW)

    said = _change("Root@EXAMPLE.com")

    assert "The password of root@example.com is changed" in said
    assert visitor.log_in(root.email, PASSWORD, at="/console/login").status_code == 401
    assert visitor.log_in(root.email, NEW, at="/console/login").status_code == 303


def test_their_sessions_end_and_it_is_an_event(
    admin: Visitor, root: User, types: Types, told: Callable[[], list[str]]
) -> None:
    types(NEW, NEW)

    _change(root.email)

    assert admin.get("/console").status_code == 303
    assert told()[-1] == "auth.password_changed"


def test_failures_of_logins_are_forgotten(visitor: Visitor, root: User, types: Types) -> None:
    for _ in range(30):
        count_failed_login(Attempt(root.email_key, None, None))
    types(NEW, NEW)

    _change(root.email)

    assert visitor.log_in(root.email, NEW, at="/console/login").status_code == 303


@pytest.mark.parametrize(
    ("email", "typed", "why"),
    [
        ("root@example.com", ["short", "short"], "Use at least 8 characters."),
        ("root@example.com", [NEW, f"{NEW}!"], "The two passwords differ."),
        ("nobody@example.com", [NEW, NEW], "There is no account with this address."),
    ],
)
def test_what_was_wrong_is_said_and_nothing_changes(
    root: User, types: Types, email: str, typed: list[str], why: str
) -> None:
    types(*typed)

    with pytest.raises(CommandError, match=why):
        _change(email)

    assert User.objects.get().password == root.password
