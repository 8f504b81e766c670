"""The console's addresses for who you are, and what its navigation shows of them."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from authpages.console import app_origins, app_redirects, apps, keys, roles, settings, user_actions, users, views
from fastgen_backend.console import Area, Entry, add_to_navigation

USERS = "console/users"
PERSON = f"{USERS}/<uuid:user>"
APPS = "console/apps"
APP = f"{APPS}/<uuid:app>"
ROLES = "console/roles"
ROLE = f"{ROLES}/<uuid:role>"

urlpatterns = [
    path("console/login", views.ConsoleLoginPage.as_view(), name="console-login"),
    path("console/setup", views.SetupPage.as_view(), name="console-setup"),
    path("console/logout", views.ConsoleLogout.as_view(), name="console-logout"),
    path("console/settings", settings.SettingsPage.as_view(), name="console-settings"),
    path("console/keys", keys.KeysPage.as_view(), name="console-keys"),
    path("console/keys/new", keys.NewKeyPage.as_view(), name="console-keys-new"),
    path("console/keys/<uuid:id>/made", keys.KeyMadePage.as_view(), name="console-keys-made"),
    path("console/keys/<uuid:id>/delete", keys.DeleteKeyPage.as_view(), name="console-keys-delete"),
    path(APPS, apps.AppsPage.as_view(), name="console-apps"),
    path(f"{APPS}/new", apps.NewAppPage.as_view(), name="console-apps-new"),
    path(APP, apps.AppPage.as_view(), name="console-apps-app"),
    path(f"{APP}/edit", apps.EditAppPage.as_view(), name="console-apps-edit"),
    path(f"{APP}/secret", apps.AppSecretPage.as_view(), name="console-apps-secret"),
    path(f"{APP}/rotate-secret", apps.RotateSecretPage.as_view(), name="console-apps-rotate"),
    path(f"{APP}/end-former-secret", apps.EndFormerSecret.as_view(), name="console-apps-end-former"),
    path(f"{APP}/allow-origin", app_origins.AllowOrigin.as_view(), name="console-apps-allow-origin"),
    path(f"{APP}/delete", apps.DeleteAppPage.as_view(), name="console-apps-delete"),
    path(f"{APP}/refused/<slug:reference>", app_redirects.AddRedirectPage.as_view(), name="console-apps-add-redirect"),
    path("console/settings/preview", settings.PreviewPage.as_view(), name="console-settings-preview"),
    path("console/settings/contrast", settings.ContrastPart.as_view(), name="console-settings-contrast"),
    path(USERS, users.UsersPage.as_view(), name="console-users"),
    path(f"{USERS}/new", users.NewUserPage.as_view(), name="console-users-new"),
    path(f"{PERSON}/edit", users.EditUserPage.as_view(), name="console-users-edit"),
    path(f"{PERSON}/password", users.PasswordPage.as_view(), name="console-users-password"),
    path(f"{PERSON}/block", user_actions.BlockPage.as_view(), name="console-users-block"),
    path(f"{PERSON}/unblock", user_actions.Unblock.as_view(), name="console-users-unblock"),
    path(f"{PERSON}/verify", user_actions.MarkVerified.as_view(), name="console-users-verify"),
    path(f"{PERSON}/lift-throttle", user_actions.LiftThrottle.as_view(), name="console-users-lift-throttle"),
    path(
        f"{PERSON}/send-verification", user_actions.SendVerification.as_view(), name="console-users-send-verification"
    ),
    path(f"{PERSON}/send-reset", user_actions.SendReset.as_view(), name="console-users-send-reset"),
    path(f"{PERSON}/end-sessions", user_actions.EndSessionsPage.as_view(), name="console-users-end-sessions"),
    path(f"{PERSON}/sessions/<uuid:session>/end", user_actions.EndSession.as_view(), name="console-users-end-session"),
    path(ROLES, roles.RolesPage.as_view(), name="console-roles"),
    path(f"{ROLES}/new", roles.NewRolePage.as_view(), name="console-roles-new"),
    path(ROLE, roles.RolePage.as_view(), name="console-roles-role"),
    path(f"{ROLE}/delete", roles.DeleteRolePage.as_view(), name="console-roles-delete"),
]

add_to_navigation(Entry(_("Settings"), "console-settings", Area.SETUP, order=10))
add_to_navigation(Entry(_("Users"), "console-users", Area.TOP, 20))
add_to_navigation(Entry(_("Roles"), "console-roles", Area.TOP, 30))
add_to_navigation(Entry(_("Apps"), "console-apps", Area.SETUP, order=15))
add_to_navigation(Entry(_("API keys"), "console-keys", Area.SETUP, order=20))
