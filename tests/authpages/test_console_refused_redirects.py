"""Refused redirects in the console: what differs, and making one of them the app's."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authpages.models import App, HostedAuthSettings, RefusedRedirect
from authpages.services.apps import default_app, read_app
from authpages.services.refused_redirects import note_refused_redirect
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.console_apps import APPS, CALLBACK, make, refuse, send


def test_what_differs_is_told_and_marked(admin: Visitor, shop: App):
    reference = refuse(shop, "http://shop.example.com/Callback/?x=1")

    answer = admin.get(f"{APPS}/{shop.pk}")

    page = text_of(answer)
    assert reference in page
    assert "It begins with http: and the registered one with https:" in page
    assert "It ends with a slash; the registered one doesn’t." in page
    assert "The path has other letter cases: /Callback/ and not /callback" in page
    assert "It has the query ?x=1; the registered one has none" in page
    assert "<mark>https:</mark>" in answer.content.decode()
    assert "Use https; http is accepted for localhost only." in page
    assert "Add this URI" not in page


def test_a_uri_is_added_after_a_question(admin: Visitor, shop: App):
    reference = refuse(shop, f"{CALLBACK}/")
    page = f"{APPS}/{shop.pk}/refused/{reference}"
    linked = page in admin.get(f"{APPS}/{shop.pk}").content.decode()

    asked = text_of(admin.get(page))
    sent = send(admin, page)

    assert linked
    assert "Add it only if this address is yours" in asked
    assert sent["Location"] == f"{APPS}/{shop.pk}?what-done=added"
    assert read_app(shop.pk).redirect_uris == [CALLBACK, f"{CALLBACK}/"]
    assert not RefusedRedirect.objects.exists()
    assert admin.get(page).status_code == 404


def test_a_strange_host_is_typed_to_be_added(admin: Visitor, shop: App):
    uri = "https://shop-example.com/callback"
    page = f"{APPS}/{shop.pk}/refused/{refuse(shop, uri)}"

    asked = text_of(admin.get(page))
    wrong = [send(admin, page, host=host) for host in ("", "shop.example.com", "shop", "https://shop-example.com/")]
    before = read_app(shop.pk).redirect_uris
    sent = admin.send(page, host=" Shop-Example.com ")

    assert "None of the app’s addresses has the host shop-example.com" in asked
    assert {answer.status_code for answer in wrong} == {400}
    assert "Type shop-example.com if this host is yours." in text_of(wrong[0])
    assert before == [CALLBACK]
    assert sent["Location"] == f"{APPS}/{shop.pk}?what-done=added"
    assert read_app(shop.pk).redirect_uris == [CALLBACK, uri]


@pytest.mark.parametrize(
    ("uri", "known", "is_strange"),
    [
        ("https://shop.example.com:8443/other", [CALLBACK], False),
        ("https://SHOP.example.com/callback", [CALLBACK], False),
        ("https://www.shop.example.com/callback", [CALLBACK], True),
        ("https://example.com/callback", [CALLBACK], True),
        ("http://127.0.0.1:3000/callback", [CALLBACK], True),
        ("http://127.0.0.1:3000/other", ["http://127.0.0.1/callback"], False),
        ("com.example.shop:/other", ["com.example.shop:/callback"], False),
        ("com.examp1e.shop:/callback", ["com.example.shop:/callback"], True),
        ("https://com.example.shop/callback", ["com.example.shop:/callback"], True),
        ("https://first.example/", [], True),
    ],
)
def test_which_hosts_are_strange(admin: Visitor, uri: str, known: list[str], is_strange: bool):
    app = make(type="public", redirect_uris=known).app

    page = text_of(admin.get(f"{APPS}/{app.pk}/refused/{refuse(app, uri)}"))

    assert ("None of the app’s addresses has the host" in page, "Type the host" in page) == (is_strange, is_strange)


def test_a_strange_scheme_is_typed_too(admin: Visitor):
    app = make(type="public", redirect_uris=["com.example.shop:/callback"]).app
    page = f"{APPS}/{app.pk}/refused/{refuse(app, 'com.example.shop.dev:/callback')}"

    answers = [send(admin, page, host=host).status_code for host in ("com.example.shop", "com.example.shop.dev")]

    assert answers == [400, 303]


def test_a_host_of_after_logging_out_is_known_too(admin: Visitor):
    app = make(redirect_uris=[], post_logout_redirect_uris=["https://shop.example.com/bye"]).app

    sent = send(admin, f"{APPS}/{app.pk}/refused/{refuse(app, CALLBACK)}")

    assert (sent.status_code, read_app(app.pk).redirect_uris) == (303, [CALLBACK])


def test_one_of_after_logging_out_becomes_one_of_those(admin: Visitor, shop: App):
    send(admin, f"{APPS}/{shop.pk}/refused/{refuse(shop, CALLBACK, for_logout=True)}")

    assert (read_app(shop.pk).redirect_uris, read_app(shop.pk).post_logout_redirect_uris) == ([CALLBACK], [CALLBACK])


def test_one_of_the_default_app_goes_to_the_hosted_settings(admin: Visitor, hosted: HostedAuthSettings):
    hosted.allowed_redirect_urls = ["https://a.example/"]
    hosted.save()
    app = default_app()
    first, second = refuse(app, CALLBACK), refuse(app, CALLBACK, for_logout=True)

    for reference in (first, second):
        send(admin, f"{APPS}/{app.pk}/refused/{reference}", host="shop.example.com")

    assert HostedAuthSettings.load().allowed_redirect_urls == ["https://a.example/", CALLBACK]
    assert (read_app(app.pk).redirect_uris, read_app(app.pk).post_logout_redirect_uris) == ([], [CALLBACK])


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://shop.example.com/", "Use https"),
        ("javascript:alert(1)", "must be absolute"),
        ("com.example.app:/callback", "Only a public app may have a scheme of its own"),
        (f"{CALLBACK}\n", "It is too long, or has characters that no address may have"),
        (f"{CALLBACK}{'x' * 2000}", "It is too long, or has characters that no address may have"),
        (CALLBACK, "It is registered by now."),
        ("", "The app sent no redirect URI, and it has to send one."),
    ],
)
def test_what_can_not_be_added_says_why(admin: Visitor, shop: App, uri: str, reason: str):
    page = f"{APPS}/{shop.pk}/refused/{refuse(shop, uri)}"

    shown, sent = text_of(admin.get(page)), send(admin, page)

    assert reason in shown
    assert sent.status_code == 409
    assert reason in text_of(sent)
    assert read_app(shop.pk).redirect_uris == [CALLBACK]


def test_a_scheme_of_its_own_is_none_of_the_default_app(admin: Visitor):
    app = default_app()
    page = f"{APPS}/{app.pk}/refused/{refuse(app, 'com.example.app:/callback')}"

    assert send(admin, page).status_code == 409


def test_more_than_there_may_be_are_not_added(admin: Visitor):
    shop = make(redirect_uris=[f"{CALLBACK}/{number}" for number in range(100)]).app

    sent = send(admin, f"{APPS}/{shop.pk}/refused/{refuse(shop, CALLBACK)}")

    assert (sent.status_code, len(read_app(shop.pk).redirect_uris)) == (409, 100)


def test_a_reference_of_another_app_adds_nothing(admin: Visitor, shop: App):
    other = make("Other").app

    sent = send(admin, f"{APPS}/{other.pk}/refused/{refuse(shop, 'https://evil.example/')}")

    assert sent.status_code == 404


def test_what_an_attacker_sent_is_text_and_no_markup(admin: Visitor, shop: App):
    refuse(shop, "https://shop.example.com/<script>alert(1)</script>")
    note_refused_redirect(app=None, client_id="<b>x", uri="javascript:alert(1)", for_logout=False)

    pages = admin.get(f"{APPS}/{shop.pk}").content.decode() + admin.get(APPS).content.decode()

    assert "<script>alert" not in pages
    assert "<b>x" not in pages
    assert 'href="javascript:' not in pages


def test_a_reference_is_found(admin: Visitor, shop: App):
    of_app = refuse(shop, "https://evil.example/")
    of_nobody = note_refused_redirect(app=None, client_id="shop", uri=CALLBACK, for_logout=False)

    found = admin.get(f"{APPS}?search={of_app[:4].lower()}-{of_app[4:]}")

    assert (found.status_code, found["Location"]) == (303, f"{APPS}/{shop.pk}#{of_app}")
    assert "There is no app with the client ID shop" in text_of(admin.get(f"{APPS}?search={of_nobody}"))
    assert "nothing was refused under this reference" in text_of(admin.get(f"{APPS}?search=AAAA2222"))
    assert "nothing was refused" not in text_of(admin.get(APPS))


def test_a_page_full_of_refusals_asks_no_more_than_an_empty_one(admin: Visitor, shop: App):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(f"{APPS}/{shop.pk}").status_code == 200
        return len(queries)

    before = count()
    for number in range(50):
        refuse(shop, f"{CALLBACK}/{number}")

    assert count() == before <= 8
