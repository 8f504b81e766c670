"""How the devices of sessions are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authpages.devices import device_name, neighbourhood

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0", "Firefox on Android"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Safari/537.36 Edg/120.0.0.0", "Edge on Windows"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Safari/537.36", "Chrome on ChromeOS"),
        (f"{IPHONE} Version/17.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{IPHONE} CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown device"),
        ("nothing that anybody knows", "Unknown device"),
    ],
)
def test_a_device_is_called_by_its_program_and_its_system(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


@given(st.text(max_size=400))
def test_any_user_agent_has_a_name(user_agent: str) -> None:
    assert device_name(user_agent)


def test_a_name_is_no_letter_to_who_reads_it() -> None:
    assert len(device_name(f"{'Call this number now '.replace(' ', '') * 15}/1.0 CFNetwork/1408 Darwin/22.5.0")) <= 90


def test_a_device_stays_at_its_place_within_its_network() -> None:
    assert neighbourhood("192.0.2.1") == neighbourhood("192.0.2.250") == "192.0.2.0/24"
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1") == "2001:db8::/64"
    assert neighbourhood(None) == ""
