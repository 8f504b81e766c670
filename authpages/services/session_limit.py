"""How many sessions a person has at most."""

from django.db import models
from django.utils import timezone

from authpages.models import EndReason, Session, User
from authpages.models.users import role_names_of
from authpages.services.sessions import end_and_tell
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import Parameter, Prepared

MOST_SESSIONS = 100  # of a person, five times their known devices; to end them all holds SQLite's lock for some 70 ms


def make_room(*, user: User, origin: Origin) -> None:
    """End what is needed of a person's sessions for one more to be the last of `MOST_SESSIONS`, the least used first.

    Those that have expired, as the console's do within a day, go before any that live. One query where there are fewer,
    which reads the person's roles as well: whoever logs in is told them. Who had far more before there was a limit
    loses so many with each login, so that none holds SQLite's only lock for long. Inside the caller's transaction,
    which holds the user's lock.
    """
    count, user.loaded_roles = _count_and_roles_of.row(user_id=user.pk) or (0, [])
    beyond = (count or 0) + 1 - MOST_SESSIONS
    if beyond > 0:
        expired_first = models.Case(models.When(expires_at__gt=timezone.now(), then=1), default=0)
        by_use = Session.objects.filter(user=user, ended_at=None).order_by(expired_first, "last_seen_at", "pk")
        least_used = list(by_use.values_list("pk", flat=True)[: min(beyond, MOST_SESSIONS)])
        end_and_tell(Session.objects.filter(pk__in=least_used, ended_at=None), user, EndReason.TOO_MANY, origin)


_count_and_roles_of = Prepared(
    lambda: User.objects.filter(pk=Parameter("user_id", models.UUIDField())).values_list(
        models.Subquery(
            Session.objects.filter(user_id=models.OuterRef("pk"), ended_at=None)
            .values("user_id")
            .annotate(count=models.Count("*"))
            .values("count")
        ),
        role_names_of("pk"),
    )
)
