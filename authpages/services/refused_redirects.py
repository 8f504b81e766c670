"""What apps asked for and may not have: sending people where it was never said that they may go.

Anyone can cause such a refusal by an address of their own making, so there is room for a few of each app alone.
"""

import secrets
import uuid
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from authpages import throttles
from authpages.errors import RedirectUnusable
from authpages.models import App, HostedAuthSettings, RefusedRedirect, token_hash
from authpages.services.app_locks import hold_app
from authpages.services.apps import MOST_URIS, NOBODY, change_app
from authpages.services.hosted_settings import change_settings
from authpages.services.redirect_uris import place_of, redirect_uris_of, why_not_a_redirect, why_not_a_redirect_of
from fastgen_backend.errors import FieldError, InvalidInput, NotFound, TooManyRequests
from fastgen_backend.limits import LONGEST_URL
from fastgen_backend.retention import BITE

MOST_OF_AN_APP = 50
MOST_OF_NO_APP = 100  # of all clients together that we don't know
LONGEST_CLIENT_ID = 100
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without those that look alike: people read references out
LETTERS_OF_A_REFERENCE = 8
CONTROL_PICTURES = 0x2400  # ␊ stands for a line feed


def refer_to(
    *, app: App | None, client_id: str, uri: str, for_logout: bool, ip_address: str | None, is_seen: bool
) -> str:
    """The reference to tell of a refusal, which is noted where a person sees it; empty where it is not known.

    An address has few of them noted in an hour; after these it is told what others had noted.
    """
    wanted: dict[str, Any] = {"app": app, "client_id": client_id, "uri": uri, "for_logout": for_logout}
    if not is_seen:
        return find_reference(**wanted)
    try:
        throttles.count(throttles.refusal_limits(ip_address))
    except TooManyRequests:
        return find_reference(**wanted)
    return note_refused_redirect(**wanted)


def note_refused_redirect(*, app: App | None, client_id: str, uri: str, for_logout: bool) -> str:
    """Remember that `uri` was refused, and when; returns the reference by which it is found in the console.

    The same refusal again counts up and keeps its reference. Of too many, those go first that were seen the fewest
    times, the oldest of them before others: a flood washes itself away rather than what happens day by day. Of an app
    that is deleted just now it is noted as of one that is not known.
    """
    of_client = _client(app, client_id)
    same = _same(of_client, uri, for_logout)
    with transaction.atomic():
        return _seen_again(same) or _noted(app, of_client, uri, for_logout) or _seen_again(same)


def find_reference(*, app: App | None, client_id: str, uri: str, for_logout: bool) -> str:
    """The reference of a refusal that was noted before; empty where it was not."""
    return _same(_client(app, client_id), uri, for_logout).values_list("reference", flat=True).first() or ""


def find_refused_redirect(reference: str) -> RefusedRedirect | None:
    """What was refused under this reference, however it was typed."""
    typed = "".join(reference.split()).replace("-", "").upper()
    if len(typed) != LETTERS_OF_A_REFERENCE or not typed.isalnum():
        return None
    return RefusedRedirect.objects.select_related("app").filter(reference=typed).first()


def why_not_to_be_added(noted: RefusedRedirect, app: App) -> str:
    """Why what this app was refused can't become one of its URIs, in a sentence; empty where it can."""
    if not noted.uri:
        return _("The app sent no redirect URI, and it has to send one.")
    if bytes(noted.uri_hash) != token_hash(noted.uri):
        return _("It is too long, or has characters that no address may have: the app has to send another one.")
    if noted.uri in _registered(noted, app):
        return _("It is registered by now.")
    if len(_registered(noted, app)) >= MOST_URIS:
        return _("The app has %(count)d already, and no more are possible.") % {"count": MOST_URIS}
    return why_not_a_redirect(noted.uri) if _is_for_settings(noted, app) else why_not_a_redirect_of(app, noted.uri)


def strange_place_of(noted: RefusedRedirect, app: App) -> str:
    """The host of what can be added where none of the app's URIs has it, so that it may be a stranger's; else empty."""
    place = place_of(noted.uri)
    known = [*redirect_uris_of(app), *app.post_logout_redirect_uris]
    return "" if place in map(place_of, known) else place


