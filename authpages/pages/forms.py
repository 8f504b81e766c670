"""The forms of the hosted pages; what is wrong with an address or a password is for the services to say."""

from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fastgen_backend.forms import EmailField, PasswordField, PlainForm, TokenField


def _password_rule() -> str:
    return _("At least %(count)d characters. A few unrelated words make a good one.") % {
        "count": settings.PASSWORD_MIN_LENGTH
    }


_password_rule_later = lazy(_password_rule, str)


class SignUpForm(PlainForm):
    email = EmailField()
    password = PasswordField(autocomplete="new-password", help_text=_password_rule_later())


class LoginForm(PlainForm):
    email = EmailField()
    password = PasswordField(autocomplete="current-password")


class EmailForm(PlainForm):
    """Asks for a mail: a reset link, or a new verification link."""

    email = EmailField()


class VerifyEmailForm(PlainForm):
    token = TokenField()


class ResetPasswordForm(PlainForm):
    token = TokenField()
    password = PasswordField(
        autocomplete="new-password", label=gettext_lazy("New password"), help_text=_password_rule_later()
    )


class ProfileForm(PlainForm):
    first_name = forms.CharField(
        label=gettext_lazy("First name"),
        required=False,
        max_length=150,
        widget=forms.TextInput({"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"),
        required=False,
        max_length=150,
        widget=forms.TextInput({"autocomplete": "family-name"}),
    )


class PasswordChangeForm(PlainForm):
    current_password = PasswordField(autocomplete="current-password", label=gettext_lazy("Current password"))
    new_password = PasswordField(
        autocomplete="new-password", label=gettext_lazy("New password"), help_text=_password_rule_later()
    )
