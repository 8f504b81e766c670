"""A site without code behind a real Caddy, with the file of `deploy/`, but for its ports, as it is."""

import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.conftest import is_required
from tests.http_browser import HttpBrowser, http_browser
from tests.processes import PROJECT, calling, free_port, new_database, run, starting, wait_for
from tests.sites import Front, Site, answers, site, told, with_ports

__all__ = ["http_browser", "site"]

pytestmark = pytest.mark.whichever_database

CADDY = shutil.which("caddy")
OURS = "{\n\tadmin off\n}\n"
FETCH = {"sec-fetch-mode": "cors"}


@pytest.fixture
def here(site: Site, tmp_path: Path) -> Iterator[Front]:
    if not CADDY:
        (pytest.fail if is_required() else pytest.skip)("This needs Caddy, and it is not installed.")
    port = free_port()
    with new_database(tmp_path) as database_url, starting(tmp_path, database_url) as start:
        up = start(BASE_URL=f"http://127.0.0.1:{port}", TRUSTED_PROXIES="1")
        assert wait_for(lambda: "running at" in up.out.read_text()), up.err.read_text()
        example = (PROJECT / "deploy/caddy/site-behind-login.Caddyfile").read_text()
        ports = {"8000": up.port, "8080": port, "9001": site.port}
        (tmp_path / "Caddyfile").write_text(OURS + with_ports(example, ports))
        with (tmp_path / "caddy-err").open("wb") as stderr:
            line = [CADDY, "run", "--adapter", "caddyfile", "--config", "Caddyfile"]
            caddy = subprocess.Popen(line, cwd=tmp_path, stderr=stderr, env={"HOME": str(tmp_path)})
        try:
            assert wait_for(lambda: answers(f"http://127.0.0.1:{port}/login")), (tmp_path / "caddy-err").read_text()
            key = run("create_api_key", "test", "--scope", "*", DATABASE_URL=database_url).stdout.strip()
            with calling(up.url, key) as api:
                yield Front(port, up, api)
        finally:
            caddy.terminate()
            caddy.wait()


def test_a_site_without_code_learns_who_comes(here: Front, site: Site, http_browser: HttpBrowser) -> None:
    browser, email = http_browser, f"ann.{uuid4().hex[:8]}@example.com"

    fetched = browser.client.get(f"{here.url}/data.json", headers=FETCH)
    login = browser.open(f"{here.url}/reports?month=11")
    assert (fetched.status_code, fetched.headers["www-authenticate"]) == (401, "Cookie")
    assert str(login.url) == f"{here.url}/login?next=/reports%3Fmonth%3D11"
    assert site.asked == []
    back = browser.sign_up(login, email)

    person = here.api.get("/users", params={"q": email}).json()["items"][0]
    assert str(back.url) == f"{here.url}/reports?month=11"
    about = {"id": person["id"], "email": email, "email-verified": "false"}
    assert {name: value for name, value in told(back).items() if value} == about  # newer ones leave out what is empty
    assert "cookie" not in back.json()
    assert back.headers["cache-control"] == "private, no-cache"
    assert "set-cookie" not in back.headers
    sent = browser.client.post(f"{here.url}/data.json", headers=FETCH, content=b"{}")
    assert (sent.status_code, sent.json()["path"]) == (200, "/data.json")

    # Of who has no name and no role, the answer's are empty: what the client sent may not stand in their place.
    names = [f"X{a}Auth{b}User{c}" for a, b, c in product("-_", repeat=3)]
    forged = {name + what: "chief" for name in names for what in ("Name", "Roles")}
    pages = [browser.client.get(f"{here.url}/", headers=forged | more) for more in ({}, FETCH)]
    stranger = httpx.get(f"{here.url}/", headers=forged | {"cookie": "fastgen_session=guessed"})

    assert [page.status_code for page in pages] == [200, 200]
    assert not any("chief" in page.text for page in pages)
    assert (stranger.status_code, stranger.headers["location"]) == (303, f"{here.url}/login?next=/")
    assert len(site.asked) == 4
