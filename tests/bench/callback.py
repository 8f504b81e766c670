"""The callback: a logged-in browser’s trips to an app and the app’s to our tokens, refreshes, tokens read offline."""

import base64
import hashlib
import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.bench.dialogues import Talk, body_of, header_of, status_of, talks_per_second
from tests.bench.figures import Figure
from tests.bench.load import Load, http_request
from tests.bench.places import new_api_key, new_database
from tests.bench.pocketbase import PocketBase, is_there, running_pocketbase
from tests.bench.web import bare_view, up

ROUNDS = 3
REQUESTS_OF_A_TRIP = 3  # to us
TRIP_SECONDS = 3.0
REFRESH_SECONDS = 2.0
VERIFY_SECONDS = 1.0
AT_ONCE = 16  # people, each in a browser of their own
CALLBACK = "http://127.0.0.1:9/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
PASSWORD = "correct horse battery staple"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Site:
    """A running `up`, its default app, and the cookies of browsers in which people are logged in there."""

    port: int
    app: str
    cookies: list[str]


def measure(database: str, server: str) -> Iterator[Figure]:
    """Every figure of the callback."""
    with new_database(server) as url, up(url) as port:
        site = _set_up(port, url)
        yield from _trips(database, site)
        yield from _refreshes(database, site)
        yield _verifying(database, site)


def _trips(database: str, site: Site) -> Iterator[Figure]:
    view = http_request("GET", "/bare")
    with bare_view() as bare_port:
        rounds = [
            (
                Load(bare_port, repeat(view), lines=AT_ONCE).run(REFRESH_SECONDS).per_second / REQUESTS_OF_A_TRIP,
                talks_per_second(site.port, [partial(_trip, site, each) for each in site.cookies], TRIP_SECONDS),
            )
            for _ in range(ROUNDS)
        ]
    bare, trips = zip(*rounds, strict=True)
    note = "authorize, callback, token, userinfo; two signatures, two commits"
    yield Figure(
        database, "log in to an app", "trips/s", trips, "bare views, three each", bare, least_ratio=0.03, note=note
    )


def _refreshes(database: str, site: Site) -> Iterator[Figure]:
    chains = [_chain(site, _exchange(site, each)["refresh_token"]) for each in site.cookies]
    if not is_there():
        values = [talks_per_second(site.port, chains, REFRESH_SECONDS) for _ in range(ROUNDS)]
        yield Figure(database, "refresh", "/s", values, note="PocketBase is not installed")
        return
    with running_pocketbase() as peer:
        rounds = [(_peer_refreshes(peer), talks_per_second(site.port, chains, REFRESH_SECONDS)) for _ in range(ROUNDS)]
    theirs, ours = zip(*rounds, strict=True)
    note = "theirs keeps nothing: a refresh can’t be ended, and is not rotated"
    yield Figure(database, "refresh", "/s", ours, "PocketBase", theirs, least_ratio=0.1, note=note)


def _peer_refreshes(peer: PocketBase) -> float:
    request = http_request("POST", "/api/collections/users/auth-refresh", Authorization=peer.token)
    return Load(peer.port, repeat(request), lines=AT_ONCE).run(REFRESH_SECONDS).per_second


def _verifying(database: str, site: Site) -> Figure:
    """How many of our access tokens another server checks each second, with no word to us but for the keys once."""
    token = _exchange(site, site.cookies[0])["access_token"]
    keys = KeySet.import_key_set(_call(site.port, "GET", "/.well-known/jwks.json"))
    signed, _dot, signature = token.rpartition(".")
    public: Any = keys.keys[0].public_key
    raw = base64.urlsafe_b64decode(signature + "==")
    rounds = [
        (
            _per_second(lambda: public.verify(raw, signed.encode(), PKCS1v15(), SHA256())),
            _per_second(lambda: jwt.decode(token, keys, algorithms=["RS256"])),
        )
        for _ in range(ROUNDS)
    ]
    bare, checks = zip(*rounds, strict=True)
    return Figure(
        database, "check a token offline", "/s", checks, "bare RSA signature", bare, least_ratio=0.4, note="one process"
    )


