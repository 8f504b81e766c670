"""Time that passes for signing keys, and who believes what they signed."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from types import SimpleNamespace

import pytest
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from authpages.models import SigningKey
from tests.conftest import Api


class Elsewhere:
    """Somebody who verifies our tokens by the JWKS that they fetched, and kept."""

    def __init__(self, api: Api) -> None:
        self.known = KeySet.import_key_set(api.client.get("/.well-known/jwks.json").json())

    def believes(self, token: str) -> bool:
        try:
            return bool(jwt.decode(token, self.known, algorithms=["RS256", "ES256"]))
        except JoseError:
            return False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Lets time pass for the keys: they become older, and processes look again."""

    def pass_by(time: timedelta) -> None:
        for key in SigningKey.objects.all():
            key.created_at -= time
            key.retired_at = key.retired_at and key.retired_at - time
            key.save()
        passed.append(time.total_seconds())

    passed: list[float] = []
    ours = SimpleNamespace(monotonic=lambda: monotonic() + sum(passed))
    monkeypatch.setattr("authpages.signing_keys.time", ours)
    return pass_by


def new_token(api: Api) -> str:
    """An access token that was signed just now."""
    return str(api.log_in().json()["session"]["accessToken"])


def kid_of(token: str) -> str:
    """The id of the key that signed it."""
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def is_taken(api: Api, token: str) -> bool:
    """Whether our own API believes it."""
    status = api.call("GET", "/auth/me", authorization=f"Bearer {token}").status_code
    assert status in {200, 401}
    return bool(status == 200)
