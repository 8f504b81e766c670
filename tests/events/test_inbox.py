"""The development inbox: the mail backend and the pages that show it."""

from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from authpages.services.users import create_user
from events.console.views import with_links
from events.inbox import InboxBackend, forget_older_than_newest
from events.models import InboxMail
from fastgen_backend.origin import COMMAND_LINE
from tests.conftest import PASSWORD


@pytest.fixture
def admin(db: None) -> Client:
    """An admin's browser."""
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    client = Client(headers={"host": "127.0.0.1:8000"})
    client.post("/console/login", {"email": "root@example.com", "password": PASSWORD})
    return client


def test_a_mail_is_kept_with_both_its_parts(db: None) -> None:
    mail = _send(subject="Hello\tyou", html="<p>Hi")

    assert (mail.sender, mail.recipients, mail.subject) == (
        "Acme <no-reply@acme.example>",
        ["ann@example.com"],
        "Hello you",
    )
    assert (mail.text, mail.html) == ("See http://127.0.0.1:8000/verify-email?token=a_b-c.", "<p>Hi")


def test_only_the_newest_are_kept(db: None) -> None:
    for number in range(5):
        _send(subject=str(number))

    forget_older_than_newest(3)

    assert sorted(InboxMail.objects.values_list("subject", flat=True)) == ["2", "3", "4"]


def test_an_empty_inbox_says_what_it_is_for(admin: Client) -> None:
    assert "No mail yet" in admin.get("/console/inbox").content.decode()


def test_a_mail_is_found_and_its_link_can_be_clicked(admin: Client) -> None:
    mail = _send(subject="<i>Hello")

    listed = admin.get("/console/inbox").content.decode()
    shown = admin.get(f"/console/inbox/{mail.pk}").content.decode()

    link = "http://127.0.0.1:8000/verify-email?token=a_b-c"
    assert "&lt;i&gt;Hello" in listed
    assert f'See <a href="{link}">{link}</a>.' in shown


def test_the_html_of_a_mail_can_do_nothing(admin: Client) -> None:
    mail = _send(html="<script>alert(1)</script>")

    answer = admin.get(f"/console/inbox/{mail.pk}/html")

    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "<script>" not in admin.get(f"/console/inbox/{mail.pk}").content.decode().partition("<main")[2]


def test_a_mail_without_html_has_no_frame(admin: Client) -> None:
    mail = _send()

    assert "<iframe" not in admin.get(f"/console/inbox/{mail.pk}").content.decode()
    assert admin.get(f"/console/inbox/{mail.pk}/html").status_code == 404


@pytest.mark.parametrize("path", ["/console/inbox", "/console/inbox/1", "/console/inbox/1/html"])
def test_nobody_but_an_admin_reads_mail(client: Client, db: None, path: str) -> None:
    answer = client.get(path, headers={"host": "127.0.0.1:8000"})

    assert (answer.status_code, answer.headers["location"]) == (303, f"/console/login?next={path}")


@pytest.mark.parametrize("path", ["/console/inbox", "/console/inbox/1", "/console/inbox/1/html"])
def test_there_is_no_inbox_where_mail_is_sent(admin: Client, settings: Any, path: str) -> None:
    settings.EMAIL_URL_IS_SET = True

    assert admin.get(path).status_code == 404
    assert "/console/inbox" not in admin.get("/console/settings").content.decode()


@pytest.mark.parametrize("pk", ["0", "7", "9223372036854775808", "9" * 30])
def test_a_mail_that_is_not_there_is_404(admin: Client, pk: str) -> None:
    assert admin.get(f"/console/inbox/{pk}").status_code == 404


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<b> & nothing", "&lt;b&gt; &amp; nothing"),
        ("(http://a.example/b?c=d&e).", '(<a href="http://a.example/b?c=d&amp;e">http://a.example/b?c=d&amp;e</a>).'),
        ('http://a.example/"onclick=x', '<a href="http://a.example/">http://a.example/</a>&quot;onclick=x'),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_addresses_become_links_and_everything_else_is_text(text: str, expected: str) -> None:
    assert with_links(text) == expected


def _send(subject: str = "Hello", html: str = "") -> InboxMail:
    text = "See http://127.0.0.1:8000/verify-email?token=a_b-c."
    message = EmailMultiAlternatives(subject, text, "Acme <no-reply@acme.example>", ["ann@example.com"])
    if html:
        message.attach_alternative(html, "text/html")
    assert InboxBackend().send_messages([message]) == 1
    return InboxMail.objects.latest("pk")
