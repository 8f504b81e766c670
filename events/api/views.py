"""The REST endpoints of the log and of webhooks."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from events.api import serializers as shapes
from events.envelope import envelope
from events.models import Event, Webhook
from events.services import reading, webhooks
from events.services.recording import record_custom_event
from events.services.secrets import reveal
from fastgen_backend.errors import NotFound
from fastgen_backend.rest import (
    INVALID_CURSOR,
    Endpoint,
    PageQuery,
    api_origin,
    credentials_of,
    keyset_page,
    make_cursor,
    needs_scope,
    open_cursor,
)

WEBHOOK_SCOPES = needs_scope("webhooks:read", "webhooks:write")
EVENT_SCOPES = needs_scope("events:read", "events:write")
NOTHING = OpenApiResponse(description="Done; there is no body.")


def may_see_secrets(request: Request) -> bool:
    """Whether tokens and links may be shown to this caller."""
    credentials = credentials_of(request)
    return credentials is not None and credentials.allows("events:secrets")


class WebhooksView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]
    queries = {"GET": PageQuery}

    @extend_schema(summary="List webhooks", responses=shapes.WebhookPage)
    def get(self, request: Request) -> Response:
        rows = Webhook.objects.select_related("subscriber")
        return Response(keyset_page(rows, key="subscriber_id", query=self.query, show=shapes.show_webhook))

    @extend_schema(summary="Create a webhook", request=shapes.WebhookFields, responses={201: shapes.NewWebhookResponse})
    def post(self, request: Request) -> Response:
        """The answer holds the signing secret, this once."""
        body = self.read_body(shapes.WebhookFields)
        body.pop("mode", None)
        new = webhooks.create_webhook(**body, origin=api_origin(request), may_see_secrets=may_see_secrets(request))
        return Response({**shapes.show_webhook(new.webhook), "secret": new.secret}, 201)


class WebhookView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]

    @extend_schema(summary="Read a webhook", responses=shapes.WebhookResponse)
    def get(self, request: Request, id: UUID) -> Response:
        return Response(shapes.show_webhook(_webhook(id)))

    @extend_schema(
        summary="Change a webhook", request=shapes.WebhookChange(partial=True), responses=shapes.WebhookResponse
    )
    def patch(self, request: Request, id: UUID) -> Response:
        """`{"enabled": true}` switches one on again that was disabled; what it was still promised is sent then."""
        body = self.read_body(shapes.WebhookChange, partial=True)
        body.pop("mode", None)
        changed = webhooks.change_webhook(webhook_id=id, changes=body, may_see_secrets=may_see_secrets(request))
        return Response(shapes.show_webhook(changed))

    @extend_schema(summary="Delete a webhook", responses={204: NOTHING})
    def delete(self, request: Request, id: UUID) -> Response:
        webhooks.delete_webhook(webhook_id=id)
        return Response(status=204)


class DeliveriesView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]
    queries = {"GET": PageQuery}

    @extend_schema(summary="List a webhook's deliveries, newest first", responses=shapes.DeliveryPage)
    def get(self, request: Request, id: UUID) -> Response:
        before = _sequence(self.query.get("cursor"))
        webhook = _webhook(id)
        found, attempts, has_more = reading.read_deliveries(webhook.pk, before=before, limit=self.query["limit"])
        items = [shapes.show_delivery(delivery, attempts) for delivery in found]
        return Response({"items": items, "nextCursor": make_cursor(found[-1].sequence) if has_more else None})


class EventsView(Endpoint):
    permission_classes = [EVENT_SCOPES]
    queries = {"GET": shapes.EventsQuery}

    @extend_schema(summary="Read the log", responses=shapes.EventPage)
    def get(self, request: Request) -> Response:
        """A reader that passes each `nextCursor` as `after` misses no event: positions are dense and never change."""
        query = self.query
        after = query.get("after", "")
        page = reading.read_log(
            after=after,
            filters=query.get("types", ()),
            limit=query["limit"],
            newest_first=query["order"] == "-position",
        )
        cursor = page.events[-1].public_id if page.events else after or None
        items = _show(page.events, request)
        return Response({"items": items, "nextCursor": cursor, "hasMore": page.has_more})

    @extend_schema(
        summary="Send a custom event", request=shapes.CustomEventRequest, responses={201: shapes.EventResponse}
    )
    def post(self, request: Request) -> Response:
        """`position` is null until the event is sequenced. The same `dedupKey` again answers the first event, 200."""
        body = self.read_body(shapes.CustomEventRequest)
        event, is_new = record_custom_event(**body, origin=api_origin(request))
        return Response(_show([event], request)[0], 201 if is_new else 200)


class EventView(Endpoint):
    permission_classes = [EVENT_SCOPES]

    @extend_schema(summary="Read one event", responses=shapes.EventResponse)
    def get(self, request: Request, id: str) -> Response:
        return Response(_show([reading.read_event(id)], request)[0])


def _show(events: Iterable[Event], request: Request) -> list[dict[str, Any]]:
    """The envelopes; with tokens and links only for who has the scope `events:secrets`."""
    events = list(events)
    if not may_see_secrets(request):
        return [envelope(event) for event in events]
    revealed = reveal(events)
    return [envelope(event, secrets=revealed.to(event, None)) for event in events]


def _webhook(id: UUID) -> Webhook:
    webhook = Webhook.objects.select_related("subscriber").filter(pk=id).first()
    if webhook is None:
        raise NotFound("There is no such webhook.")
    return webhook


def _sequence(cursor: str | None) -> int | None:
    if not cursor:
        return None
    text = open_cursor(cursor)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValidationError({"cursor": [INVALID_CURSOR]})
    return int(text)
