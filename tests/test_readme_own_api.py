"""The README's API of one's own, while signing keys follow each other."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from joserfc.errors import JoseError

from authpages.services.signing_keys import (
    PUBLISHED_AHEAD,
    keep_signing_keys,
    publish_new_keys,
    publish_next_key,
    replace_keys,
    take_back_keys,
)
from authpages.signing_keys import LOOK_AGAIN_SECONDS, RS256, UNKNOWN_SECONDS, find_key
from tests.authpages.app_client import AppClient, public_app
from tests.authpages.key_times import clock, kid_of
from tests.conftest import Api
from tests.readme import block

__all__ = ["clock"]
pytestmark = pytest.mark.django_db


class OwnApi:
    """The code of the README, with a clock of ours; it reads our keys where it calls `requests`."""

    def __init__(self, api: Api, app: AppClient, patch: pytest.MonkeyPatch) -> None:
        self.api, self.now = api, 0.0
        self.reads: list[float] = []
        self.is_cut_off = False
        patch.setattr(requests, "get", self._get)
        self._code: dict[str, Any] = {}
        exec(block("python", "JWTClaimsRegistry").replace("<id>", app.id), self._code)  # noqa: S102  the README's
        self._code["time"] = SimpleNamespace(monotonic=lambda: self.now)
        self._code["read_at"] = self.now

    def _get(self, url: str, **_options: Any) -> Any:
        self.reads.append(self.now)
        if self.is_cut_off:
            raise requests.ConnectionError
        keys = self.api.client.get(url.removeprefix("http://127.0.0.1:8000")).json()
        return SimpleNamespace(raise_for_status=lambda: None, json=lambda: keys)

    def believes(self, token: str) -> bool:
        try:
            return bool(self._code["who_calls"](token))
        except JoseError:
            return False


@pytest.fixture
def app(api: Api) -> AppClient:
    api.sign_up()
    return public_app()


@pytest.fixture
def own(api: Api, app: AppClient, monkeypatch: pytest.MonkeyPatch) -> OwnApi:
    return OwnApi(api, app, monkeypatch)


@pytest.fixture
def wait(own: OwnApi, clock: Callable[[timedelta], None]) -> Callable[[float], None]:
    """Lets so many seconds pass, here and there."""

    def pass_by(seconds: float) -> None:
        clock(timedelta(seconds=seconds))
        own.now += seconds

    return pass_by


def _token(app: AppClient) -> str:
    return str(app.tokens()["access_token"])


def test_it_believes_what_is_signed_before_and_after_a_rotation(
    own: OwnApi, app: AppClient, wait: Callable[[float], None]
):
    before = _token(app)
    publish_next_key(RS256)
    wait(PUBLISHED_AHEAD.total_seconds())
    keep_signing_keys()
    wait(LOOK_AGAIN_SECONDS)
    after = _token(app)

    assert kid_of(before) != kid_of(after)
    assert own.believes(after)
    assert own.believes(before)


def test_it_learns_within_a_minute_of_the_keys_that_follow_leaked_ones(
    own: OwnApi, app: AppClient, wait: Callable[[float], None]
):
    before = _token(app)
    keys = publish_new_keys()
    wait(UNKNOWN_SECONDS + 1)
    replace_keys(keys)
    wait(LOOK_AGAIN_SECONDS + 1)
    take_back_keys(keys)
    after = _token(app)
    wait(60)

    assert own.believes(after)
    assert not own.believes(before)
    assert len(own.reads) == 2


def test_it_believes_leaked_keys_for_five_minutes_at_most_though_nobody_comes_with_new_ones(
    own: OwnApi, app: AppClient, wait: Callable[[float], None]
):
    before = _token(app)
    keys = publish_new_keys()
    replace_keys(keys)
    take_back_keys(keys)
    wait(301)

    assert not own.believes(before)


def test_while_it_cannot_read_them_it_goes_on_with_the_keys_it_has_and_tries_each_minute(
    own: OwnApi, app: AppClient, wait: Callable[[float], None]
):
    known = _token(app)
    own.is_cut_off = True

    for seconds in (301, 1, 60):
        wait(seconds)
        assert own.believes(known)
    own.is_cut_off = False
    wait(61)

    assert own.believes(known)
    assert own.reads == [0, 301, 362, 423]


def test_who_sends_unknown_keys_makes_it_read_once_a_minute(
    own: OwnApi, app: AppClient, wait: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
):
    known = _token(app)
    keys = publish_new_keys()
    replace_keys(keys)
    wait(LOOK_AGAIN_SECONDS)
    unknown = _token(app)
    monkeypatch.setattr("authpages.signing_keys._Keys.published", lambda _keys: [find_key(kid_of(known))])

    for _ in range(40):
        wait(7)
        assert not own.believes(unknown)
        assert own.believes(known)

    assert len(own.reads) > 3
    assert all(later - read > 60 for read, later in pairwise(own.reads))
