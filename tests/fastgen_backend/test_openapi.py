"""The OpenAPI document and the endpoints say the same."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from authpages.services.auth_requests import resolve_due
from datahub.api.row_endpoint import RowEndpoint
from events.models import Delivery
from events.services.sequencing import sequence_events
from fastgen_backend.openapi import OpenApiView, _document
from fastgen_backend.rest import StrictSerializer
from tests.conftest import PASSWORD, Api
from tests.datahub.importing import do_jobs

DOCUMENT = json.loads(_document())
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
NOBODYS_ID = "01890000-0000-7000-8000-000000000000"
OTHER_KINDS: dict[str, list[Any]] = {
    "string": [1, 1.5, True, None, [], {}],
    "boolean": ["true", "no", "", 0, 1, 1.0, None, [], {}],
    "integer": ["5", 5.0, 5.5, True, None, [], {}],
    "array": ["x", 1, True, None, {}],
    "object": ["x", 1, True, None, []],
}


def _served() -> dict[tuple[str, str], Any]:
    """The view of each path and method below /api/v1, as the URL configuration has it; not the document itself."""
    return {
        (path, method): view
        for path, view in _views(get_resolver().url_patterns)
        for method in set(view.http_method_names) - {"head", "options"}
        if path.startswith("/api/v1/") and hasattr(view, method) and view is not OpenApiView
    }


def _is_of_rows(path: str, method: str) -> bool:
    """Whether its members and parameters are each table's own; `tests/datahub` looks at those."""
    return issubclass(_served()[path, method], RowEndpoint)


def _views(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[tuple[str, Any]]:
    for each in patterns:
        path = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(each.pattern))
        if isinstance(each, URLResolver):
            yield from _views(each.url_patterns, path)
        else:
            yield path, each.callback.view_class  # type: ignore[attr-defined]


def _resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, where it is given by its name."""
    reference = schema.get("$ref", "").removeprefix("#/components/schemas/")
    return DOCUMENT["components"]["schemas"][reference] if reference else schema


def _answer(operation: dict[str, Any], status: int) -> dict[str, Any]:
    """What is told of answers with this status; refusals are told once for all operations."""
    told: dict[str, Any] = operation["responses"][str(status)]
    shared: dict[str, dict[str, Any]] = DOCUMENT["components"]["responses"]
    return shared.get(told.get("$ref", "").removeprefix("#/components/responses/"), told)


def _body(operation: dict[str, Any]) -> dict[str, Any]:
    """The schema of its JSON body; empty where it takes none."""
    content = operation.get("requestBody", {}).get("content", {})
    return _resolve(content.get("application/json", {}).get("schema", {}))


def _queries(operation: dict[str, Any]) -> list[str]:
    return [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]


@dataclass
class World:
    """Callers, and what they may name."""

    anyone: Api
    ann: Api
    refresh_token: str
    program: Api
    webhook: str
    delivery: str
    event: str
    row: str
    api_key: str
    mailed: Callable[[str], str]

    def send_file(self) -> Any:
        return self.program.call("POST", "/imports?table=notes", raw=b"name\nBob\n", **{"content-type": "text/csv"})

    @property
    def anns_id(self) -> str:
        return str(self.ann.get("/auth/me").json()["id"])

    @property
    def session(self) -> str:
        """The id of Ann's session."""
        return str(self.ann.get("/auth/sessions").json()["items"][0]["id"])

    def role(self) -> str:
        """The id of a new role."""
        return str(self.program.post("/roles", {"name": "Editor"}).json()["id"])

    def app(self) -> str:
        """The id of a new app."""
        return str(self.program.post("/apps", SHOP).json()["id"])

    def imported(self) -> str:
        """The id of an import that is done."""
        id = self.send_file().json()["id"]
        do_jobs()
        return str(id)

    def replay(self) -> str:
        """The id of a replay that is running."""
        return str(
            self.program.post(
                f"/webhooks/{self.webhook}/replay", {"kind": "range", "from": "1970-01-01T00:00:00Z"}
            ).json()["id"]
        )

    def reset_token(self) -> str:
        self.anyone.post("/auth/password-reset/request", {"email": "ann@example.com"})
        resolve_due()
        return self.mailed("auth.password_reset")


