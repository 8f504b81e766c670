"""The REST endpoints of users: for admins in the console, and for programs with the scopes of users.

What reaches an admin's account needs an admin, or a key that may do everything: the services see to it.
"""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authpages.api import user_serializers as shapes
from authpages.api.serializers import UserResponse
from authpages.api.session_serializers import SessionsResponse, show_listed_session
from authpages.models import Session, User
from authpages.services import blocking, user_mails, user_sessions, users
from authpages.services.api_keys import EVERYTHING
from authpages.services.roles import find_role
from authpages.services.sign_in_obstacles import lift_throttle
from authpages.services.user_changes import change_user
from authpages.shown_users import show_user
from fastgen_backend.errors import NotFound
from fastgen_backend.rest import Endpoint, PageQuery, api_origin, credentials_of, keyset_page, needs_scope

NOTHING = OpenApiResponse(description="Done; there is no body.")
ACCEPTED = OpenApiResponse(description="Accepted; the mail is on its way.")


class UserEndpoint(Endpoint):
    """An endpoint that treats people's accounts."""

    permission_classes = [needs_scope("users:read", "users:write")]

    @property
    def caller(self) -> dict[str, Any]:
        """Who asks, and whether they reach admins: what each service is told."""
        credentials = credentials_of(self.request)
        reaches_admins = credentials is not None and credentials.allows(EVERYTHING)
        return {"origin": api_origin(self.request), "may_manage_admins": reaches_admins}


class UsersView(UserEndpoint):
    queries = {"GET": shapes.UsersQuery}
    bodies = {"POST": shapes.UserRequest}

    @extend_schema(summary="List users, newest first", responses=shapes.UserPage)
    def get(self, request: Request) -> Response:
        """Those that everything that is asked for is true of."""
        query = self.query
        role = find_role(query["role"]) if "role" in query else None
        switches = {name: query.get(name) for name in ("verified", "blocked", "admin")}
        found = User.objects.with_roles().matching(text=query.get("q", ""), role=role, **switches)
        return Response(keyset_page(found, key="id", query=query, show=show_user, newest_first=True))

    @extend_schema(summary="Create a user", responses={201: UserResponse})
    def post(self, request: Request) -> Response:
        """Nobody is logged in and no mail is sent. Without a password, a reset by mail gives one."""
        return Response(show_user(users.create_user(**self.body, **self.caller)), 201)


class UserView(UserEndpoint):
    bodies = {"PATCH": shapes.UserRequest}

    @extend_schema(summary="Read a user", responses=UserResponse)
    def get(self, request: Request, id: UUID) -> Response:
        user = User.objects.with_roles().filter(pk=id).first()
        if user is None:
            raise NotFound(_("There is no such user."))
        return Response(show_user(user))

    @extend_schema(summary="Change a user", responses=UserResponse)
    def patch(self, request: Request, id: UUID) -> Response:
        """All of it or nothing.

        Another address is unverified unless `emailVerified` says otherwise, and open links die with the old one. A
        password ends every session, voids open links and forgets failed logins; a block ends every session as well.
        Access tokens tell the roles of the moment they were made; this API sees a change at once.
        """
        return Response(show_user(change_user(user_id=id, changes=self.body, **self.caller)))

    @extend_schema(summary="Delete a user", responses={204: NOTHING})
    def delete(self, request: Request, id: UUID) -> Response:
        """With all sessions, links and API keys. Rows of theirs go the way that each table says.

        The `data` of every event about them becomes `{}`, in replays too; only `auth.user_deleted` tells who it was.
        """
        users.delete_user(user_id=id, **self.caller)
        return Response(status=204)


class BlockView(UserEndpoint):
    @extend_schema(summary="Block a user", responses=UserResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """Every session and token of theirs ends at once, and no login succeeds."""
        return Response(show_user(blocking.block_user(user_id=id, **self.caller)))


class UnblockView(UserEndpoint):
    @extend_schema(summary="Unblock a user", responses=UserResponse)
    def post(self, request: Request, id: UUID) -> Response:
        return Response(show_user(blocking.unblock_user(user_id=id, **self.caller)))


class LiftThrottleView(UserEndpoint):
    @extend_schema(summary="Lift a user's throttle", responses=UserResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """Failed logins, in their browsers too, are forgotten: they can try again at once. Limits of addresses stay."""
        return Response(show_user(lift_throttle(user_id=id, **self.caller)))


class VerificationMailView(UserEndpoint):
    @extend_schema(summary="Send a user a verification mail", responses={202: ACCEPTED})
    def post(self, request: Request, id: UUID) -> Response:
        """To the address that they have. Where no password counts, its link sets one as well."""
        user_mails.send_verification_mail(user_id=id, **self.caller)
        return Response({}, 202)


class ResetMailView(UserEndpoint):
    @extend_schema(summary="Send a user a password-reset mail", responses={202: ACCEPTED})
    def post(self, request: Request, id: UUID) -> Response:
        """The password that they have counts until the link is used."""
        user_mails.send_reset_mail(user_id=id, **self.caller)
        return Response({}, 202)


class UserSessionsView(UserEndpoint):
    queries = {"GET": PageQuery}

    @extend_schema(summary="List a user's sessions, newest first", responses=SessionsResponse)
    def get(self, request: Request, id: UUID) -> Response:
        """Those that live, in browsers and programs alike, in the console too."""
        if not User.objects.filter(pk=id).exists():
            raise NotFound(_("There is no such user."))
        living = Session.objects.alive(timezone.now()).filter(user=id)
        own = request.auth if isinstance(request.auth, Session) else None
        page = keyset_page(
            living,
            key="id",
            query=self.query,
            show=lambda session: show_listed_session(session, current=own),
            newest_first=True,
        )
        return Response(page)


class UserSessionView(UserEndpoint):
    @extend_schema(summary="End one of a user's sessions", responses={204: NOTHING})
    def delete(self, request: Request, id: UUID, session: UUID) -> Response:
        """Its cookie and its tokens are good for nothing at once."""
        user_sessions.end_one_session(user_id=id, session_id=session, **self.caller)
        return Response(status=204)


class EndSessionsView(UserEndpoint):
    @extend_schema(summary="End every session of a user", responses=UserResponse)
    def post(self, request: Request, id: UUID) -> Response:
        """In browsers, programs and the console; they may log in anew."""
        return Response(show_user(user_sessions.end_every_session(user_id=id, **self.caller)))
