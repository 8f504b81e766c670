"""What the list of people is asked for, as its address tells it, and the addresses that ask for something else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from authpages.models import Role, User
from authpages.services.roles import find_role

LONGEST_TEXT = 320
ROLES_MAX = 200  # that can be chosen
SWITCHES = {"true": True, "false": False}


class Chip(NamedTuple):
    """A filter that is on or off, and the address where it is the other way."""

    label: str | Promise
    is_on: bool
    url: str


@dataclass(frozen=True, slots=True)
class UserFilters:
    """Whom the list shows; None and nothing stand for everybody."""

    text: str = ""
    role: str = ""
    verified: bool | None = None
    blocked: bool | None = None
    admin: bool | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> UserFilters:
        """What the request asks for; what no filter of ours would say is passed over."""
        asked = request.GET
        switches = {name: SWITCHES.get(asked.get(name, "")) for name in ("verified", "blocked", "admin")}
        text, role = (asked.get(name, "").replace("\0", "").strip()[:LONGEST_TEXT] for name in ("q", "role"))
        return cls(text, role, **switches)

    def found(self) -> QuerySet[User]:
        """The people; raises `RoleUnknown`."""
        role = find_role(self.role) if self.role else None
        switches = {"verified": self.verified, "blocked": self.blocked, "admin": self.admin}
        return User.objects.with_roles().matching(text=self.text, role=role, **switches)

    @property
    def is_any_on(self) -> bool:
        return self != UserFilters()

    @property
    def url(self) -> str:
        """The list, filtered so."""
        switches = {name: getattr(self, name) for name in ("verified", "blocked", "admin")}
        asked = {"q": self.text, "role": self.role} | {name: _word(on) for name, on in switches.items()}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{reverse('console-users')}?{query}" if query else reverse("console-users")

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the search form has to send along."""
        switches = {name: _word(getattr(self, name)) for name in ("verified", "blocked", "admin")}
        return [(name, word) for name, word in switches.items() if word]

    @property
    def chips(self) -> list[Chip]:
        return [
            self._chip(_("Admins"), "admin", True),
            self._chip(_("Blocked"), "blocked", True),
            self._chip(_("Not verified"), "verified", False),
            self._chip(_("Verified"), "verified", True),
        ]

    @property
    def role_names(self) -> list[str]:
        """The roles that can be chosen."""
        return list(Role.objects.order_by("name_key").values_list("name", flat=True)[:ROLES_MAX])

    def _chip(self, label: str | Promise, name: str, value: bool) -> Chip:
        is_on = getattr(self, name) is value
        other_way: dict[str, Any] = {name: None if is_on else value}
        return Chip(label, is_on, replace(self, **other_way).url)


def _word(value: bool | None) -> str:
    return "" if value is None else str(value).lower()
