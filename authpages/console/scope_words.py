"""What the scopes of API keys allow, in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authpages.services.api_keys import EVERYTHING

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Area:
    """What a group of scopes is about, and what each of them lets a program do."""

    name: Words
    verbs: dict[str, Words]  # by scope, in a word
    allows: dict[str, Words]  # by scope, in a sentence


READ, WRITE = gettext_lazy("read"), gettext_lazy("write")
AREAS = (
    Area(
        gettext_lazy("Users and roles"),
        {"users:read": READ, "users:write": WRITE},
        {
            "users:read": gettext_lazy("See people, their sessions and roles."),
            "users:write": gettext_lazy("Create, change, block and delete people, but no admin; give and make roles."),
        },
    ),
    Area(
        gettext_lazy("Tables"),
        {"tables:read": READ, "tables:write": WRITE},
        {
            "tables:read": gettext_lazy("See which tables and columns there are."),
            "tables:write": gettext_lazy("Make, change, empty and delete tables and columns."),
        },
    ),
    Area(
        gettext_lazy("Rows"),
        {"rows:read": READ, "rows:write": WRITE},
        {
            "rows:read": gettext_lazy("Read the rows of every table, whatever its rules."),
            "rows:write": gettext_lazy("Add, change and delete rows of every table; import files."),
        },
    ),
    Area(
        gettext_lazy("Events"),
        {"events:read": READ, "events:write": WRITE, "events:secrets": gettext_lazy("secrets")},
        {
            "events:read": gettext_lazy("Read the log."),
            "events:write": gettext_lazy("Send events of your own."),
            "events:secrets": gettext_lazy("See the tokens and links of mails; who has them can act as that person."),
        },
    ),
    Area(
        gettext_lazy("Webhooks"),
        {"webhooks:read": READ, "webhooks:write": WRITE},
        {
            "webhooks:read": gettext_lazy("See webhooks and their deliveries."),
            "webhooks:write": gettext_lazy("Make, change, test, replay and delete webhooks."),
        },
    ),
    Area(
        gettext_lazy("Settings"),
        {"settings:read": READ, "settings:write": WRITE},
        {
            "settings:read": gettext_lazy("See the hosted authentication settings and the apps."),
            "settings:write": gettext_lazy(
                "Change them: where people land after logging in, and which apps they log in to; "
                "who has it can act as any person."
            ),
        },
    ),
    Area(
        gettext_lazy("Operation"),
        {"metrics:read": READ},
        {"metrics:read": gettext_lazy("Read figures about this installation at /metrics.")},
    ),
)
EVERY_READ = [scope for area in AREAS for scope in area.verbs if scope.endswith(":read")]


def in_words(scopes: Iterable[str]) -> str:
    """What these scopes allow, such as `Rows: read, write · Events: read`."""
    given = set(scopes)
    if EVERYTHING in given:
        return _("Everything")
    if given == set(EVERY_READ):
        return _("Read everything")
    parts = [(area, [str(verb) for scope, verb in area.verbs.items() if scope in given]) for area in AREAS]
    return " · ".join(f"{area.name}: {', '.join(verbs)}" for area, verbs in parts if verbs)
