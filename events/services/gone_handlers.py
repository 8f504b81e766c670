"""Handlers whose functions are gone: what still waits for them holds the log, until they come back or are taken out."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from events.models import Attempt, Delivery, FinishedDelivery, Subscriber
from fastgen_backend.errors import DomainError, NotFound
from fastgen_backend.retention import BITE


class HandlerIsBack(DomainError):
    """A worker found its function again."""

    status = 409
    code = "handler-is-back"
    title = "This handler is registered again"


def gone_handlers() -> QuerySet[Subscriber]:
    """Those that the worker which began last did not find."""
    return Subscriber.objects.filter(kind=Subscriber.Kind.HANDLER, enabled=False).order_by("handler")


def count_pending(path: str) -> int:
    """How many events this handler has still to be told of. Raises `NotFound`."""
    return Delivery.objects.filter(subscriber=_read(path)).count()


def remove_handler(path: str) -> int:
    """Take a handler out with all it was promised; tells how many events it was never told of.

    In bites, beside whatever goes on: killed amid them, it is done again. The caller knows that its function is gone.
    Raises `NotFound`, or `HandlerIsBack` where a worker found it meanwhile.
    """
    handler = _read(path)
    Subscriber.objects.filter(pk=handler.pk).update(enabled=False)  # from here on it is promised nothing
    untold = _delete(handler)
    with transaction.atomic():
        gone = gone_handlers().select_for_update().filter(pk=handler.pk).first()
        if gone is None:
            raise HandlerIsBack(_("A worker that was started meanwhile has its function."))
        untold += _delete(handler)  # what somebody was at until now
        gone.delete()
    return untold


def _read(path: str) -> Subscriber:
    handler = Subscriber.objects.filter(handler=path).first()
    if handler is None:
        raise NotFound(_("There is no such handler."))
    return handler


def _delete(handler: Subscriber) -> int:
    """Delete its deliveries with their attempts; tells how many were pending."""
    pending, finished = handler.deliveries.order_by("sequence"), handler.finished_deliveries.order_by("sequence")
    number = 0
    while bite := _bite(pending):
        number += bite
    while _bite(finished):
        pass
    return number


def _bite(deliveries: QuerySet[Delivery] | QuerySet[FinishedDelivery]) -> int:
    with transaction.atomic():
        ids = list(deliveries.select_for_update(of=("self",)).values_list("pk", flat=True)[:BITE])
        Attempt.objects.filter(delivery_id__in=ids).delete()
        deliveries.model._default_manager.filter(pk__in=ids).delete()
    return len(ids)
