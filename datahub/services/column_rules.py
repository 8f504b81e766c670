"""Columns that access rules speak of: they stay askable, by the same key."""

from django.utils.translation import gettext as _

from datahub.access import check_access, verbs_that_ask
from datahub.dynamic import Definition
from datahub.errors import ColumnInUse
from fastgen_backend.errors import InvalidInput


def refuse_if_in_rules(definition: Definition, key: str) -> None:
    """Raise `ColumnInUse` where a rule speaks of the column with this key."""
    if verbs := verbs_that_ask(definition.table.access, key):
        detail = _("These access rules speak of it; change them first: %(verbs)s.")
        raise ColumnInUse(detail % {"verbs": ", ".join(verbs)})


def check_rules(changed: Definition, key: str) -> None:
    """Raise `ColumnInUse` where a rule could not be asked any more of the table as it would be."""
    try:
        check_access(changed.table.access, changed.members)
    except InvalidInput:
        refuse_if_in_rules(changed, key)
        raise
