"""The names of events, as subscribers know them."""

from enum import StrEnum

CUSTOM_PREFIX = "custom."
CUSTOM_PATTERN = r"custom\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"


class EventType(StrEnum):
    """The name of an event, as subscribers know it. Custom events (`custom.…`) are named by their senders."""

    TABLE_CREATED = "api.dataTable_created"
    TABLE_UPDATED = "api.dataTable_updated"
    TABLE_EMPTIED = "api.dataTable_emptied"
    TABLE_DELETED = "api.dataTable_deleted"
    TABLE_IMPORTED = "api.dataTable_imported"
    TABLE_IMPORT_UNDONE = "api.dataTable_importUndone"
    ROW_CREATED = "api.dataRow_created"
    ROW_UPDATED = "api.dataRow_updated"
    ROW_DELETED = "api.dataRow_deleted"
    USER_LOGGED_IN = "auth.user_loggedIn"
    USER_SIGNED_UP = "auth.user_signedUp"
    EMAIL_VERIFICATION_REQUESTED = "auth.email_verificationRequested"
    EMAIL_VERIFIED = "auth.email_verified"
    PASSWORD_RESET = "auth.password_reset"  # noqa: S105 an event's name, no password
    USER_LOGGED_OUT = "auth.user_loggedOut"
    USER_CREATED = "auth.user_created"
    USER_UPDATED = "auth.user_updated"
    USER_BLOCKED = "auth.user_blocked"
    USER_UNBLOCKED = "auth.user_unblocked"
    PASSWORD_CHANGED = "auth.password_changed"  # noqa: S105 an event's name, no password
    SIGN_UP_REPEATED = "auth.signUp_repeated"
    LOGIN_FAILED = "auth.login_failed"
    LOGIN_AFTER_FAILURES = "auth.login_afterFailures"
    NEW_DEVICE = "auth.new_device"
    SESSION_ENDED = "auth.session_ended"
    USER_DELETED = "auth.user_deleted"
    TOKEN_REUSED = "auth.token_reused"  # noqa: S105 an event's name, no password
    APP_AUTHORIZED = "auth.app_authorized"
    APP_REVOKED = "auth.app_revoked"
    DELIVERY_EXHAUSTED = "events.delivery_exhausted"
    WEBHOOK_DISABLED = "events.webhook_disabled"


class Stage(StrEnum):
    """Which half of a journey an event tells, where one name stands for both."""

    REQUESTED = "requested"
    COMPLETED = "completed"
