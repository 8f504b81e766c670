"""Blocking people, so that they are out at once and can't come in, and letting them in again."""

import uuid

from django.db import transaction

from authpages import signals
from authpages.models import EndReason, User
from authpages.services.admin_rules import lock_account, lock_account_to_shut_out
from authpages.services.sessions import end_sessions_of
from fastgen_backend.origin import Origin


def block_user(*, user_id: uuid.UUID, origin: Origin, may_manage_admins: bool = False) -> User:
    """Block a person: every session and token of theirs ends at once, their open links die, no login succeeds.

    API keys that they made, and the scopes that they gave apps, work again once they are unblocked. Someone who is
    blocked stays as they are. Raises `NotFound`, `AdminProtected`, `OwnAccount` or `LastAdmin`.
    """
    with transaction.atomic():
        user = lock_account_to_shut_out(user_id, may_manage_admins=may_manage_admins, origin=origin)
        block(user=user, origin=origin)
    return user


def unblock_user(*, user_id: uuid.UUID, origin: Origin, may_manage_admins: bool = False) -> User:
    """Let a person log in again, anew. Someone who isn't blocked stays as they are.

    Raises `NotFound` or `AdminProtected`.
    """
    with transaction.atomic():
        user = lock_account(user_id, may_manage_admins=may_manage_admins, origin=origin)
        unblock(user=user, origin=origin)
    return user


def block(*, user: User, origin: Origin) -> None:
    """The same inside the caller's transaction, which locked the account to shut it out."""
    if user.blocked:
        return
    user.blocked = True
    user.save(update_fields=["blocked"])
    user.links.void()
    end_sessions_of(user=user, reason=EndReason.BLOCKED, origin=origin)
    signals.user_blocked.send(sender=User, user=user, origin=origin)


def unblock(*, user: User, origin: Origin) -> None:
    """The same inside the caller's transaction, which holds the user's lock."""
    if user.blocked:
        user.blocked = False
        user.save(update_fields=["blocked"])
        signals.user_unblocked.send(sender=User, user=user, origin=origin)
