"""Forms as somebody fills them in."""

from playwright.sync_api import Page


def fill_in(page: Page, **fields: str) -> None:
    """Fill in the page's form and send it with its one filled button."""
    for name, value in fields.items():
        page.fill(f"[name={name}]", value)
    with page.expect_navigation():
        page.click("button.primary")
