"""The forms that make and change an app."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from authpages.console.scope_words import AREAS
from authpages.console.settings_form import WebAddresses
from authpages.models import App
from authpages.services.api_keys import EVERYTHING
from authpages.services.apps import ID_TOKEN_ALGORITHMS
from authpages.services.redirect_uris import why_not_a_redirect_of
from fastgen_backend.errors import FieldError
from fastgen_backend.forms import MISSING, PlainForm

OURS, OTHERS = "first", "third"
KINDS = {  # what developers call it, and the type that it is
    "server": (App.Type.CONFIDENTIAL, _("Website with a server"), _("Its server keeps a secret: Django, Rails, Next.")),
    "spa": (App.Type.PUBLIC, _("Single-page app"), _("It runs in the browser alone, where no secret can be kept.")),
    "native": (
        App.Type.PUBLIC,
        _("Mobile or desktop app"),
        _("It comes back by https, to this machine, or by its own scheme."),
    ),
    "machine": (App.Type.CONFIDENTIAL, _("Only machines"), _("Nobody logs in: a program calls the API by itself.")),
}
PARTIES = {
    OURS: (_("Ours"), _("Nobody is asked what it may know, and its access tokens open our API as the person.")),
    OTHERS: (
        _("Somebody else’s"),
        _("People are asked first; by their login it learns who they are, and nothing more."),
    ),
}
URIS = {"redirect_uris": "redirectUris", "post_logout_redirect_uris": "postLogoutRedirectUris"}
NOT_CHOSEN = {"required": _("Choose one.")}


class AppForm(PlainForm):
    """What of an app can be changed. The default app, and one without a secret, have fewer fields."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("People read it where they are asked, and on their account page."),
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages=MISSING,
    )
    redirect_uris = WebAddresses(
        label=_("Redirect URIs"),
        help_text=_(
            "Where people come back to, one on each line, exactly as the app sends it: scheme, letter case, slashes "
            "and query. Of http://127.0.0.1 and http://localhost any port will do."
        ),
        placeholder="https://app.example.com/callback",
    )
    post_logout_redirect_uris = WebAddresses(
        label=_("After logging out"),
        help_text=_("Where the app may send people when it has logged them out, one on each line; likewise exactly."),
        placeholder="https://app.example.com/",
    )
    first_party = forms.ChoiceField(
        label=_("Whose it is"),
        choices=[(party, words) for party, (words, _text) in PARTIES.items()],
        initial=OURS,
        widget=forms.RadioSelect,
        error_messages=NOT_CHOSEN,
    )
    scopes = forms.MultipleChoiceField(
        choices=[(EVERYTHING, EVERYTHING), *((scope, text) for area in AREAS for scope, text in area.allows.items())],
        required=False,
    )
    id_token_algorithm = forms.ChoiceField(
        label=_("ID tokens are signed by"),
        help_text=_("RS256 is what every library takes; ES256 is shorter."),
        choices=[(each, each) for each in ID_TOKEN_ALGORITHMS],
        initial=ID_TOKEN_ALGORITHMS[0],
        error_messages=MISSING,
    )

    def __init__(self, *args: Any, app: App | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.type = app.type if app else App.Type.PUBLIC
        if app and app.is_default:
            for name in ("name", "redirect_uris", "first_party"):
                del self.fields[name]
        if app and app.type == App.Type.PUBLIC:
            del self.fields["scopes"]
        for name in URIS.keys() & self.fields.keys():
            self.fields[name].show_hidden_initial = app is not None  # what others add meanwhile is not taken back

    def clean(self) -> None:
        """Where there is something else to mend, the URIs are looked at in the same round."""
        if self.errors:
            self._blame_uris(App(type=self.type))

    def changes(self) -> dict[str, Any]:
        """What differs from what was shown, by the names of the model's fields."""
        return self._named(self.changed_data)

    def everything(self) -> dict[str, Any]:
        return self._named(list(self.cleaned_data))

    def parties(self) -> list[dict[str, Any]]:
        """Whose it may be, each with a sentence."""
        return self._cards("first_party", PARTIES)

    def areas(self) -> list[dict[str, Any]]:
        """The boxes to tick, by what they are about."""
        ticked = set(self["scopes"].value() or [])
        groups: list[tuple[Any, dict[str, Any]]] = [(area.name, area.allows) for area in AREAS]
        groups.insert(0, (_("All"), {EVERYTHING: _("Everything, as an admin may, API keys and admins included.")}))
        return [
            {
                "name": name,
                "boxes": [{"scope": scope, "text": text, "ticked": scope in ticked} for scope, text in boxes.items()],
            }
            for name, boxes in groups
        ]

    def _blame_uris(self, app: App) -> None:
        for name, member in URIS.items():
            for at, uri in enumerate(self.cleaned_data.get(name, [])):
                if reason := why_not_a_redirect_of(app, uri):
                    self.blame(FieldError(f"/{member}/{at}", "invalid", reason))

    def _cards(self, name: str, choices: Mapping[str, tuple[Promise, Promise]]) -> list[dict[str, Any]]:
        chosen = self[name].value()
        return [
            {"value": value, "words": words, "text": text, "is_chosen": value == chosen}
            for value, (words, text) in choices.items()
        ]

    def _named(self, names: list[str]) -> dict[str, Any]:
        named = {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
        if "first_party" in named:
            named["first_party"] = named["first_party"] == OURS
        return named


class NewAppForm(AppForm):
    """What it is says which type it has. How its ID tokens are signed is no question at first."""

    id_token_algorithm = None  # type: ignore[assignment]  # Django's way to leave a field out

    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=[(kind, words) for kind, (_type, words, _text) in KINDS.items()],
        widget=forms.RadioSelect,
        error_messages=NOT_CHOSEN,
    )

    def clean(self) -> None:
        self.type = KINDS[self.cleaned_data["kind"]][0] if "kind" in self.cleaned_data else self.type
        super().clean()

    def everything(self) -> dict[str, Any]:
        given = super().everything()
        type, _words, _text = KINDS[given.pop("kind")]
        return {**given, "type": type}

    def kinds(self) -> list[dict[str, Any]]:
        """What it may be, each with a sentence."""
        return self._cards("kind", {kind: (words, text) for kind, (_type, words, text) in KINDS.items()})