@pytest.fixture
def world(api: Api, key: Callable[..., Api], mailed: Callable[[str], str]) -> World:
    refresh_token = api.sign_up()["session"]["refreshToken"]
    program = key("*")
    webhook = program.post("/webhooks", {"url": "https://hooks.example.com/", "events": ["*"]}).json()["id"]
    event = program.post("/events", {"type": "custom.shipped", "data": {}}).json()["id"]
    sequence_events()
    delivery = str(Delivery.objects.filter(subscriber=webhook).latest("sequence").pk)
    column = {"name": "Name", "type": "text"}
    program.post("/tables", {"name": "Notes", "columns": [column, {**column, "name": "Gone"}]})
    program.delete("/tables/notes/columns/gone")
    row = program.post("/tables/notes/rows", {"name": "Ann"}).json()["id"]
    api_key = program.post("/api-keys", {"name": "Mine", "scopes": ["rows:read"]}).json()["id"]
    return World(Api(), api, refresh_token, program, webhook, delivery, event, row, api_key, mailed)


SHOP = {"name": "Shop", "type": "confidential"}
ACCOUNT = {"email": "bob@example.com", "password": PASSWORD}
CALLS: dict[str, Callable[[World], Any]] = {
    "postSignUp": lambda world: world.anyone.post("/auth/signup", ACCOUNT),
    "postLogin": lambda world: world.anyone.log_in(),
    "postRefresh": lambda world: world.anyone.post("/auth/refresh", {"refreshToken": world.refresh_token}),
    "postLogout": lambda world: world.ann.post("/auth/logout"),
    "getMe": lambda world: world.ann.get("/auth/me"),
    "patchMe": lambda world: world.ann.patch("/auth/me", {"firstName": "Ann"}),
    "postPasswordChange": lambda world: world.ann.post(
        "/auth/password/change", {"currentPassword": PASSWORD, "newPassword": PASSWORD[::-1]}
    ),
    "getOwnSessions": lambda world: world.ann.get("/auth/sessions"),
    "deleteOwnSession": lambda world: world.ann.delete(
        f"/auth/sessions/{world.ann.get('/auth/sessions').json()['items'][0]['id']}"
    ),
    "postVerificationRequest": lambda world: world.ann.post("/auth/email-verification/request"),
    "postVerificationSubmit": lambda world: world.anyone.post(
        "/auth/email-verification/submit", {"token": world.mailed("auth.email_verificationRequested")}
    ),
    "postResetRequest": lambda world: world.anyone.post("/auth/password-reset/request", {"email": "ann@example.com"}),
    "postResetSubmit": lambda world: world.anyone.post(
        "/auth/password-reset/submit", {"token": world.reset_token(), "password": PASSWORD[::-1]}
    ),
    "getUsers": lambda world: world.program.get("/users?q=ann&verified=false"),
    "postUsers": lambda world: world.program.post("/users", {**ACCOUNT, "firstName": "Bob"}),
    "getUser": lambda world: world.program.get(f"/users/{world.anns_id}"),
    "patchUser": lambda world: world.program.patch(f"/users/{world.anns_id}", {"firstName": "Ann"}),
    "deleteUser": lambda world: world.program.delete(f"/users/{world.anns_id}"),
    "postBlock": lambda world: world.program.post(f"/users/{world.anns_id}/block"),
    "postUnblock": lambda world: world.program.post(f"/users/{world.anns_id}/unblock"),
    "postLiftThrottle": lambda world: world.program.post(f"/users/{world.anns_id}/lift-throttle"),
    "postVerificationMail": lambda world: world.program.post(f"/users/{world.anns_id}/send-email-verification"),
    "postResetMail": lambda world: world.program.post(f"/users/{world.anns_id}/send-password-reset"),
    "getUserSessions": lambda world: world.program.get(f"/users/{world.anns_id}/sessions"),
    "deleteUserSession": lambda world: world.program.delete(f"/users/{world.anns_id}/sessions/{world.session}"),
    "postEndSessions": lambda world: world.program.post(f"/users/{world.anns_id}/end-sessions"),
    "getRoles": lambda world: world.program.get("/roles"),
    "postRoles": lambda world: world.program.post("/roles", {"name": "Editor"}),
    "getRole": lambda world: world.program.get(f"/roles/{world.role()}"),
    "patchRole": lambda world: world.program.patch(f"/roles/{world.role()}", {"name": "Author"}),
    "deleteRole": lambda world: world.program.delete(f"/roles/{world.role()}"),
    "getHostedAuth": lambda world: world.program.get("/settings/hosted-auth"),
    "patchHostedAuth": lambda world: world.program.patch("/settings/hosted-auth", {"productName": "Acme"}),
    "getApps": lambda world: world.program.get("/apps"),
    "postApps": lambda world: world.program.post("/apps", SHOP),
    "getApp": lambda world: world.program.get(f"/apps/{world.app()}"),
    "patchApp": lambda world: world.program.patch(f"/apps/{world.app()}", {"name": "Store"}),
    "deleteApp": lambda world: world.program.delete(f"/apps/{world.app()}"),
    "postAppSecret": lambda world: world.program.post(f"/apps/{world.app()}/rotate-secret"),
    "getApiKeys": lambda world: world.program.get("/api-keys"),
    "postApiKeys": lambda world: world.program.post("/api-keys", {"name": "Mine", "scopes": ["rows:read"]}),
    "deleteApiKey": lambda world: world.program.delete(f"/api-keys/{world.api_key}"),
    "getEvents": lambda world: world.program.get("/events"),
    "postEvents": lambda world: world.program.post("/events", {"type": "custom.shipped", "data": {}}),
    "getCatalog": lambda world: world.anyone.get("/events/catalog"),
    "getAsyncApi": lambda world: world.anyone.get("/events/asyncapi.json"),
    "getEvent": lambda world: world.program.get(f"/events/{world.event}"),
    "getWebhooks": lambda world: world.program.get("/webhooks"),
    "postWebhooks": lambda world: world.program.post(
        "/webhooks", {"url": "https://hooks.example.com/", "events": ["*"]}
    ),
    "getWebhook": lambda world: world.program.get(f"/webhooks/{world.webhook}"),
    "patchWebhook": lambda world: world.program.patch(f"/webhooks/{world.webhook}", {"enabled": False}),
    "deleteWebhook": lambda world: world.program.delete(f"/webhooks/{world.webhook}"),
    "getDeliveries": lambda world: world.program.get(f"/webhooks/{world.webhook}/deliveries"),
    "postRotateSecret": lambda world: world.program.post(f"/webhooks/{world.webhook}/rotate-secret"),
    "postEnableWebhook": lambda world: world.program.post(f"/webhooks/{world.webhook}/enable"),
    "getDelivery": lambda world: world.program.get(f"/deliveries/{world.delivery}"),
    "postRedeliver": lambda world: world.program.post(f"/deliveries/{world.delivery}/redeliver"),
    "postTestWebhook": lambda world: world.program.post(f"/webhooks/{world.webhook}/test", {}),
    "getWebhookReplay": lambda world: world.program.get(f"/webhooks/{world.webhook}/replay"),
    "postWebhookReplay": lambda world: world.program.post(
        f"/webhooks/{world.webhook}/replay", {"from": "1970-01-01T00:00:00Z"}
    ),
    "getWebhookReplays": lambda world: world.program.get(f"/webhooks/{world.webhook}/replays"),
    "getReplay": lambda world: world.program.get(f"/replays/{world.replay()}"),
    "postPauseReplay": lambda world: world.program.post(f"/replays/{world.replay()}/pause"),
    "postResumeReplay": lambda world: world.program.post(f"/replays/{world.replay()}/resume"),
    "postCancelReplay": lambda world: world.program.post(f"/replays/{world.replay()}/cancel"),
    "getTables": lambda world: world.program.get("/tables"),
    "postTables": lambda world: world.program.post("/tables", {"name": "People"}),
    "getTable": lambda world: world.program.get("/tables/notes"),
    "patchTable": lambda world: world.program.patch("/tables/notes", {"description": "Mine"}),
    "deleteTable": lambda world: world.program.delete("/tables/notes"),
    "postClearTable": lambda world: world.program.post("/tables/notes/clear"),
    "getColumns": lambda world: world.program.get("/tables/notes/columns"),
    "postColumns": lambda world: world.program.post("/tables/notes/columns", {"name": "Age", "type": "integer"}),
    "patchColumn": lambda world: world.program.patch("/tables/notes/columns/name", {"name": "Full name"}),
    "deleteColumn": lambda world: world.program.delete("/tables/notes/columns/name"),
    "postRestoreColumn": lambda world: world.program.post("/tables/notes/columns/gone/restore"),
    "postPurgeColumn": lambda world: world.program.post("/tables/notes/columns/gone/purge"),
    "getTableOpenApi": lambda world: world.program.get("/tables/notes/openapi.json"),
    "postImports": lambda world: world.send_file(),
    "getImport": lambda world: world.program.get(f"/imports/{world.imported()}"),
    "getImports": lambda world: world.imported() and world.program.get("/imports"),
    "getTableImports": lambda world: world.imported() and world.program.get("/tables/notes/imports"),
    "postUndoImport": lambda world: world.program.post(f"/imports/{world.imported()}/undo"),
    "getRows": lambda world: world.program.get("/tables/notes/rows"),
    "postRows": lambda world: world.program.post("/tables/notes/rows", {"name": "Bob"}),
    "patchRows": lambda world: world.program.patch("/tables/notes/rows", [{"id": world.row, "name": "Bob"}]),
    "deleteRows": lambda world: world.program.delete("/tables/notes/rows?name=Ann"),
    "postRowQuery": lambda world: world.program.post("/tables/notes/rows/query", {}),
    "getRow": lambda world: world.program.get(f"/tables/notes/rows/{world.row}"),
    "patchRow": lambda world: world.program.patch(f"/tables/notes/rows/{world.row}", {"name": "Bob"}),
    "deleteRow": lambda world: world.program.delete(f"/tables/notes/rows/{world.row}"),
    "getRowAggregate": lambda world: world.program.get("/tables/notes/rows/aggregate"),
    "getRowsCsv": lambda world: world.program.get("/tables/notes/rows.csv"),
    "getRowsNdjson": lambda world: world.program.get("/tables/notes/rows.ndjson"),
}


