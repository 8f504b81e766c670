"""Which version this is, as `pyproject.toml` has it; an installation may hold no copy of that."""

VERSION = "0.1.0"
