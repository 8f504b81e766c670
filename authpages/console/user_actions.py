"""What an admin does to an account with one button; what shuts somebody out asks first and says what ends."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.generic.base import TemplateView

from authpages.console.people import PersonPage
from authpages.services.blocking import block_user, unblock_user
from authpages.services.sign_in_obstacles import lift_throttle
from authpages.services.user_changes import change_user
from authpages.services.user_mails import send_reset_mail, send_verification_mail
from authpages.services.user_sessions import end_every_session, end_one_session


class Question(PersonPage, TemplateView):
    """Asks before something is lost, and has it done."""

    http_method_names = ["get", "head", "post", "options"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(sessions=self.person.sessions.alive(timezone.now()).count(), **kwargs)


class BlockPage(Question):
    template_name = "authpages/console_user_block.html"

    def post(self, request: HttpRequest, user: UUID) -> HttpResponse:
        block_user(**self.by_admin)
        return self.done("blocked")


class EndSessionsPage(Question):
    template_name = "authpages/console_user_end_sessions.html"

    def post(self, request: HttpRequest, user: UUID) -> HttpResponse:
        end_every_session(**self.by_admin)
        return self.done("sessions-ended")


class Action(PersonPage):
    http_method_names = ["post", "options"]


class EndSession(Action):
    def post(self, request: HttpRequest, user: UUID, session: UUID) -> HttpResponse:
        end_one_session(session_id=session, **self.by_admin)
        return self.done("session-ended")


class Unblock(Action):
    def post(self, request: HttpRequest, user: UUID) -> HttpResponse:
        unblock_user(**self.by_admin)
        return self.done("unblocked")


class MarkVerified(Action):
    def post(self, request: HttpRequest, user: UUID) -> HttpResponse:
        change_user(changes={"email_verified": True}, **self.by_admin)
        return self.done("verified")


class LiftThrottle(Action):
    def post(self, request: HttpRequest, user: UUID) -> HttpResponse:
        lift_throttle(**self.by_admin)
        return self.done("throttle-lifted")


class SendVerification(Action):
    def post(self, request: HttpRequest, user: UUID) -> HttpResponse:
        send_verification_mail(**self.by_admin)
        return self.done("verification-sent")


class SendReset(Action):
    def post(self, request: HttpRequest, user: UUID) -> HttpResponse:
        send_reset_mail(**self.by_admin)
        return self.done("reset-sent")
