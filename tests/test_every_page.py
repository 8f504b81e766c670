"""Every page that the URLconf has asks the database little and is soon there, with something of everything to show."""

import re
from collections.abc import Iterator
from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from authpages.models import User
from authpages.services.api_keys import create_api_key
from authpages.services.apps import read_app
from authpages.services.authorization import keep_request
from authpages.services.refused_redirects import note_refused_redirect
from events.models import Delivery, InboxMail
from events.services.sequencing import sequence_events
from fastgen_backend.origin import COMMAND_LINE
from tests.authpages.conftest import Visitor, admin, root, visitor
from tests.authpages.oauth import make_app, parameters_of
from tests.conftest import Api

__all__ = ["admin", "root", "visitor"]

QUERIES_MAX = 12
BYTES_MAX = 100_000
NO_PAGES = ("api/v1/", "branding/", "metrics", "healthz", "readyz")
REFUSED = {
    "/console/datahub/tables/people/columns/column_0/purge": 409,  # it is not hidden
    "/console/datahub/tables/people/columns/column_0/rows": 404,  # it is no relation
    "/console/setup": 400,  # there is no link in the address
    "/oauth/authorize": 400,  # no app has sent this browser there
    "/reset-password": 400,
}
MANY = 60  # more than a page shows
URIS = [f"https://shop.example.com/a/rather/long/way/to/the/callback/{number}" for number in range(100)]


def paths_below(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """What a browser can open, as patterns: `console/users/<uuid:user>`."""
    for each in resolver.url_patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from paths_below(each, path)
        elif isinstance(each, URLPattern) and hasattr(getattr(each.callback, "view_class", None), "get"):
            yield path


def fill(api: Api, root: User) -> dict[str, str]:
    """Make something of everything, and more than a page of most; tells what stands for each part of a pattern."""
    for number in range(MANY):
        api.post("/users", {"email": f"person{number}@example.com", "firstName": "Ann"})
    for number in range(20):
        role = api.post("/roles", {"name": f"role {number}"}).json()
    columns = [{"name": f"Column {number}", "type": "text"} for number in range(20)]
    table = api.post("/tables", {"name": "People", "columns": columns}).json()
    rows = api.post("/tables/people/rows", [{each["key"]: "text" for each in table["columns"]}] * MANY).json()
    webhook = api.post("/webhooks", {"url": "https://hooks.example.com/in", "events": ["*"]}).json()
    api.post("/webhooks", {"url": "https://hooks.example.com/too", "events": ["*"], "mode": "perSubject"})
    for number in range(MANY):
        event = api.post("/events", {"type": "custom.order", "data": {"number": number}}).json()
    sequence_events()
    everything = {"kind": "range", "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    replay = api.post(f"/webhooks/{webhook['id']}/replay", everything).json()
    upload = api.call("POST", "/imports?table=people", raw=b"Column 1\na\n", **{"content-type": "text/csv"}).json()
    mail = InboxMail.objects.create(sender="us", recipients=["root@example.com"], subject="Hello", html="<p>Hello</p>")
    stranger = make_app(name="Stranger", first_party=False)
    asked = keep_request(app=stranger, parameters=parameters_of(stranger), origin=COMMAND_LINE)
    shop = api.post("/apps", {"name": "Shop", "type": "confidential", "scopes": ["*"], "redirectUris": URIS}).json()
    app, wanted = read_app(UUID(shop["id"])), [f"{uri}/" for uri in URIS[:MANY]]
    noted = [note_refused_redirect(app=app, client_id=shop["id"], uri=uri, for_logout=False) for uri in wanted]
    for number in range(MANY):
        api.post("/apps", {"name": f"App {number}", "type": "public"})
        note_refused_redirect(app=None, client_id=f"{number}", uri=URIS[number], for_logout=False)
    return {
        "oauth/consent": f"oauth/consent?request={asked.pk}",
        "console/apps/<uuid:app>": shop["id"],
        "<slug:reference>": noted[-1],
        "console/keys/<uuid:id>": str(create_api_key(name="shown", scopes=["*"])[0].pk),
        "console/datahub/imports/<uuid:id>": upload["id"],
        "console/webhooks/<uuid:id>": webhook["id"],
        "account/apps/<uuid:id>": str(stranger.pk),
        "account/sessions/<uuid:id>": str(root.pk),
        "<uuid:user>": str(root.pk),
        "<uuid:role>": role["id"],
        "<str:table>": "people",
        "<str:column>": table["columns"][0]["key"],
        "<uuid:row>": rows["items"][0]["id"],
        "<uuid:delivery>": str(Delivery.objects.filter(subscriber=webhook["id"]).latest("pk").pk),
        "<uuid:replay>": replay["id"],
        "<str:id>": event["id"],
        "<int:pk>": str(mail.pk),
    }


def address(path: str, parts: dict[str, str]) -> str:
    """The pattern with its parts filled in."""
    for part, value in parts.items():
        path = path.replace(part, part.rpartition("<")[0] + value)
    return "/" + path


def test_every_page_is_small_and_asks_little(transactional_db: None, root: User, admin: Visitor):
    parts = fill(Api(create_api_key(name="all", scopes=["*"])[1]), root)
    admin.log_in(root.email)
    addresses = {address(path, parts) for path in paths_below(get_resolver()) if not path.startswith(NO_PAGES)}

    seen: dict[str, tuple[int, int, int]] = {}
    for path in sorted(addresses):
        with CaptureQueriesContext(connection) as queries:
            page = admin.get(path)
        size = 0 if page.streaming else len(page.content)
        seen[path] = (page.status_code, len(queries), size)

    assert not re.findall(r"\S*<\S*", "\n".join(addresses))
    assert len([path for path, (status, _, _) in seen.items() if status == 200]) > 50
    assert {path: each[0] for path, each in seen.items() if each[0] >= 400} == REFUSED
    assert {path: each for path, each in seen.items() if each[1] > QUERIES_MAX or each[2] > BYTES_MAX} == {}
