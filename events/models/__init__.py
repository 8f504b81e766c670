"""What happened, who is to be told, and how the telling went."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.utils import timezone

from events.models.deliveries import Attempt, Delivery, FinishedDelivery, Worker
from events.models.replays import Replay
from events.models.tallies import Tally
from events.models.trials import Trial
from fastgen_backend.ids import lowest_uuid7, uuid7
from fastgen_backend.limits import LONGEST_URL
from fastgen_backend.sealed import SealedField

__all__ = [
    "Attempt",
    "Delivery",
    "Event",
    "EventSecret",
    "FinishedDelivery",
    "InboxMail",
    "LogHead",
    "Outage",
    "Replay",
    "Subscriber",
    "Tally",
    "Trial",
    "Webhook",
    "Worker",
]


class EventQuerySet(models.QuerySet["Event"]):
    def positioned(self) -> Self:
        """Events that have their place in the log; the others are committed but not yet sequenced."""
        return self.filter(position__isnull=False)

    def by_public_id(self, public_id: str) -> Self:
        """The event with the id `evt_<32 hex digits>`; none where the id is malformed."""
        digits = public_id.removeprefix("evt_")
        if not public_id.startswith("evt_") or len(digits) != 32 or set(digits) - set("0123456789abcdef"):
            return self.none()
        return self.filter(uid=digits)

    def made_since(self, moment: datetime) -> Self:
        """Events recorded then or later; by their ids, which an index has in the order of time."""
        return self.filter(uid__gte=lowest_uuid7(moment))

    def made_before(self, moment: datetime) -> Self:
        """Events recorded earlier, likewise."""
        return self.filter(uid__lt=lowest_uuid7(moment))

    def for_lists(self) -> Self:
        """Without their data, which may be large, but with what a line calls them: `email`, `name`, `app_name`."""
        told = {"email": KT("data__email"), "name": KT("data__Name"), "app_name": KT("data__appName")}
        return self.defer("data").annotate(**told)


class Event(models.Model):
    """One fact, written in the transaction that made it true. `id` is causal and never leaves the database."""

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(unique=True, default=uuid7, editable=False)
    type = models.CharField(max_length=120)
    stage = models.CharField(max_length=10, blank=True)
    source = models.CharField(max_length=10)
    subject = models.CharField(max_length=64, blank=True)
    actor = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)
    position = models.BigIntegerField(null=True, unique=True)
    dedup_key = models.CharField(max_length=200, null=True, unique=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(position=None), name="events_to_sequence"),
            models.Index(fields=["type", "position"], name="events_by_type"),
            models.Index(fields=["subject", "position"], name="events_by_subject"),
            models.Index(fields=["actor", "position"], name="events_by_actor"),
            models.Index(fields=["source", "position"], name="events_by_source"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(position=None) | Q(position__gte=1), name="positions_begin_at_1")
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.type}"

    @property
    def public_id(self) -> str:
        """The id that every transport shows: `evt_` and 32 hex digits."""
        return f"evt_{self.uid.hex}"


class EventSecret(models.Model):
    """The token and link of an event, sealed, apart from the log; deleted when used or expired."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, primary_key=True, related_name="secret")
    sealed = SealedField()  # JSON {"token", "link"}, sealed by the vault
    internal_only = models.BooleanField(default=False)  # an admin's: see `services.secrets.Clearance`
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="secrets_to_delete")]

    def __str__(self) -> str:
        return f"secret of event {self.pk}"


