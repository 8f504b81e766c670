"""Which redirect URIs an app may have."""

import pytest

from authpages.services.redirect_uris import leads_to_own_machine
from tests.authpages.app_rest import CALLBACK, problems
from tests.conftest import Api


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "//shop.example.com/callback",
        "http://shop.example.com/callback",
        "http://127.0.0.1.example.com/",
        "https://shop.example.com/callback#",
        "https://shop.example.com/callback#x",
        "https://user@shop.example.com/",
        "https://*.example.com/callback",
        "https://shop.example.com/*",
        "https://shop.example.com/\\",
        "https://shop.example.com/a b",
        "https://shop.example.com/\n",
        "https://shöp.example.com/",
        "https://a;script-src.example/",
        "https://a,b.example/",
        "https://'self'/",
        "https://a%2eexample/",
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "myapp:/callback",
        "myapp://callback",
        "example.com:8080/callback",
        "com.example.app:callback",
        "Com.Example.App:/callback",
        "com.example.app:/callback#x",
        "com.example.app:/\0",
        f"{CALLBACK}?code=evil",
        f"{CALLBACK}?x=1&state=",
        f"{CALLBACK}?iss",
        f"{CALLBACK}?%63ode=x",
        f"{CALLBACK}?x=1;error=no",
        f"{CALLBACK}?error_description=x",
        f"{CALLBACK}?response=x",
        f"{CALLBACK}?session_state=x",
        "com.example.app:/callback?code=x",
        "http://localhost/?error_uri=x",
        "https://[::1",
        "com.example.app://[/callback",
        "com.example.app://user@login/callback",
        "https://shop.example.com:99999/",
        "https://" + "x" * 2000,
    ],
)
def test_a_uri_to_which_nobody_should_be_sent_is_refused(program: Api, uri: str):
    answer = program.post("/apps", {"name": "App", "type": "public", "redirectUris": [CALLBACK, uri]})

    code = "null-characters-not-allowed" if "\0" in uri else "invalid"
    assert (answer.status_code, problems(answer)) == (400, [("/redirectUris/1", code)])


@pytest.mark.parametrize("uri", ["com.example.app:/callback", "com.example.app://login/callback?x=1"])
def test_a_scheme_of_its_own_is_for_a_public_app(program: Api, uri: str):
    public = program.post("/apps", {"name": "App", "type": "public", "redirectUris": [uri], "firstParty": False})
    confidential = program.post("/apps", {"name": "App", "type": "confidential", "redirectUris": [uri]})

    assert public.status_code == 201
    assert (confidential.status_code, problems(confidential)) == (400, [("/redirectUris/0", "invalid")])


def test_a_query_of_its_own_is_the_app_s_business(program: Api):
    uris = [f"{CALLBACK}?{query}" for query in ("", "codes=1", "x=code", "Code=1", "code%3D=1", "a=1&b=2")]

    assert program.post("/apps", {"name": "App", "type": "public", "redirectUris": uris}).status_code == 201


@pytest.mark.parametrize("member", ["callbackUrl", "allowedRedirectUrls"])
def test_nor_may_those_of_the_hosted_settings_have_a_parameter_of_our_answers(program: Api, member: str):
    uri = f"{CALLBACK}?code=evil"

    answer = program.patch("/settings/hosted-auth", {member: uri if member == "callbackUrl" else [uri]})

    assert answer.status_code == 400
    assert "must not have what our answer has: code." in answer.content.decode()


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("myapp://callback", "so that it has a dot: com.example.app:/callback."),
        ("https://*.example.com/callback", "There are no wildcards"),
        ("http://shop.example.com/callback", "Use https"),
        ("https://shop.example.com/callback#x", "must not have a fragment"),
    ],
)
def test_what_is_told_is_the_slip_itself(program: Api, uri: str, words: str):
    answer = program.post("/apps", {"name": "App", "type": "public", "redirectUris": [uri]})

    [error] = answer.json()["errors"]
    assert words in error["detail"]


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True),
        ("notes.localhost:8443", True),
        ("LOCALHOST.", True),
        ("127.0.0.1:8443", True),
        ("127.9.9.9", True),
        ("127.1", True),
        ("2130706433", True),
        ("0x7f.0.0.1", True),
        ("0.0.0.0", True),
        ("[::1]:8443", True),
        ("[::ffff:127.0.0.1]", True),
        ("ip6-localhost", True),
        ("localhost.localdomain", True),
        ("app.7z", False),
        ("notes.example", False),
        ("localhost.example", False),
        ("192.0.2.1", False),
        ("[2001:db8::1]", False),
    ],
)
def test_what_leads_to_the_persons_own_machine_is_known_however_it_is_written(host: str, own: bool):
    assert leads_to_own_machine(f"https://{host}/callback") is own
