"""Bad input gets a clear answer that names the member, is never a 500, and writes nothing."""

from typing import Any

import pytest
from django.test import RequestFactory

from authpages.models import AuthRequest, User
from events.models import Event
from tests.conftest import PASSWORD, Api

SIGN_UP = {"email": "ann@example.com", "password": PASSWORD}
LONG = "x" * 10_000 + "@example.com"
ENDPOINTS = {
    "/auth/signup": SIGN_UP,
    "/auth/login": SIGN_UP,
    "/auth/refresh": {"refreshToken": "x"},
    "/auth/email-verification/request": {"email": "ann@example.com"},
    "/auth/email-verification/submit": {"token": "x"},
    "/auth/password-reset/request": {"email": "ann@example.com"},
    "/auth/password-reset/submit": {"token": "x", "password": PASSWORD},
}
MEMBERS = [(path, member) for path, body in ENDPOINTS.items() for member in body]


def _assert_refused(answer: Any, pointer: str, status: int = 400) -> None:
    problem = answer.json()
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(problem) >= {"type", "title", "status", "detail", "code", "errors"}
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert all(error["detail"] and error["code"] for error in problem["errors"])
    assert not User.objects.exists()
    assert not AuthRequest.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "raw",
    [b"{", b"[" * 100_000, b"\xff\xfe", b'{"email": NaN}', b'{"a":1,"a":2}', b'{"email": 1e999}', b"9" * 5000],
    ids=["cut", "deep", "not utf-8", "nan", "twice", "huge number", "long number"],
)
def test_malformed_json_is_400(api: Api, path: str, raw: bytes) -> None:
    _assert_refused(api.post(path, raw=raw), "")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("body", [[], "text", 1, None, True], ids=str)
def test_a_body_that_is_no_object_is_400(api: Api, path: str, body: Any) -> None:
    answer = api.post(path, raw=str(body).replace("'", '"').replace("None", "null").replace("True", "true").encode())

    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize(("path", "member"), MEMBERS)
@pytest.mark.parametrize(
    "value", [None, [], {}, True, "a\0b", "a\ud800b"], ids=["null", "list", "object", "bool", "nul", "lone"]
)
def test_a_member_of_the_wrong_kind_is_named(api: Api, path: str, member: str, value: Any) -> None:
    _assert_refused(api.post(path, {**ENDPOINTS[path], member: value}), f"/{member}")


@pytest.mark.parametrize(
    ("path", "member"), [each for each in MEMBERS if each[0] != "/auth/email-verification/request"]
)
def test_a_missing_member_is_named(api: Api, path: str, member: str) -> None:
    body = {name: value for name, value in ENDPOINTS[path].items() if name != member}

    _assert_refused(api.post(path, body), f"/{member}")


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_unknown_member_is_named(api: Api, path: str) -> None:
    _assert_refused(api.post(path, {**ENDPOINTS[path], "a/b~c": 1}), "/a~1b~0c")


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_unknown_parameter_is_named(api: Api, path: str) -> None:
    _assert_refused(api.post(f"{path}?debug=1", ENDPOINTS[path]), "/debug")


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
def test_a_body_over_a_megabyte_is_413_before_it_is_read(api: Api, path: str) -> None:
    _assert_refused(api.post(path, raw=b"x" * 1_000_001), "", status=413)


def test_a_body_of_unknown_length_is_411(api: Api) -> None:
    answer = api.post("/auth/login", raw=b"{}", **{"transfer-encoding": "chunked"})

    assert (answer.status_code, answer.json()["code"]) == (411, "length-required")


def test_another_media_type_is_415(api: Api) -> None:
    answer = api.client.post("/api/v1/auth/login", "a=b", "application/x-www-form-urlencoded")

    assert answer.status_code == 415
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_another_method_is_405(api: Api) -> None:
    answer = api.get("/auth/login")

    assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/problem+json")
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
