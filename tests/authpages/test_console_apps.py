"""Apps in the console: the list, a new one and its secret, changing and ending it."""

import re
from uuid import UUID

import pytest
from django.conf import settings

from authpages.console.app_forms import KINDS
from authpages.endpoints import endpoints
from authpages.models import App, Session
from authpages.services.app_sessions import start_app_session
from authpages.services.apps import default_app, read_app, secret_is_right
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.console_apps import APPS, CALLBACK, make, refuse, send
from tests.conftest import Api


def test_the_default_app_is_there_before_any_other(admin: Visitor):
    page = text_of(admin.get(APPS))

    assert "One app is always there" in page
    assert str(App.objects.get(is_default=True).pk) in page


def test_the_list_shows_every_app_the_default_one_first(admin: Visitor):
    default_app()  # before the others, which are shown the newest first
    make("Shop")
    make("Partner", first_party=False)

    page = admin.get(APPS).content.decode()

    assert re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)', page) == ["Fastgen", "Partner", "Shop"]
    assert page.count("Third-party") == 1
    assert "One app is always there" not in page


@pytest.mark.parametrize(
    ("kind", "type"),
    [("server", "confidential"), ("spa", "public"), ("native", "public"), ("machine", "confidential")],
)
def test_what_a_new_app_is_says_whether_it_has_a_secret(admin: Visitor, kind: str, type: str):
    fields = {"name": "Shop", "kind": kind, "redirect_uris": CALLBACK, "first_party": "first"}

    sent = send(admin, f"{APPS}/new", **fields)

    app = App.objects.get()
    assert (app.type, app.first_party, app.redirect_uris) == (type, True, [CALLBACK])
    assert sent.status_code == 303
    assert sent["Location"] == f"{APPS}/{app.pk}" + ("/secret" if type == "confidential" else "")
    assert set(KINDS) == {"server", "spa", "native", "machine"}


def test_a_secret_is_shown_once(admin: Visitor):
    fields = {"name": "Shop", "kind": "server", "first_party": "first"}
    sent = send(admin, f"{APPS}/new", **fields)

    first, again = admin.get(sent["Location"]), admin.get(sent["Location"])

    [secret] = re.findall(r'<pre class="secret"[^>]*>([^<]+)', first.content.decode())
    assert secret_is_right(App.objects.get(), secret)
    assert "The secret was shown once" in text_of(again)
    assert "fgs_" not in again.content.decode()
    assert secret not in sent.cookies["fastgen_shown_once"].value


def test_what_can_not_be_is_said_at_its_field(admin: Visitor):
    uris = {"redirect_uris": f"{CALLBACK}\n\nhttp://shop.example.com/"}

    nothing = send(admin, f"{APPS}/new", **uris)
    wrong = send(admin, f"{APPS}/new", name="Shop", kind="spa", first_party="third", scopes="rows:read", **uris)

    assert (nothing.status_code, wrong.status_code) == (400, 400)
    assert "Line 3: Use https" in text_of(nothing)
    assert text_of(nothing).count("Choose one.") == 2
    assert text_of(nothing).count("Please fill this in.") == 1
    assert "Line 3: Use https; http is accepted for localhost only." in text_of(wrong)
    assert "Only a confidential app may have scopes" in text_of(wrong)
    assert not App.objects.exists()


def test_the_page_tells_a_developer_what_to_paste(admin: Visitor, shop: App):
    page = text_of(admin.get(f"{APPS}/{shop.pk}"))

    base = settings.BASE_URL
    for text in (str(shop.pk), CALLBACK, f"{base}/.well-known/openid-configuration", *endpoints().values()):
        assert text in page
    assert "nobody now" in page


def test_the_page_tells_how_many_people_hold_it(admin: Visitor, shop: App):
    for number in range(3):
        api = Api()
        answer = api.sign_up(f"person{number}@example.com")
        session = Session.objects.get(pk=answer["session"]["id"])
        for _login in range(2):
            start_app_session(session=session, app=shop, scope="")
    api.post("/auth/logout")

    pages = [text_of(admin.get(f"{APPS}/{shop.pk}{path}")) for path in ("", "/delete")]

    assert ["2 people" in page for page in pages] == [True, True]


def people_by_app(admin: Visitor) -> dict[str, str]:
    """What the list says of how many people are logged in through each app."""
    rows = re.findall(r">([^<]+)</a>(.*?)</tr>", admin.get(APPS).content.decode(), re.DOTALL)
    shown = [(name, re.search(r"nobody now|(≥ )?\d+ (person|people)", row)) for name, row in rows]
    return {name: found[0] for name, found in shown if found}


def test_the_list_tells_it_of_every_app(admin: Visitor, shop: App):
    other = make("Other").app
    for number in range(3):
        api = Api()
        session = Session.objects.get(pk=api.sign_up(f"person{number}@example.com")["session"]["id"])
        for app in (shop, shop, other)[number:]:
            start_app_session(session=session, app=app, scope="")
    api.post("/auth/logout")

    assert people_by_app(admin) == {"Fastgen": "nobody now", "Other": "2 people", "Shop": "2 people"}


