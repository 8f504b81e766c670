"""The grid of a table as somebody sees it who uses it: its cells, and what it says."""

from playwright.sync_api import Locator, Page, expect

CLIPBOARD = ["clipboard-read", "clipboard-write"]  # which a page asks its reader for


class Grid:
    """The grid on a page. Rows count from 1; column 0 is the number of the row."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = page.keyboard

    def wait(self) -> None:
        """Until its scripts are at work."""
        self.page.locator("html.has-grid").wait_for()
        self.page.wait_for_load_state()

    def cell(self, row: int, column: int) -> Locator:
        return self.page.locator("#grid tbody tr").nth(row - 1).locator("th, td").nth(column)

    def head(self, name: str) -> Locator:
        return self.page.locator(f'#grid thead th[data-name="{name}"] button.head')

    def expect_cell(self, row: int, column: int, text: str) -> None:
        expect(self.cell(row, column)).to_have_text(text)

    def expect_rows(self, count: int) -> None:
        expect(self.page.locator("#grid tbody tr[id^=row-]")).to_have_count(count)

    def expect_said(self, text: str) -> None:
        expect(self.page.locator("#said")).to_contain_text(text)

    def expect_here(self, row: int, column: int) -> None:
        expect(self.cell(row, column)).to_be_focused()

    def paste(self, lines: list[list[str]]) -> None:
        """Paste what a spreadsheet would have copied."""
        text = "\n".join("\t".join(line) for line in lines)
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.keys.press("ControlOrMeta+v")


def tab_to(page: Page, name: str, *, most: int = 60, back: bool = False) -> None:
    """Press Tab until the focus is on what is called so."""
    seen = []
    for _press in range(most):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        here = page.evaluate(CALLED)
        seen.append(here)
        if here == name:
            return
    raise AssertionError(f"Tab does not come to ‘{name}’, only to {seen}")


CALLED = """() => {
    const it = document.activeElement;
    const label = it.getAttribute("aria-label") ?? it.labels?.[0]?.textContent ?? it.textContent ?? "";
    return label.trim().replace(/\\s+/g, " ");
}"""
