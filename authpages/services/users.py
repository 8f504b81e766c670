"""Finding accounts, and those that an admin, the first-start page or a command makes."""

import json
import re
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from authpages import passwords, signals
from authpages.addresses import email_key, is_usable
from authpages.errors import EmailTaken, EmailUnusable, LocaleUnusable
from authpages.models import HostedAuthSettings, User
from authpages.services.admin_rules import check_may_manage_admins, lock_account_to_shut_out
from authpages.services.forgetting import delete_sessions_of, forget_used_tokens_of
from authpages.services.roles import set_roles
from authpages.services.session_locks import lock_sessions_of
from fastgen_backend.errors import FieldError, InvalidInput
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import Parameter, Prepared
from fastgen_backend.time_limits import unlimited

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)  # RFC 5646, 2.1, without its rarer forms
LONGEST_LANGUAGE_TAG = 35  # RFC 5646, 4.4.1
METADATA_MAX_BYTES = 16_384  # written out as JSON


def create_user(
    *,
    email: str,
    password: str | None = None,
    origin: Origin,
    may_manage_admins: bool = False,
    admin: bool = False,
    email_verified: bool = False,
    **profile: Any,
) -> User:
    """Make an account without logging anyone in; without a password it can be given one by a reset.

    `profile` may name `first_name`, `last_name`, `locale`, `metadata`, `app_metadata`, `roles` (by name) and `blocked`.
    Raises `AdminProtected`, `EmailUnusable`, `LocaleUnusable`, `WeakPassword`, `EmailTaken`, `RoleUnknown` or
    `InvalidInput`.
    """
    if admin:
        check_may_manage_admins(may_manage_admins=may_manage_admins, origin=origin)
    check_locale(profile.get("locale", ""))
    check_metadata(profile)
    hashed = hash_for_new_account(email, password)
    with transaction.atomic():
        return add_account(
            email=email, hashed=hashed, origin=origin, admin=admin, email_verified=email_verified, **profile
        )


def delete_user(*, user_id: uuid.UUID, origin: Origin, may_manage_admins: bool = False) -> None:
    """Delete a person with their sessions, links and API keys; what else they leave is treated by who hears of it.

    Raises `NotFound`, `AdminProtected`, `OwnAccount`, or `LastAdmin` for the only one who could still let anyone in.
    Killed amid it, they are there still, and can be deleted again.
    """
    with transaction.atomic():
        lock_account_to_shut_out(user_id, may_manage_admins=may_manage_admins, origin=origin)  # or nothing is touched
    forget_used_tokens_of(user_id)
    with transaction.atomic(), unlimited():  # whoever had a million logins can be deleted, too
        user = lock_account_to_shut_out(user_id, may_manage_admins=may_manage_admins, origin=origin)
        User.objects.select_for_update().get(pk=user.pk)  # from here on no row is given to them
        lock_sessions_of(user, ended_too=True)
        signals.user_deleted.send(sender=User, user=user, origin=origin)
        delete_sessions_of(user)
        user.delete()


def find_user(email: str) -> User | None:
    """The account with this address, in whatever spelling."""
    return _by_email_key.first(email_key=email_key(email))


def lock_user(user_id: uuid.UUID) -> User | None:
    """The account, locked until the caller's transaction ends; None where it is gone."""
    return _locked_by_id.first(id=user_id)


_by_email_key = Prepared(lambda: User.objects.filter(email_key=Parameter("email_key", models.CharField())))
_locked_by_id = Prepared(lambda: User.objects.locked().filter(pk=Parameter("id", models.UUIDField())))


def hash_for_new_account(email: str, password: str | None) -> str | None:
    """The hash of a good password for a usable address. Outside of any transaction."""
    if not is_usable(email):
        raise EmailUnusable
    if password is None:
        return None
    passwords.check_password_is_good(password, email=email, product_name=HostedAuthSettings.load().product_name)
    return passwords.hash_password(password)


def check_locale(locale: str) -> None:
    """Raise `LocaleUnusable` unless this is a language tag, or empty: the language that the product speaks."""
    if locale and (len(locale) > LONGEST_LANGUAGE_TAG or not LANGUAGE_TAG.fullmatch(locale)):
        raise LocaleUnusable


def check_metadata(profile: Mapping[str, Any]) -> None:
    """Raise `InvalidInput` where `metadata` or `app_metadata`, if they are in it, are larger than we keep."""
    detail = _("This may have %(count)s bytes at most.") % {"count": f"{METADATA_MAX_BYTES:,}"}
    members = {"metadata": "/metadata", "app_metadata": "/appMetadata"}
    written = {pointer: json.dumps(profile.get(name), ensure_ascii=False) for name, pointer in members.items()}
    too_large = [pointer for pointer, text in written.items() if len(text.encode()) > METADATA_MAX_BYTES]
    if too_large:
        raise InvalidInput([FieldError(pointer, "too-large", detail) for pointer in too_large])


def add_account(
    *,
    email: str,
    hashed: str | None,
    origin: Origin,
    admin: bool,
    email_verified: bool,
    roles: Collection[str] = (),
    **profile: Any,
) -> User:
    """The account and its event; raises `EmailTaken` or `RoleUnknown`. Inside the caller's transaction."""
    user = User(email=email, email_key=email_key(email), password=hashed, is_superuser=admin, **profile)
    user.email_verified = email_verified
    user.loaded_roles = []
    try:
        user.save(force_insert=True)
    except IntegrityError:
        raise EmailTaken from None
    set_roles(user=user, names=roles)
    signals.user_created.send(sender=User, user=user, origin=origin)
    return user
