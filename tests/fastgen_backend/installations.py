"""An installation with something of everything, and what it is compared by."""

import io
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from authpages.models import Session, SigningKey
from authpages.services.authorization import keep_request
from authpages.services.consents import agree
from authpages.services.refused_redirects import note_refused_redirect
from authpages.services.signing_keys import drop_private_halves, publish_next_key
from authpages.signing_keys import RS256
from events.services.sequencing import sequence_events
from events.services.webhooks import create_webhook
from fastgen_backend.management.archives import contents
from fastgen_backend.management.archives.archive import Reader
from fastgen_backend.management.archives.saving import save
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.app_client import confidential_app
from tests.conftest import Api

COLUMNS: list[dict[str, Any]] = [
    *({"name": each, "type": each} for each in ["longText", "float", "boolean", "json"]),
    *({"name": each, "type": each, "unique": True} for each in ["text", "date", "dateTime", "email", "url", "uuid"]),
    {"name": "integer", "type": "integer", "indexed": True},
    {"name": "decimal", "type": "decimal", "options": {"scale": 4}},
    {"name": "choice", "type": "choice", "options": {"choices": ["a", "ß"]}},
    {"name": "multiChoice", "type": "multiChoice", "options": {"choices": ["a", "ß"]}},
]
FULL: dict[str, Any] = {
    "text": "“quoted”, \t and\nnew line 🦉",
    "longtext": "x" * 50_000,
    "integer": -(2**63),
    "float": 1.1e-7,
    "decimal": "-12345678901.2345",
    "boolean": False,
    "date": "0001-01-01",
    "datetime": "2026-11-27T12:00:00Z",
    "email": "ann@example.com",
    "url": "https://example.com/?q=%20",
    "uuid": "019aa0c1-7f7e-7c31-9d2a-5b8e1f4a6c02",
    "json": {"b": [1, 2.5, None, True, "\\u00e9"], "a": {}},
    "choice": "ß",
    "multichoice": ["a", "ß"],
}
OTHER = {"text": "", "datetime": "2026-11-27T12:00:00.120000Z", "decimal": "0.1000", "boolean": True, "float": 1e300}


def fill(admin: Api, person: Api) -> dict[str, Any]:
    """People, sessions, keys, apps, a webhook with deliveries, tables of every type; tells the session of Ann."""
    create_webhook(
        url="http://127.0.0.1:9/", filters=["*"], origin=COMMAND_LINE, may_see_secrets=True, headers={"x-a": "secret-a"}
    )
    session = dict(person.sign_up()["session"])
    _fill_keys_and_apps(Session.objects.get(pk=session["id"]))
    assert admin.post("/tables", {"name": "All", "columns": COLUMNS}).status_code == 201
    for many in (False, True):
        options = {"table": "all", "many": many, "onDelete": "clear"}
        column = {"name": f"others{many}", "type": "relation", "options": options}
        assert admin.post("/tables/all/columns", column).status_code == 201
    first = admin.post("/tables/all/rows", FULL)
    assert first.status_code == 201, first.content
    id = first.json()["id"]
    for row in ({**OTHER, "othersfalse": id, "otherstrue": [id]}, {}):
        answer = admin.post("/tables/all/rows", row)
        assert answer.status_code == 201, answer.content
    assert admin.delete("/tables/all/columns/choice").status_code == 204  # hidden, with its values
    admin.post("/events", {"type": "custom.a", "data": {"ü": 1}, "dedupKey": "once"})
    sequence_events()
    return session


def _fill_keys_and_apps(session: Session) -> None:
    """A key of which the public half is left, one that signs next, and all that an app can have of a person."""
    publish_next_key(RS256)
    SigningKey.objects.filter(is_current=False).update(retired_at=timezone.now() - timedelta(days=2))
    drop_private_halves()
    publish_next_key(RS256)
    client = confidential_app(first_party=False)
    client.tokens(session=session, scope="openid offline_access")
    agree(session=session, app=client.app, scope="openid email", origin=COMMAND_LINE)
    keep_request(app=client.app, parameters={"state": "ü"}, origin=COMMAND_LINE)
    note_refused_redirect(app=None, client_id="nobody", uri="https://notes.example/ü", for_logout=True)


def saved() -> bytes:
    """The archive of this installation."""
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def opened(archive: bytes) -> Reader:
    return Reader(io.BufferedReader(io.BytesIO(archive)))


def rows_of(archive: bytes) -> dict[str, list[str]]:
    """What an archive holds, whatever the order of its rows."""
    found: dict[str, list[str]] = {}
    for table, rows in opened(archive).parts():
        found.setdefault(table, []).extend(map(repr, rows))
    return {table: sorted(rows) for table, rows in found.items()}


def empty() -> None:
    """Leave the tables of the apps, without a row in them, and none of users."""
    user_tables = [each.table for each in contents.user_tables()]
    call_command("flush", interactive=False, inhibit_post_migrate=True, verbosity=0)
    with connection.cursor() as cursor:
        for table in user_tables:
            cursor.execute(f"DROP TABLE {table}")


def is_empty() -> bool:
    """Whether no table of an installation has a row."""
    with connection.cursor() as cursor:
        for table in contents.existing_tables():
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  told by the database
            if cursor.fetchone()[0]:
                return False
    return True
