"""Checklist, everything else: what is kept from inner addresses (46), and from logs, events and errors (47, 50)."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from authpages.services.admin_setup import issue_setup_link
from authpages.services.auth_requests import resolve_due
from events.models import Event
from tests.authpages.conftest import Visitor
from tests.conftest import PASSWORD, Api

VERIFICATION = "auth.email_verificationRequested"
RESET = "auth.password_reset"
WRONG = "not the password of anyone"
WEAK = "weak pw"
NEW = "an entirely new password"
NO_TOKEN = "T0kenThatIsNone" * 3
LEVELS = {
    None: logging.DEBUG,
    "fastgen": logging.DEBUG,  # this one and the next tell no parent
    "django": logging.WARNING,  # whatever LOG_LEVEL says, the settings hold it to errors: below, it tells of queries
}
Mailed = Callable[[str], str]


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"])
def test_46_outbound_calls_pass_the_guard(key: Callable[..., Api], settings: Any, host: str) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE_TARGETS = False

    answer = key("*").post("/webhooks", {"url": f"http://{host}/", "events": ["*"]})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/url"
    assert "public internet" in answer.json()["detail"]


@pytest.fixture
def log() -> Iterator[list[str]]:
    """More than any setting would have written, as it would be printed."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.name}: {self.format(record)}")

    keeper = Keeper()
    kept = {name: logging.getLogger(name).level for name in LEVELS}
    for name, level in LEVELS.items():
        logging.getLogger(name).addHandler(keeper)
        logging.getLogger(name).setLevel(level)
    yield lines
    for name, level in kept.items():
        logging.getLogger(name).removeHandler(keeper)
        logging.getLogger(name).setLevel(level)


@dataclass
class Journeys:
    """What was said in the course of all journeys, and what should be found nowhere in it."""

    log: list[str]
    answers: list[Any]
    secrets: set[str]

    def refusals(self) -> list[str]:
        return [answer.content.decode() for answer in self.answers if answer.status_code >= 400]

    def found_in(self, text: str) -> list[str]:
        return [secret for secret in self.secrets if secret in text]


def _by_api(mailed: Mailed) -> tuple[list[Any], set[str]]:
    """Every journey of Ann's over REST, with right and wrong secrets: the answers, and the secrets that came up."""
    api, session = Api(), Api().sign_up()["session"]
    api.token = session["accessToken"]
    answers = [
        api.post("/auth/signup", {"email": "ann@example.com", "password": PASSWORD}),
        api.post("/auth/signup", {"email": "eve@example.com", "password": WEAK}),
        api.log_in(password=WRONG),
        api.post("/auth/login", {"email": "ann@example.com", "password": PASSWORD, "unknown": WRONG}),
        api.post("/auth/login", raw=b'{"email": "ann@example.com", "password": "%s' % PASSWORD.encode()),
        api.post("/auth/email-verification/submit", {"token": NO_TOKEN}),
        api.post("/auth/refresh", {"refreshToken": NO_TOKEN}),
        Api(NO_TOKEN).get("/auth/me"),
        Api("fgk_" + NO_TOKEN).get("/events"),
    ]
    verification = mailed(VERIFICATION)
    api.post("/auth/email-verification/submit", {"token": verification})
    logged_in = api.log_in().json()["session"]
    refreshed = [session["refreshToken"]]
    for _ in range(2):
        refreshed.append(api.post("/auth/refresh", {"refreshToken": refreshed[-1]}).json()["session"]["refreshToken"])
    answers.append(api.post("/auth/refresh", {"refreshToken": refreshed[0]}))
    api.post("/auth/password-reset/request", {"email": "ann@example.com"})
    resolve_due()
    reset = mailed(RESET)
    answers += [
        api.post("/auth/password-reset/submit", {"token": NO_TOKEN, "password": NEW}),
        api.post("/auth/password-reset/submit", {"token": reset, "password": WEAK}),
        api.post("/auth/password-reset/submit", {"token": reset, "password": NEW}),
        api.post("/auth/password-reset/submit", {"token": reset, "password": NEW}),
    ]
    tokens = {verification, reset, *refreshed, logged_in["refreshToken"]}
    return answers, tokens | {session["accessToken"], logged_in["accessToken"]}


