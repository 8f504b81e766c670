"""Bad input gets a clear answer that names the member, is never a 500, and writes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import RequestFactory

from authpages.models import AuthRequest, HostedAuthSettings, User
from events.models import Event
from tests.conftest import PASSWORD, Api

SIGN_UP = {"email": "ann@example.com", "password": PASSWORD}
LONG = "x" * 10_000 + "@example.com"
SETTINGS = "/settings/hosted-auth"
ENDPOINTS: dict[str, dict[str, Any]] = {
    "/auth/signup": SIGN_UP,
    "/auth/login": SIGN_UP,
    "/auth/refresh": {"refreshToken": "x"},
    "/auth/email-verification/request": {"email": "ann@example.com"},
    "/auth/email-verification/submit": {"token": "x"},
    "/auth/password-reset/request": {"email": "ann@example.com"},
    "/auth/password-reset/submit": {"token": "x", "password": PASSWORD},
    SETTINGS: {"productName": "Acme"},
}
MEMBERS = [(path, member) for path, body in ENDPOINTS.items() for member in body]
NEEDED = [each for each in MEMBERS if each[0] not in {"/auth/email-verification/request", SETTINGS}]


@pytest.fixture
def caller(key: Callable[..., Api]) -> Api:
    """A program that may change the settings, too; no person exists yet."""
    return key("settings:write")


def _send(caller: Api, path: str, body: Any = None, **options: Any) -> Any:
    return caller.call("PATCH" if path.startswith(SETTINGS) else "POST", path, body, **options)


def _assert_refused(answer: Any, pointer: str, status: int = 400) -> None:
    problem = answer.json()
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(problem) >= {"type", "title", "status", "detail", "code", "errors"}
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert all(error["detail"] and error["code"] for error in problem["errors"])
    assert not User.objects.exists()
    assert not AuthRequest.objects.exists()
    assert not HostedAuthSettings.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "raw",
    [b"{", b"[" * 100_000, b"\xff\xfe", b'{"email": NaN}', b'{"a":1,"a":2}', b'{"email": 1e999}', b"9" * 1001],
    ids=["cut", "deep", "not utf-8", "nan", "twice", "huge number", "long number"],
)
def test_malformed_json_is_400(caller: Api, path: str, raw: bytes) -> None:
    answer = _send(caller, path, raw=raw)

    _assert_refused(answer, "")
    assert answer.json()["code"] == "malformed-json"


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_a_body_that_is_no_object_is_400(caller: Api, path: str, raw: bytes) -> None:
    _assert_refused(_send(caller, path, raw=raw), "")


@pytest.mark.parametrize(("path", "member"), MEMBERS)
@pytest.mark.parametrize(
    "value",
    [None, [], {}, True, 12345678, 1.5, "a\0b", "a\ud800b"],
    ids=["null", "list", "object", "bool", "number", "fraction", "nul", "lone"],
)
def test_a_member_of_the_wrong_kind_is_named(caller: Api, path: str, member: str, value: Any) -> None:
    _assert_refused(_send(caller, path, {**ENDPOINTS[path], member: value}), f"/{member}")


@pytest.mark.parametrize(("path", "member"), NEEDED)
def test_a_missing_member_is_named(api: Api, path: str, member: str) -> None:
    body = {name: value for name, value in ENDPOINTS[path].items() if name != member}

    _assert_refused(api.post(path, body), f"/{member}")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("a/b~c", "/a~1b~0c"),
        ("\0", "/\0"),
        ("x\ud800", "/x\N{REPLACEMENT CHARACTER}"),
        ("non_field_errors", "/non_field_errors"),
    ],
)
def test_an_unknown_member_is_named(caller: Api, path: str, name: str, pointer: str) -> None:
    _assert_refused(_send(caller, path, {**ENDPOINTS[path], name: 1}), pointer)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_unknown_members_are_named_whatever_their_names(caller: Api, path: str) -> None:
    answer = _send(caller, path, {"message": 1, "code": 2})

    assert {error["pointer"] for error in answer.json()["errors"]} == {"/message", "/code"}
    assert {error["code"] for error in answer.json()["errors"]} == {"unknown-member"}


@pytest.mark.parametrize("path", ENDPOINTS)
def test_of_many_unknown_members_a_hundred_are_named(caller: Api, path: str) -> None:
    answer = _send(caller, path, dict.fromkeys(map(str, range(10_000)), 1))

    assert (answer.status_code, len(answer.json()["errors"])) == (400, 100)
    assert answer.json()["detail"] == "More than 100 members are not valid."


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_unknown_parameter_is_named(caller: Api, path: str) -> None:
    _assert_refused(_send(caller, f"{path}?debug=1", ENDPOINTS[path]), "/debug")


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_parameter_that_is_not_utf_8_is_named_all_the_same(caller: Api, path: str) -> None:
    answer = _send(caller, f"{path}?%ED%A0%80=1", ENDPOINTS[path])

    _assert_refused(answer, "/" + "\N{REPLACEMENT CHARACTER}" * 3)


@pytest.mark.parametrize("path", ["/auth/signup", "/auth/login", "/auth/password-reset/request"])
def test_an_address_of_10_000_characters_is_refused(api: Api, path: str) -> None:
    _assert_refused(api.post(path, {**ENDPOINTS[path], "email": LONG}), "/email")


@pytest.mark.parametrize(
    "email",
    [
        "x",
        "@",
        "a@",
        "@b.c",
        "a b@example.com",
        "a@b@c.com",
        "a@example",
        "a\nb@example.com",
        "x" * 65 + "@" + "y" * 200 + ".com",
    ],
)
def test_what_is_no_address_can_not_sign_up(api: Api, email: str) -> None:
    _assert_refused(api.post("/auth/signup", {**SIGN_UP, "email": email}), "/email")


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_body_over_a_megabyte_is_413_before_it_is_read(caller: Api, path: str) -> None:
    _assert_refused(_send(caller, path, raw=b"x" * 1_000_001), "", status=413)


@pytest.mark.parametrize(
    ("raw", "pointer", "code"),
    [
        (b"{", "", "malformed-json"),
        (b" ", "", "malformed-json"),
        (b"[]", "", "invalid"),
        (b"null", "", "null"),
        (b'"all"', "", "invalid"),
        (b'{"all": true}', "/all", "unknown-member"),
        (b'{"\\ud800": true}', "/\N{REPLACEMENT CHARACTER}", "unknown-member"),
    ],
)
def test_logging_out_with_a_body_is_refused_and_ends_nothing(api: Api, raw: bytes, pointer: str, code: str) -> None:
    api.sign_up()

    answer = api.post("/auth/logout", raw=raw)

    assert answer.status_code == 400
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]
    assert api.get("/auth/me").status_code == 200


def test_logging_out_with_too_large_a_body_is_413_and_ends_nothing(api: Api) -> None:
    api.sign_up()

    assert api.post("/auth/logout", raw=b" " * 1_000_001).status_code == 413
    assert api.get("/auth/me").status_code == 200


def test_logging_out_with_a_form_is_415_and_ends_nothing(api: Api) -> None:
    api.sign_up()

    answer = api.client.post("/api/v1/auth/logout", {"all": "on"}, headers={"authorization": f"Bearer {api.token}"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert api.get("/auth/me").status_code == 200


@pytest.mark.parametrize("raw", [b"", b"{}"], ids=["no body", "empty object"])
def test_logging_out_takes_an_empty_body(api: Api, raw: bytes) -> None:
    api.sign_up()

    assert api.post("/auth/logout", raw=raw).status_code == 204
    assert api.get("/auth/me").status_code == 401


def test_a_body_of_unknown_length_is_411(api: Api) -> None:
    answer = api.post("/auth/login", raw=b"{}", **{"transfer-encoding": "chunked"})

    assert (answer.status_code, answer.json()["code"]) == (411, "length-required")


def test_another_media_type_is_415(api: Api) -> None:
    answer = api.client.post("/api/v1/auth/login", "a=b", "application/x-www-form-urlencoded")

    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_another_method_is_405(api: Api) -> None:
    answer = api.get("/auth/login")

    assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/problem+json")
    assert answer.json()["detail"] == 'Method "GET" not allowed. Here are: POST.'
    assert "POST" in answer.headers["Allow"]


def test_an_unknown_address_is_404_as_a_problem(api: Api) -> None:
    answer = api.get("/nothing/here")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_another_host_is_400(api: Api) -> None:
    answer = api.call("GET", "/auth/me", host="evil.example")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


@pytest.mark.parametrize(
    "metadata",
    [[], "text", {"a": "x" * 20_000}, {"a": "\0"}, {"a": ["\ud800"]}, {"\0": 1}],
    ids=["list", "text", "large", "nul", "lone", "nul in a name"],
)
def test_metadata_that_can_not_be_stored_is_refused(api: Api, metadata: Any) -> None:
    _assert_refused(api.post("/auth/signup", {**SIGN_UP, "metadata": metadata}), "/metadata")


def test_metadata_is_too_large_by_every_door(api: Api, key: Callable[..., Api]) -> None:
    program, most = key("users:read", "users:write"), {"a": "é" * ((16_384 - len('{"a": ""}')) // 2)}
    id = api.sign_up()["user"]["id"]
    calls = {
        "POST /auth/signup": lambda body: Api().post("/auth/signup", {**SIGN_UP, "email": "bea@example.com", **body}),
        "PATCH /auth/me": lambda body: api.patch("/auth/me", body),
        "POST /users": lambda body: program.post("/users", {"email": "bob@example.com", **body}),
        "PATCH /users": lambda body: program.patch(f"/users/{id}", body),
    }

    for name, call in calls.items():
        refused, taken = call({"metadata": {**most, "b": 1}}), call({"metadata": most})
        assert refused.status_code == 400, name
        assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [("/metadata", "too-large")]
        assert taken.status_code in {200, 201}, taken.content


def test_metadata_is_stored_as_given(api: Api) -> None:
    metadata = {"plan": "pro", "nested": {"list": [1, 2.5, None, True]}, "emoji": "🔥"}

    answer = api.post("/auth/signup", {**SIGN_UP, "metadata": metadata})

    assert answer.json()["user"]["metadata"] == metadata


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": [value]}
    return value


def test_deeply_nested_metadata_is_refused(api: Api) -> None:
    _assert_refused(api.post("/auth/signup", {**SIGN_UP, "metadata": _nested(300)}), "/metadata")


@pytest.mark.parametrize("path", ["/auth/email-verification/request", "/auth/password-reset/request"])
@pytest.mark.parametrize("email", ["x" * 900 + "@example.com", "nobody"])
def test_an_unusable_address_gets_no_mail(api: Api, path: str, email: str) -> None:
    _assert_refused(api.post(path, {"email": email}), "/email")


def test_a_length_with_many_zeros_is_refused(api: Api) -> None:
    answer = api.client.generic(
        "POST", "/api/v1/auth/login", b"{}", "application/json", CONTENT_LENGTH="0" * 25 + "5000000"
    )

    assert answer.status_code == 413


def test_a_charset_that_is_no_text_is_ignored(db: None) -> None:
    from fastgen_backend.wsgi import application

    request = RequestFactory(headers={"host": "127.0.0.1:8000"}).get("/api/v1/nothing?next=/a")
    request.environ["CONTENT_TYPE"] = "text/plain; charset=hex"
    statuses: list[str] = []

    application(request.environ, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]

    assert statuses == ["404 Not Found"]


def test_another_host_gets_the_headers_too(api: Api) -> None:
    answer = api.call("GET", "/auth/me", host="evil.example")

    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_openapi_takes_no_parameters(api: Api) -> None:
    assert api.get("/openapi.json").status_code == 200
    assert "postSignUp" in api.get("/openapi.json").content.decode()
    assert api.get("/openapi.json?lang=xx").status_code == 400
