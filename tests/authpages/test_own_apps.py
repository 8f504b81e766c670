"""The apps on a person's own page: which have access to what, and taking it back."""

import re

from django.utils import timezone

from authpages.models import App, AppSession, AuthorizationCode, Consent, HostedAuthSettings, Session
from authpages.services.codes import exchange_code, find_code
from authpages.tokens import issue_app_token
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import asking, make_app, told_to_app
from tests.conftest import Api


def give_access(visitor: Visitor, app: App, **changes: str) -> AppSession:
    """Let the app have what it asks for, and exchange its code."""
    answer = visitor.get(asking(app, **changes))
    if answer["Location"].startswith("/oauth/consent"):
        answer = visitor.send(answer["Location"], answer="allow")
    code = find_code(told_to_app(answer)["code"], app)
    assert code
    return exchange_code(code=code, app=app, origin=COMMAND_LINE).app_session


def remove(visitor: Visitor, app: App) -> str:
    """What the page says afterwards."""
    answer = visitor.press("/account", f"/account/apps/{app.pk}/remove#apps")
    notice = "app-left" if app.first_party else "access-removed"
    assert (answer.status_code, answer["Location"]) == (303, f"/account?notice={notice}")
    return text_of(visitor.get(answer["Location"]))


def part_of(visitor: Visitor) -> str:
    """What the part of the page says that is about apps; empty where there is none."""
    page = visitor.get("/account").content.decode()
    part = re.search(r'<section class="part" id="apps".*?</section>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", part[0]).split()) if part else ""


def test_who_uses_none_is_shown_none(visitor: Visitor) -> None:
    visitor.sign_up()

    assert part_of(visitor) == ""


def test_apps_are_shown_with_what_they_may_see(visitor: Visitor) -> None:
    visitor.sign_up()
    give_access(visitor, make_app(), scope="openid")
    give_access(visitor, make_app(name="Stranger", first_party=False), scope="openid email")

    today = f"Since {AppSession.objects.earliest('created_at').created_at:%-d %B %Y}"
    assert part_of(visitor) == (
        "Apps Apps of Fastgen that you are logged in to. Where you are logged in here, they let you in again without "
        f"asking. Notes {today} Recognise you when you come back Log out "
        "Apps of others that you let in. Without access, they have to ask you again. "
        f"Stranger {today} Recognise you when you come back See your e-mail address, and whether it is verified "
        "Remove access"
    )


def test_what_is_pressed_is_called_as_it_is_shown(visitor: Visitor) -> None:
    visitor.sign_up()
    give_access(visitor, make_app())
    give_access(visitor, make_app(name="Stranger", first_party=False))

    buttons = re.findall(r'aria-label="([^"]*)">([^<]*)<', visitor.get("/account").content.decode())

    assert ("Log out of Notes", "Log out") in buttons
    assert ("Remove access of Stranger", "Remove access") in buttons
    assert all(shown in name for name, shown in buttons)  # WCAG 2.5.3


def test_an_app_is_shown_once_with_all_that_it_holds(visitor: Visitor) -> None:
    visitor.sign_up()
    app = make_app()
    for scope in ("openid", "openid email", "openid roles"):
        give_access(visitor, app, scope=scope)

    assert part_of(visitor).count("Notes") == 1
    assert "which roles" in part_of(visitor)
    assert text_of(visitor.get("/account")).count("Apps: Notes") == 1


def test_the_default_app_has_the_product_s_name(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    hosted.product_name, hosted.callback_url = "Acme", "https://notes.example/callback"
    hosted.save()
    visitor.sign_up()
    give_access(visitor, make_app(name="", is_default=True))

    assert "asking. Acme Since" in part_of(visitor)
    assert "Apps: Acme" in text_of(visitor.get("/account"))


def test_what_is_removed_ends_at_once(visitor: Visitor) -> None:
    visitor.sign_up()
    app, other = make_app(), make_app(name="Other")
    held, kept = give_access(visitor, app), give_access(visitor, other)
    tokens = [Api(issue_app_token(each, each.scope)) for each in (held, kept)]
    before = [each.get("/auth/me").status_code for each in tokens]

    said = remove(visitor, app)

    assert "You are logged out of that app." in said
    assert before == [200, 200]
    assert [each.get("/auth/me").status_code for each in tokens] == [401, 200]
    assert list(AppSession.objects.alive(timezone.now())) == [kept]
    assert Session.objects.get().ended_at is None


def test_what_was_agreed_to_is_asked_for_anew(visitor: Visitor) -> None:
    visitor.sign_up()
    stranger = make_app(name="Stranger", first_party=False)
    give_access(visitor, stranger)

    said = remove(visitor, stranger)

    assert "That app has no access any more." in said
    assert not Consent.objects.exists()
    assert visitor.get(asking(stranger))["Location"].startswith("/oauth/consent")


def test_a_code_on_its_way_is_good_no_more(visitor: Visitor) -> None:
    visitor.sign_up()
    app = make_app()
    give_access(visitor, app)
    visitor.get(asking(app))

    remove(visitor, app)

    assert not AuthorizationCode.objects.filter(used_at=None).exists()


def test_what_is_another_person_s_stays(visitor: Visitor) -> None:
    app, bea = make_app(first_party=False), Visitor()
    bea.sign_up("bea@example.com")
    kept = give_access(bea, app)
    visitor.sign_up()
    give_access(visitor, app)

    remove(visitor, app)

    assert list(AppSession.objects.alive(timezone.now())) == [kept]
    assert Consent.objects.get().user.email == "bea@example.com"


def test_what_is_not_there_is_told(visitor: Visitor) -> None:
    visitor.sign_up()
    app = make_app()
    give_access(visitor, app)
    page = visitor.get("/account").content.decode()
    path = f"/account/apps/{app.pk}/remove"
    app.delete()

    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[-1]
    answer = visitor.client.post(path, {"csrfmiddlewaretoken": token})

    assert answer.status_code == 404
    assert "There is no such app" in text_of(answer)


def test_it_takes_a_form_of_ours(visitor: Visitor) -> None:
    visitor.sign_up()
    app = make_app()
    give_access(visitor, app)

    answers = [visitor.get(f"/account/apps/{app.pk}/remove"), visitor.client.post(f"/account/apps/{app.pk}/remove")]

    assert [answer.status_code for answer in answers] == [303, 403]
    assert AppSession.objects.exists()
