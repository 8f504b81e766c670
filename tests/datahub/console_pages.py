"""Pages of the console as a browser without script uses them: forms are filled in, buttons are pressed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from tests.authpages.conftest import Visitor

Attributes = list[tuple[str, str | None]]


@dataclass
class Form:
    """A form of a page: where it is sent, what is in it, and its buttons by what stands on them."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    repeated: list[tuple[str, str]] = field(default_factory=list)  # what stands there besides, under the same names
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)  # the fields that are marked as wrong

    @property
    def sent(self) -> list[tuple[str, str]]:
        """All of it, as a browser sends it."""
        return [*self.fields.items(), *self.repeated]


class Forms(HTMLParser):
    """Reads the forms of a page, with what a browser would send of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._templates = 0
        self._button: dict[str, str] | None = None
        self._label = self._text = ""
        self._area: str | None = None
        self._select: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = {name: value or "" for name, value in attrs}
        self._templates += tag == "template"
        if self._templates or not (self.forms or tag == "form"):
            return
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        form, name = self.forms[-1], given.get("name", "")
        if "aria-invalid" in given:
            form.errors.add(name)
        if tag == "input" and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
            if name in form.fields:
                form.repeated.append((name, form.fields[name]))
            form.fields[name] = given.get("value", "on" if given.get("type") == "checkbox" else "")
        else:
            self._go_into(form, tag, name, given)

    def _go_into(self, form: Form, tag: str, name: str, given: dict[str, str]) -> None:
        if tag == "textarea":
            self._area, self._text = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = given.get("value", "")
        elif tag == "button":
            self._button, self._label = ({name: given.get("value", "")} if name else {}), given.get("aria-label", "")
            self._text = ""

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template"
        if tag == "textarea" and self._area is not None:
            self.forms[-1].fields[self._area], self._area = self._text.removeprefix("\n"), None
        elif tag == "select":
            self._select = None
        elif tag == "button" and self._button is not None:
            self.forms[-1].buttons[self._label or " ".join(self._text.split())] = self._button
            self._button = None

    def handle_data(self, data: str) -> None:
        self._text += data


def form_with(page: Any, button: str) -> Form:
    """The form of an answer that has this button."""
    found = [form for form in Forms(page.content.decode()).forms if button in form.buttons]
    assert found, f"There is no button ‘{button}’ in: {page.content.decode()}"
    return found[0]


class Admin(Visitor):
    """An admin at the pages of the console."""

    def press(self, button: str, page: Any, changes: Mapping[str, str | None] | None = None) -> Any:
        """Press a button of a page, which is an answer or a path, after its form was changed; None unticks."""
        answer = self.get(page) if isinstance(page, str) else page
        form = form_with(answer, button)
        fields = {**form.fields, **(changes or {}), **form.buttons[button]}
        action = form.action or answer.wsgi_request.get_full_path()
        return self.client.post(action, {name: value for name, value in fields.items() if value is not None})

    def press_all(self, button: str, path: str) -> Any:
        """Press a button of a page as it is; fields that stand several times are sent as often."""
        form = form_with(self.get(path), button)
        pairs = [(name, text.replace("\r\n", "\n").replace("\n", "\r\n")) for name, text in form.sent]
        return self.client.post(form.action or path, urlencode(pairs), "application/x-www-form-urlencoded")
