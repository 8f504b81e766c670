"""A site that is no program of ours, and what stands in front of it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.processes import Running


@dataclass
class Site:
    """A site that answers with nothing but the headers it got."""

    port: int
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            body = json.dumps(seen.asked[-1]).encode()
            self.send_response(200)
            self.send_header("Cache-Control", "public, max-age=3600")
            self.send_header("Set-Cookie", "fastgen_session=mine")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield seen
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Front:
    """What people open: a proxy, with Fastgen and the site behind it."""

    port: int
    fastgen: Running
    api: httpx.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def with_ports(example: str, ports: dict[str, int]) -> str:
    for usual, ours in ports.items():
        assert f"127.0.0.1:{usual}" in example
        example = example.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{ours}")
    return example


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def told(answer: httpx.Response) -> dict[str, str]:
    """What the site was told of the person."""
    start = "x-auth-user-"
    return {name.removeprefix(start): value for name, value in answer.json().items() if name.startswith(start)}
