"""The guard against server-side request forgery."""

import asyncio
import contextlib
import ipaddress
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from authpages.logo import fetch_logo
from fastgen_backend.targets import (
    TargetRefused,
    TargetUnreachable,
    check_url,
    fetch,
    guarded_session,
    is_allowed,
    is_refusal,
)
from tests.processes import PATIENCE, PROJECT, environment
from tests.receivers import Call, Receiver, answer, drip, flood

NEVER = """
0.0.0.0 0.1.2.3 169.254.169.254 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 198.18.0.1 203.0.113.9 224.0.0.1 240.0.0.1
255.255.255.255 :: fe80::1 fec0::1 ff02::1 ff0e::1 2001:0:1::1 2001:db8::1 2002:7f00:1:: 64:ff9b::7f00:1
64:ff9b:1::a00:1 100::1 ::ffff:0:7f00:1 3fff::1 4000::1 5f00::1 fe00::1
::127.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::ffff:224.0.0.1
"""
PRIVATE = """
127.0.0.1 127.8.9.1 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 ::1 fd00::1 ::ffff:127.0.0.1 ::ffff:10.1.1.1
"""
PUBLIC = "1.1.1.1 8.8.8.8 93.184.216.34 2606:4700:4700::1111 ::ffff:1.1.1.1"

