"""A person’s own page: who they are, their password, where they are logged in, and which apps have access.

One page of several forms, each with an address of its own; where one is refused the whole page comes back, with what
there is to mend in its place.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from authpages.app_scopes import words_of
from authpages.browser_sessions import device_cookie, is_pending_here, keep_session, remember_pending, session_of
from authpages.devices import device_name, is_handheld
from authpages.hosted_pages import LandingPage
from authpages.models import EndReason, Session
from authpages.pages.forms import PasswordChangeForm, ProfileForm
from authpages.services.consents import Access, accesses_of, app_names_of, remove_access
from authpages.services.email_verification import request_own_verification
from authpages.services.password_change import change_password
from authpages.services.session_locks import stands_still
from authpages.services.sessions import SEEN_EVERY, end_other_sessions, end_session_of
from authpages.services.user_changes import change_own_profile
from fastgen_backend.errors import DomainError
from fastgen_backend.forms import PlainForm
from fastgen_backend.redirects import SeeOther, with_next

SHOWN_SESSIONS = 50
NOTICES = {
    "not-sent": ("page", _("You had been logged out, so what you sent was not taken. Please send it again.")),
    "mail-sent": ("verification", _("A new link is on its way. It may take a minute; look into the spam folder, too.")),
    "profile-saved": ("profile", _("Your name is saved.")),
    "password-changed": ("password", _("Your password is changed, and every other device is logged out.")),
    "session-ended": ("sessions", _("That device is logged out.")),
    "sessions-ended": ("sessions", _("Every other device is logged out.")),
    "access-removed": ("apps", _("That app has no access any more.")),
    "app-left": ("apps", _("You are logged out of that app.")),
}


@dataclass(frozen=True, slots=True)
class ShownSession:
    """A line of the list: `session` itself, the device in words, and the names of the apps that hold it.

    It is active where it was seen just now.
    """

    session: Session
    device: str
    is_handheld: bool
    is_current: bool
    is_active: bool
    apps: list[str]


@dataclass(frozen=True, slots=True)
class ShownAccess:
    """An app that has access, and what it may see, in words."""

    access: Access
    name: str
    learns: list[Promise]


class AccountPage(LandingPage):
    """The page itself; its own form asks for a new verification link."""

    template_name = "authpages/account.html"
    form_class: type[PlainForm] = PlainForm
    part: ClassVar[str] = "verification"

    def instead(self) -> HttpResponse | None:
        return None if session_of(self.request) else self._log_in_first()

    def refused(self, form: PlainForm, error: DomainError) -> HttpResponse:
        """Whoever is logged out by now, perhaps for having stolen the cookie, is shown nothing more."""
        return super().refused(form, error) if stands_still(self.session) else self._log_in_first()

    def _log_in_first(self) -> HttpResponse:
        account = reverse("account")
        back = f"{account}?notice=not-sent" if self.request.method == "POST" else account
        return SeeOther(with_next(reverse("login"), back))

    def form_valid(self, form: PlainForm) -> HttpResponse:
        user = self.session.user
        request_own_verification(user=user, origin=self.origin())
        response = _back("mail-sent")
        remember_pending(response, user.email)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.session.user
        names = {"first_name": user.first_name, "last_name": user.last_name}
        forms = {"profile": ProfileForm(initial=names), "password": PasswordChangeForm()}
        forms |= {"sessions": PlainForm(), "apps": PlainForm()}
        if "form" in kwargs:
            forms[self.part] = kwargs["form"]
        notice = NOTICES.get(self.request.GET.get("notice", "")) if self.request.method == "GET" else None
        sessions = self._sessions()
        return super().get_context_data(
            user=user,
            pending=is_pending_here(self.request, user.email_key),
            forms=forms,
            told=dict([notice]) if notice else {},
            sessions=sessions[:SHOWN_SESSIONS],
            accesses=self._accesses(),
            there_are_more=len(sessions) > SHOWN_SESSIONS,
            landing=self.landing(),
            **kwargs,
        )

    @property
    def session(self) -> Session:
        session = session_of(self.request)
        if session is None:
            raise PermissionDenied
        return session

    def _sessions(self) -> list[ShownSession]:
        """The current one first, then the newest by their last use; one more than are shown, where there are more."""
        current, lately = self.session, timezone.now() - 2 * SEEN_EVERY
        living = current.user.sessions.alive(timezone.now()).exclude(pk=current.pk)
        newest = living.order_by("-pk")[:SHOWN_SESSIONS]
        found = [current, *sorted(newest, key=lambda each: each.last_seen_at, reverse=True)]
        apps, product = app_names_of(found), self.hosted.product_name
        return [
            ShownSession(
                session=each,
                device=device_name(each.user_agent),
                is_handheld=is_handheld(each.user_agent),
                is_current=each == current,
                is_active=each == current or each.last_seen_at > lately,
                apps=[name or product for name in apps.get(each.pk, [])],
            )
            for each in found
        ]

    def _accesses(self) -> dict[str, list[ShownAccess]]:
        """Ours, which ask nobody, and those of others."""
        product = self.hosted.product_name
        found = [
            ShownAccess(each, each.name or product, words_of(each.scope)) for each in accesses_of(self.session.user)
        ]
        return {
            "ours": [each for each in found if each.access.is_ours],
            "others": [each for each in found if not each.access.is_ours],
        }


class AccountPart(AccountPage):
    """A form of the page that is sent to an address of its own; who opens that gets the page."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return SeeOther(reverse("account"))


class ProfilePart(AccountPart):
    form_class = ProfileForm
    part = "profile"

    def form_valid(self, form: PlainForm) -> HttpResponse:
        change_own_profile(user=self.session.user, changes=form.cleaned_data, origin=self.origin())
        return _back("profile-saved")


class PasswordPart(AccountPart):
    form_class = PasswordChangeForm
    part = "password"

    def form_valid(self, form: PlainForm) -> HttpResponse:
        renewed = change_password(
            session=self.session,
            current=form.cleaned_data["current_password"],
            new=form.cleaned_data["new_password"],
            origin=self.origin(),
            device_cookie=device_cookie(self.request),
        )
        response = _back("password-changed")
        keep_session(self.request, response, renewed)
        return response


class SessionPart(AccountPart):
    """Ends one session."""

    part = "sessions"

    def form_valid(self, form: PlainForm) -> HttpResponse:
        user, session_id = self.session.user, self.kwargs["id"]
        end_session_of(user=user, session_id=session_id, reason=EndReason.ENDED_BY_OWNER, origin=self.origin())
        return _back("session-ended")


class OtherSessionsPart(AccountPart):
    """Ends every session but this one."""

    part = "sessions"

    def form_valid(self, form: PlainForm) -> HttpResponse:
        renewed = end_other_sessions(session=self.session, origin=self.origin())
        response = _back("sessions-ended")
        keep_session(self.request, response, renewed)
        return response


class AppPart(AccountPart):
    """Takes an app's access back; an app of ours, which was never given any, is logged out of."""

    part = "apps"

    def form_valid(self, form: PlainForm) -> HttpResponse:
        app = remove_access(user=self.session.user, app_id=self.kwargs["id"], origin=self.origin())
        return _back("app-left" if app.first_party else "access-removed")


def _back(notice: str) -> HttpResponse:
    return SeeOther(f"{reverse('account')}?notice={notice}")
