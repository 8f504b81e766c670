"""Signing up with e-mail address and password."""

from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages import passwords, signals, throttles
from authpages.addresses import email_key, is_usable
from authpages.errors import EmailTaken, EmailUnusable, SignupsClosed
from authpages.models import AuthRequest, HostedAuthSettings, User
from authpages.services.asking import ask
from authpages.services.email_verification import send_verification
from authpages.services.known_devices import Browser
from authpages.services.login import Carrier, start_session
from authpages.services.sessions import StartedSession
from authpages.services.users import check_metadata, find_user
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import insert


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person says of themselves at sign-up."""

    first_name: str = ""
    last_name: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


def sign_up(
    *,
    email: str,
    password: str,
    carrier: Carrier,
    origin: Origin,
    profile: Profile | None = None,
    device_cookie: str = "",
    next_path: str = "",
) -> StartedSession | None:
    """Make an account and log its owner in; None where a verified address is required first.

    The link that verifies the address leads on to `next_path`. Where it has to be opened first, this answers alike for
    a known and an unknown address, and the mail tells the owner. Raises `SignupsClosed`, `EmailUnusable`,
    `InvalidInput`, `WeakPassword`, `TooManyRequests` and, without that setting, `EmailTaken`.
    """
    settings = HostedAuthSettings.load()
    if not settings.allow_signups:
        raise SignupsClosed(_("New accounts can’t be made here at the moment."))
    if not is_usable(email):
        raise EmailUnusable
    profile = profile or Profile()
    check_metadata(asdict(profile))
    passwords.check_password_is_good(password, email=email, product_name=settings.product_name)
    throttles.count(throttles.sign_up_limits(origin.ip_address))
    if settings.require_verified_email:
        throttles.count(throttles.mail_limits("sign-up", email_key(email), origin.ip_address))
        hashed = passwords.hash_password(password)
        ask(
            kind=AuthRequest.Kind.SIGN_UP,
            email=email,
            origin=origin,
            password=hashed,
            profile=asdict(profile),
            next_path=next_path,
        )
        return None
    if find_user(email):
        raise EmailTaken
    hashed = passwords.hash_password(password)
    with transaction.atomic():
        user = create_account(
            email=email, hashed=hashed, profile=profile, origin=origin, logged_in=True, next_path=next_path
        )
        return start_session(user=user, carrier=carrier, origin=origin, browser=Browser(device_cookie))


def create_account(
    *, email: str, hashed: str, profile: Profile, origin: Origin, logged_in: bool, next_path: str = ""
) -> User:
    """The account and its two events, signed up and verification requested. Inside the caller's transaction."""
    user = User(
        email=email,
        email_key=email_key(email),
        password=hashed,
        first_name=profile.first_name,
        last_name=profile.last_name,
        metadata=profile.metadata,
        locale=origin.locale,
        last_login_at=timezone.now() if logged_in else None,
    )
    user.loaded_roles = []
    try:
        insert(user)
    except IntegrityError:
        raise EmailTaken from None
    signals.user_signed_up.send(sender=User, user=user, origin=origin)
    send_verification(user=user, origin=origin, next_path=next_path)
    return user
