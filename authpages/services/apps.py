"""The apps that people log in to here, or that call our API in their own name."""

import secrets
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from hmac import compare_digest
from typing import Any, NamedTuple

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages.errors import AppHasNoSecret, DefaultAppStays, FollowsHostedSettings, ScopesNotAllowed
from authpages.models import App, AuthorizationCode, Consent, token_hash
from authpages.services.api_keys import SCOPES
from authpages.services.app_sessions import end_app_sessions_with
from authpages.services.forgetting import forget_app_sessions
from authpages.services.redirect_uris import redirect_uris_of, why_not_a_redirect_of
from fastgen_backend.errors import FieldError, InvalidInput, NotFound
from fastgen_backend.prepared import Parameter, Prepared
from fastgen_backend.time_limits import unlimited

PREFIX = "fgs_"
LONGEST_NAME = 100
MOST_URIS = 100  # of each kind
BOTH_WORK = timedelta(hours=24)  # the secret and the one before it, so that servers can be given the new one in turn
ID_TOKEN_ALGORITHMS = ("RS256", "ES256")
FROM_SETTINGS = {"name": "name", "redirect_uris": "redirectUris"}  # what the default app has from there


class Giver(NamedTuple):
    """Who lets an app do something: which scopes they may give, and the admin with whom what they gave ends.

    Without an admin (a key made on the command line) it ends with the app.
    """

    may_give: Callable[[str], bool]
    admin_id: uuid.UUID | None


NOBODY = Giver(lambda _scope: False, None)


class NewSecret(NamedTuple):
    """An app and its secret, `fgs_…`, told this once; empty of a public app."""

    app: App
    secret: str


def default_app() -> App:
    """The app of the hosted authentication settings; made here where there is none yet."""
    found = App.objects.filter(is_default=True).first()
    if found:
        return found
    try:
        with transaction.atomic():
            return App.objects.create(name="", type=App.Type.PUBLIC, is_default=True)
    except IntegrityError:
        return App.objects.get(is_default=True)


def find_app(client_id: str) -> App | None:
    """The app with this `client_id`, whatever was sent; it has one spelling, so that it can be held against others."""
    try:
        id = uuid.UUID(client_id)
    except ValueError:
        return None
    return _by_id.first(id=id) if str(id) == client_id else None


_by_id = Prepared(lambda: App.objects.filter(pk=Parameter("id", models.UUIDField())))


def read_app(app_id: uuid.UUID) -> App:
    """One app; raises `NotFound`."""
    app = App.objects.filter(pk=app_id).first()
    if app is None:
        raise NotFound(_("There is no such app."))
    return app


def create_app(
    *,
    name: str,
    type: str,
    giver: Giver,
    first_party: bool = True,
    redirect_uris: Sequence[str] = (),
    post_logout_redirect_uris: Sequence[str] = (),
    scopes: Collection[str] = (),
    id_token_algorithm: str = ID_TOKEN_ALGORITHMS[0],
) -> NewSecret:
    """A new app. A confidential one has a secret of 256 bits, told this once.

    What it may do ends with the admin of the `giver`, as their API keys do. Raises `InvalidInput` or
    `ScopesNotAllowed`.
    """
    app = App(
        name=name.strip(),
        type=type,
        first_party=first_party,
        redirect_uris=list(redirect_uris),
        post_logout_redirect_uris=list(post_logout_redirect_uris),
        scopes=list(scopes),
        id_token_algorithm=id_token_algorithm,
    )
    _check(app)
    _check_may_give(app.scopes, giver)
    app.scopes_given_by_id = giver.admin_id if app.scopes else None
    secret = _give_secret(app) if app.type == App.Type.CONFIDENTIAL else ""
    with transaction.atomic():
        app.save(force_insert=True)
    return NewSecret(app, secret)


