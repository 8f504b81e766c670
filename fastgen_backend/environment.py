"""Reads settings from the environment and refuses a bad value in one plain sentence."""

import ipaddress
import logging
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()
KEY_LENGTH = 32


def number(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31) -> int:
    """The whole number in the variable `name`, or `default` where it is not set."""
    text = env.str(name, default="") or str(default)
    try:
        value = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.") from None
    if not minimum <= value <= maximum:
        raise ImproperlyConfigured(f"{name} must be from {minimum} to {maximum}, not {value}.")
    return value


def numbers(name: str, default: list[int]) -> list[int]:
    """The comma-separated whole numbers in the variable `name`."""
    text = env.str(name, default="")
    if not text:
        return default
    try:
        values = [int(part) for part in text.split(",")]
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be whole numbers parted by commas, not {text!r}.") from None
    if min(values) < 0:
        raise ImproperlyConfigured(f"{name} must not hold a negative number.")
    return values


def switch(name: str, default: bool) -> bool:
    """`on` or `off` in the variable `name` (also true/false, yes/no, 1/0)."""
    text = env.str(name, default="").strip().lower()
    if not text:
        return default
    if text in {"on", "true", "yes", "1"}:
        return True
    if text in {"off", "false", "no", "0"}:
        return False
    raise ImproperlyConfigured(f"{name} must be on or off, not {text!r}.")


def log_level(name: str, default: str) -> str:
    """The name of a level of Python's logging in the variable `name`, in capitals."""
    level: str = env.str(name, default="").upper() or default
    if level not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(f"{name} must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not {level!r}.")
    return level


def base_url(default: str) -> str:
    """The public address: http(s), a host, at most a port; without a slash at the end."""
    text = (env.str("BASE_URL", default="") or default).rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ImproperlyConfigured(f"BASE_URL must look like https://auth.example.com, not {text!r}.")
    return text


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxies(name: str) -> int | list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The proxies to trust: how many stand in front, or the networks they are in."""
    text = env.str(name, default="").strip()
    if text.isdigit():
        return int(text)
    try:
        return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a number of proxies or their networks: {error}.") from None


def secret_key(default_file: Path) -> str:
    """SECRET_KEY, or what SECRET_KEY_FILE holds; the default file is made once, readable by its owner alone."""
    given: str = env.str("SECRET_KEY", default="")
    if given:
        return _long_enough(given, "SECRET_KEY")
    named = env.str("SECRET_KEY_FILE", default="")
    file = Path(named) if named else default_file
    try:
        if not named:
            _make_once(file)
        key = file.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"The secret key in {file} can't be read or made: {error.strerror}.") from None
    return _long_enough(key, f"The secret key in {file}")


def _long_enough(key: str, what: str) -> str:
    if len(key) < KEY_LENGTH:
        raise ImproperlyConfigured(f"{what} must be at least {KEY_LENGTH} characters long.")
    return key


def _make_once(file: Path) -> None:
    """Make the key file whole or not at all, so that processes that start together read the same key."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=file.parent)  # mode 0600
    try:
        os.write(handle, secrets.token_urlsafe(64).encode())
        os.fsync(handle)
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        os.close(handle)
        os.unlink(draft)
