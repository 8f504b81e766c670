"""Every event there is: its name, what it means, the shape of its data, an example."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator

from authpages.models import EndReason

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
    DELIVERY_EXHAUSTED = "events.delivery_exhausted"
    WEBHOOK_DISABLED = "events.webhook_disabled"


class Stage(StrEnum):
    """Which half of a journey an event tells, where one name stands for both."""

    REQUESTED = "requested"
    COMPLETED = "completed"


@dataclass(frozen=True)
class EventKind:
    """One entry of the catalogue: `schema` (JSON Schema 2020-12) and `example` are of the event's `data`."""

    type: EventType
    description: str
    schema: Mapping[str, Any]
    example: Mapping[str, Any]
    stage: str = ""
    secret: bool = False  # its token and link are kept apart from the log

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.schema)

    def flaw(self, data: Mapping[str, Any]) -> str:
        """What is wrong with `data`, in a sentence; empty where nothing is."""
        error = next(self._validator.iter_errors(data), None)
        return f"{error.json_path}: {error.message}" if error else ""


def _object(**properties: Any) -> dict[str, Any]:
    """An object with exactly these members."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
TEXT_OR_NULL = {"type": ["string", "null"]}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
TIME = {"type": "string", "format": "date-time"}
USER_ID = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
SESSION_ID = "019aa0c2-0b1c-7a55-8c3d-2f6e9b7d1a10"
EXPIRES = "2026-11-24T06:05:21.123Z"

TABLE = _object(ID=UUID, Name=TEXT, Description=TEXT)
TABLE_EXAMPLE = {"ID": "019aa0d4-52aa-7d10-b3a4-7c1e5f9d2b33", "Name": "Test", "Description": ""}
IMPORT = _object(ID=UUID, Name=TEXT, Description=TEXT, importId=UUID, rowsImported={"type": "integer"})
IMPORT_EXAMPLE = {**TABLE_EXAMPLE, "importId": "019aa0d6-3f10-7c52-9a01-4d6b8e2f7c55", "rowsImported": 1200}
UNDO = _object(**TABLE["properties"], importId=UUID, rowsDeleted={"type": "integer"}, rowsKept={"type": "integer"})
UNDO_EXAMPLE = {**TABLE_EXAMPLE, "importId": IMPORT_EXAMPLE["importId"], "rowsDeleted": 1198, "rowsKept": 2}
ROW = _object(id=UUID, tableId=UUID, values={"type": "object"})
ROW["properties"]["omitted"] = {  # only there where something is
    "type": "array",
    "items": TEXT,
    "description": "Keys of values that would make the event larger than 64 KiB; the row has them.",
}
ROW_EXAMPLE = {
    "id": "019aa0d5-1c02-7b6e-8f10-2a9c3e7b5d44",
    "tableId": TABLE_EXAMPLE["ID"],
    "values": {"name": "Ann", "amount": "12.50"},
}
_person = {
    "userId": UUID,
    "email": TEXT,
    "emailVerified": {"type": "boolean"},
    "roles": {"type": "array", "items": TEXT},
}
_place = {"device": TEXT, "ipAddress": TEXT_OR_NULL}
PLACE_EXAMPLE = {"device": "Firefox on Linux", "ipAddress": "192.0.2.17"}
PERSON = _object(**_person)
PERSON_EXAMPLE = {
    "userId": USER_ID,
    "email": "test@example.com",
    "emailVerified": False,
    "roles": ["My Super User Role"],
}
VERIFIED_EXAMPLE = {**PERSON_EXAMPLE, "emailVerified": True}
LINKED = _object(**_person, token=TEXT_OR_NULL, link=TEXT_OR_NULL, expiresAt=TIME)


def _reason(*known: str) -> dict[str, Any]:
    return {**TEXT, "description": f"{', '.join(f'`{each}`' for each in known)}; there may be others some day."}


def _linked_example(path: str) -> dict[str, Any]:
    token = "p1jHyf4yYx0v0m5x8rI4hQ2mJc8mWl3oVb2k1Yd0xkE"  # noqa: S105 nobody's
    link = f"https://auth.example.com/{path}?token={token}"
    return {**PERSON_EXAMPLE, "token": token, "link": link, "expiresAt": EXPIRES}


KINDS = [
    EventKind(EventType.TABLE_CREATED, "A table was created.", TABLE, TABLE_EXAMPLE),
    EventKind(EventType.TABLE_UPDATED, "A table was changed; it carries the new values.", TABLE, TABLE_EXAMPLE),
    EventKind(EventType.TABLE_EMPTIED, "Every row of a table was deleted.", TABLE, TABLE_EXAMPLE),
    EventKind(EventType.TABLE_DELETED, "A table was deleted; it carries the last values.", TABLE, TABLE_EXAMPLE),
    EventKind(
        EventType.TABLE_IMPORTED,
        "A file was imported into a table; its rows are told by no events of their own. It is told again where "
        "rejected rows were mended and taken in: `rowsImported` counts all rows of the import so far.",
        IMPORT,
        IMPORT_EXAMPLE,
    ),
    EventKind(
        EventType.TABLE_IMPORT_UNDONE,
        "The rows of an import were deleted again, but those that were changed since or are needed by others.",
        UNDO,
        UNDO_EXAMPLE,
    ),
    EventKind(EventType.ROW_CREATED, "A row was created, in a table that tells of its rows.", ROW, ROW_EXAMPLE),
    EventKind(
        EventType.ROW_UPDATED,
        "A row was changed; `values` are those that changed, as they are now.",
        ROW,
        {**ROW_EXAMPLE, "values": {"amount": "13.00"}},
    ),
    EventKind(EventType.ROW_DELETED, "A row was deleted; it carries the last values.", ROW, ROW_EXAMPLE),
    EventKind(EventType.USER_LOGGED_IN, "A person logged in.", PERSON, PERSON_EXAMPLE),
    EventKind(
        EventType.USER_SIGNED_UP,
        "A person signed up.",
        PERSON,
        PERSON_EXAMPLE,
    ),
    EventKind(
        EventType.EMAIL_VERIFICATION_REQUESTED,
        "A link that verifies an address was made, at sign-up or on request; good for one day by default.",
        LINKED,
        _linked_example("verify-email"),
        secret=True,
    ),
    EventKind(EventType.EMAIL_VERIFIED, "A person proved that their address is theirs.", PERSON, VERIFIED_EXAMPLE),
    EventKind(
        EventType.PASSWORD_RESET,
        "A link that sets a new password was made; good for one hour by default.",
        LINKED,
        _linked_example("reset-password"),
        stage=Stage.REQUESTED,
        secret=True,
    ),
    EventKind(
        EventType.PASSWORD_RESET,
        "A person set a new password with such a link; every session of theirs has ended.",
        PERSON,
        VERIFIED_EXAMPLE,
        stage=Stage.COMPLETED,
    ),
    EventKind(EventType.USER_LOGGED_OUT, "A person logged out.", PERSON, PERSON_EXAMPLE),
    EventKind(
        EventType.USER_CREATED, "An admin, the first start or a command made an account.", PERSON, PERSON_EXAMPLE
    ),
    EventKind(
        EventType.USER_UPDATED,
        "An account was changed, by its owner or for them; `changed` names what, as the API calls it. One that only "
        "lost a role because the role was deleted has no such event.",
        _object(**_person, changed={"type": "array", "items": TEXT, "minItems": 1}),
        {**VERIFIED_EXAMPLE, "changed": ["emailVerified", "firstName"]},
    ),
    EventKind(
        EventType.USER_BLOCKED,
        "A person may not log in any more; every session of theirs has ended.",
        PERSON,
        PERSON_EXAMPLE,
    ),
    EventKind(EventType.USER_UNBLOCKED, "A person who was blocked may log in again.", PERSON, PERSON_EXAMPLE),
    EventKind(
        EventType.PASSWORD_CHANGED,
        "A person changed their password, or an admin or a program set it or took it away; no link was used.",
        PERSON,
        PERSON_EXAMPLE,
    ),
    EventKind(
        EventType.USER_DELETED,
        "An account was deleted; it carries the last values.",
        PERSON,
        PERSON_EXAMPLE,
    ),
    EventKind(
        EventType.SIGN_UP_REPEATED,
        "Someone signed up with the address of a verified account; only its owner is told, by mail.",
        PERSON,
        VERIFIED_EXAMPLE,
    ),
    EventKind(
        EventType.LOGIN_FAILED,
        "A login was refused, or a change of the password; `userId` is null where no account has the address.",
        _object(
            email=TEXT,
            userId={**UUID, "type": ["string", "null"]},
            reason=_reason("invalid_credentials", "wrong_current_password", "blocked", "unverified", "not_an_admin"),
        ),
        {"email": "test@example.com", "userId": None, "reason": "invalid_credentials"},
    ),
    EventKind(
        EventType.LOGIN_AFTER_FAILURES,
        "A person logged in after so many failures in a row that others had to wait; it may have been a guess.",
        _object(**_person, failures={"type": "integer"}, **_place),
        {**PERSON_EXAMPLE, "failures": 12, **PLACE_EXAMPLE},
    ),
    EventKind(
        EventType.NEW_DEVICE,
        "A person logged in from a device, or with a program in a network, that they have not been at before.",
        _object(**_person, **_place),
        {**PERSON_EXAMPLE, **PLACE_EXAMPLE},
    ),
    EventKind(
        EventType.SESSION_ENDED,
        "A session ended otherwise than by a logout.",
        _object(**_person, sessionId=UUID, reason=_reason(*(each for each in EndReason if each != EndReason.LOGOUT))),
        {**PERSON_EXAMPLE, "sessionId": SESSION_ID, "reason": "password_reset"},
    ),
    EventKind(
        EventType.TOKEN_REUSED,
        "An old refresh token was used again; a copy may be in other hands, so its session was ended.",
        _object(**_person, sessionId=UUID),
        {**PERSON_EXAMPLE, "sessionId": SESSION_ID},
    ),
    EventKind(
        EventType.DELIVERY_EXHAUSTED,
        "A delivery was given up after its last retry; it is a dead letter now.",
        _object(
            deliveryId=UUID,
            webhookId=UUID,
            eventId=TEXT,
            eventType=TEXT,
            lastStatus={"type": ["integer", "null"]},
            lastError=TEXT,
        ),
        {
            "deliveryId": "019aa0e0-1111-7c31-9d2a-5b8e1f4a6c02",
            "webhookId": "019aa0e0-2222-7c31-9d2a-5b8e1f4a6c02",
            "eventId": "evt_019aa0c27f7e7c319d2a5b8e1f4a6c02",
            "eventType": "auth.user_signedUp",
            "lastStatus": 500,
            "lastError": "HTTP 500",
        },
    ),
    EventKind(
        EventType.WEBHOOK_DISABLED,
        "A webhook was switched off: it answered 410, or failed for five days. Of `url`, only the host is told.",
        _object(webhookId=UUID, url=TEXT, reason=TEXT),
        {
            "webhookId": "019aa0e0-2222-7c31-9d2a-5b8e1f4a6c02",
            "url": "https://api.example.com/•••",
            "reason": "The receiver answered 410 Gone.",
        },
    ),
]
CATALOG = {(kind.type.value, kind.stage): kind for kind in KINDS}
