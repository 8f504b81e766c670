"""Signals of the other apps become events: the only such place. Receivers insert rows, in the sender's transaction."""

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.dispatch import Signal, receiver

from authpages import signals as auth
from authpages.devices import device_name
from authpages.models import App, HostedAuthSettings, OneTimeLink, Session, User
from datahub import signals as data
from events.catalog import EventType, Stage
from events.envelope import rfc3339
from events.services.recording import Secret, forget_person, forget_secrets, record_event
from fastgen_backend.origin import Origin

VALUES_MAX_BYTES = 65_536  # of one row in its event, which goes out to every webhook and stream
LINKED_EVENTS = [EventType.EMAIL_VERIFICATION_REQUESTED, EventType.PASSWORD_RESET]
MEMBERS = {  # as the API calls what a person's fields hold
    "email_verified": "emailVerified",
    "first_name": "firstName",
    "last_name": "lastName",
    "app_metadata": "appMetadata",
    "is_superuser": "admin",
}

TABLE_EVENTS = {
    data.table_created: EventType.TABLE_CREATED,
    data.table_updated: EventType.TABLE_UPDATED,
    data.table_emptied: EventType.TABLE_EMPTIED,
    data.table_deleted: EventType.TABLE_DELETED,
}


@receiver(list(TABLE_EVENTS))
def on_table_changed(signal: Signal, *, table_id: UUID, name: str, description: str, origin: Origin, **_: Any) -> None:
    payload = {"ID": str(table_id), "Name": name, "Description": description}
    record_event(type=TABLE_EVENTS[signal], data=payload, origin=origin, subject=str(table_id))


@receiver(data.table_imported)
def on_table_imported(
    *, table_id: UUID, name: str, description: str, import_id: UUID, rows_imported: int, origin: Origin, **_: Any
) -> None:
    table = {"ID": str(table_id), "Name": name, "Description": description}
    payload = {**table, "importId": str(import_id), "rowsImported": rows_imported}
    record_event(type=EventType.TABLE_IMPORTED, data=payload, origin=origin, subject=str(table_id))


@receiver(data.table_import_undone)
def on_table_import_undone(
    *,
    table_id: UUID,
    name: str,
    description: str,
    import_id: UUID,
    rows_deleted: int,
    rows_kept: int,
    origin: Origin,
    **_: Any,
) -> None:
    table = {"ID": str(table_id), "Name": name, "Description": description}
    payload = {**table, "importId": str(import_id), "rowsDeleted": rows_deleted, "rowsKept": rows_kept}
    record_event(type=EventType.TABLE_IMPORT_UNDONE, data=payload, origin=origin, subject=str(table_id))


ROW_EVENTS = {
    data.row_created: EventType.ROW_CREATED,
    data.row_updated: EventType.ROW_UPDATED,
    data.row_deleted: EventType.ROW_DELETED,
}


@receiver(list(ROW_EVENTS))
def on_row_changed(
    signal: Signal, *, table_id: UUID, row_id: UUID, values: dict[str, Any], origin: Origin, **_: Any
) -> None:
    payload = {"id": str(row_id), "tableId": str(table_id), **_bounded(values)}
    record_event(type=ROW_EVENTS[signal], data=payload, origin=origin, subject=str(row_id))


