"""The REST endpoints of a person's own account: sessions, password, profile."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authpages.api import serializers as shapes
from authpages.api.session_serializers import SessionsResponse, show_listed_session
from authpages.api.views import NOTHING, PersonEndpoint
from authpages.browser_sessions import device_cookie, keep_session
from authpages.models import EndReason
from authpages.services.password_change import change_password
from authpages.services.sessions import end_session_of
from fastgen_backend.rest import PageQuery, api_origin, keyset_page


class OwnSessionsView(PersonEndpoint):
    queries = {"GET": PageQuery}

    @extend_schema(summary="List my sessions, newest first", responses=SessionsResponse)
    def get(self, request: Request) -> Response:
        """Those that live, in browsers and programs alike; what apps hold is part of the session that it began in."""
        mine = self.session.user.sessions.alive(timezone.now())
        page = keyset_page(
            mine,
            key="id",
            query=self.query,
            show=lambda session: show_listed_session(session, current=self.session),
            newest_first=True,
        )
        return Response(page)


class OwnSessionView(PersonEndpoint):
    @extend_schema(summary="End one of my sessions", responses={204: NOTHING})
    def delete(self, request: Request, id: UUID) -> Response:
        """Its cookie and its tokens are good for nothing at once; it may be the caller’s own."""
        user = self.session.user
        end_session_of(user=user, session_id=id, reason=EndReason.ENDED_BY_OWNER, origin=api_origin(request))
        return Response(status=204)


class PasswordChangeView(PersonEndpoint):
    bodies = {"POST": shapes.PasswordChangeRequest}

    @extend_schema(summary="Change my password", responses=shapes.PasswordChangeResponse)
    def post(self, request: Request) -> Response:
        """Every other session ends; this one goes on with the refresh token in the answer, older ones are void.

        What other apps hold of this one ends as well, and their codes. For an app these are tokens of the app,
        refreshed at `/oauth/token`; in the browser its person logs in anew. An admin who calls with the console's
        cookie gets a new cookie instead, and an empty body.
        """
        cookie = device_cookie(request._request)
        changed = change_password(session=self.session, **self.body, origin=api_origin(request), device_cookie=cookie)
        if changed.refresh_token:
            return Response({"session": shapes.show_session(changed)})
        response = Response({})
        keep_session(request._request, response, changed)
        return response