def test_every_endpoint_is_documented_with_its_methods_and_no_other_is():
    documented = {(path, method) for method, path, _operation in OPERATIONS.values()}

    assert documented == set(_served())


def test_every_member_and_parameter_that_is_taken_is_documented_and_no_other_is():
    documented = {
        (path, method): (set(_body(operation).get("properties", {})), set(_queries(operation)))
        for method, path, operation in OPERATIONS.values()
        if not _is_of_rows(path, method)
    }

    assert documented == {
        (path, method): (_fields(view.bodies, method), _fields(view.queries, method))
        for (path, method), view in _served().items()
        if not _is_of_rows(path, method)
    }


def test_a_body_that_takes_no_other_members_says_so():
    bodies = {each: _body(operation) for each, (_method, _path, operation) in OPERATIONS.items()}

    assert [each for each, body in bodies.items() if "properties" in body and body["additionalProperties"]] == []


@pytest.mark.parametrize("operation_id", ["postRows", "patchRows", "postTables", "postLogin"])
def test_a_body_that_can_not_be_left_out_is_said_to_be_required(world: World, operation_id: str):
    method, path, operation = OPERATIONS[operation_id]

    answer = world.program.call(method, path.removeprefix("/api/v1").format(table="notes"))

    assert (answer.status_code, operation["requestBody"]["required"]) == (400, True)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_success_has_a_status_and_the_members_that_are_declared(world: World, operation_id: str):
    answer = CALLS[operation_id](world)

    assert answer.status_code < 300, answer.getvalue()
    declared = _answer(OPERATIONS[operation_id][2], answer.status_code).get("content", {})
    if declared and "application/json" not in declared:
        assert answer.headers["Content-Type"].partition(";")[0] in declared
        return
    shape = _resolve(declared.get("application/json", {}).get("schema", {}))
    shape = _resolve(shape["oneOf"][0]) if "oneOf" in shape else shape
    members = set(answer.json() if answer.content else {})
    assert set(shape.get("required", [])) <= members
    assert shape.get("additionalProperties") or members <= set(shape.get("properties", {}))


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_refusal_is_a_problem_with_a_status_that_is_declared(key: Callable[..., Api], operation_id: str):
    method, path, operation = OPERATIONS[operation_id]

    answers = [_call(caller, method, f"{path}?nothing=1") for caller in (key("*"), Api("nonsense"))]

    for answer in answers:
        assert answer.status_code >= 400
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert set(_answer(operation, answer.status_code)["content"]) == {"application/problem+json"}
        assert set(answer.json()) <= set(DOCUMENT["components"]["schemas"]["Problem"]["properties"])


