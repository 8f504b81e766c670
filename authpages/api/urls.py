"""Addresses of the account endpoints, below /api/v1."""

from django.urls import path

from authpages.api import account, api_keys, apps, roles, users, views

urlpatterns = [
    path("auth/signup", views.SignUpView.as_view()),
    path("auth/login", views.LoginView.as_view()),
    path("auth/logout", views.LogoutView.as_view()),
    path("auth/refresh", views.RefreshView.as_view()),
    path("auth/me", views.MeView.as_view()),
    path("auth/password/change", account.PasswordChangeView.as_view()),
    path("auth/sessions", account.OwnSessionsView.as_view()),
    path("auth/sessions/<uuid:id>", account.OwnSessionView.as_view()),
    path("auth/email-verification/request", views.VerificationRequestView.as_view()),
    path("auth/email-verification/submit", views.VerificationSubmitView.as_view()),
    path("auth/password-reset/request", views.ResetRequestView.as_view()),
    path("auth/password-reset/submit", views.ResetSubmitView.as_view()),
    path("settings/hosted-auth", views.HostedAuthView.as_view()),
    path("apps", apps.AppsView.as_view()),
    path("apps/<uuid:id>", apps.AppView.as_view()),
    path("apps/<uuid:id>/rotate-secret", apps.AppSecretView.as_view()),
    path("api-keys", api_keys.ApiKeysView.as_view()),
    path("api-keys/<uuid:id>", api_keys.ApiKeyView.as_view()),
    path("users", users.UsersView.as_view()),
    path("users/<uuid:id>", users.UserView.as_view()),
    path("users/<uuid:id>/block", users.BlockView.as_view()),
    path("users/<uuid:id>/unblock", users.UnblockView.as_view()),
    path("users/<uuid:id>/lift-throttle", users.LiftThrottleView.as_view()),
    path("users/<uuid:id>/send-email-verification", users.VerificationMailView.as_view()),
    path("users/<uuid:id>/send-password-reset", users.ResetMailView.as_view()),
    path("users/<uuid:id>/sessions", users.UserSessionsView.as_view()),
    path("users/<uuid:id>/sessions/<uuid:session>", users.UserSessionView.as_view()),
    path("users/<uuid:id>/end-sessions", users.EndSessionsView.as_view()),
    path("roles", roles.RolesView.as_view()),
    path("roles/<uuid:id>", roles.RoleView.as_view()),
]
