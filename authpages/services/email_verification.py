"""Verifying that an address belongs to the person who gave it."""

from django.db import transaction

from authpages import signals, throttles
from authpages.addresses import email_key, is_usable
from authpages.errors import EmailUnusable, LinkInvalid
from authpages.models import AuthRequest, OneTimeLink, User
from authpages.services.asking import ask
from authpages.services.links import Purpose, find_link, issue_link, known_link, spend
from authpages.services.password_reset import send_reset
from authpages.services.users import lock_user
from fastgen_backend.origin import Origin


def send_verification(*, user: User, origin: Origin, next_path: str = "") -> None:
    """Make a link for the user's own address and its event, which mails it. Inside the caller's transaction."""
    link, token = issue_link(purpose=Purpose.VERIFICATION, user=user, next_path=next_path)
    signals.email_verification_requested.send(sender=User, user=user, link=link, token=token, origin=origin)


def send_link(*, user: User, origin: Origin, next_path: str = "") -> None:
    """A link that verifies the address; where no password counts, one that sets one as well. Inside a transaction."""
    if user.password is None:
        send_reset(user=user, origin=origin, next_path=next_path)
    else:
        send_verification(user=user, origin=origin, next_path=next_path)


def request_own_verification(*, user: User, origin: Origin) -> None:
    """Mail the logged-in person a new link; nothing happens where the address is verified, or the account deleted.

    Raises `TooManyRequests`.
    """
    throttles.count(throttles.mail_limits("verification", user.email_key, origin.ip_address))
    with transaction.atomic():
        locked = lock_user(user.pk)
        if locked and not locked.email_verified:
            send_link(user=locked, origin=origin)


def request_verification(*, email: str, origin: Origin, next_path: str = "") -> None:
    """Ask for a new link for any address, without telling whether it has an account. Raises `TooManyRequests`."""
    if not is_usable(email):
        raise EmailUnusable
    throttles.count(throttles.mail_limits("verification", email_key(email), origin.ip_address))
    ask(kind=AuthRequest.Kind.VERIFICATION, email=email, origin=origin, next_path=next_path)


def find_verification_link(token: str) -> OneTimeLink:
    """The link that `verify_email` would accept, spent or not; raises `LinkInvalid` or `LinkExpired`."""
    link = known_link(Purpose.VERIFICATION, token)
    if link and link.user and _is_done(link, link.user):
        return link
    return find_link(Purpose.VERIFICATION, token)


def verify_email(*, token: str, origin: Origin) -> User:
    """Spend a verification link; answers the user, verified.

    The same link again, while its address is still verified, is a success and no event: mail programs click twice.
    Raises `LinkInvalid` or `LinkExpired`.
    """
    owner = known_link(Purpose.VERIFICATION, token)
    if owner is None or owner.user is None:
        raise LinkInvalid
    with transaction.atomic():
        user = lock_user(owner.user.pk)
        if user is None:
            raise LinkInvalid
        link = known_link(Purpose.VERIFICATION, token)  # as it is now that the user is locked
        if link and _is_done(link, user):
            return user
        spend(link=find_link(Purpose.VERIFICATION, token))
        user.links.filter(purpose=Purpose.VERIFICATION).void()
        if not user.email_verified:
            user.email_verified = True
            user.save(update_fields=["email_verified"])
            signals.email_verified.send(sender=User, user=user, origin=origin)
    return user


def _is_done(link: OneTimeLink, user: User) -> bool:
    """Whether the link did its work and nothing has changed since."""
    return bool(link.spent_at and user.email_verified and user.email_key == link.email_key)
