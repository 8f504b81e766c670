"""Settings: what is told about them, and what Django thinks of those of a public installation."""

import re

import pytest

from tests.fastgen_backend.conftest import LISTED, settings_of
from tests.processes import PROJECT, run

READ = re.compile(r'\b(?:env\.\w+|number|numbers|switch|proxies|log_level)\(\s*"([A-Z0-9_]+)"')


def test_the_example_lists_every_variable_that_is_read():
    sources = [PROJECT / "fastgen_backend" / name for name in ("settings.py", "environment.py")]

    read = {name for source in sources for name in READ.findall(source.read_text())}

    assert set(LISTED) == read


def test_a_public_installation_passes_the_deployment_checks():
    result = run(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        BASE_URL="https://auth.example.com",
        EMAIL_URL="smtp+tls://fastgen:secret@mail.example.com:587",
        DATABASE_URL="postgres://fastgen:secret@db.example.com:5432/fastgen",
        SECRET_KEY="an-Example-of-a-0123456789-key-that-nobody-has-used-anywhere-else",
    )

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "http://127.0.0.1:8000"),
        ("DEBUG", False),
        ("TRUSTED_PROXIES", []),
        ("PASSWORD_MIN_LENGTH", 8),
        ("ARGON2_MEMORY_KIB", 19 * 1024),
        ("ARGON2_TIME_COST", 2),
        ("ARGON2_PARALLELISM", 1),
        ("ACCESS_TOKEN_SECONDS", 15 * 60),
        ("REFRESH_REPEAT_SECONDS", 10),
        ("SESSION_DAYS", 100),
        ("CONSOLE_SESSION_HOURS", 12),
        ("VERIFICATION_LINK_HOURS", 24),
        ("RESET_LINK_MINUTES", 60),
        ("THROTTLES", True),
        ("LOGIN_FREE_FAILURES", 10),
        ("LOGIN_MAX_FAILURES", 100),
        ("WEBHOOK_TIMEOUT_SECONDS", 15),
        ("BODY_LIMIT_BYTES", 1_000_000),
        ("EMAIL_BACKEND", "events.inbox.InboxBackend"),
    ],
)
def test_the_defaults_are_the_promised_ones(name: str, value: object):
    assert settings_of()[name] == value


def test_a_webhook_is_tried_again_after_the_promised_pauses():
    minute, hour = 60, 3600

    pauses = settings_of()["WEBHOOK_RETRY_SECONDS"]

    assert pauses == [5, 5 * minute, 30 * minute, *(hours * hour for hours in (2, 5, 10, 14, 20, 24))]


@pytest.mark.parametrize(
    ("base_url", "allowed"),
    [
        ("", True),
        ("http://localhost:8000", True),
        ("http://127.1.2.3:8000", True),
        ("http://[::1]:8000", True),
        ("https://auth.example.com", False),
        ("http://192.168.1.7:8000", False),
        ("http://localhost.example.com", False),
    ],
)
def test_webhooks_may_call_private_addresses_on_ones_own_machine_only(base_url: str, allowed: bool):
    assert settings_of(BASE_URL=base_url)["WEBHOOK_ALLOW_PRIVATE_TARGETS"] is allowed


@pytest.mark.parametrize(("text", "allowed"), [("on", True), ("off", False)])
@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "https://auth.example.com"])
def test_whether_webhooks_may_call_private_addresses_can_be_set(base_url: str, text: str, allowed: bool):
    made = settings_of(BASE_URL=base_url, WEBHOOK_ALLOW_PRIVATE_TARGETS=text)

    assert made["WEBHOOK_ALLOW_PRIVATE_TARGETS"] is allowed


def test_a_connection_to_postgresql_notices_that_its_server_is_gone_and_a_url_may_say_when():
    url = "postgres://fastgen@db.example.com/fastgen?tcp_user_timeout=5000"

    options = settings_of(DATABASE_URL=url)["DATABASES"]["default"]["OPTIONS"]

    assert int(options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"]) == 60
    assert int(options["tcp_user_timeout"]) == 5000
