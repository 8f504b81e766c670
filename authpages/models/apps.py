"""The apps that people log in to here: what they are, what they hold of a session, and what people agreed to."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, Self

from django.db import models
from django.db.models import OuterRef, Q
from django.utils import timezone

from authpages.models.hosted_settings import HostedAuthSettings
from authpages.models.sessions import Session
from authpages.models.users import User
from fastgen_backend.counting import CountUpTo
from fastgen_backend.ids import uuid7
from fastgen_backend.limits import LONGEST_URL
from fastgen_backend.prepared import Moment

LONGEST_NONCE = 500  # characters; what it is is the app's own business
LONGEST_SCOPE = 500
COUNTED_MAX = 10_000  # of what an app holds, to tell how many people that are
LISTED_MAX = 1000  # the same, in a list of apps


class Holders(NamedTuple):
    """A number of people; it is no more than those of the latest logins where there are too many to count."""

    people: int
    are_all: bool


class AppQuerySet(models.QuerySet["App"]):
    def acting(self) -> Self:
        """Those whose scopes hold: who gave them, where an admin did, still is one who may come in."""
        giver = Q(scopes_given_by=None) | Q(scopes_given_by__is_superuser=True, scopes_given_by__blocked=False)
        return self.filter(giver)

    def matching(self, text: str) -> Self:
        """Those whose name holds this text, or whose id it is; all of them where there is none."""
        if not text:
            return self
        meant = Q(name__icontains=text)
        if text.lower() in HostedAuthSettings.load().product_name.lower():
            meant |= Q(is_default=True)
        with suppress(ValueError):
            meant |= Q(pk=uuid.UUID(text))
        return self.filter(meant)

    def with_holders(self, now: datetime) -> Self:
        """Each app with its `listed_holders`: the last thousand logins are looked at, however many there are."""
        of_app = AppSession.objects.alive(now).filter(app=OuterRef(OuterRef("pk"))).order_by("-pk")
        living = Session.objects.alive(now).filter(pk__in=of_app.values("session")[:LISTED_MAX])
        held = AppSession.objects.alive(now).filter(app=OuterRef("pk")).order_by().values("pk")[: LISTED_MAX + 1]
        return self.annotate(people=CountUpTo(living.values("user").distinct()), logins=CountUpTo(held))


class App(models.Model):
    """An OAuth client; its `client_id` is its id.

    A public one runs where no secret can be kept, a confidential one has a secret, of which only the hash is kept.
    People are asked before a third-party app learns who they are. The default app belongs to the hosted authentication
    settings, which give its name and its redirect URIs.
    """

    class Type(models.TextChoices):
        PUBLIC = "public"
        CONFIDENTIAL = "confidential"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    type = models.CharField(max_length=12, choices=Type.choices)
    first_party = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)
    redirect_uris = models.JSONField(default=list)
    post_logout_redirect_uris = models.JSONField(default=list)
    secret_hash = models.BinaryField(max_length=32, null=True)
    former_secret_hash = models.BinaryField(max_length=32, null=True)  # of the one before, while it works still
    former_secret_until = models.DateTimeField(null=True)
    scopes = models.JSONField(default=list)  # those of API keys, for what it does in its own name
    scopes_given_by = models.ForeignKey(  # the id outlives the account: None is of those whom no admin gave any
        User, on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name="apps_given_scopes"
    )
    id_token_algorithm = models.CharField(max_length=10, default="RS256")
    created_at = models.DateTimeField(default=timezone.now)
    people: int  # both by `with_holders`
    logins: int

    objects = AppQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="there_is_one_default_app"
            ),
            models.CheckConstraint(
                condition=Q(type="public", secret_hash=None) | Q(type="confidential", secret_hash__isnull=False),
                name="a_confidential_app_has_a_secret",
            ),
        ]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """What people know the app by; the default app has the product's name."""
        return HostedAuthSettings.load().product_name if self.is_default else self.name

    @property
    def is_asleep(self) -> bool:
        """Whether its scopes are good for nothing, because who gave them is no admin any more, or blocked."""
        return not App.objects.acting().filter(pk=self.pk).exists()

    def holders(self, now: datetime) -> Holders:
        """How many people are logged in through the app."""
        living = Session.objects.alive(now).filter(app_sessions__app=self, app_sessions__ends_at__gt=now)
        held = living.order_by("-app_sessions__pk").values_list("user_id", flat=True)[: COUNTED_MAX + 1]
        people = list(held)
        return Holders(len(set(people)), len(people) <= COUNTED_MAX)

    @property
    def listed_holders(self) -> Holders:
        """The same as `holders`, of fewer logins, by `with_holders`."""
        return Holders(self.people, self.logins <= LISTED_MAX)


