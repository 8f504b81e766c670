"""The hosted authentication settings in the console: lists, the preview of what is not saved, the contrast."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authpages.colours import contrast, from_hex
from authpages.console.contrast import contrast_of
from authpages.models import HostedAuthSettings, User
from tests.authpages.conftest import Visitor, settings_shown, text_of
from tests.authpages.test_console import SETTINGS, _save

PREVIEW = f"{SETTINGS}/preview"
CAME_FROM = [f"http://127.0.0.1:8000{SETTINGS}?a=b", f"https://mallory.example{SETTINGS}?a=b", "http://[mallory"]


def test_lists_are_given_one_on_each_line(admin: Visitor) -> None:
    urls = "https://a.example/cb\r\n\r\n https://b.example/cb \r\n"

    _save(admin, allowed_redirect_urls=urls, allowed_origins="https://c.example")

    saved = HostedAuthSettings.load()
    assert saved.allowed_redirect_urls == ["https://a.example/cb", "https://b.example/cb"]
    assert saved.allowed_origins == ["https://c.example"]


def test_without_origins_those_of_the_urls_are_meant_again(admin: Visitor) -> None:
    HostedAuthSettings.objects.create(allowed_origins=["https://c.example"])

    _save(admin, allowed_origins="")

    assert HostedAuthSettings.load().allowed_origins is None


def test_what_is_wrong_in_a_list_names_the_line_that_was_typed(admin: Visitor) -> None:
    typed = "https://a.example/cb\n\nhttp://b.example/cb"

    answer = _save(admin, allowed_redirect_urls=typed)

    assert answer.status_code == 400
    assert "Line 3: Use https; http is accepted for localhost only." in text_of(answer)
    assert typed in answer.content.decode()


def test_a_list_that_another_admin_changed_stays_theirs(admin: Visitor) -> None:
    fields = settings_shown(admin)
    HostedAuthSettings.objects.update_or_create(pk=1, defaults={"allowed_redirect_urls": ["https://theirs.example/"]})

    admin.client.post(SETTINGS, fields | {"product_name": "Acme"})

    assert HostedAuthSettings.load().allowed_redirect_urls == ["https://theirs.example/"]


def test_the_preview_shows_what_is_typed_and_saves_nothing(admin: Visitor) -> None:
    typed = {"product_name": "Acme", "accent_color": "#0b7a5e", "support_email": "help@acme.example", "scheme": "dark"}

    answer = admin.client.post(PREVIEW, settings_shown(admin) | typed)

    page = answer.content.decode()
    assert "Log in to Acme" in page
    assert 'data-scheme="dark"' in page
    assert "/branding/theme.css?v=0b7a5e" in page
    assert "mailto:help@acme.example" in page
    assert not HostedAuthSettings.objects.exists()


def test_the_preview_leaves_out_what_can_not_be(admin: Visitor) -> None:
    typed = {
        "product_name": "</style><script>alert(1)</script>",
        "accent_color": "red;}*{display:none",
        "terms_url": "javascript:alert(1)",
        "scheme": '"><script>',
    }

    page = admin.client.post(PREVIEW, settings_shown(admin) | typed).content.decode()

    assert "/branding/theme.css?v=4f46e5" in page
    assert "javascript:" not in page
    assert "<script" not in page


def test_the_preview_says_what_it_can_not_show(admin: Visitor) -> None:
    typed = {"product_name": "x" * 61, "accent_color": "#0b7a5e"}

    answer = admin.client.post(PREVIEW, settings_shown(admin) | typed)

    assert "Product name: The product’s name must have 1 to 60 printable characters. Shown as it was." in text_of(
        answer
    )
    assert "/branding/theme.css?v=0b7a5e" in answer.content.decode()


def test_a_logo_that_is_larger_than_any_form_leads_back_to_the_form(admin: Visitor) -> None:
    form = b"x" * 11_000_000

    came = {name: admin.client.generic("POST", SETTINGS, form, headers={"referer": name}) for name in CAME_FROM}

    assert {answer.status_code for answer in came.values()} == {413}
    led_back = [name for name, answer in came.items() if f'href="{SETTINGS}?a=b"' in answer.content.decode()]
    assert led_back == [CAME_FROM[0]]
    assert "mallory" not in "".join(answer.content.decode() for answer in came.values())


def test_the_preview_can_do_nothing_and_be_shown_by_us_alone(admin: Visitor) -> None:
    answer = admin.client.post(PREVIEW, settings_shown(admin))

    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "frame-ancestors 'self'" in policy
    assert "script-src" not in policy
    assert "frame-src 'self'" in admin.get(SETTINGS)["Content-Security-Policy"]
    assert "<script" not in answer.content.decode()


def test_the_preview_is_for_admins_and_their_own_forms(admin: Visitor, root: User) -> None:
    fields = settings_shown(admin)

    assert Visitor().get(PREVIEW).status_code == 303
    assert admin.client.post(PREVIEW, fields | {"csrfmiddlewaretoken": ""}).status_code == 403
    assert Visitor().get(f"{SETTINGS}/contrast").status_code == 303


@pytest.mark.parametrize("accent", ["#4f46e5", "#ffd400", "#000000", "#ffffff", "#767676"])
def test_the_contrast_that_is_told_is_the_one_that_is_shown(accent: str) -> None:
    samples = contrast_of(accent)

    assert [float(each.ratio.removesuffix(":1")) >= 4.5 for each in samples] == [True] * 3
    for each in samples:
        told, true = float(each.ratio.removesuffix(":1")), contrast(from_hex(each.ground), from_hex(each.text))
        assert 0 <= true - told < 0.01


def test_the_contrast_says_what_was_done_to_the_colour(admin: Visitor) -> None:
    said = text_of(admin.get(f"{SETTINGS}/contrast?accent_color=%23ffd400"))

    assert "Black, as white would reach only 1.43:1." in said
    assert "Links, light 4.71:1 #806a00, which is darker, as your colour would reach only 1.27:1." in said
    assert "A colour looks like" in text_of(admin.get(f"{SETTINGS}/contrast?accent_color=red"))


def test_the_page_is_light(admin: Visitor) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = admin.get(SETTINGS)

    assert len(queries) <= 12
    assert len(page.content) <= 100_000
