"""The README's site without code: a real nginx in front of it and of Fastgen, with the file of `deploy/` as it is."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from getpass import getuser
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.conftest import PASSWORD, is_required
from tests.http_browser import HttpBrowser, http_browser
from tests.processes import PROJECT, calling, free_port, new_database, run, starting, wait_for
from tests.readme import block, server_app
from tests.sites import Front, Site, answers, site, told, with_ports

__all__ = ["http_browser", "site"]

pytestmark = pytest.mark.whichever_database

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
AROUND = """
user USER; daemon off; worker_processes 1; pid nginx.pid; error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include conf.d/*.conf;
}
""".replace("USER", getuser())
START, INSTALL, SITE = block("sh", "TRUSTED_PROXIES=1 make run").splitlines()


@pytest.fixture(scope="module")
def fastgen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Fastgen, known by an address at which nothing listens yet."""
    if not NGINX:
        (pytest.fail if is_required() else pytest.skip)("This needs nginx, and it is not installed.")
    folder, port = tmp_path_factory.mktemp("up"), free_port()
    with new_database(folder) as database_url, starting(folder, database_url) as start:
        variables = dict(re.findall(r"(\w+)=(\S+)", START))
        up = start(**variables | {"BASE_URL": variables["BASE_URL"].replace("8080", str(port))})
        assert wait_for(lambda: "running at" in up.out.read_text()), up.err.read_text()
        key = run("create_api_key", "test", "--scope", "*", DATABASE_URL=database_url).stdout.strip()
        with calling(up.url, key) as api:
            yield Front(port, up, api)


@pytest.fixture
def front(fastgen: Front, site: Site, tmp_path: Path) -> Iterator[Callable[..., Front]]:
    """Starts nginx, and puts the file there as the README says; `edit` is what an owner would change in it."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(edit: Callable[[str], str] = str, *, site_port: int = site.port) -> Front:
        (tmp_path / "conf.d").mkdir()
        (tmp_path / "nginx.conf").write_text(AROUND)
        line = [str(NGINX), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
        with (tmp_path / "nginx-err").open("wb") as stderr:
            started.append(subprocess.Popen(line, stderr=stderr))
        assert wait_for((tmp_path / "nginx.pid").exists), (tmp_path / "nginx-err").read_text()
        ports = {"8000": fastgen.fastgen.port, "8080": fastgen.port, "9001": site_port}
        copy, load = INSTALL.replace("sudo ", "").replace("/etc/nginx/conf.d", str(tmp_path / "conf.d")).split(" && ")
        subprocess.run(shlex.split(copy), cwd=PROJECT, check=True)
        (copied,) = (tmp_path / "conf.d").iterdir()
        copied.write_text(edit(with_ports(copied.read_text(), ports)))
        subprocess.run([*line, *shlex.split(load)[1:]], check=True)
        assert wait_for(lambda: answers(f"{fastgen.url}/login")), (tmp_path / "nginx-err").read_text()
        return fastgen

    yield begin
    for process in started:
        process.terminate()
        process.wait()


def test_a_site_without_code_learns_who_comes(
    front: Callable[..., Front], site: Site, http_browser: HttpBrowser
) -> None:
    here, browser, email = front(), http_browser, f"ann.{uuid4().hex[:8]}@example.com"
    url = here.url

    login = browser.open(f"{url}/reports?month=11")
    assert str(login.url) == f"{url}/login?next=/reports%3Fmonth%3D11"
    assert site.asked == []
    back = browser.sign_up(login, email)

    assert str(back.url) == f"{url}/reports?month=11"
    person = here.api.get("/users", params={"q": email}).json()["items"][0]
    assert told(back) == {"id": person["id"], "email": email, "email-verified": "false"}
    assert "cookie" not in back.json()
    assert back.headers["cache-control"] == "private, no-cache"
    assert "set-cookie" not in back.headers

    here.api.patch(f"/users/{person['id']}", json={"firstName": "Žofia", "lastName": "%,"}).raise_for_status()
    forged = {"X-Auth-User-Id": "root", "X-Auth-User-Roles": "chief", "X_Auth_User_Id": "root", "X-Auth-User-Name": "b"}
    again = browser.client.get(f"{url}/", headers=forged)
    assert told(again) == {**told(back), "name": "%C5%BDofia %25%2C"}
    assert "root" not in again.text

    here.api.post(f"/users/{person['id']}/block").raise_for_status()
    assert browser.client.get(f"{url}/").status_code == 303
    strangers = httpx.get(f"{url}/", headers=forged | {"cookie": "fastgen_session=guessed"})
    assert (strangers.status_code, strangers.headers["location"]) == (303, f"{url}/login?next=/")
    assert len(site.asked) == 2
    assert httpx.get(f"{url}/who").status_code == 404  # what asks Fastgen is not for the world
    assert httpx.get(f"{url}/metrics").headers["location"] == f"{url}/login?next=/metrics"  # a page of the site


def test_what_a_page_of_the_site_fetches_is_not_led_to_the_log_in(
    front: Callable[..., Front], http_browser: HttpBrowser
) -> None:
    here, browser, fetch = front(), http_browser, {"sec-fetch-mode": "cors"}
    before = browser.client.get(f"{here.url}/data.json", headers=fetch)
    opened = browser.client.get(f"{here.url}/data.json", headers={"sec-fetch-mode": "navigate"})

    browser.sign_up(browser.open(f"{here.url}/"), f"ann.{uuid4().hex[:8]}@example.com")
    sent = browser.client.post(f"{here.url}/data.json", headers=fetch, content=b"{}")

    assert (before.status_code, before.headers["www-authenticate"]) == (401, "Cookie")
    assert opened.status_code == 303
    assert (sent.status_code, sent.json()["path"]) == (200, "/data.json")


def test_the_site_of_the_readme_is_opened_and_left(
    front: Callable[..., Front], http_browser: HttpBrowser, tmp_path: Path
) -> None:
    port, folder = free_port(), tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text('<h1>Reports</h1> <a href="/logout">Log out</a>')
    line = [sys.executable, *shlex.split(SITE.partition("#")[0].replace("9001", str(port)))[1:]]
    process = subprocess.Popen(line, cwd=folder, stderr=subprocess.DEVNULL)
    try:
        assert wait_for(lambda: answers(f"http://127.0.0.1:{port}/"))
        here = front(site_port=port)
        opened = http_browser.sign_up(http_browser.open(f"{here.url}/"), f"ann.{uuid4().hex[:8]}@example.com")
        gone = http_browser.send(http_browser.follow(opened, "Log out"))
        again = http_browser.open(f"{here.url}/")
    finally:
        process.terminate()
        process.wait()

    assert opened.text.startswith("<h1>Reports</h1>")
    assert gone.status_code == 200
    assert again.url.path == "/login"


def test_the_server_app_of_the_readme_goes_on_with_the_new_issuer(
    front: Callable[..., Front], http_browser: HttpBrowser, tmp_path: Path
) -> None:
    here, email = front(), f"ann.{uuid4().hex[:8]}@example.com"
    with server_app(tmp_path, here.url, here.api) as app:
        home = http_browser.sign_up(http_browser.open(f"{app}/login"), email)

    assert f"Hello {email}." in home.text


def test_a_site_can_be_for_a_role(front: Callable[..., Front], http_browser: HttpBrowser) -> None:
    here = front(lambda text: text.replace("/oauth/forward-auth;", "/oauth/forward-auth?role=editor;"))
    browser, email = http_browser, f"ann.{uuid4().hex[:8]}@example.com"
    here.api.post("/roles", json={"name": "editor"}).raise_for_status()
    ann = here.api.post("/users", json={"email": email, "password": PASSWORD}).json()

    refused = browser.log_in(browser.open(f"{here.url}/reports"), email)
    here.api.patch(f"/users/{ann['id']}", json={"roles": ["editor"]}).raise_for_status()
    let_in = browser.open(f"{here.url}/reports")

    assert (refused.status_code, let_in.status_code) == (403, 200)
    assert told(let_in)["roles"] == "editor"
