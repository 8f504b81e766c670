"""Deleting what stood behind logins, however much it is: a chain of refresh tokens may be of any length.

Nobody limits how often a token is exchanged, and used ones are kept as long as what they are of. So nothing here sends
the database a parameter for each row of more than a bite: PostgreSQL takes 65,535 of them.
"""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models import Q
from django.utils import timezone

from authpages.models import AppSession, AuthorizationCode, RefreshToken, Session, User

HELD_AT_ONCE = 500
TOKENS_AT_ONCE = 1000  # some ten milliseconds of the only write lock of SQLite, as they go without being read


def forget_app_sessions(over: models.QuerySet[AppSession], *, wait: bool = False) -> bool:
    """Delete a bite of what apps held, with its tokens; tells whether there may be more.

    Their sessions are locked first, so that no refresh that began before puts a token to one of them. For one that
    somebody else holds just now it can `wait`; else that is left for another time, and a bite of none but such ends it.
    """
    if not over.exists():
        return False
    with transaction.atomic():
        found = dict(over.values_list("pk", "session_id")[:HELD_AT_ONCE])
        sessions = Session.objects.select_for_update(skip_locked=not wait).filter(pk__in=set(found.values()))
        locked = set(sessions.order_by("pk").values_list("pk", flat=True))
        some = [pk for pk, session_id in found.items() if session_id in locked]
        more = forget_tokens(RefreshToken.objects.filter(app_session__in=some))
        if not more:
            AppSession.objects.filter(pk__in=some).delete()
    return (wait or bool(some)) and (more or len(found) == HELD_AT_ONCE)


def forget_tokens(tokens: models.QuerySet[RefreshToken]) -> bool:
    """Delete a bite of these refresh tokens, whichever; tells whether there may be more. Inside a transaction.

    Each is parted from its child first. So it is for tokens that are good for nothing: one that comes a second time, in
    time to get the same child once more, would not find that.
    """
    some = list(tokens.values_list("pk", flat=True)[:TOKENS_AT_ONCE])
    RefreshToken.objects.filter(parent__in=some).update(parent=None)
    RefreshToken.objects.filter(pk__in=some)._raw_delete(DEFAULT_DB_ALIAS)  # nothing else hangs on them
    return len(some) == TOKENS_AT_ONCE


def forget_used_tokens_of(user_id: uuid.UUID) -> None:
    """Delete, in bites, the refresh tokens of a person by which nothing can be had any more; outside of transactions.

    Their sessions go on.
    """
    repeated_until = timedelta(minutes=1, seconds=settings.REFRESH_REPEAT_SECONDS)
    useless = Q(used_at__lt=timezone.now() - repeated_until) | Q(session__ended_at__isnull=False)
    more = True
    while more:
        with transaction.atomic():
            user = User.objects.locked().filter(pk=user_id).first()
            more = user is not None and forget_tokens(RefreshToken.objects.filter(useless, session__user=user))


def delete_sessions_of(user: User) -> None:
    """Delete a person's sessions with all that apps hold of them. Inside the caller's transaction.

    That holds the locks of the person and their sessions. Codes are voided before what apps hold ends, as by everyone.
    """
    sessions = Session.objects.filter(user=user)
    AuthorizationCode.objects.filter(session__in=sessions).void()
    AppSession.objects.filter(session__in=sessions).end()
    for rows in (RefreshToken, AuthorizationCode, AppSession):
        rows._default_manager.filter(session__in=sessions)._raw_delete(DEFAULT_DB_ALIAS)
    sessions._raw_delete(DEFAULT_DB_ALIAS)