def change_app(*, app_id: uuid.UUID, changes: dict[str, Any], giver: Giver) -> App:
    """Change what `changes` names, all together or nothing.

    Where a first-party app becomes a third-party one or the other way round, all that it holds ends, and people are
    asked anew: what its tokens open, and what people agreed to, was another thing before. Of the default app, what the
    hosted authentication settings say is changed there. Whoever changes the scopes gives them all from then on, but of
    an app that is asleep: it wakes with a new secret. Raises `NotFound`, `InvalidInput`, `FollowsHostedSettings`, or
    `ScopesNotAllowed` where the giver may not give all that there are, and were.
    """
    with transaction.atomic(), unlimited():  # an app that changes its party may hold a session of everybody
        app = _locked(app_id)
        before = App(scopes=app.scopes, first_party=app.first_party)
        if app.is_default:
            changes = _without_what_stays(app, changes)
        if changes.get("type", app.type) != app.type:
            raise InvalidInput([FieldError("/type", "fixed", _("The type of an app stays; make another app."))])
        for name, value in changes.items():
            setattr(app, name, value.strip() if name == "name" else value)
        _check(app)
        if set(app.scopes) != set(before.scopes):
            _check_may_give({*before.scopes, *app.scopes}, giver)
            if not app.is_asleep:
                app.scopes_given_by_id = giver.admin_id if app.scopes else None
        app.save(update_fields=[*changes, "scopes_given_by"])
        if app.first_party != before.first_party:
            _end_what_came_of_the_other_party(app)
    return app


def rotate_secret(*, app_id: uuid.UUID, giver: Giver) -> NewSecret:
    """Give a confidential app a new secret, told this once; for 24 hours the one before works beside it.

    Rotated again within that time, the older of both ends at once: there are never more than two. Whoever has the
    secret acts with the app's scopes, so it is for those alone who may give them, and who give them by it. Where the
    admin is none any more who gave them before, and may know the secret, the one there was ends at once. Raises
    `NotFound`, `AppHasNoSecret` or `ScopesNotAllowed`.
    """
    with transaction.atomic():
        app = _locked(app_id)
        if app.type != App.Type.CONFIDENTIAL:
            raise AppHasNoSecret
        former, until = (None, None) if app.is_asleep else (app.secret_hash, timezone.now() + BOTH_WORK)
        _check_may_give(app.scopes, giver)
        app.scopes_given_by_id = giver.admin_id if app.scopes else None
        app.former_secret_hash, app.former_secret_until = former, until
        secret = _give_secret(app)
        app.save(update_fields=["secret_hash", "former_secret_hash", "former_secret_until", "scopes_given_by"])
    return NewSecret(app, secret)


def end_former_secret(*, app_id: uuid.UUID) -> App:
    """Let the secret before the last rotation work no longer, because somebody else may have it."""
    with transaction.atomic():
        app = _locked(app_id)
        app.former_secret_hash = app.former_secret_until = None
        app.save(update_fields=["former_secret_hash", "former_secret_until"])
    return app


def secret_is_right(app: App, secret: str) -> bool:
    """Whether this is the secret of a confidential app, or the one before while that works. Takes the same time."""
    sent, now = token_hash(secret), timezone.now()
    former_works = app.former_secret_until is not None and now < app.former_secret_until
    former = app.former_secret_hash if former_works else None
    return any([_is_hash_of(sent, app.secret_hash), _is_hash_of(sent, former)])


def delete_app(*, app_id: uuid.UUID) -> None:
    """Delete an app with all that it holds, its codes and what people agreed to; its tokens end at once.

    Raises `NotFound`, or `DefaultAppStays`. Killed amid it, the app is there still, and can be deleted again.
    """
    app = read_app(app_id)
    if app.is_default:
        raise DefaultAppStays
    with transaction.atomic(), unlimited():  # it may hold a session of everybody
        end_app_sessions_with(_locked(app_id))
    _forget_what_is_held_by(app)
    with transaction.atomic(), unlimited():  # everybody may have agreed to it
        app = _locked(app_id)
        _forget_what_is_held_by(app)  # since then
        AuthorizationCode.objects.filter(app=app).void()  # locks the unspent in order, as `remove_access` does
        app.delete()


def _locked(app_id: uuid.UUID) -> App:
    app = App.objects.select_for_update().filter(pk=app_id).first()
    if app is None:
        raise NotFound(_("There is no such app."))
    return app


