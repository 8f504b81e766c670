"""Access rules in plain words."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datahub.models import Table, Verb

VERB_WORDS = {
    Verb.LIST: gettext_lazy("List rows"),
    Verb.READ: gettext_lazy("Read a row"),
    Verb.CREATE: gettext_lazy("Create rows"),
    Verb.UPDATE: gettext_lazy("Change rows"),
    Verb.DELETE: gettext_lazy("Delete rows"),
}
RULE_WORDS = {
    "admin": gettext_lazy("Only admins and API keys"),
    "everyone": gettext_lazy("Everyone, without logging in"),
    "authenticated": gettext_lazy("Everybody who is logged in"),
    "owner": gettext_lazy("Whoever owns the row"),
    "roles": gettext_lazy("People with one of these roles…"),
    "filter": gettext_lazy("Rows that match a filter…"),
}
ON_OWNER_DELETE_WORDS = {
    Table.OnOwnerDelete.KEEP.value: gettext_lazy("Keep them; they still name the person who is gone"),
    Table.OnOwnerDelete.CLEAR.value: gettext_lazy("Keep them, without an owner"),
    Table.OnOwnerDelete.DELETE.value: gettext_lazy("Delete them, too"),
}


def kind_of(rule: Any) -> str:
    """The word that a rule is, or `roles` or `filter`."""
    return next(iter(rule)) if isinstance(rule, dict) else str(rule)


def rule_in_words(rule: Any) -> str:
    """A rule as it is told of a table."""
    match rule:
        case {"roles": roles}:
            return _("People with one of these roles: %(roles)s") % {"roles": ", ".join(roles)}
        case {"filter": _filter}:
            return _("Rows that match a filter")
    return str(RULE_WORDS[rule])
