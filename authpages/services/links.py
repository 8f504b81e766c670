"""One-time links: making and opening them."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from authpages.errors import LinkExpired, LinkInvalid
from authpages.models import OneTimeLink, User, token_hash
from authpages.models.one_time_links import LONGEST_NEXT
from fastgen_backend.prepared import insert

Purpose = OneTimeLink.Purpose
ADMIN_SETUP = timedelta(hours=1)


def issue_link(*, purpose: Purpose, user: User | None, next_path: str = "") -> tuple[OneTimeLink, str]:
    """A new link and its token of 256 bits, told this once; earlier ones stay good until one is used.

    `next_path` is where it leads on to, a path of our own; it stays here, and no mail tells it.
    """
    token = secrets.token_urlsafe(32)
    link = OneTimeLink(
        user=user,
        purpose=purpose,
        email_key=user.email_key if user else "",
        next_path=kept_path(next_path),
        hash=token_hash(token),
        expires_at=timezone.now() + lifetime(purpose),
    )
    return insert(link), token


def kept_path(path: str) -> str:
    """The path as far as it is kept with a link: whole, or, where it is too long for that, not at all."""
    return path if len(path) <= LONGEST_NEXT else ""


def next_path_of(purpose: Purpose, token: str) -> str:
    """Where the link of this token leads on to, in whatever state it is; nowhere where there is none."""
    path = OneTimeLink.objects.filter(purpose=purpose, hash=token_hash(token)).values_list("next_path", flat=True)
    return path.first() or ""


def lifetime(purpose: Purpose) -> timedelta:
    """Verification 1 day, reset 1 hour, both by default; the link to the first admin 1 hour."""
    if purpose == Purpose.VERIFICATION:
        return timedelta(hours=settings.VERIFICATION_LINK_HOURS)
    if purpose == Purpose.RESET:
        return timedelta(minutes=settings.RESET_LINK_MINUTES)
    return ADMIN_SETUP


def find_link(purpose: Purpose, token: str) -> OneTimeLink:
    """The open link of this token; raises `LinkInvalid` (foreign, spent, voided, of another address) or `LinkExpired`.

    Who spends it holds the lock of its user, and asked after taking that lock.
    """
    link = known_link(purpose, token)
    if link is None or link.spent_at or link.voided_at or (link.user and link.user.email_key != link.email_key):
        raise LinkInvalid
    if link.expires_at <= timezone.now():
        raise LinkExpired
    return link


def known_link(purpose: Purpose, token: str) -> OneTimeLink | None:
    """The link of this token, in whatever state, with its user."""
    return OneTimeLink.objects.select_related("user").filter(purpose=purpose, hash=token_hash(token)).first()


def spend(*, link: OneTimeLink) -> None:
    """Use the link up. Inside the caller's transaction, which holds its user's lock."""
    link.spent_at = timezone.now()
    link.save(update_fields=["spent_at"])