def _per_second(work: Callable[[], object]) -> float:
    start, done = time.perf_counter(), 0
    while (now := time.perf_counter()) - start < VERIFY_SECONDS:
        work()
        done += 1
    return done / (now - start)


def _trip(site: Site, cookie: str) -> Talk:
    """What browser and app ask for, one after the other."""
    answer = yield http_request("GET", _authorize_path(site), Cookie=cookie)
    answer = yield _token(site, grant_type="authorization_code", code=_code_in(answer), redirect_uri=CALLBACK)
    token = _json_of(answer)["access_token"]
    answer = yield http_request("GET", "/oauth/userinfo", Authorization=f"Bearer {token}")
    _json_of(answer)


def _chain(site: Site, token: str) -> Callable[[], Talk]:
    """One refresh after another, each with the token of the one before."""
    latest = [token]

    def refresh() -> Talk:
        answer = yield _token(site, grant_type="refresh_token", refresh_token=latest[0])
        latest[0] = _json_of(answer)["refresh_token"]

    return refresh


def _exchange(site: Site, cookie: str) -> Any:
    """The tokens of one trip."""
    server = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    server.request("GET", _authorize_path(site), headers={"Cookie": cookie})
    answer = server.getresponse()
    answer.read()
    [code] = parse_qs(urlsplit(answer.headers["Location"]).query)["code"]
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    server.request("POST", "/oauth/token", _form(site, asked), {"Content-Type": FORM})
    return json.load(server.getresponse())


def _authorize_path(site: Site) -> str:
    asked = {
        "response_type": "code",
        "client_id": site.app,
        "redirect_uri": CALLBACK,
        "scope": "openid profile email",
        "state": "s" * 32,
        "nonce": "n" * 32,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"/oauth/authorize?{urlencode(asked)}"


def _token(site: Site, **asked: str) -> bytes:
    request = http_request("POST", "/oauth/token", _form(site, asked).encode())
    return request.replace(b"application/json", FORM.encode(), 1)


def _form(site: Site, asked: dict[str, str]) -> str:
    return urlencode(asked | {"client_id": site.app, "code_verifier": VERIFIER})


def _code_in(answer: bytes) -> str:
    [code] = parse_qs(urlsplit(header_of(answer, "location")).query)["code"]
    return code


def _json_of(answer: bytes) -> Any:
    if status_of(answer) != http.HTTPStatus.OK:
        raise RuntimeError(f"The server answered {answer[:500]!r}.")
    return json.loads(body_of(answer))


def _set_up(port: int, url: str) -> Site:
    key = new_api_key(url)
    _call(port, "PATCH", "/api/v1/settings/hosted-auth", {"callbackUrl": CALLBACK}, key)
    apps = _call(port, "GET", "/api/v1/apps", None, key)
    return Site(port, apps["items"][0]["id"], [_signed_up(port, f"{number}@example.com") for number in range(AT_ONCE)])


def _call(port: int, method: str, path: str, body: Any = None, key: str = "") -> Any:
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    server.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = server.getresponse()
    text = answer.read()
    assert answer.status == http.HTTPStatus.OK, text
    return json.loads(text)


def _signed_up(port: int, email: str) -> str:
    """The cookie of a browser in which someone has just signed up."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    server.request("GET", "/signup")
    page = server.getresponse()
    csrf = page.headers["Set-Cookie"].partition(";")[0]
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    form = urlencode({"csrfmiddlewaretoken": token, "email": email, "password": PASSWORD})
    server.request(
        "POST", "/signup", form, {"Content-Type": FORM, "Cookie": csrf, "Origin": f"http://127.0.0.1:{port}"}
    )
    answer = server.getresponse()
    answer.read()
    assert answer.status == http.HTTPStatus.SEE_OTHER
    return next(
        each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie", []) if "fastgen_session" in each
    )
