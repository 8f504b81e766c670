"""The forms of accounts: making one, changing one, and giving one a password."""

from typing import Any

from django import forms
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authpages.models import Role, User
from fastgen_backend.forms import EmailField, JsonText, PasswordField, PlainForm

ROLES_MAX = 200  # that can be chosen here; the API knows no such limit


class MetadataField(JsonText):
    """A JSON object as text; empty is `{}`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(example='{"plan": "free"}', **options)

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise forms.ValidationError(gettext("This must be a JSON object: {…}."))
        return found

    def prepare_value(self, value: Any) -> Any:
        return "" if value == {} else super().prepare_value(value)


class Name(forms.CharField):
    """A part of somebody's name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=150, widget=forms.TextInput({"autocomplete": "off"}), **options)


class UserForm(PlainForm):
    """What an admin may write of a person; the fields are named as `change_user` names them."""

    email = EmailField()
    first_name = Name(label=_("First name"))
    last_name = Name(label=_("Last name"))
    locale = forms.CharField(
        label=_("Language"),
        help_text=_("A language tag such as ‘de’ or ‘pt-BR’; mails are written in it, where there are texts."),
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    email_verified = forms.BooleanField(
        label=_("Address is verified"),
        help_text=_("Switch this on only if you know that the address is theirs."),
        required=False,
    )
    admin = forms.BooleanField(
        label=_("Admin"),
        help_text=_("May use this console, and everything in it."),
        required=False,
    )
    roles = forms.MultipleChoiceField(label=_("Roles"), required=False, widget=forms.CheckboxSelectMultiple)
    metadata = MetadataField(label=_("Metadata"), help_text=_("The person may read and write it."))
    app_metadata = MetadataField(
        label=_("App metadata"), help_text=_("The person may read it; only admins and API keys write it.")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = list(Role.objects.order_by("name_key").values_list("name", flat=True)[:ROLES_MAX])
        names += [name for name in self.initial.get("roles", []) if name not in names]
        self.fields["roles"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
        self.fields["email"].widget.attrs["autocomplete"] = "off"
        for field in self.fields.values():
            field.show_hidden_initial = True  # what was shown comes back, to be compared with

    @property
    def roles_as_shown(self) -> SafeString:
        """What comes back with the form, to be compared with."""
        return self["roles"].as_hidden(only_initial=True)

    def changes(self) -> dict[str, Any]:
        """What differs from the account as it was shown, so that nobody takes back what others changed since."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    @classmethod
    def values_of(cls, user: User) -> dict[str, Any]:
        """The account, as what the form begins with."""
        plain = {name: getattr(user, name) for name in cls.base_fields if hasattr(user, name)}
        return {**plain, "admin": user.is_superuser, "roles": user.role_names}


class NewUserForm(UserForm):
    """An account; without a password a link by mail gives one."""

    password = PasswordField(
        autocomplete="new-password",
        required=False,
        help_text=_("Leave it empty, and send a reset mail: then nobody but the person ever knows it."),
    )


class PasswordForm(PlainForm):
    password = PasswordField(autocomplete="new-password", label=_("New password"))
