"""What an app’s page tells beside its data: from which of its pages a browser may call us, and what is amiss."""

from typing import Any

import pytest

from authpages.models import App, HostedAuthSettings
from authpages.services.apps import default_app
from authpages.services.hosted_settings import LIST_MAX, origins_of
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import make_app, make_confidential_app

PAGE = "https://app.example.com"


def page_of(admin: Visitor, app: App) -> str:
    return text_of(admin.get(f"/console/apps/{app.pk}"))


def allow(admin: Visitor, app: App, origin: str) -> Any:
    token = {"csrfmiddlewaretoken": admin.client.cookies["fastgen_csrf"].value}
    return admin.client.post(f"/console/apps/{app.pk}/allow-origin", {"origin": origin} | token)


def may_call(visitor: Visitor, origin: str) -> bool:
    answer = visitor.client.post("/oauth/token", headers={"Origin": origin})
    return answer.headers.get("Access-Control-Allow-Origin") == origin


def test_of_each_origin_of_its_pages_is_told_whether_it_may_call(admin: Visitor, hosted: HostedAuthSettings):
    hosted.callback_url = "https://product.example/start"
    hosted.save()
    uris = [f"{PAGE}/callback", f"{PAGE}:443/other", "https://PRODUCT.example/", "com.example.app:/callback"]

    page = page_of(admin, make_app(redirect_uris=uris))

    assert page.count(f"{PAGE} Allow") == 1
    assert "https://product.example allowed" in page
    assert "com.example.app Allow" not in page


def test_one_that_may_not_call_is_allowed_by_a_button(admin: Visitor, hosted: HostedAuthSettings):
    hosted.callback_url = "https://product.example/start"
    hosted.save()
    app = make_app(redirect_uris=[f"{PAGE}/callback"])
    before = may_call(Visitor(), PAGE)

    answer = allow(admin, app, PAGE)

    assert (answer.status_code, answer["Location"]) == (303, f"/console/apps/{app.pk}?what-done=may-call")
    assert (before, may_call(Visitor(), PAGE), may_call(Visitor(), "https://product.example")) == (False, True, True)
    assert f"{PAGE} allowed" in page_of(admin, app)


def test_one_that_may_call_already_is_not_listed_twice(admin: Visitor, hosted: HostedAuthSettings):
    hosted.allowed_origins = ["https://APP.example.com:443"]
    hosted.save()

    allow(admin, make_app(redirect_uris=[f"{PAGE}/callback"]), PAGE)

    assert origins_of(HostedAuthSettings.load()) == ["https://APP.example.com:443"]


@pytest.mark.parametrize("origin", ["https://evil.example", "", "null", "https://app.example.com/callback"])
def test_only_an_origin_of_the_app_is_allowed_here(admin: Visitor, hosted: HostedAuthSettings, origin: str):
    app = make_app(redirect_uris=[f"{PAGE}/callback"])

    answer = allow(admin, app, origin)

    assert answer.status_code == 404
    assert HostedAuthSettings.load().allowed_origins is None


def test_it_takes_an_admin_and_a_form_of_ours(admin: Visitor):
    app = make_app(redirect_uris=[f"{PAGE}/callback"])
    path = f"/console/apps/{app.pk}/allow-origin"

    answers = [admin.client.post(path, {"origin": PAGE}), Visitor().client.post(path, {"origin": PAGE})]

    assert answers[0].status_code == 403
    assert answers[1].status_code in {303, 403}
    assert not may_call(Visitor(), PAGE)


def test_that_there_is_no_room_is_said(admin: Visitor, hosted: HostedAuthSettings):
    hosted.allowed_origins = [f"https://{number}.example.com" for number in range(LIST_MAX)]
    hosted.save()

    answer = allow(admin, make_app(redirect_uris=[f"{PAGE}/callback"]), PAGE)

    assert answer.status_code == 400
    assert "At most 100 are possible." in text_of(answer)


def test_an_app_with_a_server_calls_from_there(admin: Visitor):
    assert "Calls from its pages" not in page_of(admin, make_confidential_app())


def test_an_app_that_nobody_can_log_in_to_is_said_to_be_one(admin: Visitor):
    said = "It has no redirect URI yet, so nobody can log in to it. Add one"

    assert said in page_of(admin, make_confidential_app(redirect_uris=[]))
    assert said in page_of(admin, default_app())
    assert said not in page_of(admin, make_confidential_app(redirect_uris=[], scopes=["rows:read"]))
    assert said not in page_of(admin, make_app())


def test_what_another_s_app_may_by_itself_is_told_apart(admin: Visitor):
    said = "It is somebody else’s, and by itself it may: Rows: read. That is about everyone"

    assert said in page_of(admin, make_confidential_app(first_party=False, scopes=["rows:read"]))
    assert "That is about everyone" not in page_of(admin, make_confidential_app(scopes=["rows:read"]))


def test_apps_are_found_by_name_and_by_id(admin: Visitor, hosted: HostedAuthSettings):
    hosted.product_name = "Acme Notes"
    hosted.save()
    shop = make_app(name="Shop 100%")
    make_app(name="Partner")
    default_app()

    def found(text: str) -> list[str]:
        page = admin.client.get("/console/apps", {"search": text})
        return [app.shown_name for app in page.context["page"].rows]

    assert found("shop") == found(f" {str(shop.pk).upper()} ") == found("%") == ["Shop 100%"]
    assert found("notes") == ["Acme Notes"]
    assert found("_") == found("\0nobody") == []
    assert len(found("")) == 3


def test_the_default_app_says_why_it_is_there(admin: Visitor):
    assert text_of(admin.get("/console/apps")).count("Fastgen follows the hosted settings") == 1
