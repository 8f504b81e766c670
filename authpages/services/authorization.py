"""What stands between an app's request for a person and its code: logging in, choosing an account, agreeing.

What an app asks for is kept as a row while the person is on the way, so that the way can lead through a mail and end in
another browser. Its id is in the path by which the way goes on; nothing else of the request travels.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages import throttles
from authpages.models import App, AuthorizationRequest, Session
from authpages.services.codes import issue_code
from authpages.services.consents import has_consented
from authpages.services.links import Purpose, lifetime
from authpages.services.redirect_uris import leads_to_own_machine
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import Origin
from fastgen_backend.prepared import insert

AFTER_THE_LAST_LINK = timedelta(hours=1)
CLICKED_TWICE = timedelta(minutes=1)
ON_THE_WAY = timedelta(minutes=10)  # so long after logging in for an app, people may still be on the way back to it
RESUMPTION = re.compile(r"/oauth/authorize\?request=([0-9a-f-]{36})", re.ASCII)


class Step(StrEnum):
    """What a person has to do before the app gets its code."""

    LOG_IN = "log_in"
    SIGN_UP = "sign_up"
    CHOOSE_ACCOUNT = "choose_account"
    AGREE = "agree"
    CONFIRM = "confirm"  # say that it is this app which they want to use
    NOTHING = "nothing"  # the app means another person than the one who has just logged in


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an app asks for; the door has checked that it may, and that its people may be sent to `redirect_uri`."""

    app: App
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    prompts: frozenset[str]
    max_age: int | None
    person: uuid.UUID | None  # None: whoever it is


def prompts_of(parameters: Mapping[str, str]) -> frozenset[str]:
    """What an app wants the person to be asked, of a request that was found good."""
    return frozenset(parameters.get("prompt", "").split())


def max_age_of(parameters: Mapping[str, str]) -> int | None:
    """How many seconds ago the person may have shown who they are, of a request that was found good."""
    return int(parameters["max_age"]) if parameters.get("max_age") else None


def next_step(wanted: Wanted, session: Session | None, pending: AuthorizationRequest | None = None) -> Step | None:
    """What the person of this session, or nobody, has to do next; None where the app gets its code at once.

    `pending` is the request, where they are on the way already. What they did since it came counts; and who comes back
    without a new login has chosen the account that they are logged in with.
    """
    began_at = pending.created_at if pending else None
    if began_at is None and "create" in wanted.prompts:
        return Step.SIGN_UP
    if session is None or _must_log_in(wanted.prompts, wanted.max_age, session, began_at):
        return Step.LOG_IN
    if wanted.person not in {None, session.user_id}:
        return Step.NOTHING if began_at and session.auth_time >= began_at else Step.LOG_IN
    if began_at is None and "select_account" in wanted.prompts:
        return Step.CHOOSE_ACCOUNT
    if _must_agree(wanted, session):
        return Step.AGREE
    return Step.CONFIRM if _must_confirm(wanted, session, pending) else None


def grant_code(wanted: Wanted, session: Session) -> str:
    """The code that brings the person back to the app; empty where the app or their session is gone just now."""
    return issue_code(
        session=session,
        app=wanted.app,
        redirect_uri=wanted.redirect_uri,
        scope=wanted.scope,
        nonce=wanted.nonce,
        code_challenge=wanted.code_challenge,
    )


def keep_request(
    *,
    app: App,
    parameters: dict[str, str],
    origin: Origin,
    person: uuid.UUID | None = None,
    session: Session | None = None,
) -> AuthorizationRequest:
    """Keep what an app asks for until the last link that the person may be sent is over, and a little longer.

    Anyone can have such rows made, so an address can have so many an hour; who is logged in by `session` is counted
    apart from those who are not. Raises `TooManyRequests`; and `NotFound` where the app is deleted just now.
    """
    throttles.count(throttles.authorization_limits(origin.ip_address, session.user_id if session else None))
    now = timezone.now()
    until = now + max(lifetime(Purpose.VERIFICATION), lifetime(Purpose.RESET)) + AFTER_THE_LAST_LINK
    request = AuthorizationRequest(app=app, person=person, parameters=parameters, created_at=now, expires_at=until)
    try:
        with transaction.atomic():
            return insert(request)
    except IntegrityError:
        raise NotFound(_("There is no such app any more.")) from None


