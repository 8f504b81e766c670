"""The log, its events and types, and a webhook's daily work, in a browser."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_is_accessible
from tests.browser.console import call
from tests.browser.test_looks import DESK, PHONE
from tests.processes import wait_for
from tests.receivers import Receiver, answer

LOG, WEBHOOKS = "/console/events", "/console/webhooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def hook(admin: Page, receiver: Receiver) -> str:
    """The page of a webhook that is told of custom events, and there is no other."""
    made = call(admin, "POST", "/webhooks", {"url": f"{receiver.url}/hook", "events": ["custom.*"]})
    return f"{WEBHOOKS}/{made['id']}"


def happen(admin: Page, type: str) -> str:
    """An event of our own; its id."""
    return str(call(admin, "POST", "/events", {"type": type, "data": {"total": "12.50"}})["id"])


def test_new_events_come_by_themselves_until_the_switch_is_off(admin: Page):
    admin.goto(f"{LOG}?type=custom.*")
    happen(admin, "custom.first")
    line = admin.locator("tbody.fresh th", has_text="custom.first")
    expect(line).to_be_visible()
    expect(admin.locator("th", has_text="custom.first")).to_have_count(1)

    with admin.expect_response(re.compile("/console/events/live")):
        pass
    admin.get_by_role("switch").uncheck()
    asked: list[str] = []
    admin.on("request", lambda request: asked.append(request.url) if "/live" in request.url else None)
    happen(admin, "custom.second")
    admin.wait_for_timeout(2500)

    assert asked == []
    admin.get_by_role("switch").check()
    expect(admin.locator("tbody.fresh th", has_text="custom.second")).to_be_visible()


def test_an_event_is_found_read_and_copied(admin: Page):
    event = happen(admin, "custom.to_copy")
    admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.goto(LOG)
    admin.get_by_label("Type").select_option("custom.*")
    admin.get_by_role("button", name="Search").click()
    admin.locator("th", has_text="custom.to_copy").get_by_role("link").click()

    admin.get_by_role("button", name="Copy", exact=True).click()

    expect(admin.locator("pre.json")).to_contain_text('"total": "12.50"')
    assert admin.evaluate("navigator.clipboard.readText()") == event


def test_a_type_is_found_on_the_page_of_all(admin: Page):
    admin.goto(f"{LOG}/types")

    admin.get_by_role("searchbox").fill("password_reset")

    expect(admin.locator(".kind[data-text]:visible")).to_have_count(2)
    admin.locator("[id='auth.password_reset.requested']").get_by_role("link", name="Send to a webhook").click()
    expect(admin.locator("[value='auth.password_reset:requested']")).to_be_checked()


def test_the_daily_work_of_a_webhook(admin: Page, receiver: Receiver):
    receiver.on("/new", answer(200))
    admin.goto(f"{WEBHOOKS}/new")
    admin.get_by_label("URL").fill("ftp://nowhere")
    admin.get_by_label("Description").fill("Shop")
    expect(admin.locator("#url-check .notice.bad")).to_be_visible()
    admin.get_by_label("URL").fill(f"{receiver.url}/new")
    admin.get_by_label("Description").focus()
    expect(admin.locator("#url-check")).to_contain_text("A server answers")
    admin.get_by_role("checkbox", name="Your own").check()
    admin.get_by_role("button", name="Create webhook").click()
    expect(admin.locator("#secret-text")).to_contain_text("whsec_")
    admin.get_by_role("link", name="To the webhook").click()
    page = admin.url
    admin.get_by_role("button", name="Send test").click()
    expect(admin.locator("#telling .attempts")).to_contain_text("200")
    receiver.calls.clear()
    happen(admin, "custom.shipped")
    receiver.wait_for(1, "/new")

    shipped = admin.locator("th", has_text="custom.shipped")
    assert wait_for(lambda: admin.goto(f"{page}?state=delivered") and shipped.count())  # the answer is noted in groups
    shipped.get_by_role("link").click()
    admin.get_by_role("button", name="Deliver once more").click()
    receiver.wait_for(2, "/new")
    admin.goto(f"{page}/replay")
    admin.get_by_label("Only these").fill("custom.shipped")
    admin.get_by_role("button", name="Count first").click()
    expect(admin.locator("#count")).to_contain_text("1 event would be told once more.")
    admin.get_by_role("button", name="Start the replay").click()
    expect(admin.locator("#replay .tag")).to_have_text("done")

    calls = receiver.wait_for(3, "/new")
    assert len({each.headers["webhook-id"] for each in calls}) == 1


def test_a_replay_is_paused_and_goes_on(admin: Page, hook: str, receiver: Receiver):
    replayed = {happen(admin, "custom.again") for _time in range(10)}
    receiver.wait_for(10, "/hook")
    receiver.calls.clear()
    admin.goto(f"{hook}/replay")
    admin.get_by_label("Only these").fill("custom.again")
    admin.get_by_label("Events in a second").fill("1")
    admin.get_by_role("button", name="Count first").click()
    admin.get_by_role("button", name="Start the replay").click()

    admin.get_by_role("button", name="Pause").click()
    expect(admin.locator("#replay .tag")).to_have_text("paused")
    queued = int(str(admin.get_by_role("progressbar").get_attribute("value")))
    assert queued < 10
    expect(admin.get_by_text(f"{queued} of 10 queued")).to_be_visible()
    receiver.wait_for(queued, "/hook")
    admin.reload()
    expect(admin.get_by_role("progressbar")).to_have_attribute("value", str(queued))
    admin.get_by_role("button", name="Resume").click()

    expect(admin.locator("#replay .tag")).to_have_text("done")
    assert {each.headers["webhook-id"] for each in receiver.wait_for(10, "/hook")} >= replayed


def test_every_page_of_events_and_webhooks_looks_right(
    admin: Page, hook: str, receiver: Receiver, new_admin: Callable[..., Page]
):
    receiver.on("/hook", answer(500, b"out of order"))
    event = happen(admin, "custom.placed")
    receiver.wait_for(1, "/hook")
    deliveries = call(admin, "GET", f"/webhooks/{hook.rpartition('/')[2]}/deliveries")["items"]
    call(admin, "POST", "/webhooks", {"url": "https://hooks.example.com/" + "a" * 80, "events": ["auth.user_signedUp"]})
    pages = [
        LOG,
        f"{LOG}?subject=nobody@example.com",
        f"{LOG}/{event}",
        f"{LOG}/types",
        WEBHOOKS,
        f"{WEBHOOKS}/new",
        hook,
        f"{hook}/settings",
        f"{hook}/secret",
        f"{hook}/replay",
        f"{hook}/deliveries/{deliveries[0]['id']}",
        f"{hook}/delete",
        f"{hook}/rotate",
    ]

    screens = [new_admin(**PHONE, color_scheme="light"), new_admin(**DESK, color_scheme="dark")]
    for page in screens:
        for path in pages:
            page.goto(path)
            assert_is_accessible(page)
    call(admin, "PATCH", f"/webhooks/{hook.rpartition('/')[2]}", {"enabled": False})
    for page in screens:
        page.goto(hook)
        assert_is_accessible(page)
