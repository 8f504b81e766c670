"""The console's addresses for who you are, and what its navigation shows of them."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from authpages.console import keys, settings, views
from fastgen_backend.console import Area, Entry, add_to_navigation

urlpatterns = [
    path("console/login", views.ConsoleLoginPage.as_view(), name="console-login"),
    path("console/setup", views.SetupPage.as_view(), name="console-setup"),
    path("console/logout", views.ConsoleLogout.as_view(), name="console-logout"),
    path("console/settings", settings.SettingsPage.as_view(), name="console-settings"),
    path("console/keys", keys.KeysPage.as_view(), name="console-keys"),
    path("console/keys/new", keys.NewKeyPage.as_view(), name="console-keys-new"),
    path("console/keys/<uuid:id>/made", keys.KeyMadePage.as_view(), name="console-keys-made"),
    path("console/keys/<uuid:id>/delete", keys.DeleteKeyPage.as_view(), name="console-keys-delete"),
    path("console/settings/preview", settings.PreviewPage.as_view(), name="console-settings-preview"),
    path("console/settings/contrast", settings.ContrastPart.as_view(), name="console-settings-contrast"),
]

add_to_navigation(Entry(_("Settings"), "console-settings", Area.SETUP, order=10))
add_to_navigation(Entry(_("API keys"), "console-keys", Area.SETUP, order=20))
