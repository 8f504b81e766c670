"""The figures of an installation in the text format of Prometheus, counted by indexes that hold all they ask for."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min, OuterRef, Q, Subquery, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from authpages.models import Session, User
from datahub.models import Job
from events.models import Delivery, Event, FinishedDelivery, LogHead, Subscriber, Webhook
from events.models.tallies import Tally
from events.services.leases import living_workers
from fastgen_backend.counting import about
from fastgen_backend.version import VERSION

Labelled = GaugeMetricFamily | CounterMetricFamily
OF_ONE_PROCESS = {"process_cpu_seconds", "process_start_time_seconds"}  # these jump for who asks now one, now another


def figures() -> bytes:
    """Everything that is measured."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Installation())
    return generate_latest(registry)


class _Installation(Collector):
    """What the database tells, and the process that answers."""

    def describe(self) -> list[Metric]:
        return []  # what there is, is known without asking the database

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield _labelled("fastgen_build_info", "The version that runs.", "version", {VERSION: 1})
        yield from _log(now)
        yield from _deliveries(now)
        yield from _accounts(now)
        yield from _happened()
        yield _labelled("fastgen_jobs", "Jobs of the Datahub that are not done.", "kind", _jobs())
        yield from (each for each in ProcessCollector(registry=None).collect() if each.name not in OF_ONE_PROCESS)


def _log(now: datetime) -> Iterator[Metric]:
    head = LogHead.objects.values_list("position", flat=True).first() or 0
    yield CounterMetricFamily("fastgen_events", "Events that were ever sequenced: the head of the log.", head)
    waiting = about(Event.objects.filter(position=None))
    yield GaugeMetricFamily("fastgen_events_unsequenced", "Events that wait for their position.", waiting)
    oldest = Event.objects.positioned().order_by("position").values_list("created_at", flat=True).first()
    age = (now - oldest).total_seconds() if oldest else 0
    yield GaugeMetricFamily("fastgen_events_oldest_age_seconds", "Age of the oldest event that is kept.", age)
    alive = living_workers().count()
    yield GaugeMetricFamily("fastgen_workers", "Workers that gave a sign of life within 10 s.", alive)


def _deliveries(now: datetime) -> Iterator[Metric]:
    yield _labelled("fastgen_deliveries_pending", "Deliveries that are pending.", "state", _pending(now))
    mine = Delivery.objects.filter(subscriber=OuterRef("pk"), worker=None, blocked=False)
    first = mine.order_by("due_at", "sequence").values("due_at")[:1]
    freely = Subscriber.objects.filter(enabled=True, webhook__open_until=None, rate_per_second=None)
    due = freely.annotate(next_due=Subquery(first)).aggregate(oldest=Min("next_due"))["oldest"]
    late = max(0.0, (now - due).total_seconds()) if due else 0
    yield GaugeMetricFamily("fastgen_deliveries_late_seconds", "For how long the oldest due delivery is due.", late)
    dead = about(FinishedDelivery.objects.dead_letters())
    yield GaugeMetricFamily("fastgen_dead_letters", "Deliveries that were given up and not queued again.", dead)
    yield _labelled("fastgen_webhooks", "Webhooks, by how they fare.", "status", _webhooks())


def _accounts(now: datetime) -> Iterator[Metric]:
    yield GaugeMetricFamily("fastgen_users", "People who have an account.", about(User.objects.all()))
    alive = about(Session.objects.filter(ended_at=None, expires_at__gt=now))
    yield GaugeMetricFamily("fastgen_sessions", "Sessions that are neither ended nor expired.", alive)


def _pending(now: datetime) -> dict[str, int]:
    promised = Delivery.objects.all()
    held = Q(subscriber__enabled=False) | Q(subscriber__webhook__open_until__isnull=False)
    due = Q(due_at__lte=now, blocked=False)
    return {
        "in_flight": about(promised.filter(worker__isnull=False)),
        "held": about(promised.filter(held, worker=None)),  # by a webhook that is switched off, or fails
        "due": about(promised.filter(~held, due, worker=None)),
        "waiting": about(promised.filter(~held, ~due, worker=None)),  # for the next try, or for a turn
    }


def _happened() -> Iterator[Metric]:
    """What was ever tallied; tallies are kept when what they count is deleted."""
    what = Tally.What
    sums = Counter(dict(Tally.objects.order_by().values_list("what").annotate(Sum("count"))))
    yield CounterMetricFamily("fastgen_sign_ups", "Accounts that people made by signing up.", sums[what.SIGN_UPS])
    logins = {"succeeded": sums[what.LOGINS], "failed": sums[what.FAILED_LOGINS]}
    yield _labelled("fastgen_logins", "Logins that were tried.", "result", logins, CounterMetricFamily)
    calls = {"delivered": sums[what.DELIVERED], "failed": sums[what.FAILED_CALLS]}
    yield _labelled("fastgen_webhook_calls", "Calls of webhooks.", "result", calls, CounterMetricFamily)


def _webhooks() -> dict[str, int]:
    disabled, failing = Q(subscriber__enabled=False), Q(failing_since__isnull=False)
    return Webhook.objects.aggregate(
        healthy=Count("pk", ~disabled & ~failing),
        failing=Count("pk", ~disabled & failing),
        disabled=Count("pk", disabled),
    )


def _jobs() -> dict[str, int]:
    counted = Job.objects.order_by().values_list("kind").annotate(number=Count("pk"))
    return dict.fromkeys(map(str, Job.Kind.values), 0) | dict(counted)


def _labelled(
    name: str, help: str, label: str, values: dict[str, int], kind: type[Labelled] = GaugeMetricFamily
) -> Metric:
    family = kind(name, help, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
