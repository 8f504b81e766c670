"""The REST endpoints of the log and of webhooks."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from events.api import serializers as shapes
from events.api.documents import asyncapi, catalog
from events.envelope import envelope
from events.models import Event, Webhook
from events.services import reading, webhooks
from events.services.recording import record_custom_event
from events.services.secrets import Clearance, clearance_of_caller, reveal
from fastgen_backend.rest import (
    Endpoint,
    PageQuery,
    api_origin,
    credentials_of,
    keyset_page,
    needs_scope,
)

WEBHOOK_SCOPES = needs_scope("webhooks:read", "webhooks:write")
EVENT_SCOPES = needs_scope("events:read", "events:write")
ASYNCAPI = "application/vnd.aai.asyncapi+json"
NOTHING = OpenApiResponse(description="Done; there is no body.")


def clearance(request: Request) -> Clearance:
    """Whose tokens and links may be shown to this caller."""
    credentials = credentials_of(request)
    return clearance_of_caller(credentials.allows) if credentials else Clearance.NOBODYS


def may_see_secrets(request: Request) -> bool:
    """Whether this caller may have people's tokens and links sent somewhere."""
    return clearance(request) >= Clearance.PEOPLES


class WebhooksView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]
    queries = {"GET": PageQuery}
    bodies = {"POST": shapes.WebhookFields}

    @extend_schema(summary="List webhooks", responses=shapes.WebhookPage)
    def get(self, request: Request) -> Response:
        rows = Webhook.objects.select_related("subscriber")
        return Response(keyset_page(rows, key="subscriber_id", query=self.query, show=shapes.show_webhook))

    @extend_schema(summary="Create a webhook", responses={201: shapes.NewWebhookResponse})
    def post(self, request: Request) -> Response:
        """The answer holds the signing secret, this once."""
        new = webhooks.create_webhook(**self.body, origin=api_origin(request), may_see_secrets=may_see_secrets(request))
        return Response({**shapes.show_webhook(new.webhook), "secret": new.secret}, 201)


class WebhookView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]
    bodies = {"PATCH": shapes.WebhookChange}

    @extend_schema(summary="Read a webhook", responses=shapes.WebhookResponse)
    def get(self, request: Request, id: UUID) -> Response:
        return Response(shapes.show_webhook(webhooks.read_webhook(id)))

    @extend_schema(summary="Change a webhook", responses=shapes.WebhookResponse)
    def patch(self, request: Request, id: UUID) -> Response:
        """`{"enabled": true}` switches one on again that was disabled; what is still pending for it is sent then."""
        changed = webhooks.change_webhook(webhook_id=id, changes=self.body, may_see_secrets=may_see_secrets(request))
        return Response(shapes.show_webhook(changed))

    @extend_schema(summary="Delete a webhook", responses={204: NOTHING})
    def delete(self, request: Request, id: UUID) -> Response:
        webhooks.delete_webhook(webhook_id=id)
        return Response(status=204)


class RotateSecretView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]

    @extend_schema(summary="Give a webhook a new secret", responses=shapes.NewWebhookResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """The answer holds the new secret, this once. For 24 hours calls are signed with the one before as well.

        With that one alone: whoever rotates twice within 24 hours leaves a receiver that has not yet been given the
        second secret unable to verify.
        """
        new = webhooks.rotate_secret(webhook_id=id)
        return Response({**shapes.show_webhook(new.webhook), "secret": new.secret})


class EnableWebhookView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]

    @extend_schema(summary="Enable a webhook", responses=shapes.WebhookResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """The same as to change it by `{"enabled": true}`."""
        changes = {"enabled": True}
        changed = webhooks.change_webhook(webhook_id=id, changes=changes, may_see_secrets=may_see_secrets(request))
        return Response(shapes.show_webhook(changed))


class EventsView(Endpoint):
    permission_classes = [EVENT_SCOPES]
    queries = {"GET": shapes.EventsQuery}
    bodies = {"POST": shapes.CustomEventRequest}

    @extend_schema(summary="Read the log", responses=shapes.EventPage)
    def get(self, request: Request) -> Response:
        """A reader that passes each `nextCursor` as `after` misses no event and reads none twice, whatever its filters.

        Where there is no more yet, `nextCursor` is the id of the last event that was looked at, shown or not; it is
        null only while the log is empty.
        """
        query = self.query
        page = reading.read_log(
            after=query.get("after", ""),
            filters=query.get("types", ()),
            limit=query["limit"],
            newest_first=query["order"] == "-position",
        )
        items = _show(page.events, request)
        return Response({"items": items, "nextCursor": page.cursor or None, "hasMore": page.has_more})

    @extend_schema(summary="Send a custom event", responses={201: shapes.EventResponse})
    def post(self, request: Request) -> Response:
        """`position` is null until the event is sequenced. The same `dedupKey` again answers the first event."""
        event = record_custom_event(**self.body, origin=api_origin(request))
        return Response(_show([event], request)[0], 201)


class CatalogView(Endpoint):
    """For everyone, as OpenAPI is: it tells what this software can say, and nothing that it ever said."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(summary="List every kind of event", responses=shapes.CatalogResponse)
    def get(self, request: Request) -> Response:
        """With the JSON Schema of its data and an example. `filter` is what a webhook's `events` name it by."""
        return Response(catalog())


class AsyncApiView(CatalogView):
    """For everyone as well."""

    @extend_schema(summary="AsyncAPI of the events", responses={(200, ASYNCAPI): OpenApiTypes.OBJECT})
    def get(self, request: Request) -> HttpResponse:  # type: ignore[override]
        """AsyncAPI 3.0: what webhooks are sent, for generators of code and documentation."""
        return HttpResponse(orjson.dumps(asyncapi()), content_type=ASYNCAPI)


class EventView(Endpoint):
    permission_classes = [EVENT_SCOPES]

    @extend_schema(summary="Read one event", responses=shapes.EventResponse)
    def get(self, request: Request, id: str) -> Response:
        return Response(_show([reading.read_event(id)], request)[0])


def _show(events: Iterable[Event], request: Request) -> list[dict[str, Any]]:
    """The envelopes; with the tokens and links that this caller may see."""
    events = list(events)
    level = clearance(request)
    if level == Clearance.NOBODYS:
        return [envelope(event) for event in events]  # nothing to open
    revealed = reveal(events)
    return [envelope(event, secrets=revealed.under(level, event)) for event in events]
