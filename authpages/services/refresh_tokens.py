"""Refresh tokens: opaque, rotating, each made from the one before it."""

import base64
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages import signals
from authpages.errors import TokenInvalid
from authpages.models import App, AppSession, EndReason, RefreshToken, Session, token_hash
from authpages.services.session_locks import lock_session
from authpages.services.sessions import StartedSession, end_session
from fastgen_backend import vault
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import Parameter, Prepared, insert


def refresh_session(*, token: str, origin: Origin, app: App | None = None) -> StartedSession:
    """Exchange a refresh token for its child; raises `TokenInvalid`, for a token of another app than `app` too.

    The child is made from the parent (HMAC), so the immediate parent, repeated within `REFRESH_REPEAT_SECONDS` (two
    tabs, a lost answer), yields the same child. Any older token ends the session and is an event (RFC 9700, 4.14.2).
    """
    with transaction.atomic():
        session = lock_session(_session_of(token, app))
        row = _row_of(token, session) if session else None  # gone where a new password has just renewed the session
        refreshed = _rotate(session, row, token) if session and row else None
        if session and row and not refreshed:
            end_session(session, reason=EndReason.TOKEN_REUSED)
            signals.session_ended.send(
                sender=Session, session=session, user=session.user, reason=EndReason.TOKEN_REUSED, origin=origin
            )
            signals.token_reused.send(sender=Session, session=session, user=session.user, app=app, origin=origin)
    if refreshed is None:
        raise TokenInvalid(_why_not(row))
    return refreshed


def _why_not(row: RefreshToken | None) -> str:
    if row is None:
        return _("This refresh token is not valid any more; log in again.")
    return _("This refresh token was used before, so what came of it has ended; keep the newest, and log in again.")


def find_app_session_of(*, token: str, app: App) -> AppSession | None:
    """What this app holds, or held, by a refresh token of its own, be it used or not."""
    return AppSession.objects.filter(app=app, refresh_tokens__hash=token_hash(token)).first()


def find_unused(*, token: str) -> RefreshToken | None:
    """The refresh token, with its session and person, which would be exchanged if it came now; it is not."""
    now = timezone.now()
    unused = RefreshToken.objects.filter(hash=token_hash(token), used_at=None, session__in=Session.objects.alive(now))
    held = models.Q(app_session=None) | models.Q(app_session__in=AppSession.objects.alive(now))
    return unused.filter(held).select_related("session__user", "app_session").first()


def _session_of(token: str, app: App | None) -> uuid.UUID | None:
    """The session of a token that this app holds, or none does."""
    session_id, app_id = _holder_of.row(hash=token_hash(token)) or (None, None)
    return session_id if app_id == (app.pk if app else None) else None


def _row_of(token: str, session: Session) -> RefreshToken | None:
    """What is kept of a token of this session, which is locked, with its child and the app that holds it still."""
    row = _by_hash.first(hash=token_hash(token))
    if row and row.app_session:
        if row.app_session.ends_at <= timezone.now():
            return None
        row.app_session.session = session
    return row


def _rotate(session: Session, row: RefreshToken, token: str) -> StartedSession | None:
    """The child of `token`, new or repeated; None where `token` is too old to have one."""
    now = timezone.now()
    children = _children_of(token)
    if row.used_at is None:
        row.used_at = now
        row.save(update_fields=["used_at"])
        insert(RefreshToken(session=session, hash=token_hash(children[0]), parent=row, app_session=row.app_session))
        Session.objects.filter(pk=session.pk).update(last_seen_at=now)
        return StartedSession(session, refresh_token=children[0], app_session=row.app_session)
    repeated_in_time = now - row.used_at <= timedelta(seconds=settings.REFRESH_REPEAT_SECONDS)
    if not repeated_in_time or row.child.used_at is not None:
        return None
    same = next((child for child in children if token_hash(child) == bytes(row.child.hash)), None)
    return StartedSession(session, refresh_token=same, app_session=row.app_session) if same else None


def _children_of(token: str) -> list[str]:
    """What `token` becomes: under the key of today, and under older ones (one may have been rotated just now)."""
    hashes = vault.keyed_hashes("refresh token", token.encode("utf-8", "surrogatepass"))
    return [base64.urlsafe_b64encode(each).decode().rstrip("=") for each in hashes]


def _with_hash() -> models.QuerySet[RefreshToken]:
    return RefreshToken.objects.filter(hash=Parameter("hash", models.BinaryField()))


_holder_of = Prepared(lambda: _with_hash().values_list("session_id", "app_session__app_id"))
_by_hash = Prepared(lambda: _with_hash().select_related("child", "app_session__app"))
