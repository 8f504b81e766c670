"""Roles in the console."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authpages.models import Role, User
from authpages.services.roles import create_role
from authpages.services.users import create_user
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, text_of

ROLES = "/console/roles"


@pytest.fixture
def editor(db: None) -> Role:
    """A role that one person has."""
    role = create_role(name="Editor", description="Writes.")
    create_user(email="ann@example.com", roles=["editor"], origin=COMMAND_LINE)
    return role


def test_an_empty_list_says_what_roles_are_for(admin: Visitor) -> None:
    page = admin.get(ROLES)

    assert "A role is a name, such as “editor”." in text_of(page)
    assert f'href="{ROLES}/new"' in page.content.decode()


def test_a_role_is_made_and_listed_with_how_many_have_it(admin: Visitor, editor: Role) -> None:
    answer = admin.send(f"{ROLES}/new", name="Reader", description="Reads.")

    assert (answer.status_code, answer["Location"]) == (303, f"{ROLES}?what-done=created")
    page = text_of(admin.get(answer["Location"]))
    assert "The role is made." in page
    assert "Editor Writes. 1" in page
    assert "Reader Reads. 0" in page


def test_a_name_that_is_taken_is_refused_in_the_form(admin: Visitor, editor: Role) -> None:
    answer = admin.send(f"{ROLES}/new", name="EDITOR", description="")

    assert answer.status_code == 409
    assert "There already is a role of this name" in text_of(answer)


def test_a_role_is_renamed(admin: Visitor, editor: Role) -> None:
    admin.send(f"{ROLES}/{editor.pk}", name="Author", description="Writes.")

    assert User.objects.get(email="ann@example.com").role_names == ["Author"]


def test_deleting_a_role_names_who_loses_it_and_asks(admin: Visitor, editor: Role) -> None:
    path = f"{ROLES}/{editor.pk}/delete"
    assert "These people lose it: ann@example.com ." in text_of(admin.get(path))

    answer = admin.send(path)

    assert answer["Location"] == f"{ROLES}?what-done=deleted"
    assert not Role.objects.exists()


def test_a_role_that_is_gone_is_not_found(admin: Visitor, editor: Role) -> None:
    editor.delete()

    assert admin.get(f"{ROLES}/{editor.pk}").status_code == 404


def test_a_full_page_of_roles_stays_light(admin: Visitor) -> None:
    Role.objects.bulk_create(
        Role(name=f"Role {number}", name_key=f"role {number}", description="d" * 500) for number in range(60)
    )

    with CaptureQueriesContext(connection) as queries:
        page = admin.get(ROLES)

    assert len(queries) <= 12
    assert len(page.content) <= 100_000
    assert page.content.count(b'<th scope="row">') == 50
    assert "Next page" in text_of(page)
