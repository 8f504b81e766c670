"""Sessions: beginning, refreshing, seeing and ending them."""

import base64
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages import signals
from authpages.errors import TokenInvalid
from authpages.models import EndReason, RefreshToken, Session, User, token_hash
from authpages.models.sessions import SessionQuerySet, idle_limit
from fastgen_backend import vault
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import Parameter, Prepared, insert

SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A session and what stands for it, told this once: a cookie for browsers, a refresh token for programs.

    A browser gets another cookie, by which its device is known.
    """

    session: Session
    cookie: str = ""
    device_cookie: str = ""
    refresh_token: str = ""


@dataclass(frozen=True, slots=True)
class TokenCaller:
    """Who calls by an access token, without the rest of session and person: a person, who has no scope."""

    user_id: uuid.UUID
    role_names: list[str]

    @property
    def actor(self) -> str:
        """Who acts by this token, as events tell it."""
        return f"user:{self.user_id}"

    def allows(self, scope: str) -> bool:
        return False


def start_browser_session(*, user: User, origin: Origin, kind: Session.Kind = Session.Kind.END_USER) -> StartedSession:
    """Begin a session held by a cookie. Inside the caller's transaction."""
    cookie = secrets.token_urlsafe(32)
    return StartedSession(_start(user, origin, kind, token_hash(cookie)), cookie=cookie)


def start_token_session(*, user: User, origin: Origin) -> StartedSession:
    """Begin a session held by a refresh token. Inside the caller's transaction."""
    session = _start(user, origin, Session.Kind.END_USER, None)
    token = secrets.token_urlsafe(32)
    insert(RefreshToken(session=session, hash=token_hash(token)))
    return StartedSession(session, refresh_token=token)


def refresh_session(*, token: str, origin: Origin) -> StartedSession:
    """Exchange a refresh token for its child; raises `TokenInvalid`.

    The child is made from the parent (HMAC), so the immediate parent, repeated within `REFRESH_REPEAT_SECONDS` (two
    tabs, a lost answer), yields the same child. Any older token ends the session and is an event (RFC 9700, 4.14.2).
    """
    with transaction.atomic():
        found = RefreshToken.objects.filter(hash=token_hash(token)).values_list("session_id", flat=True).first()
        session = _lock_session(found)
        row = _row_of(token) if session else None  # gone where another password has just renewed the session
        refreshed = _rotate(session, row, token) if session and row else None
        if session and row and not refreshed:
            _end(session, reason=EndReason.TOKEN_REUSED)
            signals.session_ended.send(
                sender=Session, session=session, user=session.user, reason=EndReason.TOKEN_REUSED, origin=origin
            )
            signals.token_reused.send(sender=Session, session=session, user=session.user, origin=origin)
    if session is None or refreshed is None:
        raise TokenInvalid(_("This refresh token is not valid any more; log in again."))
    return refreshed


def renew_session(*, session: Session) -> StartedSession | None:
    """The same session behind a new cookie or refresh token; those before stand for nothing. None where it has ended.

    For who has shown anew who they are (OWASP ASVS 7.2.4). Inside the caller's transaction.
    """
    secret = secrets.token_urlsafe(32)
    in_browser = session.cookie_hash is not None
    renewed: dict[str, Any] = {"cookie_hash": token_hash(secret)} if in_browser else {}
    if not Session.objects.filter(pk=session.pk, ended_at=None).update(last_seen_at=timezone.now(), **renewed):
        return None
    if in_browser:
        return StartedSession(session, cookie=secret)
    session.refresh_tokens.all().delete()
    insert(RefreshToken(session=session, hash=token_hash(secret)))
    return StartedSession(session, refresh_token=secret)


def log_out(*, session: Session, origin: Origin) -> None:
    """End a session because its owner asked for it; one that has ended already stays as it is."""
    with transaction.atomic():
        if _end(session, reason=EndReason.LOGOUT):
            signals.user_logged_out.send(sender=User, user=session.user, origin=origin)


def end_session_of(*, user: User, session_id: uuid.UUID, reason: EndReason, origin: Origin) -> None:
    """End one session of `user`; raises `NotFound` for one that has ended already, is nobody's or another person's."""
    with transaction.atomic():
        session = user.sessions.alive(timezone.now()).filter(pk=session_id).first()
        if session is None or not _end(session, reason=reason):
            raise NotFound(_("There is no such session, or it has ended already."))
        signals.session_ended.send(sender=Session, session=session, user=user, reason=reason, origin=origin)


def end_other_sessions(*, session: Session, origin: Origin) -> int:
    """End every session of this one's owner but this one, for them, and say how many that were.

    Raises `TokenInvalid` where the account is deleted meanwhile.
    """
    with transaction.atomic():
        user = User.objects.locked().filter(pk=session.user_id).first()
        if user is None:
            raise TokenInvalid(_("This session has ended; log in again."))
        return end_sessions_of(user=user, reason=EndReason.ENDED_BY_OWNER, origin=origin, but=session)


def end_sessions_of(
    *, user: User, reason: EndReason, origin: Origin, but: Session | None = None, kind: Session.Kind | None = None
) -> int:
    """End every session of `user`, cookies and tokens alike, `but` one or only of a `kind` perhaps, and say how many.

    One that was over for its age ends too, lest longer limits bring it back, but is not told of and not counted. Inside
    the caller's transaction, which holds the user's lock, so that no session begins meanwhile.
    """
    ending = Session.objects.filter(user=user, ended_at=None)
    if but:
        ending = ending.exclude(pk=but.pk)
    if kind:
        ending = ending.filter(kind=kind)
    return end_and_tell(ending, user, reason, origin)


