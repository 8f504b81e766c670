"""The columns of a table that is about to be changed, as they are in the database."""

from django.utils.translation import gettext as _

from datahub.dynamic import Definition
from datahub.errors import ColumnConverting, NoSuchColumn, NotHidden, SeveralColumns
from datahub.models import Column, Conversion

NAMED_MAX = 20  # ids in a refusal


def visible_column(definition: Definition, id_or_key: str) -> Column:
    for column in definition.columns:
        if id_or_key.lower() in {column.key.lower(), str(column.uid)}:
            return Column.objects.get(pk=column.pk)
    raise NoSuchColumn


def changeable_column(definition: Definition, id_or_key: str) -> Column:
    """The column, which is not being converted. What is told of its last conversion ends with the next change."""
    column = visible_column(definition, id_or_key)
    Conversion.objects.filter(column=column).exclude(state=Conversion.State.RUNNING).delete()
    refuse_converting(column)
    return column


def refuse_converting(column: Column) -> None:
    """Raise `ColumnConverting` while a job changes the column's type."""
    if Conversion.objects.filter(column=column, state=Conversion.State.RUNNING).exists():
        raise ColumnConverting(_("Its values are being converted; change it when that is done."))


def hidden_column(definition: Definition, id_or_key: str) -> Column:
    """The deleted column with this id, or the only one of this key. Raises `SeveralColumns`."""
    named = Column.objects.filter(table=definition.table).named(id_or_key)
    found = list(named.hidden()[:NAMED_MAX])
    if len(found) > 1:
        several = "; ".join(f"{each.uid} ({each.type}, {each.hidden_at:%Y-%m-%dT%H:%M:%SZ})" for each in found)
        detail = _("Name the one by its id, of which here are type and time of deletion: %(several)s.")
        raise SeveralColumns(detail % {"several": several})
    if not found:
        raise NotHidden if named.exists() else NoSuchColumn
    return found[0]
