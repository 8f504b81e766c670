"""Whatever is sent is UTF-8: Django would read the very parameters by another charset."""

from collections.abc import Callable

import pytest

from tests.conftest import Api


@pytest.mark.parametrize(("method", "path"), [("GET", "/tables?limit=1"), ("POST", "/auth/login")])
@pytest.mark.parametrize("charset", ["utf-16", "latin-1"])
def test_another_charset_is_refused_before_a_parameter_is_read(
    key: Callable[..., Api], method: str, path: str, charset: str
):
    caller = key("*")
    headers = {"authorization": f"Bearer {caller.token}"}

    answer = caller.client.generic(
        method, f"/api/v1{path}", b"{}", f"application/json; charset={charset}", headers=headers
    )

    assert answer.status_code == 400
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/Content-Type"]
