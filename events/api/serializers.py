"""JSON in and out of the endpoints of events and webhooks."""

import re
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from events.catalog import CUSTOM_PATTERN
from events.envelope import rfc3339
from events.filters import FilterMalformed, check_filter
from events.models import Attempt, Delivery, FinishedDelivery, Webhook
from fastgen_backend.rest import PAGE_DEFAULT, PAGE_MAX, PlainJSONField, StrictSerializer

EVENT_DATA_MAX_BYTES = 64 * 1024
FILTERS_MAX = 50


class WebhookFields(StrictSerializer):
    """What can be said of a webhook when it is made."""

    url = serializers.CharField(max_length=2000)
    events = serializers.ListField(child=serializers.CharField(max_length=200), source="filters", max_length=50)
    description = serializers.CharField(max_length=500, allow_blank=True, required=False)
    mode = serializers.CharField(required=False)
    maxConcurrency = serializers.IntegerField(source="max_concurrency", required=False, min_value=1, max_value=100)
    includeSecrets = serializers.BooleanField(source="include_secrets", required=False)

    def validate_mode(self, mode: str) -> str:
        if mode != Webhook.Mode.PARALLEL:
            raise ValidationError("The only mode is 'parallel'.", code="unknown-mode")
        return mode


class WebhookChange(WebhookFields):
    """What can be changed of one; all of it optional."""

    enabled = serializers.BooleanField(required=False)


class WebhookResponse(StrictSerializer):
    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    mode = serializers.ChoiceField(choices=["parallel"])
    maxConcurrency = serializers.IntegerField()
    includeSecrets = serializers.BooleanField()
    enabled = serializers.BooleanField()
    status = serializers.ChoiceField(choices=["healthy", "failing", "disabled"])
    createdAt = serializers.DateTimeField()


class NewWebhookResponse(WebhookResponse):
    secret = serializers.CharField(help_text="`whsec_…`; told only here.")


class WebhookPage(StrictSerializer):
    items = WebhookResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class AttemptResponse(StrictSerializer):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    durationMs = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True)
    responseBody = serializers.CharField(allow_blank=True)


class DeliveryResponse(StrictSerializer):
    id = serializers.UUIDField()
    webhookId = serializers.UUIDField()
    eventId = serializers.CharField()
    eventType = serializers.CharField()
    sequence = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["pending", "delivered", "dead"])
    attempts = AttemptResponse(many=True)
    nextAttemptAt = serializers.DateTimeField(allow_null=True)


class DeliveryPage(StrictSerializer):
    items = DeliveryResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class EventResponse(StrictSerializer):
    """The envelope: the same on every transport."""

    id = serializers.CharField(help_text="`evt_` and 32 hex digits.")
    type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    position = serializers.IntegerField(allow_null=True)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a member that DRF has an attribute for
        choices=["hosted", "api", "console", "worker", "cli"]
    )
    stage = serializers.ChoiceField(choices=["requested", "completed"], required=False)
    data = serializers.DictField()  # type: ignore[assignment]  # likewise


class EventPage(StrictSerializer):
    items = EventResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True, help_text="Pass it as `after`.")
    hasMore = serializers.BooleanField()


class EventsQuery(StrictSerializer):
    after = serializers.CharField(required=False, help_text="The id of the event to begin behind.")
    types = serializers.CharField(required=False, help_text="Filters parted by commas, such as `auth.*`.")
    limit = serializers.IntegerField(min_value=1, max_value=PAGE_MAX, default=PAGE_DEFAULT)
    order = serializers.ChoiceField(choices=["position", "-position"], default="position")

    def validate_types(self, text: str) -> list[str]:
        filters = sorted({part.strip() for part in text.split(",")})
        if len(filters) > FILTERS_MAX:
            raise ValidationError(f"Name {FILTERS_MAX} filters at most.", code="too-many")
        for each in filters:
            try:
                check_filter(each)
            except FilterMalformed as refusal:
                raise ValidationError(refusal.detail, code=refusal.code) from None
        return filters


class CustomEventRequest(StrictSerializer):
    type = serializers.CharField(max_length=120)
    data = PlainJSONField(max_bytes=EVENT_DATA_MAX_BYTES)  # type: ignore[assignment]  # likewise
    dedupKey = serializers.CharField(source="dedup_key", max_length=200, required=False)

    def validate_type(self, type: str) -> str:
        if not re.fullmatch(CUSTOM_PATTERN, type):
            raise ValidationError([ErrorDetail("A custom event is named custom.<name>.", "invalid-type")])
        return type


def show_webhook(webhook: Webhook) -> dict[str, Any]:
    """A `WebhookResponse`."""
    subscriber = webhook.subscriber
    failing = "failing" if webhook.failing_since else "healthy"
    return {
        "id": str(webhook.pk),
        "url": webhook.url,
        "description": webhook.description,
        "events": subscriber.filters,
        "mode": webhook.mode,
        "maxConcurrency": subscriber.max_concurrency,
        "includeSecrets": webhook.include_secrets,
        "enabled": subscriber.enabled,
        "status": failing if subscriber.enabled else "disabled",
        "createdAt": rfc3339(subscriber.created_at),
    }


def show_delivery(delivery: Delivery | FinishedDelivery, attempts: dict[UUID, list[Attempt]]) -> dict[str, Any]:
    """A `DeliveryResponse`."""
    return {
        "id": str(delivery.pk),
        "webhookId": str(delivery.subscriber_id),
        "eventId": delivery.event.public_id,
        "eventType": delivery.event.type,
        "sequence": delivery.sequence,
        "state": "pending" if isinstance(delivery, Delivery) else delivery.state,
        "attempts": [_show_attempt(attempt) for attempt in attempts.get(delivery.pk, [])],
        "nextAttemptAt": rfc3339(delivery.due_at) if isinstance(delivery, Delivery) else None,
    }


def _show_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": rfc3339(attempt.at),
        "status": attempt.status,
        "durationMs": attempt.duration_ms,
        "error": attempt.error,
        "responseBody": attempt.response_body,
    }