def _forget_what_is_held_by(app: App) -> None:
    while forget_app_sessions(app.app_sessions.all(), wait=True):
        pass


def _end_what_came_of_the_other_party(app: App) -> None:
    """Codes on their way, what it holds, and what was agreed to. Inside the caller's transaction."""
    AuthorizationCode.objects.filter(app=app).void()
    end_app_sessions_with(app)
    Consent.objects.filter(app=app).delete()


def _give_secret(app: App) -> str:
    secret = f"{PREFIX}{secrets.token_urlsafe(32)}"
    app.secret_hash = token_hash(secret)
    return secret


def _is_hash_of(sent: bytes, kept: bytes | memoryview | None) -> bool:
    return kept is not None and compare_digest(bytes(kept), sent)


def _without_what_stays(app: App, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes of the default app, without those that change nothing; raises where one is not to be made here."""
    told = {"name": app.shown_name, "redirect_uris": redirect_uris_of(app), "first_party": True}
    others = {name: value for name, value in changes.items() if name not in told}
    for name in told.keys() & changes.keys():
        if changes[name] != told[name]:
            raise FollowsHostedSettings(field=FROM_SETTINGS.get(name, "firstParty"))
    return others


def _check_may_give(scopes: Collection[str], giver: Giver) -> None:
    if missing := sorted(scope for scope in scopes if not giver.may_give(scope)):
        detail = _(
            "These credentials may not give an app what it may do: %(scopes)s. That takes an admin, or an API key that "
            "has these scopes itself and does not expire."
        )
        raise ScopesNotAllowed(detail % {"scopes": ", ".join(each[:40] for each in missing[:20])})


def _check(app: App) -> None:
    app.scopes = sorted(set(app.scopes))
    if errors := list(_wrong_with(app)):
        raise InvalidInput(errors)


def _wrong_with(app: App) -> Iterator[FieldError]:
    if not app.is_default and not (app.name and len(app.name) <= LONGEST_NAME and app.name.isprintable()):
        yield FieldError("/name", "invalid", _("An app needs a name of 1 to 100 printable characters."))
    if app.type not in App.Type.values:
        yield FieldError("/type", "invalid", _("An app is ‘public’ or ‘confidential’."))
    if app.id_token_algorithm not in ID_TOKEN_ALGORITHMS:
        yield FieldError("/idTokenAlgorithm", "invalid", _("ID tokens are signed by RS256 or ES256."))
    yield from _wrong_uris(app, "redirectUris", app.redirect_uris)
    yield from _wrong_uris(app, "postLogoutRedirectUris", app.post_logout_redirect_uris)
    if not app.first_party and not app.redirect_uris:
        detail = _("A third-party app needs a redirect URI: without one nobody can log in to it.")
        yield FieldError("/redirectUris", "required", detail)
    yield from _wrong_scopes(app)


def _wrong_uris(app: App, member: str, uris: list[str]) -> Iterator[FieldError]:
    if len(uris) > MOST_URIS:
        yield FieldError(f"/{member}", "too-many", _("At most %(count)d are possible.") % {"count": MOST_URIS})
        return
    for index, uri in enumerate(uris):
        if reason := why_not_a_redirect_of(app, uri):
            yield FieldError(f"/{member}/{index}", "invalid", reason)
        elif uri in uris[:index]:
            yield FieldError(f"/{member}/{index}", "repeated", _("This one is there already."))


def _wrong_scopes(app: App) -> Iterator[FieldError]:
    if app.scopes and app.type != App.Type.CONFIDENTIAL:
        detail = _("Only a confidential app may have scopes: a public one can’t prove that it is itself.")
        yield FieldError("/scopes", "not-confidential", detail)
    for unknown in sorted(set(app.scopes) - set(SCOPES)):
        detail = _("There is no scope ‘%(unknown)s’; there are %(known)s.")
        words = {"unknown": unknown[:40], "known": ", ".join(SCOPES)}
        yield FieldError("/scopes", "unknown-scope", detail % words)
