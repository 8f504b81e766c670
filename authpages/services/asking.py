"""Asking for something on behalf of an address that may have no account; the worker finds out (see auth_requests)."""

from typing import Any

from authpages.models import AuthRequest
from authpages.services.links import kept_path
from fastgen_backend.origin import Origin


def ask(
    *,
    kind: AuthRequest.Kind,
    email: str,
    origin: Origin,
    password: str = "",
    profile: dict[str, Any] | None = None,
    next_path: str = "",
) -> None:
    """Write the request down: one row, the same work for every address.

    `password` is a hash; `next_path` where the person goes on to when they have opened the link that is mailed.
    """
    AuthRequest.objects.create(
        kind=kind,
        email=email,
        password=password,
        profile=profile or {},
        source=origin.source,
        request_id=origin.request_id,
        ip_address=origin.ip_address,
        user_agent=origin.user_agent,
        locale=origin.locale,
        next_path=kept_path(next_path),
    )
