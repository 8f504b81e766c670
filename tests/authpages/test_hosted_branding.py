"""The customer's colour and logo."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authpages.models import HostedAuthSettings
from authpages.pages.theme import DARK_GROUND, LIGHT_GROUND, _parse, contrast, stylesheet
from tests.authpages.conftest import Visitor

COLOUR = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@given(COLOUR)
def test_text_is_readable_on_and_in_every_accent(accent: str) -> None:
    sheet = stylesheet(accent)

    ground, ink, hover = (_custom(sheet, name) for name in ("accent", "accent-ink", "accent-hover"))
    light, dark = re.findall(r"#[0-9a-f]{6}", sheet.partition("light-dark")[2])
    assert contrast(_parse(ground), _parse(ink)) >= 4.5
    assert contrast(_parse(hover), _parse(ink)) >= 4.5
    assert contrast(_parse(light), _parse(LIGHT_GROUND)) >= 4.5
    assert contrast(_parse(dark), _parse(DARK_GROUND)) >= 4.5


@pytest.mark.parametrize(("accent", "ink"), [("#4f46e5", "#ffffff"), ("#ffd400", "#000000")])
def test_ink_is_white_where_it_can_be_read(accent: str, ink: str) -> None:
    assert f"--accent-ink: {ink};" in stylesheet(accent)


def test_what_is_no_colour_never_gets_into_the_stylesheet() -> None:
    assert "}" not in stylesheet("red;}a{").removesuffix("}\n")


def test_the_stylesheet_is_kept_forever_under_the_address_that_pages_use(visitor: Visitor) -> None:
    address = re.search(r"/branding/theme\.css\?v=[0-9a-f]+", visitor.get("/login").content.decode())
    assert address

    answer = visitor.get(address[0])

    assert answer["Content-Type"].startswith("text/css")
    assert "immutable" in answer["Cache-Control"]
    assert visitor.get("/branding/theme.css?v=000000")["Cache-Control"] == "no-cache"


def test_the_logo_is_served_as_it_was_stored(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    assert visitor.get("/branding/logo").status_code == 404
    hosted.logo, hosted.logo_type = b"\x89PNG...", "image/png"
    hosted.save()

    answer = visitor.get("/branding/logo")

    assert (answer.content, answer["Content-Type"]) == (b"\x89PNG...", "image/png")
    assert answer["X-Content-Type-Options"] == "nosniff"
    again = visitor.client.get("/branding/logo", headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert '<img src="/branding/logo" alt="Fastgen">' in visitor.get("/login").content.decode()


def _custom(sheet: str, name: str) -> str:
    found = re.search(rf"--{name}: (#[0-9a-f]{{6}})", sheet)
    assert found
    return found[1]
