"""The REST endpoints of accounts: each reads its body strictly, calls one service and shows the result."""

from typing import cast

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from authpages.api import serializers as shapes
from authpages.api.permissions import IsPerson
from authpages.models import HostedAuthSettings, Session, User
from authpages.services import email_verification, password_reset, sessions
from authpages.services.hosted_settings import change_settings
from authpages.services.login import Carrier, log_in
from authpages.services.signup import Profile, sign_up
from fastgen_backend.rest import Endpoint, api_origin, needs_scope

NOTHING = OpenApiResponse(description="Done; there is no body.")
ACCEPTED = OpenApiResponse(description="Accepted; the answer is the same whatever the address.")


class OpenEndpoint(Endpoint):
    """An endpoint for people who have no credentials yet; those they may send all the same are not looked at."""

    authentication_classes = []
    permission_classes = [AllowAny]


class SignUpView(OpenEndpoint):
    @extend_schema(
        summary="Sign up",
        request=shapes.SignUpRequest,
        responses={201: shapes.LoginResponse, 202: shapes.SignUpResponse},
    )
    def post(self, request: Request) -> Response:
        body = self.read_body(shapes.SignUpRequest)
        email, password = body.pop("email"), body.pop("password")
        started = sign_up(
            email=email, password=password, profile=Profile(**body), carrier=Carrier.TOKENS, origin=api_origin(request)
        )
        return Response(shapes.show_login(started), 201) if started else Response({}, 202)


class LoginView(OpenEndpoint):
    @extend_schema(summary="Log in", request=shapes.LoginRequest, responses=shapes.LoginResponse)
    def post(self, request: Request) -> Response:
        body = self.read_body(shapes.LoginRequest)
        started = log_in(**body, carrier=Carrier.TOKENS, origin=api_origin(request))
        return Response(shapes.show_login(started))


class RefreshView(OpenEndpoint):
    @extend_schema(summary="Refresh a session", request=shapes.RefreshRequest, responses=shapes.RefreshResponse)
    def post(self, request: Request) -> Response:
        body = self.read_body(shapes.RefreshRequest)
        started = sessions.refresh_session(**body, origin=api_origin(request))
        return Response({"session": shapes.show_session(started)})


class LogoutView(Endpoint):
    permission_classes = [IsPerson]

    @extend_schema(summary="Log out", request=None, responses={204: NOTHING})
    def post(self, request: Request) -> Response:
        sessions.log_out(session=_session(request), origin=api_origin(request))
        return Response(status=204)


class MeView(Endpoint):
    permission_classes = [IsPerson]

    @extend_schema(summary="Who am I", responses=shapes.UserResponse)
    def get(self, request: Request) -> Response:
        return Response(shapes.show_user(_user(request)))


class VerificationRequestView(Endpoint):
    permission_classes = [AllowAny]

    @extend_schema(summary="Ask for a verification mail", request=shapes.VerificationRequest, responses={202: ACCEPTED})
    def post(self, request: Request) -> Response:
        """For the caller's own address or, with `email`, any address, without telling whether it has an account."""
        body = self.read_body(shapes.VerificationRequest)
        if "email" in body:
            email_verification.request_verification(email=body["email"], origin=api_origin(request))
        else:
            IsPerson.require(self, request)
            email_verification.request_own_verification(user=_user(request), origin=api_origin(request))
        return Response({}, 202)


class VerificationSubmitView(OpenEndpoint):
    @extend_schema(summary="Verify an address", request=shapes.TokenRequest, responses=shapes.VerifiedResponse)
    def post(self, request: Request) -> Response:
        body = self.read_body(shapes.TokenRequest)
        user = email_verification.verify_email(**body, origin=api_origin(request))
        return Response({"user": shapes.show_user(user)})


class ResetRequestView(OpenEndpoint):
    @extend_schema(summary="Ask for a reset mail", request=shapes.ResetRequest, responses={202: ACCEPTED})
    def post(self, request: Request) -> Response:
        body = self.read_body(shapes.ResetRequest)
        password_reset.request_reset(**body, origin=api_origin(request))
        return Response({}, 202)


class ResetSubmitView(OpenEndpoint):
    @extend_schema(summary="Set a new password", request=shapes.ResetSubmitRequest, responses={204: NOTHING})
    def post(self, request: Request) -> Response:
        body = self.read_body(shapes.ResetSubmitRequest)
        password_reset.reset_password(**body, origin=api_origin(request))
        return Response(status=204)


class HostedAuthView(Endpoint):
    permission_classes = [needs_scope("settings:read", "settings:write")]

    @extend_schema(summary="Read the hosted authentication settings", responses=shapes.HostedAuthFields)
    def get(self, request: Request) -> Response:
        return Response(shapes.show_hosted_settings(HostedAuthSettings.load()))

    @extend_schema(
        summary="Change the hosted authentication settings",
        request=shapes.HostedAuthFields(partial=True),
        responses=shapes.HostedAuthFields,
    )
    def patch(self, request: Request) -> Response:
        body = self.read_body(shapes.HostedAuthFields, partial=True)
        return Response(shapes.show_hosted_settings(change_settings(changes=body)))


def _session(request: Request) -> Session:
    return cast("Session", request.auth)  # by IsPerson


def _user(request: Request) -> User:
    return _session(request).user
