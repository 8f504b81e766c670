"""A logo that an admin sends: only its pixels are kept, whatever else the file holds."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from authpages.errors import SettingInvalid
from authpages.logo import read_logo
from authpages.models import HostedAuthSettings, User
from tests.authpages.conftest import Visitor, settings_shown, text_of
from tests.conftest import Api

SETTINGS = "/console/settings"
SCRIPT = b"<script>alert(document.domain)</script>"


def _picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind, **options)
    return file.getvalue()


def _talkative() -> bytes:
    """A PNG that says more than its pixels do, to those who look for text, and to those who look behind its end."""
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", SCRIPT.decode())
    return _picture(pnginfo=words, icc_profile=b"a profile") + SCRIPT


PICTURES = {
    "PNG": (_talkative(), "image/png"),
    "JPEG": (_picture("JPEG", comment=SCRIPT, exif=b"Exif\0\0" + SCRIPT) + SCRIPT, "image/jpeg"),
    "WebP": (_picture("WEBP", xmp=SCRIPT), "image/webp"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_logo_that_is_sent_is_drawn_anew_and_served_as_what_it_is(admin: Visitor, kind: str) -> None:
    sent, media_type = PICTURES[kind]

    answer = _send(admin, sent)

    served = admin.get("/branding/logo")
    assert (answer.status_code, served["Content-Type"]) == (303, media_type)
    assert SCRIPT not in served.content
    assert not {"icc_profile", "exif", "comment", "xmp"} & set(Image.open(io.BytesIO(served.content)).info)
    assert served["X-Content-Type-Options"] == "nosniff"
    assert served["Content-Security-Policy"].startswith("default-src 'none'; sandbox")


def test_a_photograph_stands_upright_without_saying_where_it_was_taken(admin: Visitor) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Somebody's phone"  # turned by a quarter; who made it

    _send(admin, _picture("JPEG", (40, 30), exif=exif))

    served = admin.get("/branding/logo").content
    assert Image.open(io.BytesIO(served)).size == (30, 40)
    assert b"phone" not in served


def test_a_large_logo_is_made_smaller_and_transparency_stays(admin: Visitor) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (2000, 400), (0, 0, 0, 0)).save(file, "PNG")

    _send(admin, file.getvalue())

    served = Image.open(io.BytesIO(admin.get("/branding/logo").content))
    assert (served.size, served.mode) == ((1024, 205), "RGBA")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "PNG, JPEG or WebP"),
        (b"", "PNG, JPEG or WebP"),
        (_picture("GIF"), "PNG, JPEG or WebP"),
        (_picture()[:60], "PNG, JPEG or WebP"),
        (_picture() + bytes(256 * 1024), "256 kB at most"),
        (_picture(size=(2001, 2000)), "4 megapixels at most"),
    ],
)
def test_what_is_no_logo_is_said_beside_it_and_nothing_is_saved(admin: Visitor, sent: bytes, reason: str) -> None:
    answer = _send(admin, sent, product_name="Acme")

    page = answer.content.decode()
    assert (answer.status_code, 'id="id_logo_error"' in page, reason in page) == (400, True, True)
    assert 'value="Acme"' in page
    assert not HostedAuthSettings.objects.exists()


def test_a_picture_and_an_address_at_once_are_too_much(admin: Visitor) -> None:
    answer = _send(admin, _picture(), logo_url="https://acme.example/logo.png")

    assert answer.status_code == 400
    assert "not both" in text_of(answer)


def test_the_address_of_a_logo_that_was_sent_is_ours_and_written_back_it_changes_nothing(
    admin: Visitor, key: Any
) -> None:
    program: Api = key("settings:read", "settings:write")
    _send(admin, _picture())
    before = program.get("/settings/hosted-auth").json()

    after = program.patch("/settings/hosted-auth", before)

    assert before["logoUrl"] == "http://127.0.0.1:8000/branding/logo"
    assert (after.status_code, after.json()) == (200, before)


def test_a_logo_is_removed_by_its_tick_and_over_rest(admin: Visitor, key: Any) -> None:
    _send(admin, _picture())

    admin.client.post(SETTINGS, settings_shown(admin) | {"remove_logo": "on"})

    assert admin.get("/branding/logo").status_code == 404
    _send(admin, _picture())
    assert key("settings:write").patch("/settings/hosted-auth", {"logoUrl": ""}).json()["logoUrl"] == ""
    assert "/branding/logo" not in admin.get("/login").content.decode()


def test_only_admins_send_logos(visitor: Visitor, root: User) -> None:
    visitor.get("/console/login")
    token = visitor.client.cookies["fastgen_csrf"].value
    file = SimpleUploadedFile("logo.png", _picture())

    answer = visitor.client.post(SETTINGS, {"csrfmiddlewaretoken": token, "logo": file})

    assert (answer.status_code, answer["Location"]) == (303, f"/console/login?next={SETTINGS}%3Fwhat-done%3Dnot-sent")


@given(st.data())
def test_a_broken_picture_is_refused_and_never_an_error_of_ours(data: st.DataObject) -> None:
    sent = bytearray(data.draw(st.sampled_from([picture for picture, _type in PICTURES.values()])))
    for place in data.draw(st.lists(st.integers(0, len(sent) - 1), min_size=1, max_size=8)):
        sent[place] = data.draw(st.integers(0, 255))

    try:
        logo = read_logo(bytes(sent))
    except SettingInvalid:
        return
    assert SCRIPT not in logo.picture


def _send(admin: Visitor, picture: bytes, **changes: str) -> Any:
    """The settings as they are, but for `changes`, with a logo."""
    file = SimpleUploadedFile("logo.svg", picture, content_type="image/svg+xml")  # what it is called is not looked at
    return admin.client.post(SETTINGS, settings_shown(admin) | changes | {"logo": file})
