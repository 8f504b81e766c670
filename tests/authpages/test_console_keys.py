"""API keys in the console: the list, a key that is shown once, the question before it ends."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.console.scope_words import AREAS, EVERY_READ, in_words
from authpages.models import ApiKey, User
from authpages.services.api_keys import SCOPES, create_api_key
from authpages.services.users import create_user
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, text_of
from tests.conftest import Api

KEYS = "/console/keys"


def test_a_key_is_made_and_shown_once(admin: Visitor, root: User) -> None:
    sent = _make(admin, name="Nightly export", reach="chosen", scopes=["rows:read", "tables:read"], expires="30")

    row = ApiKey.objects.get()
    shown = admin.get(sent["Location"])
    again = admin.get(sent["Location"])
    assert (sent.status_code, row.made_by, row.scopes) == (303, root, ["rows:read", "tables:read"])
    assert row.expires_at
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    assert Api(_key_in(shown)).get("/tables").status_code == 200
    assert "The key was shown once" in text_of(again)
    assert row.prefix not in again.content.decode()


def test_the_command_beside_a_new_key_asks_for_what_it_may_see(admin: Visitor) -> None:
    shown = text_of(admin.get(_make(admin, name="Log", reach="chosen", scopes=["events:read"])["Location"]))

    assert "export API=http://127.0.0.1:8000/api/v1" in shown
    assert 'curl -s "$API/events?limit=1" -H "Authorization: Bearer $KEY"' in shown


def test_a_key_waits_sealed_in_the_browser_that_made_it(admin: Visitor) -> None:
    sent = _make(admin, name="Shop", reach="everything")

    cookie = sent.cookies["fastgen_shown_once"]
    assert ApiKey.objects.get().prefix not in cookie.value
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Strict", 300)
    other = create_api_key(name="Other", scopes=["*"])[0]
    assert "fgk_" not in text_of(admin.get(f"{KEYS}/{other.pk}/made"))


@pytest.mark.parametrize(("reach", "scopes"), [("everything", ["*"]), ("read", sorted(EVERY_READ))])
def test_who_may_read_or_do_everything_needs_no_ticks(admin: Visitor, reach: str, scopes: list[str]) -> None:
    _make(admin, name="Wide", reach=reach, expires="never")

    row = ApiKey.objects.get()
    assert (row.scopes, row.expires_at) == (scopes, None)


def test_what_is_missing_is_said_and_what_was_ticked_stays(admin: Visitor) -> None:
    nameless = _make(admin, name="", reach="chosen", scopes=["rows:read"])
    without_scopes = _make(admin, name="Nothing", reach="chosen")

    assert (nameless.status_code, without_scopes.status_code) == (400, 400)
    assert 'value="rows:read" checked' in nameless.content.decode()
    assert 'id="id_scopes_error"' in without_scopes.content.decode()
    assert not ApiKey.objects.exists()


def test_the_list_says_what_each_key_may_and_which_do_not_work(admin: Visitor, root: User) -> None:
    now = timezone.now()
    eve = create_user(email="eve@example.com", password=None, admin=True, origin=COMMAND_LINE)
    create_api_key(name="Asleep", scopes=["rows:read", "rows:write"], made_by=eve)
    create_api_key(name="Soon", scopes=["*"], expires_at=now + timedelta(days=3), made_by=root)
    create_api_key(name="Over", scopes=EVERY_READ, expires_at=now + timedelta(days=3))
    ApiKey.objects.filter(name="Over").update(expires_at=now - timedelta(days=1))
    User.objects.filter(pk=eve.pk).update(blocked=True)

    rows = _rows(admin.get(KEYS))

    assert [row.split()[0] for row in rows] == ["Over", "Soon", "Asleep"]
    assert "Read everything the command line" in rows[0]
    assert "Expired" in rows[0]
    assert "Everything root@example.com" in rows[1]
    assert "Soon over" in rows[1]
    assert "Rows: read, write eve@example.com Asleep: blocked never never" in rows[2]


def test_a_key_ends_after_a_question_that_says_what_stops(admin: Visitor, root: User) -> None:
    row, key = create_api_key(name="Shop", scopes=["tables:read"], made_by=root)
    Api(key).get("/tables")

    asked = text_of(admin.get(f"{KEYS}/{row.pk}/delete"))
    sent = admin.client.post(f"{KEYS}/{row.pk}/delete", _token(admin))

    assert f"{row.prefix}…" in asked
    assert "It was last used at" in asked
    assert (sent.status_code, sent["Location"]) == (303, f"{KEYS}?what-done=deleted")
    assert Api(key).get("/tables").status_code == 401
    assert "The key is deleted." in text_of(admin.get(sent["Location"]))


def test_keys_are_for_admins(visitor: Visitor, root: User) -> None:
    row, _key = create_api_key(name="Shop", scopes=["*"])

    for path in (KEYS, f"{KEYS}/new", f"{KEYS}/{row.pk}/made", f"{KEYS}/{row.pk}/delete"):
        answers = [visitor.get(path), visitor.client.post(path, {"name": "Evil", "reach": "everything"})]
        login = f"/console/login?next={path}"
        assert [answer["Location"] for answer in answers] == [login, f"{login}%3Fwhat-done%3Dnot-sent"]
    assert ApiKey.objects.count() == 1


def test_a_form_from_elsewhere_makes_and_ends_no_key(admin: Visitor) -> None:
    row, _key = create_api_key(name="Shop", scopes=["*"])

    for path in (f"{KEYS}/new", f"{KEYS}/{row.pk}/delete"):
        assert admin.client.post(path, {"name": "Evil", "reach": "everything"}).status_code == 403
    assert ApiKey.objects.get() == row


def test_every_scope_has_its_words() -> None:
    told = [scope for area in AREAS for scope in area.allows]

    assert {*told, "*"} == set(SCOPES)
    assert all(list(area.verbs) == list(area.allows) for area in AREAS)
    assert in_words(["webhooks:read", "users:write"]) == "Users and roles: write · Webhooks: read"


def test_a_long_list_is_light_and_has_pages(admin: Visitor) -> None:
    for number in range(51):
        create_api_key(name=f"Key {number}", scopes=[scope for scope in SCOPES if scope != "*"])

    with CaptureQueriesContext(connection) as queries:
        page = admin.get(KEYS)

    assert len(queries) <= 12
    assert len(page.content) <= 100_000
    assert len(_rows(admin.get(page.context["page"].next_url))) == 1


def _make(admin: Visitor, **fields: Any) -> Any:
    admin.get(f"{KEYS}/new")
    return admin.client.post(f"{KEYS}/new", {**_token(admin), "expires": "90", **fields})


def _token(admin: Visitor) -> dict[str, str]:
    """What every form of ours sends along."""
    return {"csrfmiddlewaretoken": admin.client.cookies["fastgen_csrf"].value}


def _key_in(page: Any) -> str:
    found = re.search(r"fgk_[\w-]{43}", page.content.decode())
    assert found
    return found[0]


def _rows(page: Any) -> list[str]:
    """What each line of the list says."""
    body = page.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>")[:-1]]
