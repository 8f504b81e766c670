"""Prepared queries and inserts do what Django's own would, and are compiled once."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authpages.models import RefreshToken, Role, Session, User
from fastgen_backend.prepared import Parameter, Prepared, insert


def _user(name: str = "ann") -> User:
    address = f"{name}@example.com"
    return User(email=address, email_key=address, metadata={"a": ["é", None, 1.5]}, created_at=timezone.now())


def _session(user: User, **fields: object) -> Session:
    return Session(user=user, expires_at=timezone.now() + timedelta(days=1), ip_address="2001:db8::1", **fields)


@pytest.fixture
def session(db: None) -> Session:
    """A session of a person with two roles."""
    user = _user()
    user.save()
    user.roles.add(*(Role.objects.create(name=name, name_key=name) for name in ("b", "a")))
    session = _session(user, cookie_hash=b"\x00\xff" * 16)
    session.save()
    return session


def _by_id() -> "models.QuerySet[Session]":
    return Session.objects.with_user().filter(pk=Parameter("id", models.UUIDField()))


def test_a_prepared_query_finds_what_the_same_queryset_finds(session: Session) -> None:
    prepared = Prepared(_by_id).first(id=session.pk)

    plain = Session.objects.with_user().get(pk=session.pk)
    assert prepared
    assert _told(prepared) == _told(plain)
    assert sorted(prepared.user_roles or []) == ["a", "b"]


def _told(session: Session) -> tuple[object, ...]:
    return (
        {name: value for name, value in vars(session).items() if name not in {"_state", "user_roles"}},
        {name: value for name, value in vars(session.user).items() if name != "_state"},
        session._state.adding,
        session._state.db,
    )


def test_it_needs_one_query_for_the_row_and_what_is_joined(session: Session) -> None:
    prepared = Prepared(_by_id)
    prepared.first(id=session.pk)

    with CaptureQueriesContext(connection) as queries:
        found = prepared.first(id=session.pk)
        assert found
        assert found.user.email == "ann@example.com"

    assert len(queries) == 1


def test_it_finds_nothing_where_there_is_nothing(session: Session) -> None:
    assert Prepared(_by_id).first(id=session.user_id) is None


def test_it_is_built_once_per_thread(session: Session) -> None:
    built: list[str] = []
    prepared = Prepared(lambda: built.append(threading.current_thread().name) or _by_id())  # type: ignore[func-returns-value]

    for _ in range(3):
        prepared.first(id=session.pk)

    assert built == [threading.current_thread().name]


def test_a_value_that_is_deferred_is_loaded_when_asked_for(session: Session) -> None:
    prepared = Prepared(lambda: Session.objects.defer("user_agent").filter(pk=Parameter("id", models.UUIDField())))

    found = prepared.first(id=session.pk)

    assert found
    assert found.get_deferred_fields() == {"user_agent"}
    assert found.user_agent == ""


@pytest.mark.parametrize("fields", [{}, {"cookie_hash": b"\x00'\xff" * 8, "user_agent": "ü"}], ids=["nulls", "values"])
def test_an_insert_writes_what_save_writes(db: None, fields: dict[str, object]) -> None:
    user = insert(_user())
    inserted = insert(_session(user, **fields))

    read = Session.objects.select_related("user").get()
    assert model_to_dict(read) == model_to_dict(inserted)
    assert (read.pk, read.expires_at, read.user.metadata) == (inserted.pk, inserted.expires_at, user.metadata)
    assert (inserted._state.adding, inserted._state.db) == (False, "default")


def test_it_sets_the_id_that_the_database_gives(session: Session) -> None:
    token = insert(RefreshToken(session=session, hash=b"1" * 32))

    assert token.pk == RefreshToken.objects.get().pk


def test_it_raises_what_the_database_refuses(session: Session) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(_user())


@pytest.mark.django_db(transaction=True)
def test_a_row_is_locked_inside_a_transaction_only() -> None:
    prepared = Prepared(lambda: User.objects.select_for_update().filter(pk=Parameter("id", models.UUIDField())))
    with transaction.atomic():
        prepared.first(id=_user().pk)

    with pytest.raises(transaction.TransactionManagementError):
        prepared.first(id=_user().pk)
