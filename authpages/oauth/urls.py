"""The addresses that apps ask, and reverse proxies."""

from django.urls import path

from authpages.oauth.authorize import AuthorizePage
from authpages.oauth.consent import ConsentPage
from authpages.oauth.discovery import Discovery, Jwks
from authpages.oauth.forward_auth import ForwardAuthView
from authpages.oauth.introspection import IntrospectionEndpoint
from authpages.oauth.logout import AppLogoutPage
from authpages.oauth.revocation import RevocationEndpoint
from authpages.oauth.token import TokenEndpoint
from authpages.oauth.userinfo import UserInfoEndpoint

urlpatterns = [
    path("oauth/authorize", AuthorizePage.as_view(), name="authorize"),
    path("oauth/consent", ConsentPage.as_view(), name="consent"),
    path("oauth/token", TokenEndpoint.as_view()),
    path("oauth/userinfo", UserInfoEndpoint.as_view()),
    path("oauth/revoke", RevocationEndpoint.as_view()),
    path("oauth/introspect", IntrospectionEndpoint.as_view()),
    path("oauth/logout", AppLogoutPage.as_view(), name="app-logout"),
    path("oauth/forward-auth", ForwardAuthView.as_view()),
    path(".well-known/openid-configuration", Discovery.as_view()),
    path(".well-known/oauth-authorization-server", Discovery.as_view()),
    path(".well-known/jwks.json", Jwks.as_view()),
]
