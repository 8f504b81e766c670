"""What an app asked for, while its people are on the way: it waits, for a while, and for so many."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authpages import throttles
from authpages.models import App, AuthorizationCode, AuthorizationRequest
from authpages.services.authorization import keep_request
from authpages.services.retention import forget_some
from fastgen_backend.errors import NotFound
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, text_of
from tests.authpages.oauth import BEFOREHAND, NOT_OPENED, asking, make_app, told_to_app, way_on


def test_what_is_unknown_or_too_old_is_begun_again(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.get(asking(make_app(), prompt="login"))
    AuthorizationRequest.objects.update(expires_at=timezone.now())

    pages = [visitor.get(f"/oauth/authorize?request={each}") for each in (way_on()[-36:], "x", "x" * 36)]

    for page in pages:
        assert page.status_code == 410
        assert "Please begin again in the app" in text_of(page)


def test_a_login_behind_one_that_is_too_old_lands_where_it_would_without(visitor: Visitor) -> None:
    Visitor().sign_up()
    at = visitor.get(asking(make_app()))["Location"]
    AuthorizationRequest.objects.update(expires_at=timezone.now())

    landed = visitor.log_in(at=at)

    assert (landed.status_code, landed["Location"]) == (303, "/account")


def test_an_app_that_may_not_send_people_there_any_more_does_not(visitor: Visitor) -> None:
    Visitor().sign_up()
    app = make_app()
    at = visitor.get(asking(app))["Location"]
    app.redirect_uris = ["https://elsewhere.example/"]
    app.save()

    landed = visitor.log_in(at=at)
    page = visitor.get(landed["Location"])

    assert page.status_code == 400
    assert "We can’t take you there" in text_of(page)


def test_too_many_requests_of_one_address_wait(visitor: Visitor, settings: Any) -> None:
    settings.AUTHORIZATIONS_PER_ADDRESS_PER_HOUR = 2
    app = make_app()

    answers = [visitor.get(asking(app)) for _number in range(3)]

    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert "Retry-After" in answers[2]
    assert "text/html" in answers[2]["Content-Type"]
    assert AuthorizationRequest.objects.count() == 2


def test_who_is_logged_in_waits_for_no_strangers_at_their_address(visitor: Visitor, settings: Any) -> None:
    settings.AUTHORIZATIONS_PER_ADDRESS_PER_HOUR = 1
    app, ann = make_app(first_party=False), Visitor()
    ann.sign_up()

    strangers = [visitor.get(asking(app)).status_code for _number in range(2)]
    own = [ann.get(asking(app)).status_code for _number in range(2)]

    assert strangers == own == [303, 429]


@pytest.mark.django_db
def test_an_address_has_so_many_for_all_who_are_logged_in_there(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AUTHORIZATIONS_PER_ADDRESS_PER_HOUR = 1
    monkeypatch.setattr(throttles, "ACCOUNTS_AT_AN_ADDRESS", 2)
    app, people = make_app(first_party=False), [Visitor() for _number in range(3)]
    for number, each in enumerate(people):
        each.sign_up(f"p{number}@example.com")

    one_often = [people[0].get(asking(app)).status_code for _time in range(5)]
    others = [each.get(asking(app)).status_code for each in people[1:]]

    assert one_often == [303, 429, 429, 429, 429]
    assert others == [303, 429]


@pytest.mark.parametrize("said", NOT_OPENED)
def test_no_page_of_a_stranger_uses_up_what_an_address_may_ask_for(visitor: Visitor, said: dict[str, str]) -> None:
    app = make_app()

    answer = visitor.client.get(asking(app), headers=said)
    silent = visitor.client.get(asking(app, prompt="none"), headers={**said, "sec-purpose": ""})
    opened = visitor.client.get(asking(app), headers={"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"})

    assert answer.status_code == 400
    assert "by a link or a redirect" in answer.content.decode()
    assert told_to_app(silent)["error"] == "login_required"
    assert opened.status_code == 303
    assert AuthorizationRequest.objects.count() == 1


@pytest.mark.parametrize("said", BEFOREHAND)
def test_what_is_fetched_beforehand_gets_no_code(visitor: Visitor, said: dict[str, str]) -> None:
    visitor.sign_up()

    answer = visitor.client.get(asking(make_app()), headers=said)

    assert answer.status_code == 400
    assert not AuthorizationCode.objects.exists()


def test_requests_and_codes_are_forgotten(visitor: Visitor) -> None:
    visitor.get(asking(make_app()))
    visitor.sign_up()
    visitor.get(asking(make_app(name="Other")))
    AuthorizationRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    AuthorizationCode.objects.update(expires_at=timezone.now() - timedelta(days=1, seconds=1))

    forget_some()

    assert not AuthorizationRequest.objects.exists()
    assert not AuthorizationCode.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_app_that_is_deleted_just_now_is_not_there() -> None:
    app = make_app()
    gone = App.objects.get()
    app.delete()

    with pytest.raises(NotFound):
        keep_request(app=gone, parameters={}, origin=COMMAND_LINE)
