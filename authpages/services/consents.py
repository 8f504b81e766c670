"""What apps may learn of people: what they agreed to, seeing it, and taking it back."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages import signals
from authpages.models import App, AppSession, AuthorizationCode, Consent, Session, User
from authpages.services.app_locks import hold_app
from authpages.services.app_sessions import end_app_sessions_of
from authpages.services.session_locks import lock_sessions_of, stands_still
from authpages.services.users import lock_user
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import Origin

OF_AN_APP = ("app_id", "app__name", "app__first_party", "scope")


@dataclass(slots=True)
class Access:
    """An app that may learn something of a person: what, and since when. The default app's name is the product's."""

    app_id: uuid.UUID
    name: str
    is_ours: bool
    scope: str
    since: datetime


def has_consented(user: User, app: App, scope: str) -> bool:
    """Whether the person agreed to all of `scope`."""
    agreed = Consent.objects.filter(user=user, app=app).values_list("scope", flat=True).first()
    return agreed is not None and set(scope.split()) <= set(agreed.split())


def agree(*, session: Session, app: App, scope: str, origin: Origin) -> None:
    """Remember that the person of this session agreed to `scope`, beside what they agreed to before.

    Nothing where person or app are gone, or the session stands behind another cookie by now: whoever stole that may
    have waited for the change of the password.
    """
    with transaction.atomic():
        locked = lock_user(session.user_id) if hold_app(app) else None
        if locked and stands_still(session):
            _add_consent(locked, app, scope, origin)


def accesses_of(user: User) -> list[Access]:
    """What the person agreed to, and what apps hold of their living sessions; one of each app, the newest first."""
    agreed = Consent.objects.filter(user=user).values_list(*OF_AN_APP, "created_at")
    now = timezone.now()
    living = AppSession.objects.alive(now).filter(session__in=user.sessions.alive(now))
    held = living.values_list(*OF_AN_APP).annotate(since=models.Min("created_at"))
    found: dict[uuid.UUID, Access] = {}
    for app_id, name, is_ours, scope, since in [*agreed, *held]:
        access = found.setdefault(app_id, Access(app_id, name, is_ours, scope, since))
        access.scope, access.since = _both(access.scope, scope), min(access.since, since)
    return sorted(found.values(), key=lambda access: access.since, reverse=True)


def app_names_of(sessions: Collection[Session]) -> dict[uuid.UUID, list[str]]:
    """The names of the apps that hold each of these sessions, in one query; of the default app it is empty."""
    living = AppSession.objects.alive(timezone.now()).filter(session__in=sessions)
    held = living.values_list("session_id", "app__name", "app_id").distinct().order_by("app__name")
    names: dict[uuid.UUID, list[str]] = {}
    for session_id, name, _app_id in held:
        names.setdefault(session_id, []).append(name)
    return names


def remove_access(*, user: User, app_id: uuid.UUID, origin: Origin) -> App:
    """Take back what the person agreed to and all that the app holds of them; its tokens end at once.

    Their sessions go on; they are locked before codes and what is held, as by who exchanges a code. Returns the app;
    raises `NotFound` where there is no such app; twice is as good as once.
    """
    with transaction.atomic():
        locked, app = lock_user(user.pk), App.objects.filter(pk=app_id).first()
        if locked is None or app is None:
            raise NotFound(_("There is no such app, or it has no access any more."))
        lock_sessions_of(locked)
        access = next((each for each in accesses_of(locked) if each.app_id == app_id), None)
        AuthorizationCode.objects.filter(session__in=locked.sessions.all(), app=app).void()
        end_app_sessions_of(user=locked, app=app)
        Consent.objects.filter(user=locked, app=app).delete()
        if access:
            signals.app_revoked.send(sender=App, user=locked, app=app, scope=access.scope, origin=origin)
    return app


def _add_consent(user: User, app: App, scope: str, origin: Origin) -> None:
    consent = Consent.objects.filter(user=user, app=app).first() or Consent(user=user, app=app)
    agreed = _both(consent.scope, scope)
    if consent.pk and agreed == consent.scope:
        return
    consent.scope = agreed
    consent.save()
    signals.app_authorized.send(sender=Consent, user=user, app=app, scope=agreed, origin=origin)


def _both(scope: str, other: str) -> str:
    """What is in one or the other."""
    known = scope.split()
    return " ".join([*known, *(each for each in other.split() if each not in known)])
