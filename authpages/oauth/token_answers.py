"""What an app gets for a code or a refresh token (RFC 6749, 5.1; OpenID Connect Core, 3.1.3.3)."""

from typing import Any

from django.conf import settings

from authpages.id_tokens import issue_id_token
from authpages.models import AppSession
from authpages.shown_users import show_user, show_user_in_scope
from authpages.tokens import issue_app_token


def tokens_of(app_session: AppSession, *, refresh_token: str, scope: str, nonce: str = "") -> dict[str, Any]:
    """The tokens by which an app holds a session, and the person; app, session, user and roles must be loaded.

    A server app needs no other call: `user` is the API's own for a first-party app, and for a third-party app what of
    it the scope allows.
    """
    app, user = app_session.app, app_session.session.user
    access_token = issue_app_token(app_session, scope)
    answer = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": settings.ACCESS_TOKEN_SECONDS,
        **({"refresh_token": refresh_token} if refresh_token else {}),
        "scope": scope,
        "user": show_user(user) if app.first_party else show_user_in_scope(user, scope),
    }
    if "openid" in scope.split():
        answer["id_token"] = issue_id_token(app_session, scope=scope, access_token=access_token, nonce=nonce)
    return answer
