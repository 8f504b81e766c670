"""Who may do what to admins, and that one of them can always come in."""

import uuid

from django.utils.translation import gettext as _

from authpages.errors import AdminProtected, LastAdmin, OwnAccount
from authpages.models import User
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import Origin, Source


def check_may_manage_admins(*, may_manage_admins: bool, origin: Origin) -> None:
    """Raise `AdminProtected` unless an admin asks, or a key that may do everything; commands may, whoever runs them."""
    if not may_manage_admins and origin.source != Source.CLI:
        raise AdminProtected


def check_may_change(user: User, *, may_manage_admins: bool, origin: Origin) -> None:
    """Raise `AdminProtected` where this is an admin's account and the caller reaches no admins."""
    if user.is_superuser:
        check_may_manage_admins(may_manage_admins=may_manage_admins, origin=origin)


def lock_account(user_id: uuid.UUID, *, may_manage_admins: bool, origin: Origin) -> User:
    """The account, to be changed, locked until the caller's transaction ends.

    Raises `NotFound` or `AdminProtected`.
    """
    user = User.objects.locked().filter(pk=user_id).first()
    if user is None:
        raise NotFound(_("There is no such user."))
    check_may_change(user, may_manage_admins=may_manage_admins, origin=origin)
    return user


def lock_account_to_shut_out(user_id: uuid.UUID, *, may_manage_admins: bool, origin: Origin) -> User:
    """As `lock_account`, where the person is about to lose their way in: to be blocked, deleted, or an admin no more.

    Raises `OwnAccount` where they would do it to themselves, and `LastAdmin` for the only one who could still let
    anyone in. All admins are locked, and the account among them, in one order: of two who shut each other out at once,
    the second is refused. Rows can be given to the others meanwhile, who are kept from changing alone.
    """
    admins = User.objects.admins().values_list("pk", flat=True)
    locked = User.objects.filter(pk__in=[*admins, user_id]).order_by("pk").select_for_update(no_key=True)
    states = locked.values_list("pk", "is_superuser", "blocked")
    able = {pk for pk, is_admin, blocked in states if is_admin and not blocked}
    user = lock_account(user_id, may_manage_admins=may_manage_admins, origin=origin)
    check_not_own(user, origin, _("Another admin has to do this to your account, so that nobody shuts themselves out."))
    if user.is_superuser and not user.blocked and not able - {user.pk}:
        raise LastAdmin
    return user


def check_not_own(user: User, origin: Origin, detail: str) -> None:
    """Raise `OwnAccount`, which says `detail`, where someone does this to themselves."""
    if origin.actor == f"user:{user.pk}":
        raise OwnAccount(detail)
