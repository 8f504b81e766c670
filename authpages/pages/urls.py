"""The addresses of the hosted pages."""

from django.urls import path
from django.views.generic import RedirectView

from authpages.pages import branding, views

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="account", http_method_names=["get", "head", "options"])),
    path("signup", views.SignUpPage.as_view(), name="signup"),
    path("login", views.LoginPage.as_view(), name="login"),
    path("logout", views.LogoutPage.as_view(), name="logout"),
    path("verify-email", views.VerifyEmailPage.as_view(), name="verify-email"),
    path("forgot-password", views.ForgotPasswordPage.as_view(), name="forgot-password"),
    path("reset-password", views.ResetPasswordPage.as_view(), name="reset-password"),
    path("account", views.AccountPage.as_view(), name="account"),
    path("branding/logo", branding.LogoPicture.as_view(), name="logo"),
    path("branding/theme.css", branding.ThemeStylesheet.as_view(), name="theme"),
]
