"""Which pages may call us from a browser: the origins that the hosted authentication settings allow."""

from urllib.parse import urlsplit

from django.db import transaction

from authpages.models import App, HostedAuthSettings
from authpages.services.hosted_settings import change_settings, origins_of
from authpages.services.redirect_uris import redirect_uris_of
from fastgen_backend.errors import NotFound

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def as_browsers_send(origin: str) -> str:
    """An origin in the one spelling that browsers have for it: host in small letters, no port that goes without saying.

    RFC 6454, 6.2.
    """
    parts = urlsplit(origin)
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(DEFAULT_PORTS[parts.scheme])}"


def allowed_origins() -> frozenset[str]:
    """Those of whose pages a browser lets our answers be read, as browsers send them."""
    return frozenset(map(as_browsers_send, origins_of(HostedAuthSettings.load())))


def pages_that_may_call(app: App) -> dict[str, bool]:
    """Of each origin of a public app's pages, whether they may call us."""
    origins = origins_of_pages(app)
    allowed = allowed_origins() if origins else frozenset()
    return {origin: origin in allowed for origin in origins}


def origins_of_pages(app: App) -> list[str]:
    """Where the pages of a public app are, as its redirect URIs tell; none of one that is no page."""
    uris = redirect_uris_of(app) if app.type == App.Type.PUBLIC else []
    on_the_web = [uri for uri in uris if urlsplit(uri).scheme in DEFAULT_PORTS]
    return list(dict.fromkeys(map(as_browsers_send, on_the_web)))


def allow_origin(*, app: App, origin: str) -> HostedAuthSettings:
    """Let pages of this origin, which is one of the app's, call us; those that may, still may.

    From then on the settings name each origin, and those of their redirect URLs go without saying no more. Raises
    `NotFound` where the app has no pages there, or `InvalidInput` where there is no room for another one.
    """
    if origin not in origins_of_pages(app):
        raise NotFound
    with transaction.atomic():
        HostedAuthSettings.objects.get_or_create(pk=1)
        hosted = HostedAuthSettings.objects.select_for_update().defer("logo").get(pk=1)
        allowed = origins_of(hosted)
        if origin in map(as_browsers_send, allowed):
            return hosted
        return change_settings(changes={"allowed_origins": [*allowed, origin]})
