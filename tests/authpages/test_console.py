"""The console: coming in, and the settings of the hosted pages."""

from typing import Any

import pytest

from authpages.models import HostedAuthSettings, OneTimeLink, User
from authpages.services.admin_setup import issue_setup_link
from tests.authpages.conftest import Visitor, settings_shown, text_of
from tests.conftest import PASSWORD

SETTINGS = "/console/settings"


def test_the_first_admin_is_made_by_the_link_and_is_in(visitor: Visitor) -> None:
    link = issue_setup_link(base_url="") or ""

    answer = visitor.send(link, email="root@example.com", password=PASSWORD)

    assert (answer.status_code, answer["Location"]) == (303, "/console")
    assert User.objects.get().is_superuser
    assert User.objects.get().last_login_at
    assert visitor.get(SETTINGS).status_code == 200


def test_a_weak_password_does_not_spend_the_link_to_the_first_admin(visitor: Visitor) -> None:
    link = issue_setup_link(base_url="") or ""

    answer = visitor.send(link, email="root@example.com", password="short")

    assert answer.status_code == 400
    assert "Use at least 8 characters." in text_of(answer)
    assert OneTimeLink.objects.get().spent_at is None


def test_the_link_to_the_first_admin_is_useless_once_there_is_one(visitor: Visitor) -> None:
    link = issue_setup_link(base_url="") or ""
    Visitor().send(link, email="root@example.com", password=PASSWORD)

    answer = visitor.get(link)

    assert answer.status_code == 400
    assert "This link doesn’t work" in text_of(answer)


@pytest.mark.parametrize("path", ["/console", SETTINGS, "/console/inbox"])
def test_a_visitor_is_sent_to_log_in_and_back(visitor: Visitor, root: User, path: str) -> None:
    sent_away = visitor.get(f"{path}?a=b")

    assert (sent_away.status_code, sent_away["Location"]) == (303, f"/console/login?next={path}%3Fa%3Db")
    assert visitor.log_in(root.email, at=sent_away["Location"])["Location"] == f"{path}?a=b"


def test_only_admins_come_in(visitor: Visitor) -> None:
    visitor.sign_up()

    answer = visitor.log_in(at="/console/login")

    assert answer.status_code == 403
    assert "may not use the console" in text_of(answer)
    assert visitor.get(SETTINGS).status_code == 303


def test_who_stops_being_an_admin_is_out(admin: Visitor, root: User) -> None:
    root.is_superuser = False
    root.save()

    assert admin.get(SETTINGS).status_code == 303


def test_an_admins_own_account_is_another_session(admin: Visitor) -> None:
    assert admin.get("/account").status_code == 303


def test_logging_out_of_the_console_takes_a_post(admin: Visitor) -> None:
    assert admin.get("/console/logout").status_code == 405

    answer = admin.press(SETTINGS, "/console/logout")

    assert (answer.status_code, answer["Location"]) == (303, "/console/login")
    assert admin.get(SETTINGS).status_code == 303


def test_settings_are_saved_with_a_word(admin: Visitor) -> None:
    changes = {
        "product_name": "Acme",
        "accent_color": "#0b7a5e",
        "callback_url": "https://app.example.com/back",
        "require_verified_email": "on",
    }

    answer = _save(admin, **changes)

    saved = HostedAuthSettings.load()
    assert (answer.status_code, answer["Location"]) == (303, f"{SETTINGS}?what-done=saved")
    assert "The settings are saved." in text_of(admin.get(answer["Location"]))
    assert (saved.product_name, saved.accent_color, saved.callback_url) == (
        "Acme",
        "#0b7a5e",
        "https://app.example.com/back",
    )
    assert (saved.require_verified_email, saved.allow_signups) == (True, True)


def test_a_switch_that_is_left_out_is_off(admin: Visitor) -> None:
    _save(admin, allow_signups=None)

    assert not HostedAuthSettings.load().allow_signups


def test_what_another_admin_changed_since_the_page_was_opened_stays(admin: Visitor) -> None:
    fields = settings_shown(admin)
    HostedAuthSettings.objects.update_or_create(pk=1, defaults={"product_name": "Theirs", "allow_signups": False})

    admin.client.post(SETTINGS, fields | {"callback_url": "https://app.example.com/"})

    saved = HostedAuthSettings.load()
    assert (saved.product_name, saved.allow_signups) == ("Theirs", False)
    assert saved.callback_url == "https://app.example.com/"


def test_what_is_wrong_is_said_in_its_field_and_nothing_is_saved(admin: Visitor) -> None:
    answer = _save(
        admin,
        product_name="Acme",
        callback_url="ftp://a.example",
        terms_url="nonsense",
        accent_color="red",
    )

    page = answer.content.decode()
    assert answer.status_code == 400
    assert "3 fields need another look." in page
    assert all(f'id="id_{name}_error"' in page for name in ("callback_url", "terms_url", "accent_color"))
    assert "nonsense" in page
    assert HostedAuthSettings.load().product_name == "Fastgen"


def test_the_settings_do_not_go_away_with_the_hosted_pages(admin: Visitor) -> None:
    _save(admin, pages_enabled=None)

    assert admin.get("/login").status_code == 404
    assert admin.get(SETTINGS).status_code == 200


def test_settings_of_visitors_are_not_saved(visitor: Visitor, root: User) -> None:
    visitor.get("/console/login")
    token = visitor.client.cookies["fastgen_csrf"].value

    answer = visitor.client.post(SETTINGS, {"csrfmiddlewaretoken": token, "product_name": "Mallory"})

    assert (answer.status_code, answer["Location"]) == (303, f"/console/login?next={SETTINGS}%3Fwhat-done%3Dnot-sent")
    assert HostedAuthSettings.load().product_name == "Fastgen"


def test_who_was_logged_out_meanwhile_comes_back_to_the_form_and_reads_that_it_was_not_taken(
    admin: Visitor, root: User
) -> None:
    form = "http://127.0.0.1:8000/console/users/new?role=editor"
    admin.get("/console/users/new")
    del admin.client.cookies["fastgen_console"]

    sent = admin.client.post("/console/users/new", {"email": "ann@example.com"}, headers={"referer": form})
    back = admin.log_in(root.email, at=sent["Location"])["Location"]

    assert back == "/console/users/new?role=editor&what-done=not-sent"
    assert "so what you sent was not taken. Please send it again." in text_of(admin.get(back))


def _save(admin: Visitor, **changes: str | None) -> Any:
    """Send the settings as they are, but for `changes`; None switches off."""
    fields: dict[str, str | None] = {**settings_shown(admin), **changes}
    return admin.client.post(SETTINGS, {name: value for name, value in fields.items() if value is not None})
