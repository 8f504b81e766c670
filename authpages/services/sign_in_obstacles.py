"""Why can't this person sign in? What stands in their way, and mending what guesses at their password left."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages import throttles
from authpages.models import HostedAuthSettings, Throttle, User
from authpages.services.admin_rules import check_may_change
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import Origin


class Obstacle(StrEnum):
    """What keeps a person out, or may."""

    BLOCKED = "blocked"
    EMAIL_UNVERIFIED = "email_unverified"  # where a verified address is required
    NO_PASSWORD = "no_password"  # noqa: S105 no password; only a link of a mail lets them in
    PASSWORD_LOGIN_OFF = "password_login_off"  # noqa: S105 no password; too many failures in a row
    THROTTLED = "throttled"  # until a time
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 no password; some failures in a row, and no wait for them now
    PAGES_OFF = "pages_off"  # the hosted pages; programs still log people in


@dataclass(frozen=True, slots=True)
class SignInObstacle:
    """One of them; `until` is told of a throttle, `failures` in a row of all that come from guesses.

    Those count on the account; or, `on_device`, in a browser that is known for it, where they hold up nobody else.
    """

    kind: Obstacle
    until: datetime | None = None
    failures: int = 0
    on_device: bool = False


def sign_in_obstacles(user: User) -> list[SignInObstacle]:
    """Everything that keeps this person out or may, what weighs most first; empty where a login would succeed.

    Limits of the address that they come from are not among it: it is not known here.
    """
    hosted = HostedAuthSettings.load()
    plain = {
        Obstacle.BLOCKED: user.blocked,
        Obstacle.EMAIL_UNVERIFIED: hosted.require_verified_email and not user.email_verified,
        Obstacle.NO_PASSWORD: user.password is None,
        Obstacle.PAGES_OFF: not hosted.pages_enabled,
    }
    found = [SignInObstacle(kind) for kind, stands in plain.items() if stands] + _left_by_guesses(user)
    order = list(Obstacle)
    return sorted(found, key=lambda obstacle: order.index(obstacle.kind))


def lift_throttle(*, user_id: uuid.UUID, origin: Origin, may_manage_admins: bool = False) -> User:
    """Forget the failures of logins, so that the person can try again at once. Raises `NotFound`, `AdminProtected`."""
    user = User.objects.with_roles().filter(pk=user_id).first()
    if user is None:
        raise NotFound(_("There is no such user."))
    check_may_change(user, may_manage_admins=may_manage_admins, origin=origin)
    with transaction.atomic():
        throttles.forget_failed_logins(user.email_key, user.devices.values_list("pk", flat=True))
    return user


def _left_by_guesses(user: User) -> list[SignInObstacle]:
    failed = throttles.failed_logins(user.email_key)
    on_devices = throttles.failed_logins_on(user.devices.values_list("pk", flat=True))
    longest = max(
        on_devices, key=lambda row: (row.blocked_until is not None, row.blocked_until, row.count), default=None
    )
    return [*_left_by(failed), *_left_by(longest, on_device=True)]


def _left_by(row: Throttle | None, *, on_device: bool = False) -> list[SignInObstacle]:
    if row is None:
        return []
    if row.count >= settings.LOGIN_MAX_FAILURES:
        return [SignInObstacle(Obstacle.PASSWORD_LOGIN_OFF, None, row.count, on_device)]
    if row.blocked_until and row.blocked_until > timezone.now():
        return [SignInObstacle(Obstacle.THROTTLED, row.blocked_until, row.count, on_device)]
    return [SignInObstacle(Obstacle.WRONG_PASSWORD, None, row.count, on_device)]
