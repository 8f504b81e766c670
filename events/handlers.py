"""Python functions that are told of events: durable, retried, and exactly once where all they do is in the database."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.module_loading import autodiscover_modules

from events.filters import check_filter
from events.models import Subscriber

Handler = Callable[[dict[str, Any]], object]
ATOMIC_CONCURRENCY = 2
CONCURRENCY = 8


@dataclass(frozen=True, slots=True)
class Registration:
    """A handler as it was declared; `path` is its dotted name, under which its deliveries are kept."""

    path: str
    handler: Handler
    filters: tuple[str, ...]
    atomic: bool

    @property
    def max_concurrency(self) -> int:
        return ATOMIC_CONCURRENCY if self.atomic else CONCURRENCY


registered: dict[str, Registration] = {}


def on_event(*filters: str, atomic: bool = True) -> Callable[[Handler], Handler]:
    """Tell the decorated function of every event that one of `filters` names, in any app's `event_handlers.py`.

    It gets the envelope (see `events.envelope`), with tokens and links where the event has them. Where it raises, it is
    told again later, by the same steps as a webhook.

    By default it is for effects in this database: it runs in one transaction with the mark that it was told, so they
    happen exactly once; it has 2 s. With `atomic=False` it is for effects elsewhere, such as mail or HTTP: no
    transaction is open, and it is told at least once. Its dotted path is its identity: renamed, it is a new subscriber.
    """
    if not filters:
        raise ValueError("Name at least one event.")
    for text in filters:
        check_filter(text)

    def register(handler: Handler) -> Handler:
        path = f"{handler.__module__}.{handler.__qualname__}"
        if path in registered and registered[path].handler is not handler:
            raise ValueError(f"Two handlers are named {path}.")
        registered[path] = Registration(path, handler, filters, atomic)
        return handler

    return register


def load_handlers() -> None:
    """Import `event_handlers` of every installed app, so that the functions in them are registered."""
    autodiscover_modules("event_handlers")


def sync_handlers() -> None:
    """Make the subscribers in the database those that are registered; one whose function is gone is disabled.

    Call it before this process sequences anything: a new handler is promised every event from then on.
    """
    wanted = [
        Subscriber(
            kind=Subscriber.Kind.HANDLER,
            handler=path,
            filters=list(registration.filters),
            max_concurrency=registration.max_concurrency,
        )
        for path, registration in registered.items()
    ]
    with transaction.atomic():
        Subscriber.objects.bulk_create(
            wanted,
            update_conflicts=True,
            unique_fields=["handler"],
            update_fields=["filters", "max_concurrency", "enabled"],
        )
        gone = Subscriber.objects.filter(kind=Subscriber.Kind.HANDLER, enabled=True).exclude(
            handler__in=list(registered)
        )
        gone.update(enabled=False)