def _members() -> Iterator[Any]:
    """Every member of every body, with the values that are of other kinds than it."""
    for operation_id, (method, path, operation) in OPERATIONS.items():
        if _is_of_rows(path, method):
            continue
        for member, shape in _body(operation).get("properties", {}).items():
            kind, may_be_null = _kind(shape)
            others = [value for value in OTHER_KINDS[kind] if not (value is None and may_be_null)]
            yield pytest.param(operation_id, member, others, id=f"{operation_id}-{member}")


def _kind(shape: dict[str, Any]) -> tuple[str, bool]:
    """What a member is, a string where it has a schema of its own, and whether it may be null."""
    kinds = shape.get("type", "string")
    return (kinds[0], "null" in kinds) if isinstance(kinds, list) else (kinds, False)


@pytest.mark.parametrize(("operation_id", "member", "values"), list(_members()))
def test_a_member_of_another_kind_is_named(key: Callable[..., Api], operation_id: str, member: str, values: list[Any]):
    method, path, _operation = OPERATIONS[operation_id]
    caller = _caller(path, key)

    answers = {repr(value): _call(caller, method, path, {member: value}) for value in values}

    assert {value: answer.status_code for value, answer in answers.items()} == dict.fromkeys(answers, 400)
    named = {value: {error["pointer"] for error in answer.json()["errors"]} for value, answer in answers.items()}
    assert [value for value, pointers in named.items() if f"/{member}" not in pointers] == []


