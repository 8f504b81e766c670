"""The log of events: what one event adds to the transaction it is written in, and how fast positions are given."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

from django.db import transaction

from authpages.models import User
from events.catalog import EventType
from events.models import Delivery, Event, Subscriber
from events.services.recording import record_event
from events.services.sequencing import sequence_events
from fastgen_backend.origin import COMMAND_LINE
from tests.bench.figures import Figure

ROUNDS = 3
TRANSACTIONS = 400
EVENTS = 20_000


def measure(database: str) -> Iterator[Figure]:
    yield from _recording(database)
    yield _sequencing(database)


def _recording(database: str) -> Iterator[Figure]:
    """The same transaction, a person's last login written down, without and with its event: one after the other."""
    person = User.objects.create(email="log@example.com", email_key="log@example.com", password="")
    _interleaved(person, TRANSACTIONS // 10)
    rounds = [_interleaved(person, TRANSACTIONS) for _ in range(ROUNDS)]
    plain, told = zip(*rounds, strict=True)
    yield Figure(database, "a change and its event", "µs", told, "without it", plain)
    cost = [each - base for each, base in zip(told, plain, strict=True)]
    yield Figure(database, "one event more", "µs", cost)


def _interleaved(person: User, count: int) -> tuple[float, float]:
    """Microseconds per transaction, without an event and with one."""
    plain = told = 0.0
    for _ in range(count):
        plain += _seconds(lambda: _change(person))
        told += _seconds(lambda: _change_and_tell(person))
    return plain / count * 1e6, told / count * 1e6


def _change(person: User) -> None:
    with transaction.atomic():
        User.objects.filter(pk=person.pk).update(last_login_at=datetime.now(UTC))


def _change_and_tell(person: User) -> None:
    with transaction.atomic():
        User.objects.filter(pk=person.pk).update(last_login_at=datetime.now(UTC))
        data = {"userId": str(person.pk), "email": person.email, "emailVerified": False, "roles": []}
        record_event(type=EventType.USER_LOGGED_IN, data=data, origin=COMMAND_LINE, subject=str(person.pk))


def _sequencing(database: str) -> Figure:
    """With one subscriber that is promised every event; the yardstick is inserting the same events in bulk."""
    _sequence_all()
    subscriber = Subscriber.objects.create(kind=Subscriber.Kind.WEBHOOK, filters=["*"])
    inserted, sequenced = [], []
    for _ in range(ROUNDS):
        inserted.append(EVENTS / _seconds(lambda: insert_events(EVENTS)))
        sequenced.append(EVENTS / _seconds(_sequence_all))
    assert Delivery.objects.filter(subscriber=subscriber).count() == EVENTS * ROUNDS
    subscriber.delete()
    return Figure(database, "sequence events", "/s", sequenced, "bulk insert", inserted)


def insert_events(count: int) -> None:
    data = {"order": str(uuid4()), "amount": 12.5, "currency": "EUR", "lines": [{"sku": "a-1", "quantity": 2}]}
    events = (Event(type="custom.order_placed", source="api", data=data) for _ in range(count))
    Event.objects.bulk_create(events, batch_size=1000)


def _sequence_all() -> None:
    while sequence_events():
        pass


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
