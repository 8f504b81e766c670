"""The forms of the console: coming in, and the hosted authentication settings."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from authpages.models import HostedAuthSettings
from fastgen_backend.forms import MISSING, EmailField, PasswordField, PlainForm, TokenField


class ConsoleLoginForm(PlainForm):
    email = EmailField()
    password = PasswordField(autocomplete="current-password")


class SetupForm(PlainForm):
    token = TokenField()
    email = EmailField()
    password = PasswordField(autocomplete="new-password")


class WebAddress(forms.CharField):
    """A URL as text: the services say what is wrong with it, in better words than a browser's."""

    def __init__(self, **options: Any) -> None:
        attributes = {"inputmode": "url", "spellcheck": "false", "autocapitalize": "none", "placeholder": "https://"}
        super().__init__(required=False, widget=forms.TextInput(attributes), **options)


class HostedSettingsForm(PlainForm):
    """Every setting of the hosted pages; its fields are named as the model's."""

    pages_enabled = forms.BooleanField(
        label=_("Hosted pages"),
        help_text=_("Off: /login, /signup and the others answer 404, and mails carry no links."),
        required=False,
    )
    allow_signups = forms.BooleanField(
        label=_("Allow user sign-ups"),
        help_text=_("Off: nobody can make an account themselves. Admins and API keys still can."),
        required=False,
    )
    require_verified_email = forms.BooleanField(
        label=_("Require a verified address"),
        help_text=_("People log in only after they have opened the link in their mail."),
        required=False,
    )
    builtin_mailer = forms.BooleanField(
        label=_("Send mails"),
        help_text=_("Off: you send them yourself, when you hear the events."),
        required=False,
    )
    callback_url = WebAddress(
        label=_("Callback URL"),
        help_text=_("Where people land after logging in or verifying their address. Without one: /account."),
    )
    product_name = forms.CharField(label=_("Product name"), error_messages=MISSING)
    accent_color = forms.CharField(
        label=_("Accent colour"),
        help_text=_("For buttons and links. The shades that keep text readable are found for you."),
        widget=forms.TextInput({"spellcheck": "false", "data-colour": _("Pick a colour")}),
        error_messages=MISSING,
    )
    logo_url = WebAddress(
        label=_("Logo"),
        help_text=_("PNG, JPEG or WebP, up to 256 kB. It is fetched once, when you save, and served from here."),
    )
    support_email = forms.CharField(
        label=_("Support address"),
        help_text=_("Behind “Help” at the foot of every page."),
        required=False,
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    terms_url = WebAddress(label=_("Terms"))
    privacy_url = WebAddress(label=_("Privacy policy"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.show_hidden_initial = True  # what was shown comes back with the form, to be compared with

    def changes(self) -> dict[str, Any]:
        """What differs from the settings as they were shown, so that nobody takes back what others changed since."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    @classmethod
    def values_of(cls, hosted: HostedAuthSettings) -> dict[str, Any]:
        """The settings, as what the form begins with."""
        return {name: getattr(hosted, name) for name in cls.base_fields}
