"""The forms by which admins come into the console."""

from fastgen_backend.forms import EmailField, PasswordField, PlainForm, TokenField


class ConsoleLoginForm(PlainForm):
    email = EmailField()
    password = PasswordField(autocomplete="current-password")


class SetupForm(PlainForm):
    token = TokenField()
    email = EmailField()
    password = PasswordField(autocomplete="new-password")
