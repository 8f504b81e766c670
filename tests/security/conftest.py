"""The security checklist, a file per heading, a test per line, named after its number; and the Datahub under attack.

Its sources: OWASP ASVS 5.0, NIST SP 800-63B-4, RFC 9700 (OAuth security), RFC 9106 (argon2) and OWASP's cheat sheets.

Not built yet: 12 imported hashes; 17, 21, 33 mail codes; 23 the second factor after a reset; 31, 32, 34 second factors;
43 social login.
"""

import runpy
from typing import Any

import pytest

from fastgen_backend import settings as settings_file
from tests.authpages.conftest import _long_waits, visitor
from tests.datahub.conftest import admin, console, people, person
from tests.security.datahub_endpoints import named

__all__ = ["_long_waits", "admin", "console", "named", "people", "person", "visitor"]

PAGES = ["/signup", "/login", "/logout", "/forgot-password", "/console/login"]


@pytest.fixture
def base_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    """The public address that a test names, and the settings of browser security that follow from it."""
    monkeypatch.setenv("BASE_URL", request.param)
    for name, value in runpy.run_path(settings_file.__file__).items():
        if name in {"BASE_URL", "ALLOWED_HOSTS"} or "COOKIE" in name or name.startswith("SECURE_"):
            setattr(settings, name, value)
    return str(request.param)
