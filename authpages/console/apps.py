"""Apps in the console: which there are, making one, its secret this once, changing and ending it."""

from functools import cached_property
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.generic.base import TemplateView

from authpages.console.app_forms import OTHERS, OURS, AppForm, NewAppForm
from authpages.console.redirect_words import shown
from authpages.console.scope_words import in_words
from authpages.endpoints import endpoints
from authpages.models import App, RefusedRedirect, User
from authpages.services.allowed_origins import pages_that_may_call
from authpages.services.apps import (
    NOBODY,
    Giver,
    NewSecret,
    change_app,
    create_app,
    default_app,
    delete_app,
    end_former_secret,
    read_app,
    rotate_secret,
)
from authpages.services.redirect_uris import redirect_uris_of
from authpages.services.refused_redirects import find_refused_redirect
from fastgen_backend.console import AdminsOnly, Crumb, admin_of, done, go_on
from fastgen_backend.console_lists import ListPage
from fastgen_backend.forms import FormPage, PlainForm
from fastgen_backend.shown_once import forget_shown, keep_to_show, kept_to_show

UNKNOWN_SHOWN = 10
LONGEST_SEARCH = 200
DONE = {
    "saved": _("The app is changed."),
    "added": _("The address is registered. Whoever comes by it now is taken there."),
    "may-call": _("Its pages of this origin may call now."),
    "ended": _("The former secret works no longer."),
    "deleted": _("The app is deleted. Whoever was logged in through it has to log in elsewhere."),
}


def giver_of(request: HttpRequest) -> Giver:
    """The admin, who gives what they like."""
    admin = admin_of(request)
    return Giver(lambda _scope: True, admin.pk) if admin else NOBODY


class AppsPage(ListPage):
    """The default app first; `?search=` finds an app by its name or its id, and what was refused by its reference."""

    notices = DONE
    order = ("-is_default", "-id")
    template_name = "authpages/console_apps.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.search = request.GET.get("search", "").replace("\0", "").strip()[:LONGEST_SEARCH]
        found = find_refused_redirect(self.search)
        if found and found.app_id:
            return go_on(request, f"{reverse('console-apps-app', args=[found.app_id])}#{found.reference}")
        self.found = found
        return super().get(request, *args, **kwargs)

    def rows(self) -> QuerySet[App]:
        default_app()
        return App.objects.matching(self.search).with_holders(timezone.now())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        unknown = RefusedRedirect.objects.filter(app=None).order_by("-last_at")[:UNKNOWN_SHOWN]
        asked = {"search": self.search, "found": self.found}
        return super().get_context_data(unknown=unknown, days=settings.LINK_RETENTION_DAYS, **asked, **kwargs)


class NewAppPage(AdminsOnly, FormPage):
    template_name = "authpages/console_app_new.html"
    form_class = NewAppForm

    def form_valid(self, form: PlainForm) -> HttpResponse:
        made = create_app(**cast("AppForm", form).everything(), giver=giver_of(self.request))
        return shown_once(self.request, made)


class OneApp(AdminsOnly):
    """A page about the app that its address names; where there is none, 404."""

    @cached_property
    def app(self) -> App:
        return read_app(self.kwargs["app"])

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.here = reverse("console-apps-app", args=[kwargs["app"]])
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**kwargs, "app": self.app, "base": settings.BASE_URL})


class BelowApp(OneApp):
    """A page below that of the app."""

    def trail(self) -> list[Crumb]:
        return [Crumb(self.app.shown_name, self.here)]


class AppPage(OneApp, TemplateView):
    """What a developer has to know of it, who is logged in through it, and what it was refused."""

    http_method_names = ["get", "head", "options"]
    notices = DONE
    template_name = "authpages/console_app.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        app = self.app
        former = app.former_secret_until
        refused = app.refused_redirects.order_by("-last_at")
        told = {
            "redirect_uris": redirect_uris_of(app),
            "scopes": in_words(app.scopes),
            "giver": User.objects.filter(pk=app.scopes_given_by_id).first() if app.scopes_given_by_id else None,
            "asleep": app.is_asleep,
            "holders": app.holders(timezone.now()),
            "former_until": former if former and former > timezone.now() else None,
            "pages": pages_that_may_call(app),
            "endpoints": endpoints(),
            "refused": [shown(each, app) for each in refused],
            "days": settings.LINK_RETENTION_DAYS,
        }
        return super().get_context_data(**told, **kwargs)


class EditAppPage(BelowApp, FormPage):
    template_name = "authpages/console_app_edit.html"
    form_class = AppForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "app": self.app}

    def get_initial(self) -> dict[str, Any]:
        app = self.app
        fields = ("name", "redirect_uris", "post_logout_redirect_uris", "scopes", "id_token_algorithm")
        return {**{name: getattr(app, name) for name in fields}, "first_party": OURS if app.first_party else OTHERS}

    def form_valid(self, form: PlainForm) -> HttpResponse:
        change_app(app_id=self.app.pk, changes=cast("AppForm", form).changes(), giver=giver_of(self.request))
        return done(self.request, self.here, "saved")


class AskAboutApp(BelowApp, TemplateView):
    """A question before something changes."""

    http_method_names = ["get", "head", "post", "options"]


class RotateSecretPage(AskAboutApp):
    template_name = "authpages/console_app_rotate.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(asleep=self.app.is_asleep, **kwargs)

    def post(self, request: HttpRequest, **_names: Any) -> HttpResponse:
        return shown_once(request, rotate_secret(app_id=self.app.pk, giver=giver_of(request)))


class AppSecretPage(BelowApp, TemplateView):
    """The secret itself, this once."""

    http_method_names = ["get", "head", "options"]
    template_name = "authpages/console_app_secret.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return forget_shown(super().get(request, *args, **kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(secret=kept_to_show(self.request, of=str(self.app.pk)), **kwargs)


class EndFormerSecret(OneApp):
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, **_names: Any) -> HttpResponse:
        end_former_secret(app_id=self.app.pk)
        return done(request, self.here, "ended")


class DeleteAppPage(AskAboutApp):
    """Asks, and says how many are logged in through it."""

    template_name = "authpages/console_app_delete.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(holders=self.app.holders(timezone.now()), **kwargs)

    def post(self, request: HttpRequest, **_names: Any) -> HttpResponse:
        delete_app(app_id=self.app.pk)
        return done(request, reverse("console-apps"), "deleted")


def shown_once(request: HttpRequest, made: NewSecret) -> HttpResponse:
    """On to the page that shows the secret this once; of a public app, which has none, to the app's own."""
    if not made.secret:
        return go_on(request, reverse("console-apps-app", args=[made.app.pk]))
    response = go_on(request, reverse("console-apps-secret", args=[made.app.pk]))
    return keep_to_show(response, of=str(made.app.pk), secret=made.secret)
