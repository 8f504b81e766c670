"""Resolving what was asked for an address: only here, in the worker, is it found out whether there is an account."""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from authpages import signals
from authpages.errors import EmailTaken
from authpages.models import AuthRequest, User
from authpages.services.email_verification import send_link
from authpages.services.password_reset import send_reset
from authpages.services.signup import Profile, create_account
from fastgen_backend.origin import Origin, Source

logger = logging.getLogger("fastgen.auth_requests")

TRY_AGAIN_AFTER = timedelta(minutes=1)


def resolve_due(limit: int = 100) -> int:
    """Resolve up to `limit` requests, each in a transaction with its links and events; answers how many were found.

    One that fails is logged and tried again a minute later, and holds up none of the others.
    """
    for done in range(limit):
        if not AuthRequest.objects.filter(resolved_at=None, due_at__lte=timezone.now()).exists():
            return done  # a look that takes no lock
        request_id = None
        try:
            with transaction.atomic():
                request = _next()
                if request is None:
                    return done
                request_id = request.pk
                _resolve(request)
                _empty(request)
        except EmailTaken:
            continue  # another worker made the account just now; the request finds it when it is looked at again
        except Exception:
            if request_id is None:
                raise
            logger.exception("Request %s could not be resolved; it is tried again in a minute.", request_id)
            AuthRequest.objects.filter(pk=request_id).update(due_at=timezone.now() + TRY_AGAIN_AFTER)
    return limit


def _next() -> AuthRequest | None:
    """The oldest request that is due and that no other worker holds."""
    waiting = AuthRequest.objects.filter(resolved_at=None, due_at__lte=timezone.now())
    return waiting.select_for_update(skip_locked=True).order_by("pk").first()


def _resolve(request: AuthRequest) -> None:
    origin = Origin(
        source=Source(request.source),
        request_id=request.request_id,
        ip_address=request.ip_address,
        user_agent=request.user_agent,
        locale=request.locale,
    )
    user = User.objects.locked().by_email(request.email).first()
    if user and user.blocked:
        return
    match request.kind:
        case AuthRequest.Kind.SIGN_UP:
            _sign_up(request, user, origin)
        case AuthRequest.Kind.VERIFICATION if user and not user.email_verified:
            send_link(user=user, origin=origin, next_path=request.next_path)
        case AuthRequest.Kind.RESET if user:
            send_reset(user=user, origin=origin, next_path=request.next_path)


def _sign_up(request: AuthRequest, user: User | None, origin: Origin) -> None:
    if user is None:
        create_account(
            email=request.email,
            hashed=request.password,
            profile=Profile(**request.profile),
            origin=origin,
            logged_in=False,
            next_path=request.next_path,
        )
    elif user.email_verified or user.is_superuser:
        signals.sign_up_repeated.send(sender=User, user=user, origin=origin)
    else:
        _sign_up_again(user, origin, request.next_path)


def _sign_up_again(user: User, origin: Origin, next_path: str) -> None:
    """Someone signs up with an address that was never verified: which of the two is its owner, nobody can tell.

    A link that confirms either password would hand the account to a stranger if the owner opened it (account
    pre-hijacking, Sudhodanan and Paverd 2022). So neither password counts, links on the way confirm nothing, and the
    one that is mailed sets a new one. A form that one person sent twice is no different.
    """
    user.password = None
    user.save(update_fields=["password"])
    user.links.void()
    send_reset(user=user, origin=origin, next_path=next_path)


def _empty(request: AuthRequest) -> None:
    request.email = request.password = request.user_agent = request.next_path = ""
    request.ip_address = None
    request.profile = {}
    request.resolved_at = timezone.now()
    request.save()
