"""The customer's colour and logo."""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from authpages.colours import DARK_GROUND, LIGHT_GROUND, contrast, from_hex
from authpages.models import HostedAuthSettings
from authpages.pages.theme import stylesheet
from tests.authpages.conftest import Visitor
from tests.conftest import Api
from tests.receivers import Behaviour, Receiver, answer, reset

PATH = "/settings/hosted-auth"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
COLOUR = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def _picture(format: str, width: int = 40, height: int = 30, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), 1).save(file, format, **options)
    return file.getvalue()


def _claiming(width: int, height: int) -> bytes:
    """A small PNG that says it has these dimensions."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _picture("PNG")[:12] + header + struct.pack(">I", zlib.crc32(header)) + _picture("PNG")[33:]


PNG = _picture("PNG")
OTHER_PICTURE = Image.new("RGB", (40, 30), "red")
PICTURES = {
    "PNG": (PNG, "image/png"),
    "JPEG": (_picture("JPEG"), "image/jpeg"),
    "JPEG of a phone": (_picture("MPO", save_all=True, append_images=[OTHER_PICTURE]), "image/jpeg"),
    "WebP": (_picture("WEBP"), "image/webp"),
    "moving WebP": (_picture("WEBP", save_all=True, append_images=[OTHER_PICTURE]), "image/webp"),
    "PNG of 256 kB": (PNG + bytes(256 * 1024 - len(PNG)), "image/png"),
    "PNG of 4 megapixels": (_picture("PNG", 2000, 2000, "1"), "image/png"),
}
ANSWERS: dict[str, tuple[Behaviour, str]] = {
    "SVG": (answer(200, SVG, content_type="image/png"), "PNG, JPEG or WebP"),
    "HTML": (answer(200, b"<!doctype html><title>Logo</title>", content_type="image/png"), "PNG, JPEG or WebP"),
    "GIF": (answer(200, _picture("GIF", mode="P"), content_type="image/png"), "PNG, JPEG or WebP"),
    "nothing": (answer(200, content_type="image/png"), "PNG, JPEG or WebP"),
    "over 256 kB": (answer(200, PNG + bytes(256 * 1024 + 1 - len(PNG))), "longer than 262144 bytes"),
    "over 4 megapixels": (answer(200, _picture("PNG", 2000, 2001, "1")), "4 megapixels"),
    "a bomb": (answer(200, _claiming(100_000, 100_000)), "4 megapixels"),
    "cut short": (answer(200, PNG[:60]), "PNG, JPEG or WebP"),
    "broken JPEG": (answer(200, PICTURES["JPEG"][0][:300]), "PNG, JPEG or WebP"),
    "broken WebP": (answer(200, PICTURES["WebP"][0][:30]), "PNG, JPEG or WebP"),
    "not found": (answer(404, PNG, content_type="image/png"), "status 404"),
    "no content": (answer(204), "status 204"),
    "a redirect": (answer(302, PNG, location="/good"), "status 302"),
    "no answer": (reset, "No connection"),
}


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A web server that has logos; one of them, at /good, is fine."""
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = True
    receiver = Receiver()
    receiver.on("/good", answer(200, PNG, content_type="image/png"))
    yield receiver
    receiver.close()


@pytest.fixture
def admin(key: Callable[..., Api]) -> Api:
    return key("settings:read", "settings:write")


@given(COLOUR)
def test_text_is_readable_on_and_in_every_accent(accent: str) -> None:
    sheet = stylesheet(accent)

    ground, ink, hover = (_custom(sheet, name) for name in ("accent", "accent-ink", "accent-hover"))
    light, dark = re.findall(r"#[0-9a-f]{6}", sheet.partition("light-dark")[2])
    assert contrast(from_hex(ground), from_hex(ink)) >= 4.5
    assert contrast(from_hex(hover), from_hex(ink)) >= 4.5
    assert contrast(from_hex(light), LIGHT_GROUND) >= 4.5
    assert contrast(from_hex(dark), DARK_GROUND) >= 4.5


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
    assert "--accent: #4f46e5;" in answer.content.decode()
    assert "--accent: #000000;" in visitor.get("/branding/theme.css?v=000000").content.decode()
    assert visitor.get("/branding/theme.css?v=red")["Cache-Control"] == "no-cache"


