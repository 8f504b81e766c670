"""What apps hold of a person's session: it begins with a code, and ends with the session or before."""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from authpages.models import App, AppSession, Session, User
from authpages.models.sessions import idle_limit
from authpages.models.users import role_names_of
from fastgen_backend.prepared import Parameter, Prepared, insert

MOST_OF_AN_APP = 20  # of one session: an app that asks for a code with every page it shows holds no more than these


def start_app_session(*, session: Session, app: App, scope: str) -> AppSession:
    """Let `app` hold `session`; of too many, what it held first ends. Inside the caller's transaction.

    It ends `SESSION_DAYS` later however it is used, and though the person logs in again (OWASP ASVS 10.4.8).
    """
    now = timezone.now()
    if first_too_many := _beyond_most.row(session_id=session.pk, app_id=app.pk, now=now):
        AppSession.objects.filter(session=session, app=app, pk__lte=first_too_many[0]).end()
    held = AppSession(session=session, app=app, scope=scope, authenticated_at=session.auth_time, created_at=now)
    held.ends_at = now + timedelta(days=settings.SESSION_DAYS)
    return insert(held)


def find_app_session(id: uuid.UUID | None) -> AppSession | None:
    """What an app holds by this id, with app, session, user and roles, while it and the session live; in one query."""
    if id is None:
        return None
    now = timezone.now()
    held = _by_id.first(id=id, now=now, idle_since=idle_limit(now))
    if held:
        loaded: Any = held  # by the annotation
        held.session.user.loaded_roles = loaded.user_roles
    return held


def end_app_session(*, app_session: AppSession) -> None:
    """Take from the app what it holds by this; its tokens end at once. The session of the person goes on."""
    with transaction.atomic():
        AppSession.objects.filter(pk=app_session.pk).end()


def end_app_sessions_of(*, user: User, app: App) -> None:
    """Take from the app all that it holds of this person. Inside the caller's transaction.

    That holds the locks of the person's sessions (`lock_sessions_of`), so that no code is exchanged meanwhile.
    """
    AppSession.objects.filter(session__in=Session.objects.filter(user=user), app=app).end()


def end_app_sessions_with(app: App) -> None:
    """Take from the app all that it holds of anybody. Inside the caller's transaction, which holds the app's lock."""
    AppSession.objects.filter(app=app).end()


_beyond_most = Prepared(
    lambda: (
        AppSession.objects.filter(
            session_id=Parameter("session_id", models.UUIDField()), app_id=Parameter("app_id", models.UUIDField())
        )
        .alive(Parameter("now", models.DateTimeField()))
        .order_by("-pk")
        .values_list("pk")[MOST_OF_AN_APP - 1 : MOST_OF_AN_APP]
    )
)
_by_id = Prepared(
    lambda: (
        AppSession.objects.select_related("app", "session__user")
        .alive(Parameter("now", models.DateTimeField()))
        .annotate(user_roles=role_names_of("session__user_id"))
        .filter(
            pk=Parameter("id", models.UUIDField()),
            session__in=Session.objects.alive(
                Parameter("now", models.DateTimeField()), Parameter("idle_since", models.DateTimeField())
            ),
        )
    )
)