class LogHead(models.Model):
    """The position of the newest sequenced event: one row, locked by whoever sequences."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_log")]

    def __str__(self) -> str:
        return f"log at {self.position}"


class Subscriber(models.Model):
    """Someone who is told: a webhook or a Python handler. `sequence` counts what it was promised, densely from 1."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook"
        HANDLER = "handler"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    handler = models.CharField(max_length=200, null=True, unique=True)  # dotted path of the function
    filters = models.JSONField(default=list)  # as the envelope's: a type, type:stage, prefix.* or *
    enabled = models.BooleanField(default=True)
    max_concurrency = models.PositiveIntegerField(default=10)
    rate_per_second = models.PositiveSmallIntegerField(null=True)  # at most so many calls begin; None: no limit
    paced_until = models.DateTimeField(null=True)  # up to when its rate is used up by calls that were claimed
    sequence = models.BigIntegerField(default=0)
    forgotten = models.BigIntegerField(default=0)  # of its promises, those that are finished and no longer kept
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="handler", handler__isnull=False) | Q(kind="webhook", handler=None),
                name="a_handler_has_a_name",
            )
        ]

    def __str__(self) -> str:
        return self.handler or f"webhook {self.pk}"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def in_trouble(self) -> Self:
        """Those that fail now, and those that were given up; not those that were switched off on purpose."""
        on_purpose = [Webhook.SWITCHED_OFF, Webhook.OFF_IN_A_COPY]
        given_up = Q(subscriber__enabled=False) & ~Q(disabled_reason__in=on_purpose)
        return self.filter(given_up | Q(failing_since__isnull=False, subscriber__enabled=True))


class Webhook(models.Model):
    """Where and how a subscriber is told over HTTP.

    The circuit is closed while `open_until` is None. Open, nothing is sent before that moment, and one probe after it.
    """

    SWITCHED_OFF = "Switched off by an admin."  # why it is disabled, where it was not given up
    OFF_IN_A_COPY = "Switched off when this copy was restored."

    class Mode(models.TextChoices):
        PARALLEL = "parallel"
        PER_SUBJECT = "perSubject", "per subject"
        ORDERED = "ordered"

    subscriber = models.OneToOneField(Subscriber, on_delete=models.CASCADE, primary_key=True, related_name="webhook")
    url = models.CharField(max_length=LONGEST_URL)
    description = models.CharField(max_length=500, blank=True)
    mode = models.CharField(max_length=12, choices=Mode.choices, default=Mode.PARALLEL)
    arranged_up_to = models.BigIntegerField(null=True)  # since its mode has changed; None: all of it
    include_secrets = models.BooleanField(default=False)
    sealed_secret = SealedField()  # 32 bytes, sealed by the vault
    retired_secret = SealedField(null=True)  # the one before; signs beside it until `retired_until`
    retired_until = models.DateTimeField(null=True)
    sealed_headers = SealedField(null=True)  # JSON {name: value} of its custom headers, sealed by the vault
    made_by = models.CharField(max_length=64, blank=True)
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # of its endpoint, in a row: see `services.circuit`
    open_until = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=200, blank=True)

    objects = WebhookQuerySet.as_manager()

    def __str__(self) -> str:
        return self.url


class OutageQuerySet(models.QuerySet["Outage"]):
    def unreplayed(self) -> Self:
        """Those in which something may have been missed that no replay tells."""
        return self.filter(Q(until=None) | Q(until__gt=F("after")), replay=None)


class Outage(models.Model):
    """A time in which a webhook was switched off, and so was promised nothing.

    It missed what its filters name of the positions above `after` and, once it is over, up to `until`: exactly that.
    Where a `replay` of it was cancelled, `after` is how far that came; where nobody wants it any more, its end.
    What it was promised before stays pending meanwhile.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="outages")
    reason = models.CharField(max_length=200)
    failing_since = models.DateTimeField(null=True)
    began_at = models.DateTimeField(default=timezone.now)
    after = models.BigIntegerField()
    ended_at = models.DateTimeField(null=True)
    until = models.BigIntegerField(null=True)
    replay = models.ForeignKey(
        Replay, on_delete=models.SET_NULL, null=True, related_name="outages"
    )  # of what it missed

    objects = OutageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["webhook"], condition=Q(until=None), name="a_webhook_is_switched_off_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"outage of {self.webhook_id} after {self.after}"


class InboxMail(models.Model):
    """A mail of the development inbox, kept instead of sent."""

    id = models.BigAutoField(primary_key=True)
    sender = models.CharField(max_length=320)
    recipients = models.JSONField(default=list)
    subject = models.CharField(max_length=998)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.subject
