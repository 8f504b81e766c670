"""Authorization codes: what brings a person back to an app, and what an app exchanges for tokens (RFC 6749, 4.1)."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages import signals
from authpages.errors import CodeInvalid
from authpages.models import App, AppSession, AuthorizationCode, EndReason, RefreshToken, Session, token_hash
from authpages.services.app_locks import hold_app
from authpages.services.app_sessions import start_app_session
from authpages.services.consents import has_consented
from authpages.services.session_locks import lock_session, stands_still
from authpages.services.sessions import end_session
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import Parameter, Prepared, insert

CODE_SECONDS = 60  # RFC 9700 asks for a short life; OWASP ASVS 10.4.3 for ten minutes at most


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What came of a code: what the app holds now, and the token by which it holds it, told this once.

    The token is empty of an app that the person did not let stay connected.
    """

    code: AuthorizationCode
    app_session: AppSession
    refresh_token: str


def issue_code(*, session: Session, app: App, redirect_uri: str, scope: str, nonce: str, code_challenge: str) -> str:
    """A code of 256 bits for `app`, good once within `CODE_SECONDS`; only its hash is kept.

    Empty where the app is deleted just now, or the session has ended meanwhile or stands behind another cookie: a
    request with a stolen one may have waited for the very change of the password that made it worthless. App and
    session are locked in this order, as by who exchanges the code.
    """
    code, now = secrets.token_urlsafe(32), timezone.now()
    row = AuthorizationCode(
        hash=token_hash(code),
        app=app,
        session=session,
        redirect_uri=redirect_uri,
        scope=scope,
        nonce=nonce,
        code_challenge=code_challenge,
        created_at=now,
        expires_at=now + timedelta(seconds=CODE_SECONDS),
    )
    with transaction.atomic():
        if not hold_app(app) or not stands_still(session, lock=True):
            return ""
        insert(row)
    return code


def find_code(code: str, app: App) -> AuthorizationCode | None:
    """What is kept of a code of this app, in whatever state."""
    return _by_hash.first(hash=token_hash(code), app_id=app.pk)


def exchange_code(*, code: AuthorizationCode, app: App, origin: Origin) -> Exchanged:
    """Spend a code, and let the app hold the session that it came from; raises `CodeInvalid`.

    A second use ends that session, because two have the code, and one of them stole it (RFC 6749, 4.1.2). App, session
    and code are locked in this order, as whoever deletes one of them does. A third-party app gets nothing that the
    person has not agreed to, or does not agree to any more.
    """
    with transaction.atomic():
        session = lock_session(code.session_id) if hold_app(app) else None
        locked = _locked_by_id.first(id=code.pk) if session else None
        exchanged = _exchange(locked, session, app) if locked and session else None
        if locked and session and locked.used_at and exchanged is None:
            _end_for_reuse(session, app, origin)
    if exchanged is None:
        raise CodeInvalid(_why_not(locked))
    return exchanged


def _why_not(code: AuthorizationCode | None) -> str:
    """Why a code is not exchanged, which only the app that it was made for is told."""
    if code is None:
        return _("The session that this code was made for has ended; begin the login anew.")
    if code.used_at:
        return _("This code was used before, so what came of it has ended; send each once, and begin the login anew.")
    if code.expires_at <= timezone.now():
        return _("This code is older than %(count)d seconds; begin the login anew.") % {"count": CODE_SECONDS}
    return _("This code is not valid any more; begin the login anew.")


def _exchange(code: AuthorizationCode, session: Session, app: App) -> Exchanged | None:
    now = timezone.now()
    if code.used_at or code.expires_at <= now:
        return None
    if not app.first_party and not has_consented(session.user, app, code.scope):
        return None
    code.used_at = now
    code.save(update_fields=["used_at"])
    app_session = start_app_session(session=session, app=app, scope=code.scope)
    if not _may_refresh(app, code.scope):
        return Exchanged(code, app_session, refresh_token="")
    token = secrets.token_urlsafe(32)
    insert(RefreshToken(session=session, app_session=app_session, hash=token_hash(token)))
    return Exchanged(code, app_session, token)


def _may_refresh(app: App, scope: str) -> bool:
    """Whether the app may stay connected: one of ours may, another where the person agreed to that.

    That is what the scope `offline_access` asks for (OpenID Connect Core, 11).
    """
    return app.first_party or "offline_access" in scope.split()


def _end_for_reuse(session: Session, app: App, origin: Origin) -> None:
    reason = EndReason.CODE_REUSED
    if end_session(session, reason=reason):
        signals.session_ended.send(sender=Session, session=session, user=session.user, reason=reason, origin=origin)
        signals.token_reused.send(sender=Session, session=session, user=session.user, app=app, origin=origin)


_by_hash = Prepared(
    lambda: AuthorizationCode.objects.filter(
        hash=Parameter("hash", models.BinaryField()), app_id=Parameter("app_id", models.UUIDField())
    )
)
_locked_by_id = Prepared(
    lambda: AuthorizationCode.objects.select_for_update().filter(pk=Parameter("id", models.BigIntegerField()))
)
