"""Security headers on every answer; pages get a strict Content-Security-Policy without inline script or style."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'{origins}; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"


class SecurityHeadersMiddleware:
    """Sets what OWASP's secure-headers project recommends; `Cache-Control: no-store` unless a view chose otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        origins = "".join(f" {origin}" for origin in getattr(response, "form_action_origins", ()))
        response.setdefault("Content-Security-Policy", POLICY.format(origins=origins))
        response.setdefault("X-Frame-Options", "DENY")
        response.setdefault("X-Content-Type-Options", "nosniff")
        # Not `no-referrer`: that makes browsers post `Origin: null`, which Django's CSRF check refuses.
        response.setdefault("Referrer-Policy", "same-origin")
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.setdefault("Cache-Control", "no-store")
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            subdomains = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
            response.setdefault("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}{subdomains}")
        return response


def allow_form_redirect(response: HttpResponse, url: str) -> HttpResponse:
    """Let a form of this page end at `url`: browsers hold `form-action` against the redirect after a post, too."""
    source = source_of(url)
    if source:
        response.form_action_origins = (source,)  # type: ignore[attr-defined]
    return response


def source_of(url: str) -> str:
    """What a Content-Security-Policy calls the place of `url`: its origin; empty where it has no word for that.

    Of a program on the person's own device, whose scheme is a domain of its maker (RFC 8252, 7.1), it is the scheme. An
    IPv6 address can't be named (CSP 3, 2.3.1).
    """
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc and "[" not in parts.netloc else ""
    return f"{parts.scheme}:" if "." in parts.scheme else ""


def allow_own_frames(response: HttpResponse) -> HttpResponse:
    """Let this page hold frames with pages of ours."""
    response["Content-Security-Policy"] = POLICY.format(origins="") + "; frame-src 'self'"
    return response
