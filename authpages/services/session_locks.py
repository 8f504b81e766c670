"""Holding sessions, so that what is made or ended of them meanwhile waits.

Who holds more than one holds them by their ids in order, after the person if that is held as well, and after an app.
"""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from authpages.models import Session, User
from authpages.models.sessions import SessionQuerySet, idle_limit
from fastgen_backend.prepared import Parameter, Prepared


def lock_session(session_id: uuid.UUID | None) -> Session | None:
    """The living session with this id, locked until the transaction ends, with user and roles."""
    now = timezone.now()
    session = _locked_by_id.first(now=now, idle_since=idle_limit(now), id=session_id) if session_id else None
    if session:
        session.user.loaded_roles = session.user_roles
    return session


def lock_sessions_of(user: User, *, ended_too: bool = False) -> None:
    """Hold the sessions of a person, so that no app or program gets a token meanwhile. After their own lock."""
    theirs = Session.objects.filter(user=user)
    held = theirs if ended_too else theirs.filter(ended_at=None)
    list(held.select_for_update().order_by("pk").values_list("pk"))


def stands_still(session: Session, *, lock: bool = False) -> bool:
    """Whether the session lives, behind the cookie that it was found by.

    It stays so inside a transaction which holds the lock of the person, without which no cookie is renewed; or takes
    that of the session here.
    """
    found = (_cookie_locked if lock else _cookie).row(id=session.pk)
    return found is not None and bytes(found[0] or b"") == bytes(session.cookie_hash or b"")


def _living() -> SessionQuerySet:
    now, idle_since = Parameter("now", models.DateTimeField()), Parameter("idle_since", models.DateTimeField())
    return Session.objects.alive(now, idle_since).with_user()


def _cookies() -> "models.QuerySet[Session, tuple[Any]]":
    return Session.objects.filter(pk=Parameter("id", models.UUIDField()), ended_at=None).values_list("cookie_hash")


_locked_by_id = Prepared(
    lambda: _living().select_for_update(of=("self",)).filter(pk=Parameter("id", models.UUIDField()))
)
_cookie = Prepared(_cookies)
_cookie_locked = Prepared(lambda: _cookies().select_for_update(no_key=True))
