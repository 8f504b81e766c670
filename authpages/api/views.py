"""The REST endpoints of accounts: each says what it takes, calls one service and shows the result."""

from typing import cast

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from authpages.api import serializers as shapes
from authpages.api.authentication import ConsoleAuthentication, PersonAuthentication
from authpages.api.permissions import IsPerson
from authpages.models import HostedAuthSettings, Session, User
from authpages.services import email_verification, password_reset, sessions
from authpages.services.hosted_settings import change_settings
from authpages.services.login import Carrier, log_in
from authpages.services.refresh_tokens import refresh_session
from authpages.services.signup import Profile, sign_up
from authpages.services.user_changes import change_own_profile
from authpages.shown_users import show_user
from fastgen_backend.rest import Endpoint, api_origin, needs_scope

NOTHING = OpenApiResponse(description="Done; there is no body.")
ACCEPTED = OpenApiResponse(description="Accepted; the answer is the same whatever the address.")


class OpenEndpoint(Endpoint):
    """An endpoint for people who have no credentials yet; those they may send all the same are not looked at."""

    authentication_classes = []
    permission_classes = [AllowAny]


class PersonEndpoint(Endpoint):
    """An endpoint for people with a session, which `request.auth` is."""

    authentication_classes = [PersonAuthentication, ConsoleAuthentication]
    permission_classes = [IsPerson]

    @property
    def session(self) -> Session:
        return cast("Session", self.request.auth)  # by IsPerson


class SignUpView(OpenEndpoint):
    bodies = {"POST": shapes.SignUpRequest}

    @extend_schema(summary="Sign up", responses={201: shapes.LoginResponse, 202: shapes.SignUpResponse})
    def post(self, request: Request) -> Response:
        body = self.body
        email, password = body.pop("email"), body.pop("password")
        started = sign_up(
            email=email, password=password, profile=Profile(**body), carrier=Carrier.TOKENS, origin=api_origin(request)
        )
        return Response(shapes.show_login(started), 201) if started else Response({}, 202)


class LoginView(OpenEndpoint):
    bodies = {"POST": shapes.LoginRequest}

    @extend_schema(summary="Log in", responses=shapes.LoginResponse)
    def post(self, request: Request) -> Response:
        """A person has 100 sessions at most: with one more, the one that was not used for longest ends."""
        started = log_in(**self.body, carrier=Carrier.TOKENS, origin=api_origin(request))
        return Response(shapes.show_login(started))


class RefreshView(OpenEndpoint):
    bodies = {"POST": shapes.RefreshRequest}

    @extend_schema(summary="Refresh a session", responses=shapes.RefreshResponse)
    def post(self, request: Request) -> Response:
        """One that began by a log-in or sign-up here; an app refreshes its tokens at `/oauth/token`."""
        started = refresh_session(**self.body, origin=api_origin(request))
        return Response({"session": shapes.show_session(started)})


class LogoutView(PersonEndpoint):
    @extend_schema(summary="Log out", responses={204: NOTHING})
    def post(self, request: Request) -> Response:
        """The whole session: where an app calls, its person is logged out in the browser and in other apps as well."""
        sessions.log_out(session=_session(request), origin=api_origin(request))
        return Response(status=204)


class MeView(PersonEndpoint):
    bodies = {"PATCH": shapes.ProfileRequest}

    @extend_schema(summary="Who am I", responses=shapes.UserResponse)
    def get(self, request: Request) -> Response:
        """Whose access token it is. A third-party app asks `/oauth/userinfo` instead."""
        return Response(show_user(_user(request)))

    @extend_schema(summary="Change my profile", responses=shapes.UserResponse)
    def patch(self, request: Request) -> Response:
        """What people may write of themselves; `metadata` is replaced as a whole."""
        user = change_own_profile(user=_user(request), changes=self.body, origin=api_origin(request))
        return Response(show_user(user))


class VerificationRequestView(PersonEndpoint):
    permission_classes = [AllowAny]
    bodies = {"POST": shapes.VerificationRequest}

    @extend_schema(summary="Ask for a verification mail", responses={202: ACCEPTED})
    def post(self, request: Request) -> Response:
        """For the caller's own address or, with `email`, any address, without telling whether it has an account."""
        if "email" in self.body:
            email_verification.request_verification(**self.body, origin=api_origin(request))
        else:
            IsPerson.require(self, request)
            email_verification.request_own_verification(user=_user(request), origin=api_origin(request))
        return Response({}, 202)


class VerificationSubmitView(OpenEndpoint):
    bodies = {"POST": shapes.TokenRequest}

    @extend_schema(summary="Verify an address", responses=shapes.VerifiedResponse)
    def post(self, request: Request) -> Response:
        user = email_verification.verify_email(**self.body, origin=api_origin(request))
        return Response({"user": show_user(user)})


class ResetRequestView(OpenEndpoint):
    bodies = {"POST": shapes.ResetRequest}

    @extend_schema(summary="Ask for a reset mail", responses={202: ACCEPTED})
    def post(self, request: Request) -> Response:
        password_reset.request_reset(**self.body, origin=api_origin(request))
        return Response({}, 202)


class ResetSubmitView(OpenEndpoint):
    bodies = {"POST": shapes.ResetSubmitRequest}

    @extend_schema(summary="Set a new password", responses={204: NOTHING})
    def post(self, request: Request) -> Response:
        password_reset.reset_password(**self.body, origin=api_origin(request))
        return Response(status=204)


class HostedAuthView(Endpoint):
    permission_classes = [needs_scope("settings:read", "settings:write")]
    bodies = {"PATCH": shapes.HostedAuthFields}

    @extend_schema(summary="Read the hosted authentication settings", responses=shapes.HostedAuthFields)
    def get(self, request: Request) -> Response:
        return Response(shapes.show_hosted_settings(HostedAuthSettings.load()))

    @extend_schema(summary="Change the hosted authentication settings", responses=shapes.HostedAuthFields)
    def patch(self, request: Request) -> Response:
        return Response(shapes.show_hosted_settings(change_settings(changes=self.body)))


def _session(request: Request) -> Session:
    return cast("Session", request.auth)  # by IsPerson


def _user(request: Request) -> User:
    return _session(request).user
