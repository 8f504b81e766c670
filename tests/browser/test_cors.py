"""What a page on another port may do in an admin's browser: it is of the same site, so cookies go along with it."""

import httpx
from playwright.sync_api import Browser, StorageState

from tests.browser.conftest import CallbackApp
from tests.processes import Running

ASK = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options);
        return answer.type === "opaque" ? "opaque" : answer.status;
    } catch {
        return "kept from the page";
    }
}"""
FORGED = {"method": "POST", "credentials": "include", "mode": "no-cors", "body": '{"name": "mine", "scopes": ["*"]}'}


def test_a_page_of_another_origin_has_nothing_of_the_console_s_cookie(
    chromium: Browser, up: Running, app: CallbackApp, root: StorageState, as_root: httpx.Client
) -> None:
    users = f"{up.url}/api/v1/users"
    with chromium.new_context(storage_state=root) as browser:
        page = browser.new_page()
        page.goto(f"{up.url}/console")
        assert page.evaluate(ASK, [users, {}]) == 200  # our own page has
        page.goto(app.url)

        def ask(url: str = users, **options: object) -> object:
            return page.evaluate(ASK, [url, options])

        assert ask() == ask(credentials="include") == "kept from the page"
        as_root.patch("/settings/hosted-auth", json={"allowedOrigins": [app.url]}).raise_for_status()
        assert ask() == ask(headers={"Authorization": "Bearer x"}) == 401
        assert ask(credentials="include") == "kept from the page"
        assert ask(f"{up.url}/api/v1/api-keys", **FORGED) == "opaque"
        assert ask(f"{up.url}/oauth/userinfo", credentials="include") == "kept from the page"

    assert as_root.get("/api-keys").json()["items"] == []
