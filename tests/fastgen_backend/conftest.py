"""What the tests of the house share: real processes, and settings as an environment makes them."""

import os
import re
import runpy
from typing import Any
from unittest import mock

from fastgen_backend import settings as settings_file
from tests.processes import KEY, PROJECT, database_url, start, up

__all__ = ["LISTED", "database_url", "settings_of", "start", "up"]

LISTED = re.findall(r"^#([A-Z0-9_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE)


def settings_of(**variables: str) -> dict[str, Any]:
    """Every setting, as settings.py makes them of an environment that has a secret key, and else only `variables`."""
    environment = dict.fromkeys(LISTED, "") | {"SECRET_KEY": KEY} | variables
    with mock.patch.dict(os.environ, environment):
        return {name: value for name, value in runpy.run_path(settings_file.__file__).items() if name.isupper()}
