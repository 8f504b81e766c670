"""Mails that an admin or a program has sent to a person: each holds a link that only the person ever sees."""

import uuid
from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _

from authpages import throttles
from authpages.errors import AccountBlocked, AlreadyVerified
from authpages.models import User
from authpages.services.admin_rules import check_may_change, lock_account
from authpages.services.email_verification import send_link
from authpages.services.password_reset import send_reset
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import Origin

VERIFICATION, RESET = "verification", "reset"


def send_verification_mail(*, user_id: uuid.UUID, origin: Origin, may_manage_admins: bool = False) -> None:
    """Mail the person a link that verifies their address; where no password counts, one that sets one as well.

    What the person asked for themselves in this hour does not count against it. Raises `NotFound`, `AdminProtected`,
    `AccountBlocked`, `AlreadyVerified` or `TooManyRequests`.
    """
    _send(VERIFICATION, user_id, origin, may_manage_admins, send_link)


def send_reset_mail(*, user_id: uuid.UUID, origin: Origin, may_manage_admins: bool = False) -> None:
    """Mail the person a link that sets a new password; the old one counts until it is used.

    What the person asked for themselves in this hour does not count against it. Raises `NotFound`, `AdminProtected`,
    `AccountBlocked` or `TooManyRequests`.
    """
    _send(RESET, user_id, origin, may_manage_admins, send_reset)


def _send(kind: str, user_id: uuid.UUID, origin: Origin, may_manage_admins: bool, send: Callable[..., None]) -> None:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound(_("There is no such user."))
    check_may_change(user, may_manage_admins=may_manage_admins, origin=origin)
    _check(kind, user)
    throttles.count(throttles.sent_mail_limits(kind, user.email_key))
    with transaction.atomic():
        user = lock_account(user_id, may_manage_admins=may_manage_admins, origin=origin)
        _check(kind, user)
        send(user=user, origin=origin)


def _check(kind: str, user: User) -> None:
    """Whether the mail would be of any use; asked before it is counted, too."""
    if user.blocked:
        raise AccountBlocked
    if kind == VERIFICATION and user.email_verified:
        raise AlreadyVerified
