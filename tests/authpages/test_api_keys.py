"""API keys, and the command that makes the first one."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from authpages.models import ApiKey, User
from authpages.services.api_keys import create_api_key
from authpages.services.users import create_user
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD, Api

PATH = "/webhooks"


def test_the_command_prints_the_key_alone(db: None) -> None:
    out = StringIO()

    call_command("create_api_key", "ci", "--scope", "webhooks:read", "--expires", "30", stdout=out)

    key = out.getvalue()
    assert key.startswith("fgk_")
    assert key.count("\n") == 1
    assert Api(key.strip()).get(PATH).status_code == 200
    expires_at = ApiKey.objects.get().expires_at
    assert expires_at is not None
    assert expires_at - timezone.now() > timedelta(days=29)


@pytest.mark.parametrize("arguments", [["ci"], ["ci", "--scope", "everything"], ["", "--scope", "*"]])
def test_the_command_says_what_is_wrong(db: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"scope|name"):
        call_command("create_api_key", *arguments)

    assert not ApiKey.objects.exists()


def test_only_the_hash_is_kept(key: Callable[..., Api]) -> None:
    token = key("*").token

    row = ApiKey.objects.get()
    assert token.startswith(row.prefix)
    assert token.encode() not in bytes(row.hash)
    assert len(token) >= 43


def test_an_expired_key_is_401(key: Callable[..., Api]) -> None:
    caller = key("*")
    ApiKey.objects.update(expires_at=timezone.now())

    assert caller.get(PATH).status_code == 401


@pytest.mark.parametrize("change", ["removed", "blocked", "no admin any more"])
def test_a_key_ends_with_the_admin_who_made_it(db: None, change: str) -> None:
    admin = create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    caller = Api(create_api_key(name="mine", scopes=["*"], made_by=admin)[1])
    assert caller.get(PATH).status_code == 200

    match change:
        case "removed":
            admin.delete()
        case "blocked":
            User.objects.update(blocked=True)
        case _:
            User.objects.update(is_superuser=False)

    assert caller.get(PATH).status_code == 401


def test_its_last_use_is_remembered(key: Callable[..., Api]) -> None:
    before = timezone.now()

    key("*").get(PATH)

    assert before <= (ApiKey.objects.get().last_used_at or before - timedelta(days=1)) <= timezone.now()


def test_createsuperuser_makes_an_admin_and_its_event(
    db: None, monkeypatch: pytest.MonkeyPatch, told: Callable[[], list[str]]
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "root@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--noinput", stdout=StringIO())

    assert User.objects.get().is_superuser
    assert told() == ["auth.user_created"]