HANG = """
import asyncio, socket, time, aiohttp
from fastgen_backend.targets import guarded_session

async def call():
    async with guarded_session(timeout=aiohttp.ClientTimeout(total=0.1)) as session:
        await session.get("https://hanging.example.com/")

socket.getaddrinfo = lambda *_: time.sleep(300)
try:
    asyncio.run(call())
except TimeoutError:
    print("given up")
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(params=[False, True], ids=["public only", "private allowed"])
def private_allowed(request: pytest.FixtureRequest, settings: Any) -> bool:
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = request.param
    return bool(request.param)


@pytest.mark.parametrize("address", NEVER.split())
def test_an_address_that_leads_elsewhere_is_never_allowed(address: str, private_allowed: bool):
    assert not is_allowed(address)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_a_private_address_is_allowed_by_the_setting_only(address: str, private_allowed: bool):
    assert is_allowed(address) == private_allowed


@pytest.mark.parametrize("address", PUBLIC.split())
def test_a_public_address_is_allowed(address: str, private_allowed: bool):
    assert is_allowed(address)


@given(st.ip_addresses())
def test_nothing_that_is_not_global_is_allowed(address: ipaddress.IPv4Address | ipaddress.IPv6Address):
    with override_settings(WEBHOOK_ALLOW_PRIVATE_TARGETS=False):
        assert not is_allowed(str(address)) or address.is_global


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "example.com",
        "//example.com",
        "https://",
        "https:///path",
        "https://user:password@example.com/",
        "https://user@example.com/",
        "https://@example.com/",
        "https://example.com/#part",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exam ple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\n",
        "https://example.com/" + "x" * 2000,
        "https://[::1",
        "https://[::1]:9@",
        "https://[::1]@example.com/",
        "https://[:]",
        "https://[::1=2]/",
        "https://[localhost:1]/",
        f"https://{'a' * 64}.example.com/",
        "https://a..example.com/",
        "https://.example.com/",
        "http://224.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "",
    ],
)
def test_a_url_that_can_never_be_called_is_refused(url: str, private_allowed: bool):
    with pytest.raises(TargetRefused) as refusal:
        check_url(url)

    assert refusal.value.field == "url"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.0.0.1",
        "[::1]",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::ffff:7f00:1]",
    ],
)
def test_every_spelling_of_this_machine_is_refused_without_the_setting(host: str, settings: Any):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False

    with pytest.raises(TargetRefused):
        check_url(f"http://{host}:8000/")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook?a=b",
        "http://example.com:8080",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
        "https://bücher.example/",
        "https://example.com./",
        f"https://{'a' * 63}.example.com/",
    ],
)
def test_a_public_url_is_not_refused(url: str, private_allowed: bool):
    check_url(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_no_connection_is_made_to_a_private_address(host: str, receiver: Receiver, settings: Any):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False
    port = receiver.url.rpartition(":")[2]

    error = asyncio.run(failure_of(f"http://{host}:{port}/"))

    assert is_refusal(error)
    assert not receiver.calls


def test_no_connection_is_made_to_a_name_whose_address_is_private(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False
    port = int(receiver.url.rpartition(":")[2])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    error = asyncio.run(failure_of(f"http://innocent.example.com:{port}/"))

    assert is_refusal(error)
    assert not receiver.calls


def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    body = asyncio.run(fetch(receiver.on("/logo", answer(200, b"logo")), 10))

    assert body == b"logo"


def test_fetching_follows_no_redirect(receiver: Receiver, settings: Any):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True
    url = receiver.on("/logo", answer(302, location=receiver.url + "/other"))

    with pytest.raises(TargetUnreachable, match="302"):
        asyncio.run(fetch(url, 10))

    assert not receiver.at("/other")


def test_fetching_ends_where_the_answer_is_too_long(receiver: Receiver, settings: Any):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True

    with pytest.raises(TargetUnreachable, match="longer than 1000 bytes"):
        asyncio.run(fetch(receiver.on("/logo", flood), 1000))


def test_fetching_ends_where_the_answer_takes_too_long(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True
    monkeypatch.setattr("fastgen_backend.targets.FETCH_TIMEOUT_SECONDS", 0.3)

    with pytest.raises(TargetUnreachable, match="No full answer"):
        asyncio.run(fetch(receiver.on("/logo", drip), 1_000_000))


def test_fetching_a_private_address_is_refused(receiver: Receiver, settings: Any):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False

    with pytest.raises(TargetRefused):
        asyncio.run(fetch(receiver.url + "/logo", 1000))


@pytest.mark.parametrize("error", [UnicodeError("label too long"), socket.gaierror(-2, "unknown"), OSError(24, "x")])
def test_fetching_a_name_that_can_not_be_looked_up_is_refused(error: Exception, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(TargetUnreachable):
        asyncio.run(fetch("https://example.com/logo", 1000))


def test_nobody_waits_for_a_look_up_that_hangs(monkeypatch: pytest.MonkeyPatch, looked_up: threading.Event):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: looked_up.wait(PATIENCE) and [])
    monkeypatch.setattr("fastgen_backend.targets.FETCH_TIMEOUT_SECONDS", 0.1)
    start = time.monotonic()

    with pytest.raises(TargetUnreachable, match="No full answer"):
        fetch_logo("https://hanging.example.com/logo")

    took = time.monotonic() - start
    assert took < 100


def test_look_ups_that_hang_keep_no_other_waiting(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, settings: Any, looked_up: threading.Event
):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True
    name = receiver.on("/logo", answer(200)).replace("127.0.0.1", "there.example.com")
    look_up = socket.getaddrinfo

    def hang(host: str, *rest: Any) -> Any:
        return looked_up.wait(PATIENCE) and [] if "hanging" in host else look_up("127.0.0.1", *rest)

    async def fetch_beside_others() -> int:
        async with guarded_session() as session:
            others = [
                asyncio.create_task(session.head(f"https://hanging-{number}.example.com")) for number in range(50)
            ]
            await asyncio.sleep(0)
            async with session.get(name) as response:
                for other in others:
                    other.cancel()
                return response.status

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    start = time.monotonic()
    status = asyncio.run(fetch_beside_others())
    took = time.monotonic() - start

    assert status == 200
    assert took < 100


@pytest.mark.whichever_database
def test_a_process_ends_though_a_look_up_hangs():
    start = time.monotonic()
    line = [sys.executable, "-c", HANG]

    ended = subprocess.run(
        line, cwd=PROJECT, env=environment({}), capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert (ended.stdout, ended.stderr) == ("given up\n", "")
    assert time.monotonic() - start < 100


def test_fetching_over_tls_from_where_there_is_none_is_refused(receiver: Receiver, settings: Any):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True

    with pytest.raises(TargetUnreachable):
        asyncio.run(fetch(receiver.url.replace("http:", "https:") + "/logo", 1000))


@pytest.mark.parametrize(
    "said",
    [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n", b"HTTP/1.1 200 OK\r\n\0\r\n\r\n", b""],
)
def test_fetching_what_is_no_answer_of_http_is_refused(receiver: Receiver, settings: Any, said: bytes):
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True

    async def say(call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    with pytest.raises(TargetUnreachable):
        asyncio.run(fetch(receiver.on("/logo", say), 1000))


@settings_of_hypothesis(max_examples=300, deadline=None)
@given(st.text("ab.-_%:@/[]?&=127x٠ßü․。\u200d٫①\\;,'\"!$*+~|^`{}<> xn", max_size=80))
def test_whatever_the_text_a_url_is_taken_or_refused(text: str):
    with contextlib.suppress(TargetRefused):
        check_url(f"https://{text}")


async def failure_of(url: str) -> BaseException:
    async with guarded_session() as session:
        try:
            async with session.get(url):
                pytest.fail("a connection was made")
        except aiohttp.ClientError as error:
            return error
