"""What an app wants people to be asked before they come back: `prompt`, `max_age`, `login_hint`, `ui_locales`."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages.id_tokens import issue_id_token
from authpages.models import App, AuthorizationCode, AuthorizationRequest, HostedAuthSettings, Session
from authpages.services.codes import exchange_code, find_code
from authpages.services.signing_keys import publish_new_keys, replace_keys, take_back_keys
from authpages.signing_keys import forget_keys
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import ISSUER, asking, make_app, parameters_of, told_to_app, way_on


def test_a_login_is_asked_for_once_more(visitor: Visitor) -> None:
    visitor.sign_up()
    session = Session.objects.get()

    asked = visitor.get(asking(make_app(), prompt="login"))
    page = visitor.get(asked["Location"])
    too_early = visitor.get(way_on())
    landed = visitor.log_in(at=asked["Location"])
    told = told_to_app(visitor.get(landed["Location"]))
    again = told_to_app(visitor.get(landed["Location"]))

    assert "Continue" not in text_of(page)
    assert too_early["Location"] == asked["Location"]
    assert "code" in told
    assert "code" in again
    assert Session.objects.get() == session


def test_an_old_login_is_asked_for_once_more(visitor: Visitor) -> None:
    visitor.sign_up()
    Session.objects.update(created_at=timezone.now() - timedelta(seconds=100))
    app = make_app()

    young_enough = visitor.get(asking(app, max_age="120"))
    asked = visitor.get(asking(app, max_age="90"))
    too_early = visitor.get(way_on())
    landed = visitor.log_in(at=asked["Location"])

    assert "code" in told_to_app(young_enough)
    assert too_early["Location"] == asked["Location"]
    assert "code" in told_to_app(visitor.get(landed["Location"]))


def test_no_login_is_young_enough_for_an_age_of_nothing(visitor: Visitor) -> None:
    visitor.sign_up()

    asked = visitor.get(asking(make_app(), max_age="0"))
    landed = visitor.log_in(at=asked["Location"])

    assert "code" in told_to_app(visitor.get(landed["Location"]))


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"prompt": "login", "max_age": "7200"}, {"max_age": "60"}])
def test_a_login_on_the_way_is_new_enough_for_ten_minutes(visitor: Visitor, asked: dict[str, str]) -> None:
    Visitor().sign_up()
    at = visitor.get(asking(make_app(), **asked))["Location"]
    way = visitor.log_in(at=at)["Location"]

    soon = log_in_was(timedelta(minutes=9), visitor, way)
    late = log_in_was(timedelta(minutes=11), visitor, way)
    page = visitor.get(late["Location"])

    assert "code" in told_to_app(soon)
    assert late["Location"] == at
    assert "Continue" not in text_of(page)
    assert "code" in told_to_app(visitor.get(visitor.log_in(at=at)["Location"]))


def test_an_age_that_is_more_than_that_is_the_measure(visitor: Visitor) -> None:
    Visitor().sign_up()
    way = visitor.log_in(at=visitor.get(asking(make_app(), max_age="3600"))["Location"])["Location"]

    young_enough = log_in_was(timedelta(minutes=59), visitor, way)
    too_old = log_in_was(timedelta(minutes=61), visitor, way)

    assert "code" in told_to_app(young_enough)
    assert too_old["Location"].startswith("/login?")


def log_in_was(ago: timedelta, visitor: Visitor, way: str) -> Any:
    """The answer of the way back so long after the login, on the way to which the person was already."""
    then = timezone.now() - ago
    Session.objects.update(created_at=then, authenticated_at=then)
    AuthorizationRequest.objects.update(created_at=then - timedelta(minutes=1))
    return visitor.get(way)


def test_an_account_is_chosen(visitor: Visitor) -> None:
    visitor.sign_up()

    asked = visitor.get(asking(make_app(), prompt="select_account"))
    page = visitor.get(asked["Location"])

    assert "You are logged in as ann@example.com Continue or use another account" in text_of(page)
    assert f'href="{way_on()}">Continue' in page.content.decode()
    assert "code" in told_to_app(visitor.get(way_on()))


def test_another_account_is_chosen(visitor: Visitor) -> None:
    Visitor().sign_up("bea@example.com")
    visitor.sign_up()

    asked = visitor.get(asking(make_app(), prompt="select_account"))
    landed = visitor.log_in("bea@example.com", at=asked["Location"])

    assert "code" in told_to_app(visitor.get(landed["Location"]))
    assert AuthorizationCode.objects.get().session.user.email == "bea@example.com"


def test_an_account_is_made(visitor: Visitor) -> None:
    asked = visitor.get(asking(make_app(), prompt="create"))
    landed = visitor.sign_up(at=asked["Location"])

    assert asked["Location"].startswith("/signup?next=/oauth/authorize")
    assert "code" in told_to_app(visitor.get(landed["Location"]))


def test_who_has_an_account_already_may_use_it(visitor: Visitor) -> None:
    visitor.sign_up()

    asked = visitor.get(asking(make_app(), prompt="create"))

    assert asked["Location"].startswith("/signup?")
    assert "code" in told_to_app(visitor.get(way_on()))


def test_where_none_can_be_made_there_is_a_login(visitor: Visitor, hosted: HostedAuthSettings) -> None:
    hosted.allow_signups = False
    hosted.save()

    asked = visitor.get(asking(make_app(), prompt="create"))

    assert asked["Location"].startswith("/login?")


def test_without_a_page_the_app_is_told_why_not(visitor: Visitor) -> None:
    app, stranger = make_app(), make_app(name="Stranger", first_party=False)

    nobody = told_to_app(visitor.get(asking(app, prompt="none")))
    visitor.sign_up()
    somebody = told_to_app(visitor.get(asking(app, prompt="none")))
    too_old = told_to_app(visitor.get(asking(app, prompt="none", max_age="0")))
    not_agreed = told_to_app(visitor.get(asking(stranger, prompt="none")))

    assert (nobody["error"], nobody["state"], nobody["iss"]) == ("login_required", "a state", ISSUER)
    assert "code" in somebody
    assert (too_old["error"], not_agreed["error"]) == ("login_required", "consent_required")
    assert not AuthorizationRequest.objects.exists()


def test_the_address_is_filled_in(visitor: Visitor) -> None:
    at = visitor.get(asking(make_app(), login_hint='ann"@example.com'))["Location"]

    pages = [visitor.get(at), visitor.get(at.replace("/login", "/signup"))]

    for page in pages:
        assert 'value="ann&quot;@example.com"' in page.content.decode()


@pytest.mark.parametrize("hint", ["a" * 300, "a\nb", "\x00"])
def test_what_is_no_address_is_not(visitor: Visitor, hint: str) -> None:
    visitor.get(asking(make_app(), login_hint=hint))

    assert "login_hint" not in AuthorizationRequest.objects.get().parameters


def test_the_app_picks_the_language_of_the_way(visitor: Visitor, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    at = visitor.get(asking(make_app(), ui_locales="xx fr-CA de-AT en"))["Location"]

    page = visitor.client.get(at, headers={"accept-language": "en"})
    elsewhere = visitor.client.get("/login", headers={"accept-language": "en"})
    visitor.sign_up(at=at.replace("/login", "/signup"))

    assert (page["Content-Language"], elsewhere["Content-Language"]) == ("de", "en")
    assert Session.objects.get().user.locale == "de"


def base64url(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def id_token_of(visitor: Visitor, app: App) -> str:
    """An ID token that the app has of the person who is logged in there."""
    code = find_code(told_to_app(visitor.get(asking(app)))["code"], app)
    assert code
    held = exchange_code(code=code, app=app, origin=COMMAND_LINE).app_session
    return issue_id_token(held, scope="openid", access_token="any")


def test_the_person_of_an_id_token_comes_back_and_nobody_else(visitor: Visitor) -> None:
    app, bea = make_app(), Visitor()
    visitor.sign_up()
    bea.sign_up("bea@example.com")
    hint = id_token_of(visitor, app)

    assert "code" in told_to_app(visitor.get(asking(app, id_token_hint=hint, prompt="none")))
    assert told_to_app(bea.get(asking(app, id_token_hint=hint, prompt="none")))["error"] == "login_required"


def test_a_hint_by_a_key_that_was_taken_back_is_as_none(visitor: Visitor) -> None:
    app = make_app()
    visitor.sign_up()
    hint = id_token_of(visitor, app)
    keys = publish_new_keys()
    replace_keys(keys)
    take_back_keys(keys)
    forget_keys()

    nobody = told_to_app(Visitor().get(asking(app, id_token_hint=hint, prompt="none")))
    somebody = told_to_app(visitor.get(asking(app, id_token_hint=hint, prompt="none")))
    landed = Visitor().get(asking(app, id_token_hint=hint))

    assert nobody["error"] == "login_required"
    assert "code" in somebody
    assert landed["Location"].startswith("/login?")


def test_of_a_hint_only_whom_it_means_is_kept(visitor: Visitor) -> None:
    app = make_app()
    visitor.sign_up()
    hint = id_token_of(visitor, app)

    Visitor().get(asking(app, id_token_hint=hint))

    kept = AuthorizationRequest.objects.get()
    assert kept.person == Session.objects.get().user_id
    assert hint not in kept.parameters.values()


def test_a_hint_comes_by_post_too(visitor: Visitor) -> None:
    app, bea = make_app(), Visitor()
    visitor.sign_up()
    bea.sign_up("bea@example.com")
    sent = parameters_of(app, id_token_hint=id_token_of(visitor, app), prompt="none")

    address = Visitor().client.post("/oauth/authorize", sent)["Location"]

    assert "code" in told_to_app(visitor.get(address))
    assert told_to_app(bea.get(address))["error"] == "login_required"


def test_who_is_not_meant_logs_in_as_who_is(visitor: Visitor) -> None:
    app, bea = make_app(), Visitor()
    visitor.sign_up()
    bea.sign_up("bea@example.com")

    asked = bea.get(asking(app, id_token_hint=id_token_of(visitor, app)))
    page = bea.get(asked["Location"])
    still_another = bea.get(bea.log_in("bea@example.com", at=asked["Location"])["Location"])
    landed = bea.log_in(at=asked["Location"])

    assert "Continue" not in text_of(page)
    assert told_to_app(still_another)["error"] == "login_required"
    assert "code" in told_to_app(bea.get(landed["Location"]))


def test_a_hint_of_another_app_is_none(visitor: Visitor) -> None:
    visitor.sign_up()
    hint = id_token_of(visitor, make_app())

    header, _claims, signature = hint.split(".")
    foreign = base64url(b'{"iss": "https://elsewhere.example"}')
    unreadable = [f"{base64url(each)}.{foreign}.{signature}" for each in (b'{"alg": "RS256", "kid": "0"}', b"[]", b"x")]
    unreadable += [f"{base64url(each)}.{foreign}.AAAA" for each in (b'"alg"', b'["alg"]')]
    unreadable.append(".".join([base64url(b'{"alg": "RS256", "kid": "0"}'), base64url(b"[" * 5000), signature]))

    for sent in (hint, hint[:-9] + "AAAAAAAAA", f"{header}..{signature}", *unreadable, "x", "€.€.€", "x" * 9000):
        assert told_to_app(visitor.get(asking(make_app(), id_token_hint=sent)))["error"] == "invalid_request"