def find_request(request_id: str, *, with_app: bool = False) -> AuthorizationRequest | None:
    """What an app asked for, by the id in the way on, until it expires."""
    requests = AuthorizationRequest.objects.select_related("app") if with_app else AuthorizationRequest.objects.all()
    try:
        known = requests.filter(pk=uuid.UUID(request_id))
    except ValueError:
        return None
    return known.filter(expires_at__gt=timezone.now()).first()


def note_answer(request: AuthorizationRequest) -> None:
    """The app has its answer; a link in a mail leads there no more, for an app takes each answer once."""
    if request.answered_at is None:
        with transaction.atomic():
            AuthorizationRequest.objects.filter(pk=request.pk, answered_at=None).update(answered_at=timezone.now())


def note_login(request: AuthorizationRequest, session: Session) -> None:
    """A person has logged in on a page that told them to which app it leads on, as its caller has seen to."""
    if request.app.first_party and _may_be_another_app(request.app, request.parameters["redirect_uri"]):
        with transaction.atomic():
            AuthorizationRequest.objects.filter(pk=request.pk).update(login=session.pk)


def still_waits(request: AuthorizationRequest) -> bool:
    """Whether the app waits for an answer, or was given one only just now: people click twice."""
    return request.answered_at is None or timezone.now() - request.answered_at < CLICKED_TWICE


def way_on(request: AuthorizationRequest) -> str:
    """The path by which the person comes back to this request, in whatever browser."""
    return f"/oauth/authorize?request={request.pk}"


def leads_to_request(path: str) -> bool:
    """Whether this is the way on to a request, be there one or not."""
    return bool(RESUMPTION.fullmatch(path))


def request_behind(path: str) -> AuthorizationRequest | None:
    """The request that this path leads on to, with its app; None for any other path."""
    match = RESUMPTION.fullmatch(path)
    return find_request(match[1], with_app=True) if match else None


def asks_to_log_in_again(request: AuthorizationRequest, session: Session) -> bool:
    """Whether the app wants this person to show once more who they are."""
    wanted = request.parameters
    if request.person not in {None, session.user_id}:
        return True
    return _must_log_in(prompts_of(wanted), max_age_of(wanted), session, request.created_at)


def _must_log_in(prompts: frozenset[str], max_age: int | None, session: Session, began_at: datetime | None) -> bool:
    """Whether the app wants a login that is newer than this one.

    One on the way back to the app counts, or nobody would ever come back to one that takes none for new enough; but
    for a while only, as the way back is there much longer.
    """
    if "login" not in prompts and max_age is None:
        return False
    age, allowed = timezone.now() - session.auth_time, timedelta(seconds=max_age or 0)
    if began_at and session.auth_time >= began_at:
        return age > (ON_THE_WAY if "login" in prompts else max(allowed, ON_THE_WAY))
    return "login" in prompts or age >= allowed


def _must_agree(wanted: Wanted, session: Session) -> bool:
    if wanted.app.first_party:
        return False
    if "consent" in wanted.prompts or _may_be_another_app(wanted.app, wanted.redirect_uri):
        return True
    return not has_consented(session.user, wanted.app, wanted.scope)


def _must_confirm(wanted: Wanted, session: Session, pending: AuthorizationRequest | None) -> bool:
    """Whether a first-party app needs a word of the person, of whom only their browser knows so far.

    Who has just logged in on a page that named the app gave that word, until the app has its answer. On a loopback
    address all that is there is being developed.
    """
    if settings.IS_LOOPBACK or not _may_be_another_app(wanted.app, wanted.redirect_uri):
        return False
    if pending is None or pending.login != session.pk or pending.answered_at is not None:
        return True
    return timezone.now() - session.auth_time > ON_THE_WAY


def _may_be_another_app(app: App, redirect_uri: str) -> bool:
    """Whether nothing shows that it is this app: it has no secret, and whatever runs on a device may listen there.

    That may be so with a scheme of its own, and on the person's own machine by whatever scheme. Then no code goes
    without the person (RFC 8252, 8.6; RFC 6749, 10.2).
    """
    if app.type != App.Type.PUBLIC:
        return False
    return redirect_uri[:6].lower() != "https:" or leads_to_own_machine(redirect_uri)
