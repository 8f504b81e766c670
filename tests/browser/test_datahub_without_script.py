"""The Datahub without any script: read, add, edit, delete, clear."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_is_accessible


def test_rows_are_read_and_edited_without_script(new_admin: Callable[..., Page]) -> None:
    page = new_admin(java_script_enabled=False)
    page.get_by_role("link", name="New table").first.click()
    page.locator("[name=name]").fill("Notes")
    page.locator("[name=columns-0-name]").fill("Title")
    page.locator("[name=columns-1-name]").fill("Done")
    page.locator("[name=columns-1-type]").select_option("boolean")
    page.get_by_role("button", name="Create table").click()

    page.get_by_role("link", name="Add row").click()
    page.get_by_label("Title").fill("Milk")
    page.get_by_role("button", name="Add row").click()
    expect(page.locator("#grid tbody tr").first).to_contain_text("Milk")

    page.get_by_role("link", name="Open row 1").click()
    page.get_by_label("Done").select_option("true")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#grid tbody tr").first).to_contain_text("✓")

    page.get_by_label("Search rows").fill("bread")
    page.get_by_label("Search rows").press("Enter")
    expect(page.locator("#grid")).to_contain_text("No row matches.")
    page.locator("#grid").get_by_role("link", name="Show all rows").click()

    page.get_by_role("link", name="Open row 1").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete row").click()
    expect(page.locator("#grid")).to_contain_text("No rows yet.")

    page.get_by_role("link", name="Add row").click()
    page.get_by_label("Title").fill("Bread")
    page.get_by_role("button", name="Add row").click()
    page.get_by_role("link", name="Table settings").click()
    page.get_by_role("link", name="Clear table").click()
    page.get_by_role("button", name="Clear table").click()
    expect(page.locator("#grid")).to_contain_text("No rows yet.")


def test_a_long_table_is_read_page_by_page_without_script(admin: Page, new_admin: Callable[..., Page]) -> None:
    _fill(admin, 250)
    page = new_admin(java_script_enabled=False)
    page.get_by_role("link", name="Notes").click()

    seen = []
    for _page in range(3):
        page.wait_for_load_state()
        seen += [text.strip() for text in page.locator("#grid tbody tr[id^=row-] td:nth-child(2)").all_inner_texts()]
        if page.locator("#more a").count():
            page.locator("#more a").click()

    assert seen == [f"N{number}" for number in range(250)]


def test_a_long_table_is_scrolled_page_by_page(admin: Page) -> None:
    _fill(admin, 250)
    admin.goto("/console/datahub/tables/notes")

    for count in (200, 250):
        admin.locator(".split > .scroll").evaluate("it => it.scrollTo(0, it.scrollHeight)")
        expect(admin.locator("#grid tbody tr[id^=row-]")).to_have_count(count)

    assert admin.locator("#grid tbody tr[id^=row-]").count() == 250
    assert admin.locator("#more").count() == 0
    expect(admin.locator("#held")).to_have_text("Rows shown: 250")
    assert_is_accessible(admin)


def _fill(page: Page, count: int) -> None:
    """A table `notes` with so many rows, made by what the console's own pages use."""
    page.goto("/console/datahub/new")
    page.locator("[name=name]").fill("Notes")
    page.locator("[name=columns-0-name]").fill("Title")
    page.get_by_role("button", name="Create table").click()
    page.locator("html.has-grid").wait_for()
    saved = page.evaluate(
        """async count => {
            const { uid } = document.querySelector("#grid th[data-key=title]").dataset;
            const rows = Array.from({ length: count }, (_, number) => ({ [uid]: `N${number}` }));
            const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
            const answer = await fetch(document.getElementById("grid").dataset.saveUrl, {
                method: "POST",
                headers: { "Content-Type": "application/json", "X-CSRFToken": token },
                body: JSON.stringify({ changes: [], new: rows }),
            });
            return Object.keys((await answer.json()).created).length;
        }""",
        count,
    )
    assert saved == count
