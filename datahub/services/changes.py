"""How a table is changed: alone with it, and each change that was made is one version and one event."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import OperationalError
from django.dispatch import Signal
from django.utils import timezone

from datahub import signals
from datahub.dynamic import Definition, definition_to_change
from datahub.errors import RowTooLarge
from datahub.locks import changing
from datahub.models import Table
from fastgen_backend.origin import Origin


@contextmanager
def alone_with(table: Table, *, beside: Iterable[Table] = ()) -> Iterator[Definition]:
    """A transaction in which nobody else writes to `table`, nor to those `beside`; gives its definition as it is now.

    Raises `NoSuchTable`, `TableBusy`, or `RowTooLarge` where a changed row has no room in the database.
    """
    try:
        with changing([table.pk, *(each.pk for each in beside)]):
            yield definition_to_change(table.pk)
    except OperationalError as error:
        if RowTooLarge.is_meant_by(error):
            raise RowTooLarge from error
        raise


def raise_version(table: Table, origin: Origin) -> None:
    """The end of every change of name, key, description, access, settings or columns."""
    table.version += 1
    table.updated_at = timezone.now()
    table.save()
    tell(signals.table_updated, table, origin)


def tell(signal: Signal, table: Table, origin: Origin) -> None:
    """Send a signal about a table, with its values of now."""
    signal.send(sender=Table, table_id=table.uid, name=table.name, description=table.description, origin=origin)
