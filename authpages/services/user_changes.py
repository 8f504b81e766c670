"""Changing an account: as an admin or a program does for its owner, and what owners may change themselves."""

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from authpages import passwords, signals, throttles
from authpages.addresses import email_key, is_usable
from authpages.errors import EmailTaken, EmailUnusable
from authpages.models import EndReason, HostedAuthSettings, Session, User
from authpages.services.admin_rules import (
    check_may_change,
    check_may_manage_admins,
    check_not_own,
    lock_account,
    lock_account_to_shut_out,
)
from authpages.services.blocking import block, unblock
from authpages.services.known_devices import forget_devices
from authpages.services.roles import set_roles
from authpages.services.sessions import end_sessions_of
from authpages.services.users import check_locale, check_metadata, lock_user
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import Origin

PLAIN_FIELDS = ("first_name", "last_name", "locale", "metadata", "app_metadata", "email_verified")


def change_user(
    *, user_id: uuid.UUID, changes: dict[str, Any], origin: Origin, may_manage_admins: bool = False
) -> User:
    """Change what `changes` names, all of it or nothing; answers the user as they are now.

    It may name `email`, `email_verified`, `first_name`, `last_name`, `locale`, `metadata`, `app_metadata`, `admin`,
    `roles` (by name, these and no others), `blocked` and `password` (None: no password, so that only a reset lets the
    person in). Another address is unverified unless `email_verified` says otherwise, and open links die with the old
    one. With the password, every session ends, open links die and the failures of logins are forgotten. Who becomes an
    admin gets new links, too: those on the way may have been seen by programs that may see no admin's.

    Raises `NotFound`, `AdminProtected`, `OwnAccount`, `LastAdmin`, `EmailUnusable`, `EmailTaken`, `LocaleUnusable`,
    `RoleUnknown`, `WeakPassword` or `InvalidInput`.
    """
    _check(changes, may_manage_admins, origin)
    hashed, key = _prepared_password(user_id, changes, may_manage_admins, origin)
    shuts_out = changes.get("blocked") is True or changes.get("admin") is False
    lock = lock_account_to_shut_out if shuts_out else lock_account
    with transaction.atomic():
        if key:
            throttles.forget_failed_logins(key)  # locks are taken in one order: throttle, users, links
        user = lock(user_id, may_manage_admins=may_manage_admins, origin=origin)
        changed = _change_fields(user, changes, origin)
        if "roles" in changes and set_roles(user=user, names=changes["roles"]):
            changed.append("roles")
        if changed:
            signals.user_updated.send(sender=User, user=user, changed=changed, origin=origin)
        if "blocked" in changes:
            (block if changes["blocked"] else unblock)(user=user, origin=origin)
        if "password" in changes:
            put_password(user=user, hashed=hashed, origin=origin)
    return user


def change_own_profile(*, user: User, changes: dict[str, Any], origin: Origin) -> User:
    """Change what people may write of themselves: `first_name`, `last_name`, `locale`, `metadata`; the user as it is.

    Raises `LocaleUnusable`, `InvalidInput`, or `NotFound` where the account is deleted meanwhile.
    """
    _check(changes, may_manage_admins=False, origin=origin)
    with transaction.atomic():
        locked = lock_user(user.pk)
        if locked is None:
            raise NotFound(_("There is no such user."))
        if changed := _change_fields(locked, changes, origin):
            signals.user_updated.send(sender=User, user=locked, changed=changed, origin=origin)
    return locked


def put_password(*, user: User, hashed: str | None, origin: Origin) -> None:
    """Make this hash the person's password, or take it away; every session ends, open links die, and it is an event.

    Who has none to be taken away stays as they are. Inside the caller's transaction, which holds the user's lock and
    has forgotten the failures of logins before.
    """
    if user.password is None and hashed is None:
        return
    user.password = hashed
    user.save(update_fields=["password"])
    user.links.void()
    forget_devices(user=user)
    end_sessions_of(user=user, reason=EndReason.PASSWORD_CHANGED, origin=origin)
    signals.password_changed.send(sender=User, user=user, origin=origin)


def _check(changes: dict[str, Any], may_manage_admins: bool, origin: Origin) -> None:
    """What needs no look at the account."""
    if changes.get("admin"):
        check_may_manage_admins(may_manage_admins=may_manage_admins, origin=origin)
    if "email" in changes and not is_usable(changes["email"]):
        raise EmailUnusable
    if "locale" in changes:
        check_locale(changes["locale"])
    check_metadata(changes)


def _prepared_password(
    user_id: uuid.UUID, changes: dict[str, Any], may_manage_admins: bool, origin: Origin
) -> tuple[str | None, str]:
    """The hash of the new password and the key of the account's address; None and nothing where there is none.

    Outside of any transaction; whoever may not set it costs no hash.
    """
    if "password" not in changes:
        return None, ""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound(_("There is no such user."))
    check_may_change(user, may_manage_admins=may_manage_admins, origin=origin)
    check_not_own(user, origin, _("Change your own password as everyone does: with the current one."))
    if changes["password"] is None:
        return None, user.email_key
    product = HostedAuthSettings.load().product_name
    email = changes.get("email", user.email)
    passwords.check_password_is_good(changes["password"], email=email, product_name=product)
    return passwords.hash_password(changes["password"]), user.email_key


def _change_fields(user: User, changes: dict[str, Any], origin: Origin) -> list[str]:
    """Change the fields that are not as they should be, with what follows from that, and say which they were."""
    values = _values(user, changes)
    changed = [name for name, value in values.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, values[name])
    try:
        user.save(update_fields=changed)
    except IntegrityError:
        raise EmailTaken from None
    if "email" in changed or ("is_superuser" in changed and user.is_superuser):
        user.links.void()
    if "is_superuser" in changed and not user.is_superuser:
        end_sessions_of(user=user, reason=EndReason.NOT_AN_ADMIN, origin=origin, kind=Session.Kind.CONSOLE)
    return [name for name in changed if name != "email_key"]


def _values(user: User, changes: dict[str, Any]) -> dict[str, Any]:
    """What the fields of `changes` and those that hang on them should hold."""
    values = {name: changes[name] for name in PLAIN_FIELDS if name in changes}
    if "admin" in changes:
        values["is_superuser"] = changes["admin"]
    if "email" in changes:
        key = email_key(changes["email"])
        values |= {"email": changes["email"], "email_key": key}
        values.setdefault("email_verified", user.email_verified and key == user.email_key)
    return values