@pytest.mark.parametrize("value", OTHER_KINDS["string"], ids=repr)
@pytest.mark.parametrize(
    ("operation_id", "member"),
    [("postWebhooks", "events"), ("patchHostedAuth", "allowedRedirectUrls"), ("patchHostedAuth", "allowedOrigins")],
)
def test_an_item_of_another_kind_is_named(key: Callable[..., Api], operation_id: str, member: str, value: Any):
    method, path, _operation = OPERATIONS[operation_id]

    answer = _call(key("*"), method, path, {member: ["https://a.example", value]})

    assert f"/{member}/1" in {error["pointer"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [(each, name) for each, (_method, _path, operation) in OPERATIONS.items() for name in _queries(operation)],
)
def test_a_parameter_that_stands_twice_is_named(key: Callable[..., Api], operation_id: str, name: str):
    method, path, _operation = OPERATIONS[operation_id]

    answer = _call(_caller(path, key), method, f"{path}?{name}=1&{name}=2")

    assert answer.status_code == 400
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        (f"/{name}", "repeated-parameter")
    ]


@pytest.mark.parametrize("path", ["/webhooks", "/events"])
def test_the_text_of_a_parameter_is_read_as_what_it_stands_for(key: Callable[..., Api], path: str):
    answers = [key("*").get(f"{path}?limit={limit}").status_code for limit in ("50", "fifty")]

    assert answers == [200, 400]


@pytest.mark.parametrize(
    "operation_id",
    [each for each, (_method, _path, operation) in OPERATIONS.items() if "requestBody" not in operation],
)
def test_what_is_documented_without_a_body_takes_none(key: Callable[..., Api], operation_id: str):
    method, path, _operation = OPERATIONS[operation_id]
    caller = _caller(path, key)

    answers = [_call(caller, method, path, raw=raw) for raw in (b'{"a": 1}', b"[]", b"{", b" ")]

    assert [answer.status_code for answer in answers] == [400] * 4
    pointers = [[error["pointer"] for error in answer.json()["errors"]] for answer in answers]
    assert pointers == [["/a"], [""], [""], [""]]


def test_comments_on_the_code_are_not_in_the_document():
    assert "A serializer that refuses" not in _document().decode()
    assert "A view that says what it takes" not in _document().decode()
    assert "credentials yet; those" not in _document().decode()


def _fields(shapes: dict[str, type[StrictSerializer]], method: str) -> set[str]:
    shape = shapes.get(method.upper())
    return set(shape().fields) if shape else set()


def _words(schema: dict[str, Any]) -> list[str]:
    [named] = schema["allOf"]
    words: list[str] = _resolve(named)["enum"]
    return words


def _caller(path: str, key: Callable[..., Api]) -> Api:
    """Who may call it: a person what is theirs, a program with a key all else."""
    if "/auth/" not in path:
        return key("*")
    ann = Api()
    ann.sign_up()
    return ann


def _call(caller: Api, method: str, path: str, body: Any = None, **options: Any) -> Any:
    """Call an endpoint by its path in the document; what it names does not exist."""
    path = path.removeprefix("/api/v1").replace("{id}", NOBODYS_ID)
    path = path.replace("{table}", NOBODYS_ID).replace("{column}", NOBODYS_ID).replace("{session}", NOBODYS_ID)
    return caller.call(method.upper(), path, body, **options)


def test_a_filter_is_a_parameter_of_any_name():
    [filters] = [each for each in OPERATIONS["getRows"][2]["parameters"] if each["name"] == "filters"]

    assert (filters["style"], filters["explode"]) == ("form", True)
    assert filters["schema"] == {"type": "object", "additionalProperties": {"type": "string"}}


def test_the_words_that_a_table_takes_are_told():
    table = _resolve(_body(OPERATIONS["postTables"][2]))["properties"]
    column = _resolve(table["columns"]["items"])["properties"]

    assert set(table["access"]["properties"]) == {"list", "read", "create", "update", "delete"}
    assert _words(table["onOwnerDelete"]) == ["keep", "clear", "delete"]
    assert "multiChoice" in _words(column["type"])


def test_deleted_columns_are_told_with_what_only_they_have():
    listed = DOCUMENT["components"]["schemas"]["ListedColumnResponse"]["properties"]

    assert {"hiddenAt", "originalOf"} <= set(listed)
