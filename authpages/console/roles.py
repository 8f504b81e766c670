"""Roles in the console: what there is, how many people have each, and changing that."""

from functools import cached_property
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import TemplateView

from authpages.models import Role, User
from authpages.services.roles import change_role, create_role, delete_role
from fastgen_backend.console import AdminsOnly, Crumb, done
from fastgen_backend.console_lists import ListPage
from fastgen_backend.errors import NotFound
from fastgen_backend.forms import MISSING, FormPage, PlainForm

PEOPLE_TOLD = 5  # by address, of those who lose a role

DONE = {
    "created": _("The role is made. Give it to people on their pages."),
    "saved": _("The role is changed."),
    "deleted": _("The role is deleted."),
}


class RoleForm(PlainForm):
    name = forms.CharField(
        label=_("Name"),
        help_text=_("Access rules, tokens and the API know it by this name."),
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages=MISSING,
    )
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea({"rows": 2, "autocomplete": "off"})
    )


class RolesPage(ListPage):
    """Roles by name; of each, how many people have it, as far as that is quick to count."""

    notices = DONE
    order = ("name_key",)
    template_name = "authpages/console_roles.html"

    def rows(self) -> QuerySet[Role]:
        return Role.objects.with_counts()


class NewRolePage(AdminsOnly, FormPage):
    template_name = "authpages/console_role.html"
    form_class = RoleForm

    def form_valid(self, form: Any) -> HttpResponse:
        create_role(**form.cleaned_data)
        return done(self.request, reverse("console-roles"), "created")


class OneRole(AdminsOnly):
    """A page about the role that its address names by `role`; where there is none, 404."""

    @cached_property
    def role(self) -> Role:
        found = Role.objects.with_counts().filter(pk=self.kwargs["role"]).first()
        if found is None:
            raise NotFound(gettext("There is no such role. It may have been deleted meanwhile."))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**kwargs, "role": self.role})  # in `kwargs` a `role` is only its id


class RolePage(OneRole, FormPage):
    template_name = "authpages/console_role.html"
    form_class = RoleForm

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.role.name, "description": self.role.description}

    def form_valid(self, form: Any) -> HttpResponse:
        change_role(role_id=self.role.pk, changes={name: form.cleaned_data[name] for name in form.changed_data})
        return done(self.request, reverse("console-roles"), "saved")


class DeleteRolePage(OneRole, TemplateView):
    """Asks, and says who loses the role."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "authpages/console_role_delete.html"

    def trail(self) -> list[Crumb]:
        return [Crumb(self.role.name, reverse("console-roles-role", args=[self.role.pk]))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        losing = User.objects.matching(role=self.role).order_by("-id")[:PEOPLE_TOLD]
        return super().get_context_data(losing=losing, **kwargs)

    def post(self, request: HttpRequest, **_names: Any) -> HttpResponse:
        delete_role(role_id=self.role.pk)
        return done(request, reverse("console-roles"), "deleted")
