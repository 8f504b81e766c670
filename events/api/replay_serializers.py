"""JSON in and out of the endpoints of replays."""

from datetime import datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from events.envelope import rfc3339
from events.models import Replay
from events.services.replay_ranges import Wanted
from events.services.replays import RATE_MAX
from fastgen_backend.rest import StrictCharField, StrictChoiceField, StrictIntegerField, StrictSerializer

FROM = "The first event: its id, or the time (RFC 3339) from which on; by default the oldest that is kept."
TO = "The last event: its id, or the time (RFC 3339) before which it was; by default the newest."
WHICH = 'Say which part of the log by "from", "to" or both; all that is kept is {"from": "1970-01-01T00:00:00Z"}.'
KINDS = (
    "`range`: a part of the log; `missed`: what happened while the webhook was disabled and was not replayed since; "
    "`deadLetters`: what it never took."
)


@extend_schema_field(OpenApiTypes.STR)
class MomentField(StrictCharField):
    """A place in the log: the id of an event, or a time."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        return text if text.startswith("evt_") else _time(text)


class RangeQuery(StrictSerializer):
    kind = StrictChoiceField(choices=Replay.Kind.values, default=Replay.Kind.RANGE, help_text=KINDS)
    to = MomentField(required=False, help_text=TO)
    events = serializers.CharField(required=False, help_text="Filters parted by commas: only these events.")

    def get_fields(self) -> dict[str, Any]:
        return {"from": MomentField(required=False, help_text=FROM), **super().get_fields()}

    def validate_events(self, text: str) -> list[str]:
        return sorted({part.strip() for part in text.split(",")})


class ReplayRequest(StrictSerializer):
    kind = StrictChoiceField(choices=Replay.Kind.values, default=Replay.Kind.RANGE, help_text=KINDS)
    to = MomentField(required=False, help_text=TO)
    events = serializers.ListField(child=StrictCharField(), required=False, help_text="Filters: only these events.")
    ratePerSecond = StrictIntegerField(
        source="rate_per_second",
        required=False,
        allow_null=True,
        help_text=f"How many events may be sent in a second, from 1 to {RATE_MAX}; null: no limit.",
    )

    def get_fields(self) -> dict[str, Any]:
        return {"from": MomentField(required=False, help_text=FROM), **super().get_fields()}

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """All there is has to be said: an empty body may be a slip, and what is sent can't be taken back."""
        if given["kind"] == Replay.Kind.RANGE and not given.keys() & {"from", "to"}:
            raise ValidationError({"from": [ErrorDetail(WHICH, "required")]})
        return given


class RangeResponse(StrictSerializer):
    total = serializers.IntegerField(help_text="How many events a replay would send.")
    incomplete = serializers.BooleanField(help_text="Whether older events of this range are no longer kept.")


class ReplayResponse(StrictSerializer):
    id = serializers.UUIDField()
    webhookId = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Replay.Kind.values)
    state = serializers.ChoiceField(choices=Replay.State.values)
    events = serializers.ListField(child=serializers.CharField(), help_text="Only these; empty: all it subscribes to.")
    firstPosition = serializers.IntegerField(allow_null=True, help_text="In the log; null for dead letters.")
    lastPosition = serializers.IntegerField(allow_null=True)
    total = serializers.IntegerField(help_text="As counted when it began.")
    promised = serializers.IntegerField(help_text="How many of them are on their way or delivered.")
    ratePerSecond = serializers.IntegerField(allow_null=True)
    createdAt = serializers.DateTimeField()
    finishedAt = serializers.DateTimeField(allow_null=True)


class ReplayPage(StrictSerializer):
    items = ReplayResponse(many=True)
    nextCursor = serializers.CharField(allow_null=True)


def wanted(given: dict[str, Any]) -> Wanted:
    """What is asked for by a `RangeQuery` or `ReplayRequest`."""
    return Wanted(given["kind"], given.get("from"), given.get("to"), given.get("events", ()))


def show_replay(replay: Replay) -> dict[str, Any]:
    """A `ReplayResponse`."""
    of_log = replay.kind != Replay.Kind.DEAD_LETTERS
    return {
        "id": str(replay.pk),
        "webhookId": str(replay.webhook_id),
        "kind": replay.kind,
        "state": replay.state,
        "events": replay.filters,
        "firstPosition": replay.after + 1 if of_log else None,
        "lastPosition": replay.until if of_log else None,
        "total": replay.total,
        "promised": replay.promised,
        "ratePerSecond": replay.rate_per_second,
        "createdAt": rfc3339(replay.created_at),
        "finishedAt": rfc3339(replay.finished_at) if replay.finished_at else None,
    }


def _time(text: str) -> datetime:
    moment: datetime = serializers.DateTimeField().run_validation(text)
    return moment
