"""How long sessions that are over, one-time links, devices, refused redirects and resolved requests are kept.

What apps held and their codes go soon after their end: nothing is to be seen of them any more.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from authpages.models import (
    AppSession,
    AuthorizationCode,
    AuthorizationRequest,
    AuthRequest,
    KnownDevice,
    OneTimeLink,
    RefreshToken,
    RefusedRedirect,
    Session,
)
from authpages.services.forgetting import forget_app_sessions
from authpages.services.known_devices import KNOWN_FOR
from fastgen_backend.retention import BITE, delete_some, lock_some

SESSIONS_AT_ONCE = 100
CODES_KEPT = timedelta(days=1)  # after their minute: who comes with a spent one so late is told so, and no more
REQUESTS_KEPT = timedelta(days=1)  # they are emptied when they are resolved


def forget_some() -> bool:
    """Take a bite of all that has had its time, by the `…_RETENTION_DAYS`; tells whether there may be more.

    A device goes when its cookie is good for nothing any more.
    """
    now = timezone.now()
    session_days = now - timedelta(days=settings.SESSION_RETENTION_DAYS)
    link_days = now - timedelta(days=settings.LINK_RETENTION_DAYS)
    return any(
        [
            _forget_sessions(Session.objects.filter(ended_at__lt=session_days).order_by("ended_at")),
            _forget_sessions(Session.objects.filter(ended_at=None, expires_at__lt=session_days).order_by("expires_at")),
            forget_app_sessions(AppSession.objects.filter(ends_at__lt=now).order_by("ends_at")),
            delete_some(OneTimeLink.objects.filter(expires_at__lt=link_days).order_by("expires_at")),
            delete_some(RefusedRedirect.objects.filter(last_at__lt=link_days).order_by("last_at")),
            delete_some(KnownDevice.objects.filter(last_seen_at__lt=now - KNOWN_FOR).order_by("last_seen_at")),
            delete_some(_resolved_before(now - REQUESTS_KEPT)),
            delete_some(AuthorizationRequest.objects.filter(expires_at__lt=now).order_by("expires_at")),
            delete_some(AuthorizationCode.objects.filter(expires_at__lt=now - CODES_KEPT).order_by("expires_at")),
        ]
    )


def _resolved_before(moment: datetime) -> models.QuerySet[AuthRequest]:
    return AuthRequest.objects.filter(resolved_at__lt=moment).order_by("resolved_at")


def _forget_sessions(over: models.QuerySet[Session]) -> bool:
    """Delete sessions with their refresh tokens: the newest of these first, because each names the one before it.

    A session of 100 days has thousands of them, so some bites may be needed before its own.
    """
    if not over.exists():
        return False
    with transaction.atomic():
        ids = lock_some(over, SESSIONS_AT_ONCE)
        tokens = RefreshToken.objects.filter(session__in=ids).order_by("-pk").values_list("pk", flat=True)[:BITE]
        some = list(tokens)
        RefreshToken.objects.filter(pk__in=some).delete()
        if len(some) < BITE:
            Session.objects.filter(pk__in=ids).delete()
    return len(some) == BITE or len(ids) == SESSIONS_AT_ONCE
