"""What somebody else sees of a table: how far each rule lets them, which rule hides the rest, and the rows."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic.base import TemplateView

from datahub.access import NOBODY, Caller, permitted
from datahub.console.access_words import VERB_WORDS, rule_in_words
from datahub.console.pages import TablePage
from datahub.dynamic import Definition, OutdatedDefinition
from datahub.errors import AccessDenied, CallerMissing, TableBusy
from datahub.filters import ALWAYS, Condition, as_q
from datahub.listing import list_rows
from datahub.models import Verb
from datahub.row_queries import RowQuery
from datahub.table_figures import Figures, figures_of
from fastgen_backend.forms import EmailField, PlainForm

ROWS_MAX = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule lets somebody do: `reach` is `all`, `some` or `none`; `hidden` tells what it keeps from them."""

    verb: str | Promise
    rule: str
    reach: str
    told: str
    hidden: str = ""


class WhoForm(PlainForm):
    """A person by their address; without one, a visitor who has not logged in."""

    email = EmailField(required=False, help_text=gettext_lazy("Empty: a visitor who has not logged in."))
    person: Any = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["email"].widget.attrs["autocomplete"] = "off"

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email:
            self.person = get_user_model().objects.by_email(email).first()
            if self.person is None:
                raise forms.ValidationError(_("Nobody has this address."))
        return email


class ViewAsPage(TablePage, TemplateView):
    """Of the person whom `?email=` names; of a visitor where it is empty. Nothing is changed, nobody is logged in."""

    http_method_names = ["get", "head", "options"]
    template_name = "datahub/view_as.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = WhoForm({"email": self.request.GET.get("email", "")})
        seen = _seen(self.definition, _caller(form.person)) if form.is_valid() else {}
        return super().get_context_data(**{**kwargs, "form": form, "person": form.person, **seen})


def _caller(person: Any) -> Caller:
    """As the API knows who comes with an access token: by their roles, without the scopes of programs and admins."""
    return Caller(user_id=person.pk, roles=tuple(person.role_names)) if person else NOBODY


def _seen(definition: Definition, caller: Caller) -> dict[str, Any]:
    """The verdicts on each verb, and the first rows. Raises `TableBusy` where the table changes meanwhile."""
    total = figures_of([definition.table])[definition.table.pk]
    return {
        "verdicts": [_verdict(definition, verb, caller, total) for verb in Verb],
        "rows": _rows(definition, caller),
        "rows_max": ROWS_MAX,
    }


def _verdict(definition: Definition, verb: Verb, caller: Caller, total: Figures) -> Verdict:
    words, rule = VERB_WORDS[verb], rule_in_words(definition.table.access[verb.value])
    try:
        condition = permitted(definition, verb, caller)
    except CallerMissing:
        if definition.table.access[verb.value] == "admin":
            return Verdict(words, rule, "none", _("Is not let in, not even with a login; the API answers 401."))
        return Verdict(words, rule, "none", _("Has to log in first; the API answers 401."))
    except AccessDenied:
        return Verdict(words, rule, "none", _("Is not let in; the API answers 403."))
    if verb is Verb.CREATE:
        return _verdict_on_new(words, rule, condition)
    if condition == ALWAYS:
        return Verdict(words, rule, "all", _all(total))
    if total.is_estimate:
        return Verdict(words, rule, "some", _("Those rows that the rule allows; there are too many to count."))
    count = definition.rows().filter(as_q(condition)).count()
    told = _("%(count)s of %(total)s rows.") % {"count": f"{count:,}", "total": f"{total.rows:,}"}
    hidden = total.rows - count
    reach = "all" if hidden <= 0 else "some" if count else "none"
    return Verdict(words, rule, reach, told, _hidden(hidden, rule) if hidden > 0 else "")


def _verdict_on_new(words: str | Promise, rule: str, condition: Condition) -> Verdict:
    if condition == ALWAYS:
        return Verdict(words, rule, "all", _("Any row; who is logged in owns it."))
    return Verdict(words, rule, "some", _("Rows that match the filter; others are refused with 403."))


def _all(total: Figures) -> str:
    if total.is_estimate:
        return _("All rows, about %(total)s.") % {"total": f"{total.rows:,}"}
    return ngettext("The %(total)s row there is.", "All %(total)s rows.", total.rows) % {"total": f"{total.rows:,}"}


def _hidden(count: int, rule: str) -> str:
    told = ngettext("The rule “%(rule)s” hides %(count)s row.", "The rule “%(rule)s” hides %(count)s rows.", count)
    return told % {"rule": rule, "count": f"{count:,}"}


def _rows(definition: Definition, caller: Caller) -> list[list[str]] | None:
    """The first rows that they list, as texts of the table's own columns; None where they list none."""
    members = tuple(definition.own.values())
    query = RowQuery(fields=(definition.members["id"], *members), limit=ROWS_MAX)
    try:
        pieces = list_rows(definition, query, caller).rows
    except (AccessDenied, CallerMissing):
        return None
    except OutdatedDefinition:
        raise TableBusy(_("The table is being changed; look again."), retry_after=1) from None
    rows = [found.by_key(index, members) for found in pieces for index in range(len(found))]
    return [["" if row[each.key] is None else each.type.write(row[each.key])[:200] for each in members] for row in rows]
