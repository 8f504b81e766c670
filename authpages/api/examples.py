"""How the endpoints of accounts, settings and API keys are called."""

from typing import Any

from fastgen_backend.api_examples import Document, Example, add_examples

EMAIL = "bea@example.com"
PASSWORD, NEW_PASSWORD = "a long and calm evening", "an even longer morning"  # of nobody
CREDENTIALS = {"email": EMAIL, "password": PASSWORD}
CLEO = {"email": "cleo@example.com", "password": PASSWORD}
PERSON = "/users/$PERSON"
SHOP = {"name": "Shop", "type": "confidential", "redirectUris": ["https://shop.example.com/callback"]}
TOKENS = {"BEA": "accessToken", "REFRESH": "refreshToken"}
LOG_IN = Example("POST", "/auth/login", CREDENTIALS, caller="", keeps=TOKENS)


def _token_of(type: str) -> Example:
    """What the mail of such an event holds; a key that may see secrets finds it in the log."""
    return Example("GET", f"/events?types={type}&order=-position&limit=1", keeps={"TOKEN": "token"})


EXAMPLES = {
    "postSignUp": Example("POST", "/auth/signup", CREDENTIALS, caller="", keeps=TOKENS),
    "postLogin": LOG_IN,
    "getMe": Example("GET", "/auth/me", caller="BEA"),
    "patchMe": Example("PATCH", "/auth/me", {"firstName": "Bea", "metadata": {"theme": "dark"}}, caller="BEA"),
    "postVerificationRequest": Example("POST", "/auth/email-verification/request", {"email": EMAIL}, caller=""),
    "postVerificationSubmit": Example(
        "POST",
        "/auth/email-verification/submit",
        {"token": "$TOKEN"},
        caller="",
        first=(_token_of("auth.email_verificationRequested"),),
    ),
    "postRefresh": Example("POST", "/auth/refresh", {"refreshToken": "$REFRESH"}, caller="", keeps=TOKENS),
    "getOwnSessions": Example("GET", "/auth/sessions", caller="BEA", keeps={"SESSION": "id"}),
    "deleteOwnSession": Example("DELETE", "/auth/sessions/$SESSION", caller="BEA"),
    "postLogout": Example("POST", "/auth/logout", caller="BEA", first=(LOG_IN,)),
    "postPasswordChange": Example(
        "POST",
        "/auth/password/change",
        {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD},
        caller="BEA",
        first=(LOG_IN,),
    ),
    "postResetRequest": Example("POST", "/auth/password-reset/request", {"email": EMAIL}, caller=""),
    "postResetSubmit": Example(
        "POST",
        "/auth/password-reset/submit",
        {"token": "$TOKEN", "password": PASSWORD},
        caller="",
        first=(_token_of("auth.password_reset:requested"),),
    ),
    "postRoles": Example("POST", "/roles", {"name": "editor", "description": "Writes"}, keeps={"ROLE": "id"}),
    "getRoles": Example("GET", "/roles"),
    "getRole": Example("GET", "/roles/$ROLE"),
    "patchRole": Example("PATCH", "/roles/$ROLE", {"description": "Writes and publishes"}),
    "postUsers": Example("POST", "/users", {**CLEO, "roles": ["editor"]}, keeps={"PERSON": "id"}),
    "getUsers": Example("GET", "/users?q=cleo&role=editor"),
    "getUser": Example("GET", PERSON),
    "patchUser": Example("PATCH", PERSON, {"firstName": "Cleo", "appMetadata": {"plan": "team"}}),
    "postVerificationMail": Example("POST", f"{PERSON}/send-email-verification"),
    "postResetMail": Example("POST", f"{PERSON}/send-password-reset"),
    "getUserSessions": Example("GET", f"{PERSON}/sessions"),
    "deleteUserSession": Example(
        "DELETE",
        f"{PERSON}/sessions/$SESSION",
        first=(
            Example("POST", "/auth/login", CLEO, caller=""),
            Example("GET", f"{PERSON}/sessions", keeps={"SESSION": "id"}),
        ),
    ),
    "postEndSessions": Example("POST", f"{PERSON}/end-sessions"),
    "postBlock": Example("POST", f"{PERSON}/block"),
    "postUnblock": Example("POST", f"{PERSON}/unblock"),
    "postLiftThrottle": Example("POST", f"{PERSON}/lift-throttle"),
    "deleteUser": Example("DELETE", PERSON),
    "deleteRole": Example("DELETE", "/roles/$ROLE"),
    "getHostedAuth": Example("GET", "/settings/hosted-auth"),
    "patchHostedAuth": Example("PATCH", "/settings/hosted-auth", {"productName": "Acme", "accentColor": "#0b7a5e"}),
    "postApps": Example("POST", "/apps", SHOP, keeps={"APP": "id"}),
    "getApps": Example("GET", "/apps"),
    "getApp": Example("GET", "/apps/$APP"),
    "patchApp": Example("PATCH", "/apps/$APP", {"redirectUris": ["https://shop.example.com/auth/callback"]}),
    "postAppSecret": Example("POST", "/apps/$APP/rotate-secret"),
    "deleteApp": Example("DELETE", "/apps/$APP"),
    "getApiKeys": Example("GET", "/api-keys"),
    "postApiKeys": Example(
        "POST", "/api-keys", {"name": "Nightly export", "scopes": ["rows:read", "tables:read"]}, keeps={"KEYID": "id"}
    ),
    "deleteApiKey": Example("DELETE", "/api-keys/$KEYID"),
}


def add(result: Document, generator: Any, request: Any, public: bool) -> Document:
    """What settings.py names: part of how the document is made."""
    add_examples(result, EXAMPLES)
    return result
