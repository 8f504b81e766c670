"""The Datahub under attack: who calls its endpoints without the right to, or from elsewhere."""

import json
from collections.abc import Callable

from tests.conftest import Api
from tests.datahub.conftest import made
from tests.security.datahub_endpoints import ROWS, Endpoint, Named, every_change, every_endpoint, send, state

# Who may call ------------------------------------------------------------------------------------------------------

SCOPES = {"tables:read", "tables:write", "rows:read", "rows:write"}
OTHERS = ["users:read", "users:write", "events:read", "events:write", "webhooks:read", "webhooks:write"]


def _scopes_of(endpoint: Endpoint) -> set[str]:
    """The scopes each of which opens an endpoint, as surface.md has them."""
    method, path, _body = endpoint
    if path.endswith("openapi.json"):
        return {"tables:read", "rows:read"}
    if "/imports" in path and method == "GET":
        return {"rows:read", "rows:write"}
    kind = "rows" if path.startswith(("/imports", ROWS)) else "tables"
    reads = method == "GET" or path.endswith("/query")
    return {f"{kind}:read" if reads else f"{kind}:write"}


@every_endpoint
def test_an_endpoint_is_closed_to_who_has_every_other_scope(
    people: Api, named: Named, key: Callable[..., Api], person: Callable[..., Api], endpoint: Endpoint
) -> None:
    callers = {
        "program": key(*sorted(SCOPES - _scopes_of(endpoint)), *OTHERS),
        "person": person("ann@example.com"),
        "admin's token": person("boss@example.com", admin=True),
        "nobody": Api(),
    }
    before = state(people)

    answers = {name: send(caller, endpoint, named).status_code for name, caller in callers.items()}

    assert answers == {"program": 403, "person": 403, "admin's token": 403, "nobody": 401}
    assert state(people) == before


@every_endpoint
def test_false_credentials_are_no_credentials_even_beside_a_true_cookie(
    people: Api, console: Api, named: Named, endpoint: Endpoint
) -> None:
    made(people.patch("/tables/people", {"access": dict.fromkeys(["list", "read", "create"], "everyone")}), 200)
    before = state(people)
    tokens = ["fgk_nonsense", "nonsense", "e30.e30.", "'; DROP TABLE datahub_table; --"]

    answers = [send(console, endpoint, named, authorization=f"Bearer {token}") for token in tokens]

    assert {(answer.status_code, answer.headers["WWW-Authenticate"]) for answer in answers} == {(401, "Bearer")}
    assert state(people) == before


# Requests of other sites -------------------------------------------------------------------------------------------


FOREIGN_HEADERS = [
    {"x-csrftoken": ""},
    {"x-csrftoken": "a" * 64},
    {"x-csrftoken": "", "content-type": "text/plain"},
    {"x-csrftoken": "", "content-type": "application/x-www-form-urlencoded"},
    {"x-csrftoken": "", "origin": "https://evil.example"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"x-csrftoken": "", "x-requested-with": "XMLHttpRequest"},
]


@every_change
def test_48_a_console_s_cookie_alone_changes_nothing(
    people: Api, console: Api, named: Named, endpoint: Endpoint
) -> None:
    """From a page of another origin it is as if there were none."""
    before = state(people)

    answers = {json.dumps(headers): send(console, endpoint, named, **headers) for headers in FOREIGN_HEADERS}

    told = {headers: (answer.status_code, answer.json()["code"]) for headers, answer in answers.items()}
    forged, foreign = (403, "csrf-failed"), (401, "not-authenticated")
    assert told == {headers: foreign if "origin" in headers else forged for headers in answers}
    assert state(people) == before


@every_endpoint
def test_48_no_other_site_may_read_an_answer(people: Api, named: Named, endpoint: Endpoint) -> None:
    origin = {"origin": "https://evil.example", "access-control-request-method": endpoint[0]}

    answers = [send(people, ("OPTIONS", endpoint[1], None), named, **origin), send(people, endpoint, named, **origin)]

    for answer in answers:
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@every_endpoint
def test_48_reading_changes_nothing_whatever_else_it_says(people: Api, named: Named, endpoint: Endpoint) -> None:
    method, path, _body = endpoint
    before = state(people)
    names = ["x-http-method-override", "x-http-method", "x-method-override"]
    override = dict.fromkeys(names, "DELETE" if method == "GET" else method)
    query = f"{path}{'&' if '?' in path else '?'}_method={override[names[0]]}"

    for verb in ("GET", "HEAD", "OPTIONS", "TRACE"):
        send(people, (verb, path, None), named, **override)
        send(people, (verb, query, None), named)
    if path == f"{ROWS}/query" or method == "GET":
        send(people, ("POST", path, {}), named, **override)

    assert state(people) == before


@every_endpoint
def test_a_look_at_the_methods_tells_nothing_to_who_may_not_call(people: Api, named: Named, endpoint: Endpoint) -> None:
    answer = send(Api(), ("OPTIONS", endpoint[1], None), named)

    assert answer.status_code in {401, 403, 405}, answer.content
    assert "People" not in answer.content.decode()