def add_refused_redirect(*, app_id: uuid.UUID, reference: str, typed_host: str = "") -> App:
    """Make what was refused under this reference one of the app's URIs, and forget that it was.

    A host that none of its URIs has is to be typed. That of the default app becomes one of the further redirect URLs of
    the hosted authentication settings. Raises `NotFound`, `RedirectUnusable` which says why it can't be, or
    `InvalidInput` where the host was not typed.
    """
    with transaction.atomic():
        HostedAuthSettings.objects.get_or_create(pk=1)
        hosted = HostedAuthSettings.objects.select_for_update().defer("logo").get(pk=1)
        app = App.objects.select_for_update().filter(pk=app_id).first()
        noted = RefusedRedirect.objects.filter(app=app, reference=reference).first() if app else None
        if app is None or noted is None:
            raise NotFound(_("No such refusal is known any more. It may have been added, or forgotten, meanwhile."))
        if reason := why_not_to_be_added(noted, app):
            raise RedirectUnusable(reason)
        _check_typed(typed_host, strange_place_of(noted, app))
        if _is_for_settings(noted, app):
            change_settings(changes={"allowed_redirect_urls": [*hosted.allowed_redirect_urls, noted.uri]})
        else:
            field = "post_logout_redirect_uris" if noted.for_logout else "redirect_uris"
            change_app(app_id=app_id, changes={field: [*getattr(app, field), noted.uri]}, giver=NOBODY)
        noted.delete()
    return app


def _check_typed(host: str, place: str) -> None:
    if place and host.strip().lower().removesuffix(":") != place.removesuffix(":"):
        detail = _("Type %(host)s if this host is yours.") % {"host": place}
        raise InvalidInput([FieldError("/host", "not-confirmed", detail)])


def _registered(noted: RefusedRedirect, app: App) -> list[str]:
    return list(app.post_logout_redirect_uris) if noted.for_logout else redirect_uris_of(app)


def _is_for_settings(noted: RefusedRedirect, app: App) -> bool:
    return app.is_default and not noted.for_logout


def _client(app: App | None, client_id: str) -> str:
    return str(app.pk) if app else _shown(client_id, LONGEST_CLIENT_ID)


def _same(of_client: str, uri: str, for_logout: bool) -> "models.QuerySet[RefusedRedirect]":
    return RefusedRedirect.objects.filter(client_id=of_client, uri_hash=token_hash(uri), for_logout=for_logout)


def _seen_again(same: "models.QuerySet[RefusedRedirect]") -> str:
    """The reference of what was noted before, counted up; empty where it was not."""
    counted = same.update(count=F("count") + 1, last_at=timezone.now())
    return str(same.values_list("reference", flat=True)[0]) if counted else ""


def _noted(app: App | None, client_id: str, uri: str, for_logout: bool) -> str:
    """The reference of what is noted now; empty where somebody else was the first."""
    held = app if app and hold_app(app) else None
    row = RefusedRedirect(
        reference="".join(secrets.choice(LETTERS) for _letter in range(LETTERS_OF_A_REFERENCE)),
        app=held,
        client_id=client_id,
        uri=_shown(uri, LONGEST_URL),
        uri_hash=token_hash(uri),
        for_logout=for_logout,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return ""
    _make_room(row)
    return row.reference


def _make_room(noted: RefusedRedirect) -> None:
    """Only what others outrank goes: several who make room at once never take from those that are to stay.

    What somebody else is just counting, or has counted meanwhile, is left to the next one.
    """
    if outranked := _outranked(noted):
        held = RefusedRedirect.objects.filter(pk__in=outranked).select_for_update(skip_locked=True)
        unchanged = [pk for pk, count in held.values_list("pk", "count") if outranked[pk] == count]
        RefusedRedirect.objects.filter(pk__in=unchanged).delete()


def _outranked(noted: RefusedRedirect) -> dict[int, int]:
    """Those of this app that are too many beside `noted`, and how often each was seen."""
    most = MOST_OF_AN_APP if noted.app_id else MOST_OF_NO_APP
    others = RefusedRedirect.objects.filter(app=noted.app_id).exclude(pk=noted.pk)
    return dict(others.order_by("-count", "-last_at", "pk").values_list("pk", "count")[most - 1 :][:BITE])


def _shown(text: str, longest: int) -> str:
    """`text` as it can be kept and shown: cut, with a picture of each control, and a mark for what has none."""
    return "".join(_picture(each) for each in text[:longest])


def _picture(character: str) -> str:
    if character < " ":
        return chr(CONTROL_PICTURES + ord(character))
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
