"""Two people sign up with one address where it has to be verified: only who reads its mail gets the account."""

from collections.abc import Callable

import pytest

from authpages.models import HostedAuthSettings, User
from authpages.services.auth_requests import resolve_due
from authpages.services.users import create_user
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD, Api

VERIFICATION = "auth.email_verificationRequested"
RESET = "auth.password_reset"
STRANGERS = "a stranger's own password"
CHOSEN = "chosen by who reads the mail"


@pytest.fixture(autouse=True)
def _verified_addresses_are_required(db: None) -> None:
    HostedAuthSettings.objects.update_or_create(pk=1, defaults={"require_verified_email": True})


def _sign_up(api: Api, password: str) -> None:
    assert api.post("/auth/signup", {"email": "ann@example.com", "password": password}).status_code == 202
    resolve_due()


def _verify(api: Api, token: str) -> str:
    answer = api.post("/auth/email-verification/submit", {"token": token})
    return "verified" if answer.status_code == 200 else str(answer.json()["code"])


@pytest.mark.parametrize("passwords", [(STRANGERS, PASSWORD), (PASSWORD, STRANGERS)], ids=["stranger first", "last"])
def test_no_link_confirms_either_password(
    api: Api, mailed: Callable[[str], str], told: Callable[[], list[str]], passwords: tuple[str, str]
) -> None:
    _sign_up(api, passwords[0])
    first = mailed(VERIFICATION)

    _sign_up(api, passwords[1])

    assert told() == ["auth.user_signedUp", VERIFICATION, "auth.password_reset:requested"]
    assert _verify(api, first) == "link-invalid"
    assert [api.log_in(password=each).json()["code"] for each in passwords] == ["invalid-credentials"] * 2


def test_the_mailed_link_sets_a_password_and_verifies_the_address(
    api: Api, mailed: Callable[[str], str], told: Callable[[], list[str]]
) -> None:
    _sign_up(api, STRANGERS)
    _sign_up(api, PASSWORD)

    answer = api.post("/auth/password-reset/submit", {"token": mailed(RESET), "password": CHOSEN})

    assert answer.status_code == 204
    assert told()[-2:] == ["auth.email_verified", "auth.password_reset:completed"]
    assert api.log_in(password=STRANGERS).status_code == 401
    assert api.log_in(password=CHOSEN).json()["user"]["emailVerified"] is True


def test_who_asks_for_another_link_gets_one_that_sets_a_password(api: Api, told: Callable[[], list[str]]) -> None:
    _sign_up(api, STRANGERS)
    _sign_up(api, PASSWORD)

    api.post("/auth/email-verification/request", {"email": "ann@example.com"})
    resolve_due()

    assert told()[-1] == "auth.password_reset:requested"


def test_the_password_of_one_that_was_logged_in_to_counts_no_more_either(
    api: Api, mailed: Callable[[str], str], told: Callable[[], list[str]]
) -> None:
    HostedAuthSettings.objects.update(require_verified_email=False)
    api.sign_up("ann@example.com", STRANGERS)
    first = mailed(VERIFICATION)
    HostedAuthSettings.objects.update(require_verified_email=True)

    _sign_up(api, PASSWORD)

    assert _verify(api, first) == "link-invalid"
    assert api.log_in(password=STRANGERS).json()["code"] == "invalid-credentials"
    assert api.post("/auth/email-verification/request", {}).status_code == 202  # by the stranger, who is still in
    assert told()[-1] == "auth.password_reset:requested"
    assert api.post("/auth/password-reset/submit", {"token": mailed(RESET), "password": CHOSEN}).status_code == 204
    assert api.get("/auth/me").status_code == 401


def test_nobody_takes_an_admins_password_away(api: Api, told: Callable[[], list[str]]) -> None:
    create_user(email="ann@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)

    _sign_up(api, STRANGERS)

    assert told()[-1] == "auth.signUp_repeated"
    assert User.objects.get().has_usable_password()
