"""Setting a new password with a link from a mail."""

from django.db import transaction

from authpages import passwords, signals, throttles
from authpages.addresses import email_key, is_usable
from authpages.errors import EmailUnusable, LinkInvalid
from authpages.models import AuthRequest, EndReason, HostedAuthSettings, User
from authpages.services.asking import ask
from authpages.services.known_devices import forget_devices
from authpages.services.links import Purpose, find_link, issue_link, spend
from authpages.services.sessions import end_sessions_of
from authpages.services.users import lock_user
from fastgen_backend.origin import Origin


def request_reset(*, email: str, origin: Origin, next_path: str = "") -> None:
    """Ask for a reset link, without telling whether the address has an account. Raises `TooManyRequests`."""
    if not is_usable(email):
        raise EmailUnusable
    throttles.count(throttles.mail_limits("reset", email_key(email), origin.ip_address))
    ask(kind=AuthRequest.Kind.RESET, email=email, origin=origin, next_path=next_path)


def send_reset(*, user: User, origin: Origin, next_path: str = "") -> None:
    """Make a reset link for the user's own address and its event, which mails it. Inside the caller's transaction."""
    link, token = issue_link(purpose=Purpose.RESET, user=user, next_path=next_path)
    signals.password_reset_requested.send(sender=User, user=user, link=link, token=token, origin=origin)


def reset_password(*, token: str, password: str, origin: Origin) -> User:
    """Set a new password, void every open link and end every session of the person.

    The link was mailed, so it proves the address as well: one that was not verified now is. A password that is refused
    (`WeakPassword`) does not spend the link. Raises `LinkInvalid` or `LinkExpired`.
    """
    owner = find_link(Purpose.RESET, token).user
    if owner is None:
        raise LinkInvalid
    product = HostedAuthSettings.load().product_name
    passwords.check_password_is_good(password, email=owner.email, product_name=product)
    hashed = passwords.hash_password(password)
    with transaction.atomic():
        throttles.forget_failed_logins(owner.email_key)  # locks are taken in one order: throttle, user, links
        user = lock_user(owner.pk)
        if user is None:
            raise LinkInvalid
        spend(link=find_link(Purpose.RESET, token))
        proven = not user.email_verified
        user.password, user.email_verified = hashed, True
        user.save(update_fields=["password", "email_verified"])
        user.links.void()
        forget_devices(user=user)
        if proven:
            signals.email_verified.send(sender=User, user=user, origin=origin)
        end_sessions_of(user=user, reason=EndReason.PASSWORD_RESET, origin=origin)
        signals.password_reset.send(sender=User, user=user, origin=origin)
    return user
