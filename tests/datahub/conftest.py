"""Tables to be asked, and everyone who may ask."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.transaction import Atomic, set_rollback

from authpages.models import Role, User
from authpages.services.users import create_user
from datahub.services.inspection import inspect
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api
from tests.datahub.console_pages import Admin

PEOPLE: list[dict[str, Any]] = [
    {"name": "Name", "type": "text", "required": True},
    {"name": "Email", "type": "email", "unique": True},
    {"name": "Age", "type": "integer", "options": {"min": 0}},
    {"name": "City", "type": "text"},
    {"name": "Amount", "type": "decimal"},
]


@pytest.fixture(scope="module")
def once(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What is made on top of this stays for all tests of a file, each of which is still rolled back by itself."""
    transaction = Atomic(using=None, savepoint=False, durable=False)
    with django_db_blocker.unblock():
        transaction.__enter__()
    yield
    with django_db_blocker.unblock():
        set_rollback(True)
        transaction.__exit__(None, None, None)


class Console(Api):
    """Calls the API as a page of the console does: with the cookie and the CSRF token."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__()
        self.client = visitor.client
        page = visitor.get("/console/settings").content.decode()
        [self.csrf_token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[:1]

    def call(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Any:
        return super().call(
            method, path, body, raw=raw, **{"host": "127.0.0.1:8000", "x-csrftoken": self.csrf_token, **headers}
        )


@pytest.fixture
def admin(key: Callable[..., Api]) -> Api:
    """A program that may do everything."""
    return key("*")


@pytest.fixture
def people(admin: Api) -> Api:
    """The same, where there is a table `people`."""
    answer = admin.post("/tables", {"name": "People", "columns": PEOPLE})
    assert answer.status_code == 201, answer.content
    return admin


@pytest.fixture
def person(db: None) -> Callable[..., Api]:
    """Makes a person who is logged in, with roles of these names."""

    def make(email: str = "ann@example.com", *roles: str, admin: bool = False) -> Api:
        user = create_user(email=email, password=PASSWORD, admin=admin, origin=COMMAND_LINE)
        for role in roles:
            user.roles.add(Role.objects.get_or_create(name_key=role.casefold(), defaults={"name": role})[0])
        api = Api()
        api.token = api.log_in(email).json()["session"]["accessToken"]
        return api

    return make


@pytest.fixture
def console(db: None) -> Api:
    """An admin who is in the console."""
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    visitor = Visitor()
    assert visitor.log_in("root@example.com", at="/console/login").status_code == 303
    return Console(visitor)


@pytest.fixture
def sound(db: None) -> Iterator[None]:
    """After the test, the database is what tables and columns say."""
    yield
    assert inspect().flaws == []


@pytest.fixture
def root(db: None) -> Admin:
    """An admin at the pages of the console."""
    create_user(email="root@example.com", password=PASSWORD, admin=True, origin=COMMAND_LINE)
    root = Admin()
    assert root.log_in("root@example.com", at="/console/login").status_code == 303
    return root


def id_of(email: str) -> str:
    """The id of the person with this address."""
    return str(User.objects.get(email=email).pk)


def made(answer: Any, status: int = 201) -> Any:
    """The JSON of an answer that must have this status."""
    assert answer.status_code == status, answer.content
    return answer.json()


def pointers(answer: Any, status: int = 400) -> list[str]:
    """What a refusal of this status blames."""
    return [error["pointer"] for error in made(answer, status)["errors"]]
