"""Clients of OpenID Connect as they are, with every check they have on: from discovery to logout."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.conftest import CallbackApp
from tests.conftest import is_required
from tests.http_browser import HttpBrowser, http_browser
from tests.processes import Running

__all__ = ["http_browser"]

CLIENTS = Path(__file__).parent / "clients"
NODE = shutil.which("node")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])  # and of a third-party app, for which the person is asked
@pytest.mark.parametrize("type", ["public", "confidential"])
@pytest.mark.parametrize("client", ["openid-client", "oauth4webapi"])
def test_a_client_does_all_that_it_can(
    as_root: httpx.Client,
    up: Running,
    app: CallbackApp,
    http_browser: HttpBrowser,
    email: str,
    client: str,
    type: str,
    algorithm: str,
) -> None:
    redirect_uri = f"{app.url}/back"  # openid-client knows none with a query
    uris = {"redirectUris": [redirect_uri], "postLogoutRedirectUris": [redirect_uri]}
    kind = {"type": type, "idTokenAlgorithm": algorithm, "firstParty": algorithm == "RS256"}
    made = as_root.post("/apps", json={"name": client, **kind, **uris}).raise_for_status().json()
    given = {"issuer": up.url, "clientId": made["id"], "secret": made.get("secret"), "redirectUri": redirect_uri}

    result = _run(client, given | {"algorithm": algorithm}, http_browser, email)

    [user] = as_root.get("/users", params={"q": email}).json()["items"]
    assert result["email"] == email
    assert result["sub"] == result["renewed"] == user["id"]
    assert result["refused"] == "invalid_grant"
    assert result["gone"] == f"{redirect_uri}?state=bye"
    assert result["seen"] == ([True, False] if type == "confidential" else [])
    assert "/login" in str(http_browser.open(f"{up.url}/account").url)  # it has logged them out


def _run(client: str, given: dict[str, Any], browser: HttpBrowser, email: str) -> dict[str, Any]:
    """What the program says in the end; the addresses that it sends its user to are opened, and led back from."""
    if not NODE or not (CLIENTS.parent / "node_modules" / client).exists():
        (pytest.fail if is_required() else pytest.skip)(f"This needs node and {client} (`npm ci` in tests/browser).")
    line = [NODE, str(CLIENTS / f"{client}.js"), json.dumps(given)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin
        assert program.stdout
        for said in program.stdout:
            if not said.startswith("open "):
                return dict(json.loads(said))
            program.stdin.write(browser.lead_back(said.split()[1], given["redirectUri"], email) + "\n")
            program.stdin.flush()
    raise AssertionError(f"{client} ended without a result, with status {program.returncode}; see above.")
