"""How the endpoints of the log and of webhooks are called."""

from typing import Any

from fastgen_backend.api_examples import Document, Example, add_examples

WEBHOOK = "/webhooks/$WEBHOOK"
HOOK = {"url": "http://127.0.0.1:9000/", "events": ["custom.*"], "description": "The receiver of the README"}

EXAMPLES = {
    "postWebhooks": Example("POST", "/webhooks", HOOK, keeps={"WEBHOOK": "id"}),
    "getWebhooks": Example("GET", "/webhooks"),
    "getWebhook": Example("GET", WEBHOOK),
    "patchWebhook": Example("PATCH", WEBHOOK, {"events": ["auth.*", "custom.*"], "maxConcurrency": 5}),
    "postEvents": Example(
        "POST", "/events", {"type": "custom.order_shipped", "data": {"order": 7}}, keeps={"EVENT": "id"}
    ),
    "getEvents": Example("GET", "/events?types=custom.*&order=-position&limit=10"),
    "getEvent": Example("GET", "/events/$EVENT"),
    "getCatalog": Example("GET", "/events/catalog"),
    "getAsyncApi": Example("GET", "/events/asyncapi.json"),
    "postTestWebhook": Example("POST", f"{WEBHOOK}/test", {"event": "custom.*"}),
    "getDeliveries": Example("GET", f"{WEBHOOK}/deliveries?limit=1", keeps={"DELIVERY": "id"}),
    "getDelivery": Example("GET", "/deliveries/$DELIVERY"),
    "postRedeliver": Example("POST", "/deliveries/$DELIVERY/redeliver"),
    "getWebhookReplay": Example("GET", f"{WEBHOOK}/replay?events=custom.*"),
    "postWebhookReplay": Example("POST", f"{WEBHOOK}/replay", {"from": "2026-01-01T00:00:00Z"}, keeps={"REPLAY": "id"}),
    "getWebhookReplays": Example("GET", f"{WEBHOOK}/replays"),
    "getReplay": Example("GET", "/replays/$REPLAY"),
    "postPauseReplay": Example("POST", "/replays/$REPLAY/pause"),
    "postResumeReplay": Example("POST", "/replays/$REPLAY/resume"),
    "postCancelReplay": Example("POST", "/replays/$REPLAY/cancel"),
    "postRotateSecret": Example("POST", f"{WEBHOOK}/rotate-secret"),
    "postEnableWebhook": Example("POST", f"{WEBHOOK}/enable"),
    "deleteWebhook": Example("DELETE", WEBHOOK),
}


def add(result: Document, generator: Any, request: Any, public: bool) -> Document:
    """What settings.py names: part of how the document is made."""
    add_examples(result, EXAMPLES)
    return result
