"""The tests of this folder start real processes."""

from tests.processes import database_url, start, up

__all__ = ["database_url", "start", "up"]
