"""The REST endpoints of deliveries."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from events.api import delivery_serializers as shapes
from events.api.views import WEBHOOK_SCOPES
from events.services.delivery_log import read_deliveries, read_delivery
from events.services.redelivery import redeliver
from events.services.shown_requests import shown_request
from events.services.trials import ask_for_trial
from events.services.webhooks import read_webhook
from fastgen_backend.keyset import invalid_cursor, make_cursor, open_cursor
from fastgen_backend.rest import Endpoint, api_origin, credentials_of


class DeliveriesView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]
    queries = {"GET": shapes.DeliveriesQuery}

    @extend_schema(summary="List a webhook's deliveries, newest first", responses=shapes.DeliveryPage)
    def get(self, request: Request, id: UUID) -> Response:
        """Dead letters that were queued again since tell it by `redeliveredAs`. Where receivers answered much, a page
        is shorter than its limit: go on while there is a `nextCursor`.
        """
        query = self.query
        page = read_deliveries(
            read_webhook(id).pk,
            before=_sequence(query.get("cursor")),
            limit=query["limit"],
            state=query.get("state", ""),
            event_type=query.get("event_type", ""),
        )
        items = [shapes.show_delivery(delivery) for delivery in page.deliveries]
        cursor = make_cursor(page.deliveries[-1].sequence) if page.has_more else None
        return Response({"items": items, "nextCursor": cursor})


class DeliveryView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]

    @extend_schema(summary="Read a delivery, with what is sent", responses=shapes.ReadDeliveryResponse)
    def get(self, request: Request, id: UUID) -> Response:
        delivery = read_delivery(id)
        credentials = credentials_of(request)
        may_read_events = credentials is not None and credentials.allows("events:read")
        shown = shapes.show_request(shown_request(delivery), with_body=may_read_events)
        return Response({**shapes.show_delivery(delivery), "request": shown})


class TestWebhookView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]
    bodies = {"POST": shapes.TrialRequest}

    @extend_schema(summary="Send a test to a webhook", responses={202: shapes.DeliveryResponse})
    def post(self, request: Request, id: UUID) -> Response:
        """An example of an event is sent, once, with `"test": true` and no position. Read the delivery that is
        answered to see what the receiver said; it is finished within seconds.
        """
        trial = ask_for_trial(webhook_id=id, origin=api_origin(request), event_filter=self.body.get("event", ""))
        return Response(shapes.show_delivery(read_delivery(trial.pk)), 202)


class RedeliverView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]

    @extend_schema(summary="Deliver an event once more", responses=shapes.DeliveryResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """A pending delivery is due now. For a finished one there is a new delivery, behind all others: that one is
        answered. The event keeps its id, by which the receiver knows that it had it.
        """
        redelivered = redeliver(delivery_id=id)
        return Response(shapes.show_delivery(read_delivery(redelivered.pk)))


def _sequence(cursor: str | None) -> int | None:
    """The `sequence` that a cursor stands for."""
    if not cursor:
        return None
    text = open_cursor(cursor)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise invalid_cursor()
    return int(text)
