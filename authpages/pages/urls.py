"""The addresses of the hosted pages."""

from django.urls import path
from django.views.generic import RedirectView

from authpages.pages import account, branding, views

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="account", http_method_names=["get", "head", "options"])),
    path("signup", views.SignUpPage.as_view(), name="signup"),
    path("login", views.LoginPage.as_view(), name="login"),
    path("logout", views.LogoutPage.as_view(), name="logout"),
    path("verify-email", views.VerifyEmailPage.as_view(), name="verify-email"),
    path("forgot-password", views.ForgotPasswordPage.as_view(), name="forgot-password"),
    path("reset-password", views.ResetPasswordPage.as_view(), name="reset-password"),
    path("account", account.AccountPage.as_view(), name="account"),
    path("account/profile", account.ProfilePart.as_view(), name="account-profile"),
    path("account/password", account.PasswordPart.as_view(), name="account-password"),
    path("account/sessions/end-others", account.OtherSessionsPart.as_view(), name="account-other-sessions"),
    path("account/sessions/<uuid:id>/end", account.SessionPart.as_view(), name="account-session"),
    path("account/apps/<uuid:id>/remove", account.AppPart.as_view(), name="account-app"),
    path("branding/logo", branding.LogoPicture.as_view(), name="logo"),
    path("branding/theme.css", branding.ThemeStylesheet.as_view(), name="theme"),
]
