"""Sessions: beginning, seeing and ending them."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages import signals
from authpages.errors import TokenInvalid
from authpages.models import AppSession, EndReason, RefreshToken, Session, User, token_hash
from authpages.models.sessions import SessionQuerySet, idle_limit
from authpages.services.session_locks import lock_sessions_of, stands_still
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
    app_session: AppSession | None = None  # where an app holds the session


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


def renew_session(*, session: Session, authenticated: bool = False) -> StartedSession | None:
    """The same session behind a new cookie or refresh token; those before stand for nothing. None where it has ended.

    For who has shown anew who they are (OWASP ASVS 7.2.4); `authenticated` where that was all that a login asks for, so
    that it has the whole of its time before it again. What apps hold of it stays theirs; where one of them calls, it is
    the app that gets another refresh token, and the browser has to log in anew: its cookie may be what was stolen.
    Inside the caller's transaction.
    """
    secret, now = secrets.token_urlsafe(32), timezone.now()
    in_browser = session.cookie_hash is not None and session.held_by is None
    renewed: dict[str, Any] = {}
    if session.cookie_hash is not None:
        session.cookie_hash = token_hash(secret if in_browser else secrets.token_urlsafe(32))
        renewed["cookie_hash"] = session.cookie_hash
    if authenticated:
        session.authenticated_at, session.expires_at = now, now + _lifetime(session.kind)
        renewed |= {"authenticated_at": session.authenticated_at, "expires_at": session.expires_at}
    if not Session.objects.filter(pk=session.pk, ended_at=None).update(last_seen_at=now, **renewed):
        return None
    if in_browser:
        return StartedSession(session, cookie=secret)
    living = AppSession.objects.alive(now).select_related("app")
    held = living.filter(pk=session.held_by).first() if session.held_by else None
    if session.held_by and held is None:
        return None
    session.refresh_tokens.filter(app_session=held)._raw_delete(DEFAULT_DB_ALIAS)  # a chain of whatever length
    insert(RefreshToken(session=session, app_session=held, hash=token_hash(secret)))
    if held:
        held.session = session
    return StartedSession(session, refresh_token=secret, app_session=held)


def log_out(*, session: Session, origin: Origin) -> None:
    """End a session because its owner asked for it; one that has ended already stays as it is."""
    with transaction.atomic():
        if end_session(session, reason=EndReason.LOGOUT):
            signals.user_logged_out.send(sender=User, user=session.user, origin=origin)


def end_session_of(*, user: User, session_id: uuid.UUID, reason: EndReason, origin: Origin) -> None:
    """End one session of `user`; raises `NotFound` for one that has ended already, is nobody's or another person's."""
    with transaction.atomic():
        session = user.sessions.alive(timezone.now()).filter(pk=session_id).first()
        if session is None or not end_session(session, reason=reason):
            raise NotFound(_("There is no such session, or it has ended already."))
        signals.session_ended.send(sender=Session, session=session, user=user, reason=reason, origin=origin)


def end_other_sessions(*, session: Session, origin: Origin) -> StartedSession:
    """End every session of this one's owner but this one, which goes on behind a new cookie: the old may be copied.

    What apps hold of this one ends as well. Raises `TokenInvalid` where it or the account is gone meanwhile, or it
    stands behind another cookie: that of whoever renewed it meanwhile.
    """
    with transaction.atomic():
        user = User.objects.locked().filter(pk=session.user_id).first()
        if user:
            lock_sessions_of(user)
        renewed = renew_session(session=session) if user and stands_still(session) else None
        if user is None or renewed is None:
            raise TokenInvalid(_("This session has ended; log in again."))
        end_sessions_of(user=user, reason=EndReason.ENDED_BY_OWNER, origin=origin, but=session)
        end_what_apps_hold(session)
        return renewed


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


def end_what_apps_hold(session: Session) -> None:
    """End all that apps hold of this session, but for the one that calls by it, and their codes on the way.

    Somebody else may have got them with a stolen cookie. An app of the person's own browser comes back by itself, for
    that is logged in. Inside the caller's transaction.
    """
    list(Session.objects.select_for_update().filter(pk=session.pk).values_list("pk"))  # before its codes, as ever
    session.codes.all().void()
    held = session.app_sessions.all()
    (held.exclude(pk=session.held_by) if session.held_by else held).end()


def end_and_tell(ending: SessionQuerySet, user: User, reason: EndReason, origin: Origin) -> int:
    """End these sessions of a person, and tell of those that lived; how many that were. Inside a transaction."""
    now = timezone.now()
    living = [each for each in ending.select_for_update().order_by("pk") if not each.is_over(now)]
    ending.update(ended_at=now, end_reason=reason)
    for session in living:
        signals.session_ended.send(sender=Session, session=session, user=user, reason=reason, origin=origin)
    return len(living)


def find_session(session_id: uuid.UUID, app_session_id: uuid.UUID | None = None) -> Session | None:
    """The living end-user session with this id, with user and roles, in one query; remembered as seen.

    With `app_session_id`, only as long as a first-party app holds the session by that.
    """
    if app_session_id is None:
        return _find(_by_id, id=session_id, kind=Session.Kind.END_USER)
    found = _find(_by_id_and_app, id=session_id, kind=Session.Kind.END_USER, app_session_id=app_session_id)
    if found:
        found.held_by = app_session_id
    return found


def find_token_caller(
    *, session_id: uuid.UUID, user_id: uuid.UUID, app_session_id: uuid.UUID | None = None
) -> TokenCaller | None:
    """What `find_session` would tell of the caller, at a fraction of its cost: none of the two rows becomes a model.

    With `app_session_id`, only as long as a first-party app holds the session by that.
    """
    now = timezone.now()
    of_session = {"now": now, "idle_since": idle_limit(now), "id": session_id, "kind": Session.Kind.END_USER}
    if app_session_id is None:
        found = _caller.row(**of_session, user_id=user_id)
    else:
        found = _caller_by_app.row(**of_session, user_id=user_id, app_session_id=app_session_id)
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


def _held_by_app() -> models.Exists:
    """That a first-party app holds the session: nobody asks for those of others here."""
    living = AppSession.objects.alive(Parameter("now", models.DateTimeField()))
    held = living.filter(pk=Parameter("app_session_id", models.UUIDField()), app__first_party=True)
    return models.Exists(held.filter(session_id=models.OuterRef("pk")))


def _calling() -> SessionQuerySet:
    return _living().filter(pk=Parameter("id", models.UUIDField()), user_id=Parameter("user_id", models.UUIDField()))


_by_id = Prepared(lambda: _living().filter(pk=Parameter("id", models.UUIDField())))
_by_id_and_app = Prepared(lambda: _living().filter(_held_by_app(), pk=Parameter("id", models.UUIDField())))
_caller = Prepared(lambda: _calling().values_list("last_seen_at", "user_roles"))  # type: ignore[misc]  # annotated
_caller_by_app = Prepared(
    lambda: _calling().filter(_held_by_app()).values_list("last_seen_at", "user_roles")  # type: ignore[misc]
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
    session = Session(
        user=user,
        kind=kind,
        cookie_hash=cookie_hash,
        created_at=now,
        last_seen_at=now,
        expires_at=now + _lifetime(kind),
        ip_address=origin.ip_address,
        user_agent=origin.user_agent,
    )
    return insert(session)


def _lifetime(kind: str) -> timedelta:
    is_console = kind == Session.Kind.CONSOLE
    return timedelta(hours=settings.CONSOLE_SESSION_HOURS) if is_console else timedelta(days=settings.SESSION_DAYS)


def end_session(session: Session, *, reason: EndReason) -> bool:
    """End one session, if it lives; whether it did. Nobody is told."""
    living = Session.objects.filter(pk=session.pk, ended_at=None)
    return bool(living.update(ended_at=timezone.now(), end_reason=reason))