def _bounded(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a row as its event tells them: of too much the largest are left out, and named instead."""
    total = _size(values)
    if total <= VALUES_MAX_BYTES:
        return {"values": values}
    sizes = {key: _size([key, value]) for key, value in values.items()}  # brackets for its colon and comma
    omitted = []
    for key in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if total <= VALUES_MAX_BYTES:
            break
        total -= sizes[key]
        omitted.append(key)
    return {"values": {key: values[key] for key in values if key not in omitted}, "omitted": sorted(omitted)}


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


@receiver(auth.user_signed_up)
def on_user_signed_up(*, user: User, origin: Origin, **_: Any) -> None:
    _record(EventType.USER_SIGNED_UP, user, origin)


@receiver(auth.user_created)
def on_user_created(*, user: User, origin: Origin, **_: Any) -> None:
    _record(EventType.USER_CREATED, user, origin)


@receiver(auth.user_updated)
def on_user_updated(*, user: User, changed: Collection[str], origin: Origin, **_: Any) -> None:
    if {"email", "is_superuser"} & set(changed):
        forget_secrets(subject=str(user.pk), types=LINKED_EVENTS)
    _record(EventType.USER_UPDATED, user, origin, changed=sorted(MEMBERS.get(name, name) for name in changed))


@receiver(auth.user_blocked)
def on_user_blocked(*, user: User, origin: Origin, **_: Any) -> None:
    forget_secrets(subject=str(user.pk), types=LINKED_EVENTS)
    _record(EventType.USER_BLOCKED, user, origin)


@receiver(auth.user_unblocked)
def on_user_unblocked(*, user: User, origin: Origin, **_: Any) -> None:
    _record(EventType.USER_UNBLOCKED, user, origin)


@receiver(auth.user_deleted)
def on_user_deleted(*, user: User, origin: Origin, **_: Any) -> None:
    forget_person(subject=str(user.pk))
    _record(EventType.USER_DELETED, user, origin)


@receiver(auth.sign_up_repeated)
def on_sign_up_repeated(*, user: User, origin: Origin, **_: Any) -> None:
    _record(EventType.SIGN_UP_REPEATED, user, origin)


@receiver(auth.user_logged_in)
def on_user_logged_in(*, user: User, origin: Origin, **_: Any) -> None:
    _record(EventType.USER_LOGGED_IN, user, origin)


@receiver(auth.user_logged_out)
def on_user_logged_out(*, user: User, origin: Origin, **_: Any) -> None:
    _record(EventType.USER_LOGGED_OUT, user, origin)


@receiver(auth.login_failed)
def on_login_failed(*, user: User | None, email: str, reason: str, origin: Origin, **_: Any) -> None:
    subject = str(user.pk) if user else ""
    payload = {"email": email, "userId": subject or None, "reason": reason}
    record_event(type=EventType.LOGIN_FAILED, data=payload, origin=origin, subject=subject)


@receiver(auth.login_after_failures)
def on_login_after_failures(*, user: User, failures: int, origin: Origin, **_: Any) -> None:
    _record(EventType.LOGIN_AFTER_FAILURES, user, origin, failures=failures, **_place(origin))


@receiver(auth.new_device)
def on_new_device(*, user: User, origin: Origin, **_: Any) -> None:
    _record(EventType.NEW_DEVICE, user, origin, **_place(origin))


@receiver(auth.email_verification_requested)
def on_email_verification_requested(*, user: User, link: OneTimeLink, token: str, origin: Origin, **_: Any) -> None:
    secret = _secret(user, link, token, "verify-email")
    _record(EventType.EMAIL_VERIFICATION_REQUESTED, user, origin, secret=secret, expiresAt=rfc3339(link.expires_at))


@receiver(auth.email_verified)
def on_email_verified(*, user: User, origin: Origin, **_: Any) -> None:
    forget_secrets(subject=str(user.pk), types=[EventType.EMAIL_VERIFICATION_REQUESTED])
    _record(EventType.EMAIL_VERIFIED, user, origin)


@receiver(auth.password_reset_requested)
def on_password_reset_requested(*, user: User, link: OneTimeLink, token: str, origin: Origin, **_: Any) -> None:
    secret = _secret(user, link, token, "reset-password")
    expires = rfc3339(link.expires_at)
    _record(EventType.PASSWORD_RESET, user, origin, stage=Stage.REQUESTED, secret=secret, expiresAt=expires)


@receiver(auth.password_reset)
def on_password_reset(*, user: User, origin: Origin, **_: Any) -> None:
    forget_secrets(subject=str(user.pk), types=LINKED_EVENTS)
    _record(EventType.PASSWORD_RESET, user, origin, stage=Stage.COMPLETED)


@receiver(auth.password_changed)
def on_password_changed(*, user: User, origin: Origin, **_: Any) -> None:
    forget_secrets(subject=str(user.pk), types=LINKED_EVENTS)
    _record(EventType.PASSWORD_CHANGED, user, origin)


@receiver(auth.session_ended)
def on_session_ended(*, user: User, session: Session, reason: str, origin: Origin, **_: Any) -> None:
    _record(EventType.SESSION_ENDED, user, origin, sessionId=str(session.pk), reason=reason)


@receiver(auth.token_reused)
def on_token_reused(*, user: User, session: Session, app: App | None, origin: Origin, **_: Any) -> None:
    of_app: dict[str, Any] = {"appId": str(app.pk) if app else None, "appName": app.shown_name if app else None}
    _record(EventType.TOKEN_REUSED, user, origin, sessionId=str(session.pk), **of_app)


@receiver(auth.app_authorized)
def on_app_authorized(*, user: User, app: App, scope: str, origin: Origin, **_: Any) -> None:
    _record(EventType.APP_AUTHORIZED, user, origin, **_access(app, scope))


@receiver(auth.app_revoked)
def on_app_revoked(*, user: User, app: App, scope: str, origin: Origin, **_: Any) -> None:
    _record(EventType.APP_REVOKED, user, origin, **_access(app, scope))


def _record(
    type: EventType, user: User, origin: Origin, *, stage: str = "", secret: Secret | None = None, **more: Any
) -> None:
    """An event about a person: the documented four members, and `more`."""
    payload = {
        "userId": str(user.pk),
        "email": user.email,
        "emailVerified": user.email_verified,
        "roles": user.role_names,
        **more,
    }
    record_event(type=type, data=payload, origin=origin, subject=str(user.pk), stage=stage, secret=secret)


def _place(origin: Origin) -> dict[str, Any]:
    """Where someone came from, in words that they know their devices by."""
    return {"device": device_name(origin.user_agent), "ipAddress": origin.ip_address}


def _access(app: App, scope: str) -> dict[str, Any]:
    """An app by the name that people know it by, and what it may know of them."""
    return {"appId": str(app.pk), "appName": app.shown_name, "scope": scope.split()}


def _secret(user: User, link: OneTimeLink, token: str, page: str) -> Secret:
    """The token, and the address of our page that takes it: empty where the hosted pages are off."""
    hosted = HostedAuthSettings.load().pages_enabled
    url = f"{settings.BASE_URL}/{page}?{urlencode({'token': token})}" if hosted else ""
    return {"token": token, "link": url, "expires_at": link.expires_at, "internal_only": user.is_superuser}
