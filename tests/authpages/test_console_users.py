"""People in the console: finding, making, changing, blocking them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import HostedAuthSettings, OneTimeLink, User
from authpages.services.roles import create_role
from authpages.services.users import create_user
from authpages.throttles import Attempt, count_failed_login, failed_logins
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, text_of
from tests.conftest import PASSWORD

USERS = "/console/users"


@pytest.fixture
def ann(db: None) -> User:
    create_role(name="Editor")
    return create_user(
        email="ann@example.com",
        password=PASSWORD,
        first_name="Ann",
        last_name="Lee",
        roles=["Editor"],
        origin=COMMAND_LINE,
    )


@pytest.fixture
def story(ann: User) -> str:
    """The address of Ann's page."""
    return f"{USERS}/{ann.pk}"


@pytest.mark.parametrize("asked", ["q=ANN@", "q=lee", "role=editor", "verified=false", "q=ann&role=Editor"])
def test_people_are_found(admin: Visitor, ann: User, asked: str) -> None:
    create_user(email="bob@example.com", email_verified=True, origin=COMMAND_LINE)
    User.objects.filter(email="root@example.com").update(email_verified=True)

    page = text_of(admin.get(f"{USERS}?{asked}"))

    assert "ann@example.com" in page
    assert "bob@example.com" not in page


def test_nobody_found_says_what_a_search_finds(admin: Visitor, ann: User) -> None:
    page = text_of(admin.get(f"{USERS}?q=example.com"))

    assert "A search finds the beginning of an address" in page


def test_a_role_that_is_not_there_is_refused_with_those_that_are(admin: Visitor, ann: User) -> None:
    answer = admin.get(f"{USERS}?role=nobody")

    assert answer.status_code == 400
    assert "there are: Editor." in text_of(answer)


def test_the_next_page_keeps_what_is_asked_for(admin: Visitor) -> None:
    User.objects.bulk_create(User(email=f"p{n}@x.example", email_key=f"p{n}@x.example") for n in range(60))

    page = admin.get(f"{USERS}?verified=false&what-done=deleted").content.decode()

    assert page.count('<th scope="row">') == 50
    following = page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert following.startswith(f"{USERS}?verified=false&cursor=")
    second = admin.get(following).content.decode()
    assert second.count('<th scope="row">') == 11
    assert f'href="{USERS}?verified=false">First page' in second


def test_a_person_is_made_without_a_password(admin: Visitor, ann: User) -> None:
    answer = admin.send(f"{USERS}/new", email="bob@example.com", roles="Editor", metadata='{"plan": "free"}')

    bob = User.objects.get(email="bob@example.com")
    assert (answer.status_code, answer["Location"]) == (303, f"{USERS}/{bob.pk}?what-done=created")
    assert (bob.password, bob.role_names, bob.metadata) == (None, ["Editor"], {"plan": "free"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"email": "ann@example.com"}, "already"),
        ({"password": "short"}, "Use at least 8 characters."),
        ({"metadata": '{"plan":\n "free",\n}'}, "line 3 column 1"),
        ({"app_metadata": "[1]"}, "This must be a JSON object"),
        ({"app_metadata": f'{{"plan": "{"x" * 16_384}"}}'}, "This may have 16,384 bytes at most."),
        ({"locale": "not a language"}, "not a language tag"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(admin: Visitor, ann: User, given: dict[str, str], said: str) -> None:
    answer = admin.send(f"{USERS}/new", **{"email": "bob@example.com", **given})

    assert answer.status_code in {400, 409}
    assert said in text_of(answer)
    assert "aria-invalid" in answer.content.decode()


def test_only_what_was_changed_is_written(admin: Visitor, ann: User, story: str) -> None:
    form = admin.get(f"{story}/edit").content.decode()
    User.objects.filter(pk=ann.pk).update(last_name="Young")  # by somebody else, meanwhile
    fields = {"email": "ann@example.com", "first_name": "Anna", "last_name": "Lee", "roles": "Editor"}
    shown = {f"initial-{name}": value for name, value in (fields | {"first_name": "Ann"}).items()}

    admin.send(f"{story}/edit", **shown, **fields)

    ann.refresh_from_db()
    assert 'name="initial-last_name" value="Lee"' in form
    assert (ann.first_name, ann.last_name, ann.role_names) == ("Anna", "Young", ["Editor"])


def test_roles_are_taken(admin: Visitor, ann: User, story: str) -> None:
    admin.send(f"{story}/edit", email="ann@example.com", first_name="Ann", last_name="Lee")

    assert User.objects.get(pk=ann.pk).role_names == []


def test_blocking_says_what_ends_and_ends_it(admin: Visitor, story: str, ann: User) -> None:
    Visitor().log_in()
    assert "Their 1 session ends at once" in text_of(admin.get(f"{story}/block"))

    answer = admin.send(f"{story}/block")

    ann.refresh_from_db()
    assert answer["Location"] == f"{story}?what-done=blocked"
    assert ann.blocked
    assert not ann.sessions.alive(timezone.now()).exists()


def test_nobody_blocks_themselves(admin: Visitor, root: User) -> None:
    answer = admin.send(f"{USERS}/{root.pk}/block")

    assert answer.status_code == 409
    assert "Another admin has to do this" in text_of(answer)


def test_a_password_is_set_and_the_old_one_is_good_for_nothing(admin: Visitor, story: str) -> None:
    admin.send(f"{story}/password", password="another horse battery staple")

    assert Visitor().log_in().status_code == 401
    assert Visitor().log_in(password="another horse battery staple").status_code == 303


def test_each_button_does_its_thing_and_says_so(admin: Visitor, ann: User, story: str) -> None:
    Visitor().log_in()
    count_failed_login(Attempt(ann.email_key, None, None))
    session = ann.sessions.get()

    for action in ("send-reset", "send-verification", "lift-throttle", f"sessions/{session.pk}/end"):
        assert admin.press(story, f"{story}/{action}")["Location"].startswith(f"{story}?what-done=")

    assert set(ann.links.values_list("purpose", flat=True)) == {"reset", "verification"}
    assert failed_logins(ann.email_key) is None
    assert not ann.sessions.alive(timezone.now()).exists()


def test_who_is_blocked_is_unblocked_and_marked_as_verified_where_that_is_required(
    admin: Visitor, ann: User, story: str, hosted: HostedAuthSettings
) -> None:
    User.objects.filter(pk=ann.pk).update(blocked=True)
    hosted.require_verified_email = True
    hosted.save()

    for action in ("unblock", "verify"):
        assert admin.press(story, f"{story}/{action}")["Location"].startswith(f"{story}?what-done=")

    assert Visitor().log_in().status_code == 303


def test_an_action_takes_a_post_with_a_token(admin: Visitor, ann: User, story: str) -> None:
    assert admin.get(f"{story}/send-reset").status_code == 405
    assert admin.client.post(f"{story}/send-reset").status_code == 403
    assert not OneTimeLink.objects.filter(user=ann).exists()


def test_a_full_page_of_people_stays_light(admin: Visitor, ann: User) -> None:
    people = [User(email=f"{'p' * 60}{n}@x.example", email_key=f"p{n}@x.example") for n in range(60)]
    for person in people:
        person.first_name = person.last_name = "n" * 150
    User.objects.bulk_create(people)

    with CaptureQueriesContext(connection) as queries:
        page = admin.get(USERS)

    assert len(queries) <= 12
    assert len(page.content) <= 100_000