def _by_pages(mailed: Mailed) -> tuple[list[Any], set[str]]:
    """The same of Bea's on the hosted pages, and the first steps of an admin."""
    visitor, bea = Visitor(), "bea@example.com"
    answers = [visitor.sign_up(bea, WEAK), visitor.sign_up(bea), visitor.sign_up(bea)]
    cookies = {cookie.value for cookie in visitor.client.cookies.values()}
    verification = mailed(VERIFICATION)
    answers += [
        visitor.get(f"/verify-email?token={NO_TOKEN}"),
        _post(visitor, "/verify-email", token=NO_TOKEN),
        visitor.send(f"/verify-email?token={verification}"),
        visitor.log_in(bea, WRONG),
        visitor.log_in(bea),
        visitor.client.post("/login", {"email": bea, "password": PASSWORD}),  # no CSRF token
    ]
    cookies |= {cookie.value for cookie in visitor.client.cookies.values()}
    visitor.send("/forgot-password", email=bea)
    resolve_due()
    reset = mailed(RESET)
    answers += [
        visitor.get(f"/reset-password?token={NO_TOKEN}"),
        _post(visitor, "/reset-password", token=NO_TOKEN, password=NEW),
        visitor.send(f"/reset-password?token={reset}", password=NEW),
        _post(visitor, "/reset-password", token=reset, password=NEW),
    ]
    setup = (issue_setup_link(base_url="") or "").partition("=")[2]
    answers += [
        visitor.get(f"/console/setup?token={NO_TOKEN}"),
        visitor.send(f"/console/setup?token={setup}", email="root@example.com", password=PASSWORD),
        visitor.get(f"/console/setup?token={setup}"),
        Visitor().log_in("root@example.com", WRONG, at="/console/login"),
    ]
    return answers, {verification, reset, setup} | cookies


def _post(visitor: Visitor, path: str, **fields: str) -> Any:
    """Send a form that was not offered, with the CSRF token that the browser has."""
    return visitor.client.post(path, {"csrfmiddlewaretoken": visitor.client.cookies["fastgen_csrf"].value} | fields)


def _broken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A login while something is broken, at both doors."""
    visitor = Visitor()
    visitor.client.raise_request_exception = False

    def fail(**_: Any) -> None:
        raise RuntimeError("internals")

    for door in ("authpages.api.views", "authpages.pages.views"):
        monkeypatch.setattr(f"{door}.log_in", fail)
    return [Api().log_in(), visitor.log_in()]


@pytest.fixture
def journeys(db: None, mailed: Mailed, log: list[str], monkeypatch: pytest.MonkeyPatch) -> Journeys:
    answers, secrets = _by_api(mailed)
    more_answers, more_secrets = _by_pages(mailed)
    Api().sign_up("cid@example.com")
    more_secrets.add(mailed(VERIFICATION))  # that of a link that is still open
    answers += more_answers + _broken(monkeypatch)
    return Journeys(log, answers, secrets | more_secrets | {PASSWORD, WRONG, WEAK, NEW, NO_TOKEN})


def test_47_no_secret_in_logs(journeys: Journeys) -> None:
    written = "\n".join(journeys.log)

    assert "fastgen.errors: 500 POST /api/v1/auth/login" in written
    assert "django.request: Bad Request: /verify-email" in written
    assert journeys.found_in(written) == []


def test_47_no_secret_in_events(journeys: Journeys, key: Callable[..., Api]) -> None:
    reader = key("events:read")

    events = [reader.get(f"/events/{event.public_id}").json() for event in Event.objects.order_by("id")]

    types = {event["type"] for event in events}
    assert types > {VERIFICATION, RESET, "auth.login_failed", "auth.token_reused", "auth.email_verified"}
    assert journeys.found_in(json.dumps(events, ensure_ascii=False)) == []


def test_47_no_secret_in_error_pages_and_problems(journeys: Journeys) -> None:
    refusals = journeys.refusals()

    assert len(refusals) >= 25
    assert [journeys.found_in(text) for text in refusals] == [[]] * len(refusals)


def test_47_no_secret_in_the_addresses_that_people_are_sent_to(journeys: Journeys) -> None:
    addresses = [answer.headers["Location"] for answer in journeys.answers if answer.status_code == 303]

    assert len(addresses) >= 5
    assert journeys.found_in(" ".join(addresses)) == []


@pytest.mark.parametrize("index", [-2, -1], ids=["API", "page"])
def test_50_errors_name_no_internals(journeys: Journeys, index: int) -> None:
    answer = journeys.answers[index]

    assert answer.status_code == 500
    assert "internals" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


def test_50_a_bug_is_told_as_a_problem_that_names_the_entry_of_the_log(journeys: Journeys) -> None:
    answer = journeys.answers[-2]

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] in answer.json()["detail"]
    assert answer.headers["X-Request-Id"] in "".join(journeys.log)