def test_the_logo_is_served_as_it_was_stored(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    assert visitor.get("/branding/logo").status_code == 404
    hosted.logo, hosted.logo_type, hosted.logo_version = b"\x89PNG...", "image/png", "0123456789abcdef"
    hosted.save()

    answer = visitor.get("/branding/logo")

    assert (answer.content, answer["Content-Type"]) == (b"\x89PNG...", "image/png")
    assert answer["X-Content-Type-Options"] == "nosniff"
    again = visitor.client.get("/branding/logo", headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert '<img src="/branding/logo?v=0123456789abcdef" alt="Fastgen">' in visitor.get("/login").content.decode()
    assert "immutable" in visitor.get("/branding/logo?v=0123456789abcdef")["Cache-Control"]


@pytest.mark.parametrize("name", PICTURES)
def test_a_logo_is_fetched_and_served_from_here(admin: Api, visitor: Visitor, receiver: Receiver, name: str) -> None:
    picture, media_type = PICTURES[name]
    url = receiver.on("/logo", answer(200, picture, content_type="text/plain"))

    changed = admin.patch(PATH, {"logoUrl": url})

    served = visitor.get("/branding/logo")
    assert (changed.status_code, changed.json()["logoUrl"]) == (200, url)
    assert (served.status_code, served["Content-Type"]) == (200, media_type)
    assert _looks_like(served.content, picture)


def test_a_logo_is_fetched_once(admin: Api, visitor: Visitor, receiver: Receiver) -> None:
    for _ in range(2):
        admin.patch(PATH, {"logoUrl": receiver.url + "/good", "productName": "Acme"})
        visitor.get("/branding/logo")

    assert len(receiver.at("/good")) == 1


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_no_logo_is_refused_and_changes_nothing(
    admin: Api, visitor: Visitor, receiver: Receiver, name: str
) -> None:
    before = admin.patch(PATH, {"logoUrl": receiver.url + "/good"}).json()
    behaviour, reason = ANSWERS[name]
    url = receiver.on("/bad", behaviour)

    refused = admin.patch(PATH, {"logoUrl": url, "productName": "Acme"})

    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/logoUrl"]
    assert reason in refused.json()["detail"]
    assert admin.get(PATH).json() == before
    assert _looks_like(visitor.get("/branding/logo").content, PNG)


def test_a_redirect_to_a_logo_is_not_followed(admin: Api, receiver: Receiver) -> None:
    admin.patch(PATH, {"logoUrl": receiver.on("/bad", ANSWERS["a redirect"][0])})

    assert not receiver.at("/good")


def test_a_logo_on_a_private_address_needs_the_setting(admin: Api, receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False

    refused = admin.patch(PATH, {"logoUrl": receiver.url + "/good"})

    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [("/logoUrl", "target-refused")]
    assert not receiver.calls


def test_a_logo_is_taken_away_with_its_url(admin: Api, visitor: Visitor, receiver: Receiver) -> None:
    admin.patch(PATH, {"logoUrl": receiver.url + "/good"})
    assert "/branding/logo" in visitor.get("/login").content.decode()

    answer = admin.patch(PATH, {"logoUrl": ""})

    assert (answer.status_code, answer.json()["logoUrl"]) == (200, "")
    assert visitor.get("/branding/logo").status_code == 404
    assert "/branding/logo" not in visitor.get("/login").content.decode()


def _looks_like(one: bytes, other: bytes) -> bool:
    """Whether two pictures show the same, or as much of it as is kept."""
    pictures = [Image.open(io.BytesIO(each)).convert("RGB") for each in (one, other)]
    pictures[1].thumbnail((1024, 512))
    difference = ImageChops.difference(*pictures) if pictures[0].size == pictures[1].size else None
    return difference is not None and max(difference.convert("L").tobytes()) < 8  # JPEG and WebP round


def _custom(sheet: str, name: str) -> str:
    found = re.search(rf"--{name}: (#[0-9a-f]{{6}})", sheet)
    assert found
    return found[1]
