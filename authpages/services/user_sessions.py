"""A person's sessions, ended for them by an admin or a program."""

import uuid

from django.db import transaction

from authpages.models import EndReason, User
from authpages.services.admin_rules import lock_account
from authpages.services.sessions import end_session_of, end_sessions_of
from fastgen_backend.origin import Origin


def end_one_session(
    *, user_id: uuid.UUID, session_id: uuid.UUID, origin: Origin, may_manage_admins: bool = False
) -> None:
    """End one session of a person; raises `NotFound` or `AdminProtected`."""
    with transaction.atomic():
        user = lock_account(user_id, may_manage_admins=may_manage_admins, origin=origin)
        end_session_of(user=user, session_id=session_id, reason=EndReason.ENDED_BY_ADMIN, origin=origin)


def end_every_session(*, user_id: uuid.UUID, origin: Origin, may_manage_admins: bool = False) -> User:
    """End every session of a person, in the console too; raises `NotFound` or `AdminProtected`."""
    with transaction.atomic():
        user = lock_account(user_id, may_manage_admins=may_manage_admins, origin=origin)
        end_sessions_of(user=user, reason=EndReason.ENDED_BY_ADMIN, origin=origin)
    return user
