"""Handlers whose functions are gone: what still waits for them holds the log, until they come back or are taken out."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from events.models import Delivery, Subscriber
from events.services.taking_back import take_back
from fastgen_backend.errors import DomainError, NotFound


class HandlerIsBack(DomainError):
    """A worker has its function."""

    status = 409
    code = "handler-is-back"
    title = "This handler is registered"


def gone_handlers() -> QuerySet[Subscriber]:
    """Those that the worker which began last did not find."""
    return Subscriber.objects.filter(kind=Subscriber.Kind.HANDLER, enabled=False).order_by("handler")


def count_pending(path: str) -> int:
    """How many events this handler has still to be told of. Raises `NotFound` or `HandlerIsBack`."""
    return Delivery.objects.filter(subscriber=_read(path)).count()


def remove_handler(path: str) -> int:
    """Take a handler out with all it was promised; tells how many events it was never told of.

    In bites, beside whatever goes on: killed amid them, it is done again. Raises `NotFound`, or `HandlerIsBack` where
    a worker has its function, or found it meanwhile.
    """
    handler = _read(path)
    untold = take_back(handler)
    with transaction.atomic():
        gone = gone_handlers().select_for_update().filter(pk=handler.pk).first()
        if gone is None:
            detail = _("A worker that was started meanwhile has its function. Of %(number)d events it is never told.")
            raise HandlerIsBack(detail % {"number": untold})
        gone.delete()
    return untold


def _read(path: str) -> Subscriber:
    handler = Subscriber.objects.filter(handler=path).first()
    if handler is None:
        raise NotFound(_("There is no such handler."))
    if handler.enabled:
        raise HandlerIsBack(_("The worker that was started last has its function."))
    return handler
