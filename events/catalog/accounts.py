"""Events of people: their accounts, their sessions, the apps that they use."""

from typing import Any

from authpages.models import EndReason
from events.catalog.event_kind import TEXT, TEXT_OR_NULL, TEXTS, TIME, UUID, EventKind, object_of
from events.catalog.event_types import EventType, Stage

USER_ID = "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02"
SESSION_ID = "019aa0c2-0b1c-7a55-8c3d-2f6e9b7d1a10"
EXPIRES = "2026-11-24T06:05:21.123Z"

_person = {
    "userId": UUID,
    "email": TEXT,
    "emailVerified": {"type": "boolean"},
    "roles": TEXTS,
}
_place = {"device": TEXT, "ipAddress": TEXT_OR_NULL}
PLACE_EXAMPLE = {"device": "Firefox on Linux", "ipAddress": "192.0.2.17"}
_app = {"appId": UUID, "appName": TEXT}
PERSON = object_of(**_person)
PERSON_EXAMPLE = {
    "userId": USER_ID,
    "email": "test@example.com",
    "emailVerified": False,
    "roles": ["My Super User Role"],
}
VERIFIED_EXAMPLE = {**PERSON_EXAMPLE, "emailVerified": True}
APP_EXAMPLE = {"appId": "019aa0c5-3d2e-7f10-a4b6-8e1c5d7f9a20", "appName": "Notes"}
LINKED = object_of(**_person, token=TEXT_OR_NULL, link=TEXT_OR_NULL, expiresAt=TIME)


def _reason(*known: str) -> dict[str, Any]:
    return {**TEXT, "description": f"{', '.join(f'`{each}`' for each in known)}; there may be others some day."}


def _linked_example(path: str) -> dict[str, Any]:
    token = "p1jHyf4yYx0v0m5x8rI4hQ2mJc8mWl3oVb2k1Yd0xkE"  # noqa: S105 nobody's
    link = f"https://auth.example.com/{path}?token={token}"
    return {**PERSON_EXAMPLE, "token": token, "link": link, "expiresAt": EXPIRES}


KINDS = [
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
        object_of(**_person, changed={**TEXTS, "minItems": 1}),
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
        object_of(
            email=TEXT,
            userId={**UUID, "type": ["string", "null"]},
            reason=_reason("invalid_credentials", "wrong_current_password", "blocked", "unverified", "not_an_admin"),
        ),
        {"email": "test@example.com", "userId": None, "reason": "invalid_credentials"},
    ),
    EventKind(
        EventType.LOGIN_AFTER_FAILURES,
        "A person logged in after so many failures in a row that others had to wait; it may have been a guess.",
        object_of(**_person, failures={"type": "integer"}, **_place),
        {**PERSON_EXAMPLE, "failures": 12, **PLACE_EXAMPLE},
    ),
    EventKind(
        EventType.NEW_DEVICE,
        "A person logged in from a device, or with a program in a network, that they have not been at before.",
        object_of(**_person, **_place),
        {**PERSON_EXAMPLE, **PLACE_EXAMPLE},
    ),
    EventKind(
        EventType.SESSION_ENDED,
        "A session ended otherwise than by a logout.",
        object_of(**_person, sessionId=UUID, reason=_reason(*(each for each in EndReason if each != EndReason.LOGOUT))),
        {**PERSON_EXAMPLE, "sessionId": SESSION_ID, "reason": "password_reset"},
    ),
    EventKind(
        EventType.TOKEN_REUSED,
        "An old refresh token, or a code of an app, was used again: others may have it, so its session was ended. "
        "The app is the one that sent it, null where the token was not of an app.",
        object_of(**_person, sessionId=UUID, appId={**UUID, "type": ["string", "null"]}, appName=TEXT_OR_NULL),
        {**PERSON_EXAMPLE, "sessionId": SESSION_ID, **APP_EXAMPLE},
    ),
    EventKind(
        EventType.APP_AUTHORIZED,
        "A person agreed to what a third-party app may know of them, or to more than before; nobody is asked for a "
        "first-party one.",
        object_of(**_person, **_app, scope={**TEXTS, "description": "All that it may know by now."}),
        {**VERIFIED_EXAMPLE, **APP_EXAMPLE, "scope": ["openid", "email"]},
    ),
    EventKind(
        EventType.APP_REVOKED,
        "A person took an app's access back, on their own page; its tokens have ended, their sessions go on.",
        object_of(**_person, **_app, scope={**TEXTS, "description": "All that it might know until then."}),
        {**VERIFIED_EXAMPLE, **APP_EXAMPLE, "scope": ["openid", "email"]},
    ),
]