def test_the_list_looks_at_so_many_logins_of_an_app_and_no_more(
    admin: Visitor, shop: App, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("authpages.models.apps.LISTED_MAX", 2)
    for number in range(3):
        session = Session.objects.get(pk=Api().sign_up(f"person{number}@example.com")["session"]["id"])
        start_app_session(session=session, app=shop, scope="")

    assert people_by_app(admin)["Shop"] == "≥ 2 people"


def test_an_app_is_edited(admin: Visitor, shop: App):
    fields = {"name": "Store", "redirect_uris": f"{CALLBACK}\n{CALLBACK}2", "first_party": "third"}

    sent = send(admin, f"{APPS}/{shop.pk}/edit", **fields, scopes=["rows:read", "*"], id_token_algorithm="ES256")

    app = read_app(shop.pk)
    assert sent["Location"] == f"{APPS}/{shop.pk}?what-done=saved"
    assert (app.name, app.redirect_uris, app.first_party) == ("Store", [CALLBACK, f"{CALLBACK}2"], False)
    assert (app.scopes, app.id_token_algorithm) == (["*", "rows:read"], "ES256")
    assert 'value="rows:read" checked' in admin.get(f"{APPS}/{shop.pk}/edit").content.decode()


def test_what_others_added_meanwhile_is_not_taken_back(admin: Visitor, shop: App):
    shown = {"initial-redirect_uris": CALLBACK, "redirect_uris": CALLBACK, "initial-post_logout_redirect_uris": ""}
    App.objects.update(redirect_uris=[CALLBACK, "https://new.example.com/"])

    send(admin, f"{APPS}/{shop.pk}/edit", name="Store", first_party="first", id_token_algorithm="RS256", **shown)

    app = read_app(shop.pk)
    assert (app.name, app.redirect_uris) == ("Store", [CALLBACK, "https://new.example.com/"])


def test_of_the_default_app_only_the_rest_is_edited(admin: Visitor):
    app = default_app()
    page = text_of(admin.get(f"{APPS}/{app.pk}/edit"))

    sent = send(admin, f"{APPS}/{app.pk}/edit", post_logout_redirect_uris=CALLBACK, id_token_algorithm="RS256")

    assert "those of the hosted settings" in page
    assert "Whose it is" not in page
    assert (sent.status_code, read_app(app.pk).post_logout_redirect_uris) == (303, [CALLBACK])


def test_a_secret_is_rotated_and_the_former_one_ended(admin: Visitor):
    shop, secret = make()
    path = f"{APPS}/{shop.pk}"

    asked = text_of(admin.get(f"{path}/rotate-secret"))
    sent = send(admin, f"{path}/rotate-secret")
    works_still = secret_is_right(read_app(shop.pk), secret)
    warned = "The secret before works, too" in text_of(admin.get(path))
    ended = admin.press(path, f"{path}/end-former-secret")

    assert "works for 24 hours more" in asked
    assert sent["Location"] == f"{path}/secret"
    assert works_still
    assert warned
    assert ended["Location"] == f"{path}?what-done=ended"
    assert not secret_is_right(read_app(shop.pk), secret)
    assert "The former secret works no longer." in text_of(admin.get(ended["Location"]))


def test_an_app_is_deleted_after_a_question(admin: Visitor, shop: App):
    sent = send(admin, f"{APPS}/{shop.pk}/delete")
    default = send(admin, f"{APPS}/{default_app().pk}/delete")

    assert sent["Location"] == f"{APPS}?what-done=deleted"
    assert default.status_code == 409
    assert list(App.objects.all()) == [default_app()]


# Who comes in


def test_apps_are_for_admins(visitor: Visitor, shop: App):
    below = ("", "/edit", "/secret", "/rotate-secret", "/delete", f"/refused/{refuse(shop, 'https://evil.example/')}")

    for path in (APPS, f"{APPS}/new", *(f"{APPS}/{shop.pk}{each}" for each in below)):
        answers = [visitor.get(path), visitor.client.post(path, {"name": "Evil"})]
        assert [answer["Location"].partition("?")[0] for answer in answers] == ["/console/login"] * 2
    assert visitor.client.post(f"{APPS}/{shop.pk}/end-former-secret")["Location"].startswith("/console/login")
    assert App.objects.get().redirect_uris == [CALLBACK]


def test_a_form_from_elsewhere_changes_nothing(admin: Visitor, shop: App):
    reference = refuse(shop, "https://evil.example/")

    for path in ("edit", "rotate-secret", "end-former-secret", "delete", f"refused/{reference}"):
        assert admin.client.post(f"{APPS}/{shop.pk}/{path}", {"name": "Evil"}).status_code == 403
    assert App.objects.get().redirect_uris == [CALLBACK]


def test_there_is_no_page_of_an_app_that_is_gone(admin: Visitor):
    assert admin.get(f"{APPS}/{UUID(int=7)}").status_code == 404


def test_each_kind_is_told(admin: Visitor):
    page = text_of(admin.get(f"{APPS}/new"))

    assert all(str(words) in page for _type, words, _text in KINDS.values())
