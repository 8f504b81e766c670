"""Events about the telling of events."""

from events.catalog.event_kind import TEXT, UUID, EventKind, object_of
from events.catalog.event_types import EventType

KINDS = [
    EventKind(
        EventType.DELIVERY_EXHAUSTED,
        "A delivery was given up after its last retry; it is a dead letter now.",
        object_of(
            deliveryId=UUID,
            webhookId=UUID,
            eventId=TEXT,
            eventType=TEXT,
            lastStatus={"type": ["integer", "null"]},
            lastError=TEXT,
        ),
        {
            "deliveryId": "019aa0e0-1111-7c31-9d2a-5b8e1f4a6c02",
            "webhookId": "019aa0e0-2222-7c31-9d2a-5b8e1f4a6c02",
            "eventId": "evt_019aa0c27f7e7c319d2a5b8e1f4a6c02",
            "eventType": "auth.user_signedUp",
            "lastStatus": 500,
            "lastError": "HTTP 500",
        },
    ),
    EventKind(
        EventType.WEBHOOK_DISABLED,
        "A webhook was switched off: it answered 410, or failed for five days. Of `url`, only the host is told.",
        object_of(webhookId=UUID, url=TEXT, reason=TEXT),
        {
            "webhookId": "019aa0e0-2222-7c31-9d2a-5b8e1f4a6c02",
            "url": "https://api.example.com/•••",
            "reason": "The receiver answered 410 Gone.",
        },
    ),
]
