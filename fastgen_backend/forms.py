"""Forms and the pages around them: what a service refuses is said in the form, with the status it has everywhere."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from fastgen_backend.errors import DomainError, FieldError
from fastgen_backend.limits import LONGEST_EMAIL
from fastgen_backend.strict_json import is_storable, is_too_deep, load_strictly

MISSING = {"required": _("Please fill this in.")}


class PlainForm(forms.Form):
    """A form that remembers why it was refused, so that its template can offer the way on."""

    refusal: DomainError | None = None
    parts: Mapping[str, Sequence["PlainForm"]] = {}  # forms within, by the member whose items they describe

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)

    def is_valid(self) -> bool:
        return super().is_valid() and all(part.is_valid() for part in self._all_parts())

    @property
    def error_count(self) -> int:
        """How many fields need another look, those of its parts too."""
        return len(self.errors) + sum(part.error_count for part in self._all_parts())

    def refuse(self, error: DomainError) -> None:
        """Say `error` at the fields it blames, else on top."""
        self.refusal = error
        for each in error.errors or [FieldError("", error.code, error.detail)]:
            self.blame(each)

    def blame(self, error: FieldError) -> None:
        """Say `error` at the field that its pointer names, or at the one that holds what it names, else on top.

        `/columns/2/type` is `/type` of the part `columns`, 2.
        """
        match error.pointer.split("/", 3):
            case ["", member, index, below] if member in self.parts and index.isdecimal():
                self.parts[member][int(index)].blame(error._replace(pointer=f"/{below}"))
            case _:
                name, line = self._field_of(error.pointer)
                self.add_error(name, sentence(error.detail, line))

    def _all_parts(self) -> list["PlainForm"]:
        return [part for parts in self.parts.values() for part in parts]

    def _line_of(self, name: str, item: int) -> int:
        """The line, from 1, on which the item of a list was typed: blank ones are passed over."""
        if not isinstance(self.fields[name], Lines):
            return item + 1
        typed = [number for number, line in enumerate(str(self[name].data or "").splitlines(), 1) if line.strip()]
        return typed[item] if item < len(typed) else item + 1

    def _field_of(self, pointer: str) -> tuple[str | None, int]:
        """The field for what a JSON Pointer names, and the line in a list.

        `/someUrls/1` is `some_urls`, line 2; `/access/list/filter` is `access_list_filter`, where there is such a
        field, else `access_list`, else `access`.
        """
        members = pointer.split("/")[1:]
        for depth in range(len(members), 0, -1):
            name, below = "_".join(map(_snake, members[:depth])), members[depth:]
            if name in self.fields and not self[name].is_hidden:
                return name, self._line_of(name, int(below[0])) if below and below[0].isdecimal() else 0
        return None, 0


class Lines(forms.CharField):
    """A list of texts, one on each line."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        text = "\n".join(value) if isinstance(value, list | tuple) else value or ""
        return [line.strip() for line in text.splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class EmailField(forms.CharField):
    """An address as people type it; whether mail can be sent to it is for the services to say."""

    def __init__(self, **options: Any) -> None:
        attributes = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "inputmode": "email"}
        super().__init__(
            label=_("E-mail address"),
            max_length=LONGEST_EMAIL,
            widget=forms.EmailInput(attributes),
            error_messages={**MISSING, "max_length": _("An e-mail address has at most %(limit_value)d characters.")},
            **options,
        )

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}  # no `maxlength`: browsers cut what is pasted without a word


class PasswordField(forms.CharField):
    """A password, as typed: never trimmed, never cut, and never sent back. `autocomplete` is for password managers."""

    def __init__(self, *, autocomplete: str, **options: Any) -> None:
        attributes = {
            "autocomplete": autocomplete,
            "data-show": _("Show"),
            "data-hide": _("Hide"),
            "data-show-label": _("Show password"),
            "data-hide-label": _("Hide password"),
        }
        options.setdefault("label", _("Password"))
        widget = forms.PasswordInput(attributes)
        super().__init__(strip=False, widget=widget, error_messages=MISSING, **options)


class JsonText(forms.CharField):
    """JSON as text, such as `example`; empty is None. A refusal names the line."""

    def __init__(self, *, example: str, **options: Any) -> None:
        attributes = {
            "rows": 4,
            "spellcheck": "false",
            "autocapitalize": "none",
            "class": "mono",
            "placeholder": example,
        }
        super().__init__(required=False, widget=forms.Textarea(attributes), **options)

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str) or not value.strip():
            return None
        try:
            found = load_strictly(value)
        except RecursionError:
            raise forms.ValidationError(gettext("The JSON is nested too deeply.")) from None
        except ValueError as error:
            raise forms.ValidationError(gettext("This is no JSON: %(reason)s.") % {"reason": error}) from None
        if is_too_deep(found) or not is_storable(found):
            raise forms.ValidationError(
                gettext("Text must not hold NUL or lone surrogates, nor be nested without end.")
            )
        return found

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):  # as it was sent
            return value
        return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)

    def run_validators(self, value: Any) -> None:
        """Those of texts are for texts."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(initial != self.to_python(data))
        except forms.ValidationError:
            return True


class TokenField(forms.CharField):
    """The token of a one-time link; it travels in the body, so that no log or history holds it."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput(), required=False)
        self.validators = []  # whatever is no token of ours is an invalid link, no matter what it is made of


class FormPage(FormView):  # type: ignore[type-arg]  # the form differs by page
    """A page with one form. GET shows it and changes nothing; POST does what it says, or shows why not."""

    http_method_names = ["get", "head", "post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.get_form()
        if not form.is_valid():
            return self.form_invalid(form)
        try:
            return self.form_valid(form)
        except DomainError as error:
            return self.refused(form, error)

    def form_invalid(self, form: PlainForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def refused(self, form: PlainForm, error: DomainError) -> HttpResponse:
        """The form again, with the status of the refusal and what there is to mend."""
        form.refuse(error)
        response = self.render_to_response(self.get_context_data(form=form), status=error.status)
        if error.retry_after is not None:
            response["Retry-After"] = str(error.retry_after)
        return response


def _snake(member: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", member).lower()


def sentence(detail: str, line: int = 0) -> str:
    """Titles of refusals have no full stop; between sentences they get one."""
    detail = detail if detail.endswith((".", "…")) else f"{detail}."
    return _("Line %(number)d: %(detail)s") % {"number": line, "detail": detail} if line else detail
