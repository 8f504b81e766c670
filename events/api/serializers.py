"""JSON in and out of the endpoints of events and webhooks."""

from typing import Any

from rest_framework import serializers

from events.envelope import MASK, rfc3339
from events.filters import FILTERS_MAX
from events.models import Webhook
from events.services.custom_headers import HEADERS_MAX, masked_headers
from events.services.recording import CUSTOM_DATA_MAX_BYTES
from events.services.webhooks import CONCURRENCY_MAX, RATE_MAX
from fastgen_backend.limits import LONGEST_URL, PAGE_DEFAULT, PAGE_MAX
from fastgen_backend.rest import (
    PlainJSONField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictSerializer,
)


class WebhookFields(StrictSerializer):
    """What can be said of a webhook when it is made; how much of it, the service decides."""

    url = StrictCharField(max_length=LONGEST_URL)
    events = serializers.ListField(
        child=StrictCharField(),
        source="filters",
        help_text=f"From 1 to {FILTERS_MAX} filters, such as `auth.*`.",
    )
    description = StrictCharField(max_length=500, allow_blank=True, required=False)
    mode = StrictChoiceField(
        choices=Webhook.Mode.values,
        required=False,
        help_text="`ordered`: one delivery after the other; `perSubject`: only those of one subject (a user, a row, a "
        "table; custom events have none); `parallel`: as they come.",
    )
    maxConcurrency = StrictIntegerField(
        source="max_concurrency",
        required=False,
        help_text=f"How many deliveries may be under way at once, from 1 to {CONCURRENCY_MAX}.",
    )
    ratePerSecond = StrictIntegerField(
        source="rate_per_second",
        required=False,
        allow_null=True,
        help_text=f"How many deliveries may begin in a second, from 1 to {RATE_MAX}; null: no limit. They begin "
        "at even distances; a worker that was held up makes up for as many as it missed, those of one second at most.",
    )
    headers = serializers.DictField(
        child=StrictCharField(trim_whitespace=False, allow_blank=True),
        required=False,
        help_text=f'At most {HEADERS_MAX} headers of your own. They are shown with `"{MASK}"` for their values; sent '
        "like that, one keeps its value.",
    )
    includeSecrets = StrictBooleanField(source="include_secrets", required=False)


class WebhookChange(WebhookFields):
    """What can be changed of one; all of it optional."""

    enabled = StrictBooleanField(required=False)


class WebhookResponse(StrictSerializer):
    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    mode = serializers.ChoiceField(choices=Webhook.Mode.values)
    maxConcurrency = serializers.IntegerField()
    ratePerSecond = serializers.IntegerField(allow_null=True)
    headers = serializers.DictField(child=serializers.CharField(), help_text="Their values are masked.")
    includeSecrets = serializers.BooleanField()
    enabled = serializers.BooleanField()
    status = serializers.ChoiceField(choices=["healthy", "failing", "disabled"])
    createdAt = serializers.DateTimeField()


class NewWebhookResponse(WebhookResponse):
    secret = serializers.CharField(help_text="`whsec_…`; told only here.")


class WebhookPage(StrictSerializer):
    items = WebhookResponse(many=True)
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


class CatalogEntry(StrictSerializer):
    """One kind of event."""

    type = serializers.CharField()
    stage = serializers.ChoiceField(choices=["requested", "completed"], allow_null=True)
    filter = serializers.CharField(help_text="What names this kind, and no other.")
    description = serializers.CharField()
    carriesSecrets = serializers.BooleanField(help_text="Whether its data has a one-time `token` and `link`.")
    dataSchema = serializers.DictField(help_text="JSON Schema (2020-12) of `data`.")
    example = EventResponse()


class CatalogResponse(StrictSerializer):
    items = CatalogEntry(many=True)


class EventsQuery(StrictSerializer):
    after = serializers.CharField(required=False, help_text="The id of the event to begin behind.")
    types = serializers.CharField(required=False, help_text="Filters parted by commas, such as `auth.*`.")
    limit = serializers.IntegerField(min_value=1, max_value=PAGE_MAX, default=PAGE_DEFAULT)
    order = StrictChoiceField(choices=["position", "-position"], default="position")

    def validate_types(self, text: str) -> list[str]:
        return sorted({part.strip() for part in text.split(",")})


class CustomEventRequest(StrictSerializer):
    type = StrictCharField(help_text="`custom.` and a name of your own.")
    data = PlainJSONField(  # type: ignore[assignment]  # likewise
        max_bytes=None, help_text=f"At most {CUSTOM_DATA_MAX_BYTES:,} bytes."
    )
    dedupKey = StrictCharField(source="dedup_key", max_length=200, required=False)


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
        "ratePerSecond": subscriber.rate_per_second,
        "headers": masked_headers(webhook.sealed_headers),
        "includeSecrets": webhook.include_secrets,
        "enabled": subscriber.enabled,
        "status": failing if subscriber.enabled else "disabled",
        "createdAt": rfc3339(subscriber.created_at),
    }
