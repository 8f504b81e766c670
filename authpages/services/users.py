"""Finding accounts, and those that an admin, the first-start page or a command makes."""

import uuid
from typing import Any

from django.db import IntegrityError, models, transaction

from authpages import passwords, signals
from authpages.addresses import email_key, is_usable
from authpages.errors import EmailTaken, EmailUnusable, LastAdmin
from authpages.models import HostedAuthSettings, User
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import Parameter, Prepared


def create_user(
    *,
    email: str,
    password: str | None,
    origin: Origin,
    admin: bool = False,
    email_verified: bool = False,
    **profile: Any,
) -> User:
    """Make an account without logging anyone in; without a password it can be given one by a reset.

    Raises `EmailUnusable`, `WeakPassword` or `EmailTaken`.
    """
    hashed = hash_for_new_account(email, password)
    with transaction.atomic():
        return add_account(
            email=email, hashed=hashed, origin=origin, admin=admin, email_verified=email_verified, **profile
        )


def delete_user(*, user_id: uuid.UUID, origin: Origin) -> None:
    """Delete a person with their sessions, links and API keys; what else they leave is treated by who hears of it.

    Raises `NotFound`, or `LastAdmin` for the only one who could still let anyone in.
    """
    with transaction.atomic():
        admins = list(User.objects.admins().order_by("pk").select_for_update().values_list("pk", flat=True))
        user = lock_user(user_id)
        if user is None:
            raise NotFound
        if admins == [user.pk]:
            raise LastAdmin
        signals.user_deleted.send(sender=User, user=user, origin=origin)
        user.delete()


def find_user(email: str) -> User | None:
    """The account with this address, in whatever spelling."""
    return _by_email_key.first(email_key=email_key(email))


def lock_user(user_id: uuid.UUID) -> User | None:
    """The account with its roles, locked until the caller's transaction ends; None where it is gone."""
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


def add_account(
    *, email: str, hashed: str | None, origin: Origin, admin: bool, email_verified: bool, **profile: Any
) -> User:
    """The account and its event; raises `EmailTaken`. Inside the caller's transaction."""
    user = User(email=email, email_key=email_key(email), password=hashed, is_superuser=admin, **profile)
    user.email_verified = email_verified
    user.loaded_roles = []
    try:
        user.save(force_insert=True)
    except IntegrityError:
        raise EmailTaken from None
    signals.user_created.send(sender=User, user=user, origin=origin)
    return user
