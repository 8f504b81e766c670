"""The REST endpoints of replays."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from events.api import replay_serializers as shapes
from events.api.views import WEBHOOK_SCOPES
from events.models import Replay
from events.services import replays
from events.services.replay_ranges import measure
from events.services.webhooks import read_webhook
from fastgen_backend.rest import Endpoint, PageQuery, api_origin, keyset_page


class WebhookReplayView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]
    queries = {"GET": shapes.RangeQuery}
    bodies = {"POST": shapes.ReplayRequest}

    @extend_schema(summary="Count what a replay would send", responses=shapes.RangeResponse)
    def get(self, request: Request, id: UUID) -> Response:
        extent = measure(read_webhook(id), shapes.wanted(self.query))
        return Response({"total": extent.total, "incomplete": extent.incomplete})

    @extend_schema(summary="Replay events to a webhook", responses={202: shapes.ReplayResponse})
    def post(self, request: Request, id: UUID) -> Response:
        """Sends events of the log, or dead letters, once more, under their own ids and behind what is sent already. A
        webhook gets only what it subscribes to; tokens and links are null. It has one replay at a time. A `range` has a
        `from`, a `to` or both.
        """
        body = self.body
        rate = body.pop("rate_per_second", None)
        wanted = shapes.wanted(body)
        replay = replays.start_replay(webhook_id=id, wanted=wanted, origin=api_origin(request), rate_per_second=rate)
        return Response(shapes.show_replay(replay), 202)


class WebhookReplaysView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]
    queries = {"GET": PageQuery}

    @extend_schema(summary="List a webhook's replays, newest first", responses=shapes.ReplayPage)
    def get(self, request: Request, id: UUID) -> Response:
        rows = Replay.objects.filter(webhook=read_webhook(id))
        return Response(keyset_page(rows, key="id", query=self.query, show=shapes.show_replay, newest_first=True))


class ReplayView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]

    @extend_schema(summary="Read a replay", responses=shapes.ReplayResponse)
    def get(self, request: Request, id: UUID) -> Response:
        return Response(shapes.show_replay(replays.read_replay(id)))


class PauseReplayView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]

    @extend_schema(summary="Pause a replay", responses=shapes.ReplayResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """At most 100 events that were queued already are still sent."""
        return Response(shapes.show_replay(replays.pause_replay(replay_id=id)))


class ResumeReplayView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]

    @extend_schema(summary="Resume a replay", responses=shapes.ReplayResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """It goes on where it was paused."""
        return Response(shapes.show_replay(replays.resume_replay(replay_id=id)))


class CancelReplayView(Endpoint):
    permission_classes = [WEBHOOK_SCOPES]

    @extend_schema(summary="Cancel a replay", responses=shapes.ReplayResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """For good. At most 100 events that were queued already are still sent; what it has left of what was missed,
        or of dead letters, can be replayed anew.
        """
        return Response(shapes.show_replay(replays.cancel_replay(replay_id=id)))