def end_and_tell(ending: SessionQuerySet, user: User, reason: EndReason, origin: Origin) -> int:
    """End these sessions of a person, and tell of those that lived; how many that were. Inside a transaction."""
    now = timezone.now()
    living = [each for each in ending.select_for_update().order_by("pk") if not each.is_over(now)]
    ending.update(ended_at=now, end_reason=reason)
    for session in living:
        signals.session_ended.send(sender=Session, session=session, user=user, reason=reason, origin=origin)
    return len(living)


def find_session(session_id: uuid.UUID) -> Session | None:
    """The living end-user session with this id, with user and roles, in one query; remembered as seen."""
    return _find(_by_id, id=session_id, kind=Session.Kind.END_USER)


def find_token_caller(*, session_id: uuid.UUID, user_id: uuid.UUID) -> TokenCaller | None:
    """What `find_session` would tell of the caller, at a fraction of its cost: none of the two rows becomes a model."""
    now = timezone.now()
    kind = Session.Kind.END_USER
    found = _caller.row(now=now, idle_since=idle_limit(now), id=session_id, user_id=user_id, kind=kind)
    if found is None:
        return None
    last_seen_at, roles = found
    _note_seen(session_id, last_seen_at, now)
    return TokenCaller(user_id, sorted(roles or []))


def find_browser_session(cookie: str, kind: Session.Kind) -> Session | None:
    """The living session that this cookie stands for, with user and roles, in one query; remembered as seen."""
    return _find(_by_cookie, cookie_hash=token_hash(cookie), kind=kind)


def _living() -> SessionQuerySet:
    now, idle_since = Parameter("now", models.DateTimeField()), Parameter("idle_since", models.DateTimeField())
    return Session.objects.alive(now, idle_since).with_user().filter(kind=Parameter("kind", models.CharField()))


_by_id = Prepared(lambda: _living().filter(pk=Parameter("id", models.UUIDField())))
_caller = Prepared(
    lambda: (
        _living()
        .filter(pk=Parameter("id", models.UUIDField()), user_id=Parameter("user_id", models.UUIDField()))
        .values_list("last_seen_at", "user_roles")  # type: ignore[misc]  # an annotation
    )
)
_by_cookie = Prepared(lambda: _living().filter(cookie_hash=Parameter("cookie_hash", models.BinaryField())))


def _find(query: Prepared[Session], **identity: Any) -> Session | None:
    now = timezone.now()
    found = query.first(now=now, idle_since=idle_limit(now), **identity)
    if found:
        found.user.loaded_roles = found.user_roles
        _note_seen(found.pk, found.last_seen_at, now)
    return found


def _note_seen(session_id: uuid.UUID, last_seen_at: datetime, now: datetime) -> None:
    """Remember that a session was used, at most once a minute."""
    if now - last_seen_at >= SEEN_EVERY:
        with transaction.atomic():  # so that on SQLite it waits in the queue of writers
            Session.objects.filter(pk=session_id, last_seen_at__lt=now - SEEN_EVERY).update(last_seen_at=now)


def _start(user: User, origin: Origin, kind: Session.Kind, cookie_hash: bytes | None) -> Session:
    now = timezone.now()
    hours = settings.CONSOLE_SESSION_HOURS if kind == Session.Kind.CONSOLE else settings.SESSION_DAYS * 24
    session = Session(
        user=user,
        kind=kind,
        cookie_hash=cookie_hash,
        created_at=now,
        last_seen_at=now,
        expires_at=now + timedelta(hours=hours),
        ip_address=origin.ip_address,
        user_agent=origin.user_agent,
    )
    return insert(session)


def _lock_session(session_id: uuid.UUID | None) -> Session | None:
    """The living session with this id, locked, with user and roles."""
    living = Session.objects.alive(timezone.now()).with_user().select_for_update(of=("self",))
    session = living.filter(pk=session_id).first() if session_id else None
    if session:
        session.user.loaded_roles = session.user_roles
    return session


def _row_of(token: str) -> RefreshToken | None:
    """What is kept of a token, with its child; its session is locked."""
    return RefreshToken.objects.select_related("child").filter(hash=token_hash(token)).first()


def _rotate(session: Session, row: RefreshToken, token: str) -> StartedSession | None:
    """The child of `token`, new or repeated; None where `token` is too old to have one."""
    now = timezone.now()
    children = _children_of(token)
    if row.used_at is None:
        row.used_at = now
        row.save(update_fields=["used_at"])
        insert(RefreshToken(session=session, hash=token_hash(children[0]), parent=row))
        Session.objects.filter(pk=session.pk).update(last_seen_at=now)
        return StartedSession(session, refresh_token=children[0])
    repeated_in_time = now - row.used_at <= timedelta(seconds=settings.REFRESH_REPEAT_SECONDS)
    if not repeated_in_time or row.child.used_at is not None:
        return None
    same = next((child for child in children if token_hash(child) == bytes(row.child.hash)), None)
    return StartedSession(session, refresh_token=same) if same else None


def _children_of(token: str) -> list[str]:
    """What `token` becomes: under the key of today, and under older ones (one may have been rotated just now)."""
    hashes = vault.keyed_hashes("refresh token", token.encode("utf-8", "surrogatepass"))
    return [base64.urlsafe_b64encode(each).decode().rstrip("=") for each in hashes]


def _end(session: Session, *, reason: EndReason) -> bool:
    """End one session, if it lives; whether it did."""
    living = Session.objects.filter(pk=session.pk, ended_at=None)
    return bool(living.update(ended_at=timezone.now(), end_reason=reason))
