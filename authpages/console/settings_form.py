"""The form of the hosted authentication settings."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authpages.logo import MAX_BYTES
from authpages.models import HostedAuthSettings
from fastgen_backend.errors import FieldError
from fastgen_backend.forms import MISSING, Lines, PlainForm


class WebAddress(forms.CharField):
    """A URL as text: the services say what is wrong with it, in better words than a browser's."""

    def __init__(self, **options: Any) -> None:
        attributes = {"inputmode": "url", "spellcheck": "false", "autocapitalize": "none", "placeholder": "https://"}
        super().__init__(required=False, widget=forms.TextInput(attributes), **options)


class WebAddresses(Lines):
    """Several of them, one on each line."""

    def __init__(self, *, placeholder: str, **options: Any) -> None:
        attributes = {"rows": 3, "spellcheck": "false", "autocapitalize": "none", "placeholder": placeholder}
        super().__init__(required=False, widget=forms.Textarea(attributes), **options)


class HostedSettingsForm(PlainForm):
    """Every setting of the hosted pages; its fields are named as the model's, but those of a logo that is sent."""

    NOT_SHOWN_BEFORE = ("logo", "remove_logo")

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
        help_text=_(
            "Where people land after verifying their address, or after logging in without an app that sent them. It "
            "gets ?iss=, and your app begins its log-in from there. The default app may send people to it as well. "
            "Without one: /account."
        ),
    )
    allowed_redirect_urls = WebAddresses(
        label=_("Further redirect URLs"),
        help_text=_("Where the default app may send people besides, one on each line, exactly as it sends them."),
        placeholder="https://",
    )
    allowed_origins = WebAddresses(
        label=_("Allowed origins"),
        help_text=_(
            "Pages of these may call the API from a browser, with tokens and never with cookies. One on each line, "
            "such as https://app.example.com; without any, those of the URLs above."
        ),
        placeholder="https://",
    )
    product_name = forms.CharField(label=_("Product name"), error_messages=MISSING)
    accent_color = forms.CharField(
        label=_("Accent colour"),
        help_text=_("For buttons and links. The shades that keep text readable are found for you."),
        widget=forms.TextInput({"spellcheck": "false", "data-colour": _("Pick a colour")}),
        error_messages=MISSING,
    )
    logo = forms.FileField(
        label=_("Logo"),
        help_text=_("PNG, JPEG or WebP, up to 256 kB. Only its pixels are kept."),
        required=False,
        allow_empty_file=True,  # the service says what is wrong with a picture
        widget=forms.FileInput(
            {
                "accept": "image/png,image/jpeg,image/webp",
                "data-largest": MAX_BYTES,
                "data-too-large": _("This file is larger than 256 kB and was not taken. Choose a smaller one."),
            }
        ),
    )
    logo_url = WebAddress(
        label=_("or its address"),
        help_text=_("It is fetched once, when you save, and served from here."),
    )
    remove_logo = forms.BooleanField(label=_("Remove the logo"), required=False)
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
        for name, field in self.fields.items():
            # What was shown comes back with the form, to be compared with.
            field.show_hidden_initial = name not in self.NOT_SHOWN_BEFORE

    def clean(self) -> dict[str, Any]:
        if self.sent_logo and "logo_url" in self.changed_data and self.cleaned_data.get("logo_url"):
            self.add_error("logo", gettext("Send a picture or give its address, not both."))
        return self.cleaned_data

    @property
    def sent_logo(self) -> "UploadedFile[bytes] | None":
        found: UploadedFile[bytes] | None = self.files.get("logo")
        return found

    def read_logo(self) -> bytes | None:
        """What was sent as a logo, so much of it that the service can tell whether that is too much."""
        sent = self.sent_logo
        if sent is None:
            return None
        sent.seek(0)
        return bytes(sent.read(MAX_BYTES + 1))

    def changes(self) -> dict[str, Any]:
        """What differs from the settings as they were shown, so that nobody takes back what others changed since."""
        changed = [name for name in self.changed_data if name not in self.NOT_SHOWN_BEFORE]
        changes = {name: self.cleaned_data[name] for name in changed if name in self.cleaned_data}
        if "allowed_origins" in changes:
            changes["allowed_origins"] = changes["allowed_origins"] or None
        if self.cleaned_data.get("remove_logo"):
            changes.setdefault("logo_url", "")
        return changes

    def blame(self, error: FieldError) -> None:
        is_sent = error.pointer == "/logoUrl" and self.sent_logo
        super().blame(error._replace(pointer="/logo") if is_sent else error)

    @classmethod
    def values_of(cls, hosted: HostedAuthSettings) -> dict[str, Any]:
        """The settings, as what the form begins with."""
        values = {name: getattr(hosted, name) for name in cls.base_fields if name not in cls.NOT_SHOWN_BEFORE}
        return values | {"allowed_origins": hosted.allowed_origins or []}
