"""The hosted pages. GET and HEAD change nothing, ever: mail scanners follow links too."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from authpages.browser_sessions import device_cookie, drop_session, is_pending_here, remember_pending, session_of
from authpages.errors import LinkExpired, LinkInvalid
from authpages.hosted_pages import HostedPage, LandingPage
from authpages.pages.forms import EmailForm, LoginForm, ResetPasswordForm, SignUpForm, VerifyEmailForm
from authpages.services.authorization import asks_to_log_in_again
from authpages.services.email_verification import (
    find_verification_link,
    request_verification,
    verify_email,
)
from authpages.services.links import Purpose, find_link
from authpages.services.login import Carrier, log_in
from authpages.services.password_reset import request_reset, reset_password
from authpages.services.sessions import log_out
from authpages.services.signup import sign_up
from fastgen_backend.errors import DomainError
from fastgen_backend.forms import FormPage, PlainForm
from fastgen_backend.redirects import SeeOther, with_next

NOTICES = {
    "password-changed": _("Your password was changed. Log in with the new one."),
    "verified": _("Your address is verified. Log in to go on."),
}


class ArrivalPage(LandingPage):
    """A page on which an app's people arrive, who may have told the app their address."""

    def get_initial(self) -> dict[str, Any]:
        """The address that the app has for them: what they would type, and no more than that."""
        return {"email": self.pending.parameters.get("login_hint", "") if self.pending else ""}


class SignUpPage(ArrivalPage):
    """Makes an account; logs in and lands, or asks to look into the mail where the address has to be verified first."""

    template_name = "authpages/signup.html"
    form_class = SignUpForm

    def instead(self) -> HttpResponse | None:
        if self.hosted.allow_signups:
            return None
        return render(self.request, "authpages/signup_closed.html", self.get_context_data(form=None), status=403)

    def form_valid(self, form: PlainForm) -> HttpResponse:
        email = form.cleaned_data["email"]
        password = form.cleaned_data["password"]
        started = sign_up(
            email=email,
            password=password,
            carrier=Carrier.COOKIE,
            origin=self.origin(),
            device_cookie=device_cookie(self.request),
            next_path=self.next_path,
        )
        context = self.get_context_data(form=form, email=email)
        response = self.enter(started) if started else render(self.request, "authpages/signup_sent.html", context)
        remember_pending(response, email)
        return response


class LoginPage(ArrivalPage):
    """Logs in. Who is logged in already may go on as they are, unless an app wants them to show who they are."""

    template_name = "authpages/login.html"
    form_class = LoginForm

    def form_valid(self, form: PlainForm) -> HttpResponse:
        started = log_in(
            **form.cleaned_data,
            carrier=Carrier.COOKIE,
            origin=self.origin(),
            device_cookie=device_cookie(self.request),
            current=session_of(self.request),
        )
        return self.enter(started)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        notice = NOTICES.get(self.request.GET.get("notice", ""))
        session = session_of(self.request)
        if session and self.pending and asks_to_log_in_again(self.pending, session):
            session = None
        return super().get_context_data(notice=notice, session=session, landing=self.landing(), **kwargs)


class LogoutPage(HostedPage, FormPage):
    template_name = "authpages/logout.html"
    form_class = PlainForm

    def form_valid(self, form: PlainForm) -> HttpResponse:
        session = session_of(self.request)
        if session:
            log_out(session=session, origin=self.origin())
        response = SeeOther(reverse("login"))
        drop_session(response)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(session=session_of(self.request), **kwargs)


class VerifyEmailPage(LandingPage):
    """Opens a verification link. The token is spent by a POST, which a script sends where the mail was asked for.

    Without a usable token it offers a new link; that form posts an address here, and is answered alike for all.
    """

    template_name = "authpages/verify_email.html"
    form_class = EmailForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token = request.GET.get("token")
        if token is None:
            return self.offer_new_link(None)
        self.go_on_as_link(Purpose.VERIFICATION, token)
        try:
            link = find_verification_link(token)
        except DomainError as error:
            return self.offer_new_link(error)
        form = VerifyEmailForm(initial={"token": token})
        at_once = is_pending_here(request, link.email_key)
        return self.render_to_response(self.get_context_data(form=form, at_once=at_once, link=link))

    def get_form_class(self) -> type[PlainForm]:
        return VerifyEmailForm if "token" in self.request.POST else EmailForm

    def form_valid(self, form: PlainForm) -> HttpResponse:
        if isinstance(form, EmailForm):
            return self.send_new_link(form)
        token = form.cleaned_data["token"]
        self.go_on_as_link(Purpose.VERIFICATION, token)
        verify_email(token=token, origin=self.origin())
        landing = self.landing()
        if session_of(self.request) or not (self.pending or landing == reverse("account")):
            return SeeOther(landing)
        # The account would send them there as well, but not say why.
        return SeeOther(with_next(f"{reverse('login')}?notice=verified", self.next_path))

    def form_invalid(self, form: PlainForm) -> HttpResponse:
        return self.offer_new_link(None, form, status=400)

    def refused(self, form: PlainForm, error: DomainError) -> HttpResponse:
        if isinstance(error, LinkInvalid | LinkExpired):
            return self.offer_new_link(error)
        self.template_name = "authpages/verify_email_again.html"
        return super().refused(form, error)

    def send_new_link(self, form: EmailForm) -> HttpResponse:
        email = form.cleaned_data["email"]
        request_verification(email=email, origin=self.origin(), next_path=self.next_path)
        response = render(self.request, "authpages/verify_email_sent.html", self.get_context_data(email=email))
        remember_pending(response, email)
        return response

    def offer_new_link(
        self, error: DomainError | None, form: PlainForm | None = None, status: int = 200
    ) -> HttpResponse:
        context = self.get_context_data(form=form or EmailForm(), error=error)
        return render(
            self.request, "authpages/verify_email_again.html", context, status=error.status if error else status
        )


class ForgotPasswordPage(HostedPage, FormPage):
    """Asks for a reset link; the answer tells nobody whether the address has an account."""

    template_name = "authpages/forgot_password.html"
    form_class = EmailForm

    def form_valid(self, form: PlainForm) -> HttpResponse:
        email = form.cleaned_data["email"]
        request_reset(email=email, origin=self.origin(), next_path=self.next_path)
        return render(self.request, "authpages/forgot_password_sent.html", self.get_context_data(email=email))


class ResetPasswordPage(HostedPage, FormPage):
    """Sets a new password with a link; only the POST that succeeds spends it."""

    template_name = "authpages/reset_password.html"
    form_class = ResetPasswordForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token = request.GET.get("token", "")
        form = ResetPasswordForm(initial={"token": token})
        self.go_on_as_link(Purpose.RESET, token)
        try:
            find_link(Purpose.RESET, token)
        except DomainError as error:
            return self.refused(form, error)
        return self.render_to_response(self.get_context_data(form=form))

    def form_valid(self, form: PlainForm) -> HttpResponse:
        token = form.cleaned_data["token"]
        self.go_on_as_link(Purpose.RESET, token)
        reset_password(token=token, password=form.cleaned_data["password"], origin=self.origin())
        response = SeeOther(with_next(f"{reverse('login')}?notice=password-changed", self.next_path))
        drop_session(response)
        return response

    def refused(self, form: PlainForm, error: DomainError) -> HttpResponse:
        if not isinstance(error, LinkInvalid | LinkExpired):
            return super().refused(form, error)
        context = self.get_context_data(form=form, error=error)
        return render(self.request, "authpages/reset_password_again.html", context, status=error.status)
