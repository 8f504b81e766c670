"""What is counted by the hour."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models
from django.db.models import Sum
from django.db.models.functions import TruncDay


class TallyQuerySet(models.QuerySet["Tally"]):
    def by_hour(self, since: datetime) -> models.QuerySet[Tally, tuple[str, datetime, int]]:
        """What, when and how often, from the hour that begins at `since`."""
        return self.filter(hour__gte=since).values_list("what", "hour", "count")

    def by_day(self, since: datetime) -> models.QuerySet[Tally, tuple[str, datetime, int]]:
        """The same by the day (UTC), from the one that begins at `since`."""
        days = self.filter(hour__gte=since).annotate(day=TruncDay("hour", tzinfo=UTC))
        return days.order_by().values_list("what", "day").annotate(Sum("count"))


class Tally(models.Model):
    """How often something happened within an hour; written with what it counts, and kept when that is deleted."""

    class What(models.TextChoices):
        SIGN_UPS = "signUps"
        LOGINS = "logins"
        FAILED_LOGINS = "failedLogins"
        DELIVERED = "delivered"  # by webhooks; handlers of our own don't count
        FAILED_CALLS = "failedCalls"

    id = models.BigAutoField(primary_key=True)
    what = models.CharField(max_length=20, choices=What.choices)
    hour = models.DateTimeField()  # its beginning
    count = models.BigIntegerField()

    objects = TallyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["what", "hour"], name="an_hour_is_tallied_once")]

    def __str__(self) -> str:
        return f"{self.count} {self.what} from {self.hour:%Y-%m-%d %H:00}"
