"""Changing how the hosted pages look and behave."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.db import transaction
from django.utils.translation import gettext as _

from authpages.addresses import is_usable
from authpages.logo import Logo, fetch_logo, read_logo
from authpages.models import HostedAuthSettings
from authpages.services.redirect_uris import why_not_a_redirect, why_not_a_url
from fastgen_backend.errors import DomainError, FieldError, InvalidInput

LIST_MAX = 100


def change_settings(*, changes: dict[str, Any], logo: bytes | None = None) -> HostedAuthSettings:
    """Change the named settings (names of the model's fields) all together or, raising `InvalidInput`, none of them.

    A new `logo_url` is fetched here, once, and its picture kept; an empty one takes the picture away. A `logo` that is
    sent takes the place of either.
    """
    changes = {name: value for name, value in changes.items() if not (name == "logo_url" and _is_shown_as_logo(value))}
    if errors := what_is_wrong(changes):
        raise InvalidInput(errors)
    if logo is not None:
        changes |= {"logo_url": "", **_stored(lambda: read_logo(logo))}
    elif "logo_url" in changes:
        changes |= _stored_from(changes["logo_url"])
    with transaction.atomic():
        HostedAuthSettings.objects.get_or_create(pk=1)
        settings = HostedAuthSettings.objects.select_for_update().defer("logo").get(pk=1)
        for name, value in changes.items():
            setattr(settings, name, value)
        settings.save(update_fields=list(changes) or None)
    return settings


def settings_with(changes: dict[str, Any]) -> HostedAuthSettings:
    """The settings as they would be with those of `changes` that can be; nothing is fetched or saved."""
    settings = HostedAuthSettings.load()
    for name, value in changes.items():
        if not _wrong(name, value):
            setattr(settings, name, value)
    return settings


def what_is_wrong(changes: dict[str, Any]) -> list[FieldError]:
    """Why those of `changes` can't be that `settings_with` leaves out."""
    return [error for name, value in changes.items() for error in _wrong(name, value)]


def logo_url_of(settings: HostedAuthSettings) -> str:
    """Where the logo was fetched from; our own address of one that was sent; empty where there is none."""
    is_sent = settings.logo_type and not settings.logo_url
    return f"{django_settings.BASE_URL}/branding/logo" if is_sent else settings.logo_url


def origins_of(settings: HostedAuthSettings) -> list[str]:
    """The origins that may call us from a browser: those given, or else those of the callback and redirect URLs."""
    if settings.allowed_origins is not None:
        return list(settings.allowed_origins)
    urls = [settings.callback_url, *settings.allowed_redirect_urls]
    return sorted({f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in urls if url})


def _why_not_an_origin(text: str) -> str:
    parts_end = urlsplit(text).path if not why_not_a_url(text) else ""
    if parts_end or "?" in text or "#" in text:
        return _("An origin is a scheme, a host and at most a port, such as https://app.example.com.")
    return why_not_a_redirect(text)


def _why_not_a_link(text: str) -> str:
    return why_not_a_url(text) if text else ""


def _why_not_a_callback(text: str) -> str:
    return why_not_a_redirect(text) if text else ""


def _why_not_a_name(text: str) -> str:
    if text.strip() and len(text) <= 60 and text.isprintable():
        return ""
    return _("The product’s name must have 1 to 60 printable characters.")


def _why_not_a_color(text: str) -> str:
    return "" if re.fullmatch(r"#[0-9a-fA-F]{6}", text) else _("A colour looks like #4f46e5.")


def _why_not_an_address(text: str) -> str:
    return "" if not text or is_usable(text) else _("This is not an e-mail address that mail can be sent to.")


RULES: dict[str, Callable[[str], str]] = {
    "callback_url": _why_not_a_callback,
    "allowed_redirect_urls": why_not_a_redirect,
    "allowed_origins": _why_not_an_origin,
    "product_name": _why_not_a_name,
    "logo_url": _why_not_a_link,
    "accent_color": _why_not_a_color,
    "support_email": _why_not_an_address,
    "terms_url": _why_not_a_link,
    "privacy_url": _why_not_a_link,
}


def camel(name: str) -> str:
    """A field's name as the outside knows it: `callback_url` is `callbackUrl`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _wrong(name: str, value: Any) -> list[FieldError]:
    rule, pointer = RULES.get(name), f"/{camel(name)}"
    if rule is None or value is None:
        return []
    if not isinstance(value, list):
        return [FieldError(pointer, "invalid", reason)] if (reason := rule(value)) else []
    if len(value) > LIST_MAX:
        return [FieldError(pointer, "too-many", _("At most %(count)d are possible.") % {"count": LIST_MAX})]
    reasons = [(index, rule(each)) for index, each in enumerate(value)]
    return [FieldError(f"{pointer}/{index}", "invalid", reason) for index, reason in reasons if reason]


def _is_shown_as_logo(url: str) -> bool:
    """Whether this is what the settings say already: then nothing has to be fetched."""
    return url == logo_url_of(HostedAuthSettings.load())


def _stored_from(url: str) -> dict[str, Any]:
    return _stored(lambda: fetch_logo(url)) if url else {"logo": None, "logo_type": "", "logo_version": ""}


def _stored(read: Callable[[], Logo]) -> dict[str, Any]:
    """The fields that hold a logo."""
    try:
        logo = read()
    except DomainError as refusal:
        raise InvalidInput([FieldError("/logoUrl", refusal.code, refusal.detail)]) from None
    return {"logo": logo.picture, "logo_type": logo.media_type, "logo_version": logo.version}
