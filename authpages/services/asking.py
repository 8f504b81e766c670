"""Asking for something on behalf of an address that may have no account; the worker finds out (see auth_requests)."""

from typing import Any

from authpages.models import AuthRequest
from fastgen_backend.origin import Origin


def ask(
    *, kind: AuthRequest.Kind, email: str, origin: Origin, password: str = "", profile: dict[str, Any] | None = None
) -> None:
    """Write the request down: one row, the same work for every address. `password` is a hash."""
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
    )
