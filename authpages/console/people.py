"""What the console's pages about one person stand on: who it is, and who is at work there."""

from functools import cached_property
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from authpages.models import User
from fastgen_backend.console import AdminsOnly, Crumb, console_origin, done
from fastgen_backend.errors import NotFound


class PersonPage(AdminsOnly):
    """A page about the person whom its address names by `user`; where there is none, 404."""

    @cached_property
    def person(self) -> User:
        found = User.objects.with_roles().filter(pk=self.kwargs["user"]).first()
        if found is None:
            raise NotFound(_("There is no such person. The account may have been deleted meanwhile."))
        return found

    @property
    def story_url(self) -> str:
        """The page that tells all about the person."""
        return reverse("console-users-person", args=[self.kwargs["user"]])

    @property
    def by_admin(self) -> dict[str, Any]:
        """Whom it is about and who does it, as the services ask; an admin in the console reaches other admins."""
        return {"user_id": self.kwargs["user"], "origin": console_origin(self.request), "may_manage_admins": True}

    def trail(self) -> list[Crumb]:
        return [Crumb(self.person.email, self.story_url)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"person": self.person, "story_url": self.story_url, **kwargs})

    def done(self, what: str) -> HttpResponse:
        """On to the person's page, which says what was done."""
        return done(self.request, self.story_url, what)