class AuthorizationRequest(models.Model):
    """What an app asked for, while the person signs up, logs in, verifies or agrees, in this browser or another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)  # nobody can guess another's
    app = models.ForeignKey(App, on_delete=models.CASCADE)
    parameters = models.JSONField()  # of the request, as it came
    person = models.UUIDField(null=True)  # whom the app means, by the ID token that it sent; None: whoever it is
    login = models.UUIDField(null=True)  # the session of who logged in on the way to an app that might be another one
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)  # when the app first got its code, or the person's no

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="authorizations_to_forget")]

    def __str__(self) -> str:
        return f"authorization request {self.pk}"


class AuthorizationCodeQuerySet(models.QuerySet["AuthorizationCode"]):
    def void(self) -> None:
        """Make every one of these codes useless that is not spent. Inside a transaction; locked in one order."""
        unused = self.filter(used_at=None).select_for_update().order_by("pk")
        AuthorizationCode.objects.filter(pk__in=unused.values("pk")).delete()


class AuthorizationCode(models.Model):
    """What the redirect carries back to the app: good once, for a minute, for that app; only its hash is kept."""

    hash = models.BinaryField(max_length=32, unique=True)
    app = models.ForeignKey(App, on_delete=models.CASCADE)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="codes")
    redirect_uri = models.CharField(max_length=LONGEST_URL)
    scope = models.CharField(max_length=LONGEST_SCOPE, blank=True)
    nonce = models.CharField(max_length=LONGEST_NONCE, blank=True)
    code_challenge = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = AuthorizationCodeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="codes_to_forget")]

    def __str__(self) -> str:
        return f"authorization code {self.pk}"


class AppSessionQuerySet(models.QuerySet["AppSession"]):
    def alive(self, now: Moment) -> Self:
        """Those that have not ended by themselves; whether their sessions live, is to be asked as well."""
        return self.filter(ends_at__gt=now)

    def end(self) -> None:
        """End these: from then on their tokens are good for nothing, and retention deletes them with the rows.

        One statement that writes no token, however many there are. Inside a transaction; the rows are locked in one
        order, so that those who end some of the same never wait for each other in a ring. Not for a query that joins.
        """
        now = timezone.now()
        living = self.alive(now).select_for_update(no_key=True).order_by("pk")
        AppSession.objects.filter(pk__in=living.values("pk")).update(ends_at=now)


class AppSession(models.Model):
    """What an app holds of a person's session since it exchanged a code; its tokens end with either."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="app_sessions", db_index=False)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="app_sessions", db_index=False)
    scope = models.CharField(max_length=LONGEST_SCOPE, blank=True)
    authenticated_at = models.DateTimeField()  # the login that the app was told of, whatever came later
    created_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()  # never moved on; to end it before its time is to set this to now

    objects = AppSessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["session", "app", "id"], name="what_apps_hold_of_a_session"),
            models.Index(fields=["app", "id", "session"], name="what_an_app_holds"),
            models.Index(fields=["ends_at"], name="app_sessions_to_forget"),
        ]

    def __str__(self) -> str:
        return f"session {self.session_id} of app {self.app_id}"


class Consent(models.Model):
    """That a person agreed to what a third-party app learns of them."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents", db_index=False)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="consents")
    scope = models.CharField(max_length=LONGEST_SCOPE, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "app"], name="a_person_agrees_to_an_app_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.app_id}"


class RefusedRedirect(models.Model):
    """That an app asked to send people where it may not: what its developer and an admin find out why by."""

    reference = models.CharField(max_length=12, unique=True)  # on the error page
    app = models.ForeignKey(App, on_delete=models.CASCADE, null=True, related_name="refused_redirects")
    client_id = models.CharField(max_length=100, blank=True)  # as it was sent; there may be no such app
    uri = models.CharField(max_length=LONGEST_URL, blank=True)
    uri_hash = models.BinaryField(max_length=32)
    for_logout = models.BooleanField(default=False)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["last_at"], name="refused_redirects_to_forget")]
        constraints = [
            models.UniqueConstraint(fields=["client_id", "uri_hash", "for_logout"], name="a_redirect_is_refused_once")
        ]

    def __str__(self) -> str:
        return self.reference
