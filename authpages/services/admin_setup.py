"""The first admin: made by whoever holds the one-time link that the first start prints."""

from django.db import transaction
from django.utils import timezone

from authpages.errors import LinkInvalid
from authpages.models import OneTimeLink, User
from authpages.services.known_devices import Browser
from authpages.services.links import Purpose, find_link, issue_link, spend
from authpages.services.login import Carrier, start_session
from authpages.services.sessions import StartedSession
from authpages.services.users import add_account, hash_for_new_account
from fastgen_backend.origin import Origin


def issue_setup_link(*, base_url: str) -> str | None:
    """The address where the first admin is made; None where there is an admin. Earlier ones become useless."""
    if User.objects.admins().exists():
        return None
    with transaction.atomic():
        OneTimeLink.objects.filter(purpose=Purpose.ADMIN_SETUP).void()
        _, token = issue_link(purpose=Purpose.ADMIN_SETUP, user=None)
    return f"{base_url}/console/setup?token={token}"


def set_up_first_admin(
    *, token: str, email: str, password: str, origin: Origin, device_cookie: str = ""
) -> StartedSession:
    """Make the first admin and let them into the console.

    Raises `LinkInvalid` (also where there is an admin already), `LinkExpired`, `EmailUnusable`, `EmailTaken`,
    `WeakPassword`; none of the last three spends the link.
    """
    check_setup_token(token)
    hashed = hash_for_new_account(email, password)
    with transaction.atomic():
        link = OneTimeLink.objects.select_for_update().get(pk=find_link(Purpose.ADMIN_SETUP, token).pk)
        if link.spent_at or link.voided_at:
            raise LinkInvalid
        spend(link=link)
        now = timezone.now()
        user = add_account(
            email=email, hashed=hashed, admin=True, email_verified=True, last_login_at=now, origin=origin
        )
        browser = Browser(device_cookie)
        return start_session(user=user, carrier=Carrier.CONSOLE_COOKIE, origin=origin, browser=browser)


def check_setup_token(token: str) -> None:
    """Raise `LinkInvalid` or `LinkExpired` unless this token can make the first admin."""
    find_link(Purpose.ADMIN_SETUP, token)
    if User.objects.admins().exists():
        raise LinkInvalid
