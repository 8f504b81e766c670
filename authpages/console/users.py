"""Accounts in the console: finding, making and changing them."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from authpages.console.people import PersonPage
from authpages.console.user_forms import NewUserForm, PasswordForm, UserForm
from authpages.console.user_list import UserFilters
from authpages.models import User
from authpages.services.user_changes import change_user
from authpages.services.users import create_user
from fastgen_backend.console import AdminsOnly, console_origin, done
from fastgen_backend.console_lists import ListPage
from fastgen_backend.forms import FormPage


class UsersPage(ListPage):
    """People, the newest first; found by the beginning of an address or a name, and by what they are."""

    notices = {"deleted": _("The account is deleted.")}
    template_name = "authpages/console_users.html"

    def rows(self) -> QuerySet[User]:
        return UserFilters.of(self.request).found()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(filters=UserFilters.of(self.request), **kwargs)


class NewUserPage(AdminsOnly, FormPage):
    template_name = "authpages/console_user_new.html"
    form_class = NewUserForm

    def form_valid(self, form: Any) -> HttpResponse:
        given = {**form.cleaned_data, "password": form.cleaned_data["password"] or None}
        user = create_user(**given, origin=console_origin(self.request), may_manage_admins=True)
        return done(self.request, reverse("console-users-person", args=[user.pk]), "created")


class EditUserPage(PersonPage, FormPage):
    """Saves what was changed, all of it or nothing."""

    template_name = "authpages/console_user_edit.html"
    form_class = UserForm

    def get_initial(self) -> dict[str, Any]:
        return UserForm.values_of(self.person)

    def form_valid(self, form: Any) -> HttpResponse:
        if changes := form.changes():
            change_user(changes=changes, **self.by_admin)
        return self.done("saved")


class PasswordPage(PersonPage, FormPage):
    """Gives a person a password."""

    template_name = "authpages/console_user_password.html"
    form_class = PasswordForm

    def form_valid(self, form: Any) -> HttpResponse:
        change_user(changes={"password": form.cleaned_data["password"]}, **self.by_admin)
        return self.done("password-set")
