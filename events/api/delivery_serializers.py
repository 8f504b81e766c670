"""JSON in and out of the endpoints of deliveries."""

from typing import Any

from rest_framework import serializers

from events.envelope import rfc3339
from events.models import Attempt
from events.services.delivery_log import STATES, LoggedDelivery
from events.services.shown_requests import ShownRequest
from fastgen_backend.rest import PageQuery, StrictCharField, StrictChoiceField, StrictSerializer


class TrialRequest(StrictSerializer):
    event = StrictCharField(
        required=False,
        help_text="A filter that names the event of which an example is sent; by default one it subscribes to.",
    )


class DeliveriesQuery(PageQuery):
    state = StrictChoiceField(choices=STATES, required=False)
    eventType = serializers.CharField(
        source="event_type", required=False, help_text="The events' type, such as `auth.user_signedUp`."
    )


class AttemptResponse(StrictSerializer):
    url = serializers.CharField(help_text="Where it was sent.")
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
    sequence = serializers.IntegerField(allow_null=True, help_text="Null for a test, which stands in no order.")
    test = serializers.BooleanField(help_text="Whether the event never happened, and was sent on request.")
    state = serializers.ChoiceField(choices=STATES)
    attempts = AttemptResponse(many=True)
    nextAttemptAt = serializers.DateTimeField(
        allow_null=True,
        help_text="When it is due, and its webhook, if it fails, is called again; null once it is finished, and while "
        "it waits behind another, as order demands.",
    )
    redeliveredAs = serializers.UUIDField(
        allow_null=True, help_text="The delivery that a dead letter was queued again as."
    )


class DeliveryPage(StrictSerializer):
    items = DeliveryResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class RequestResponse(StrictSerializer):
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField(), help_text="Signatures and secret values are masked.")
    body = serializers.DictField(allow_null=True, help_text="The envelope, secrets masked; null without `events:read`.")


class ReadDeliveryResponse(DeliveryResponse):
    request = RequestResponse(help_text="What is sent.")


def show_delivery(delivery: LoggedDelivery) -> dict[str, Any]:
    """A `DeliveryResponse`."""
    event = delivery.event
    return {
        "id": str(delivery.row.pk),
        "webhookId": str(delivery.webhook_id),
        "eventId": event.public_id,
        "eventType": event.type,
        "sequence": delivery.sequence,
        "test": delivery.is_test,
        "state": delivery.state,
        "attempts": [_show_attempt(attempt) for attempt in delivery.attempts],
        "nextAttemptAt": rfc3339(delivery.next_attempt_at) if delivery.next_attempt_at else None,
        "redeliveredAs": str(delivery.redelivered_as) if delivery.redelivered_as else None,
    }


def show_request(request: ShownRequest, *, with_body: bool) -> dict[str, Any]:
    """A `RequestResponse`."""
    return {"url": request.url, "headers": request.headers, "body": request.body if with_body else None}


def _show_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "url": attempt.url,
        "at": rfc3339(attempt.at),
        "status": attempt.status,
        "durationMs": attempt.duration_ms,
        "error": attempt.error,
        "responseBody": attempt.response_body,
    }
