#!/usr/bin/env python
"""Runs every command of the project; a bad setting is one plain sentence, not a stack trace."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastgen_backend.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from fastgen_backend.errors import CannotStart, DomainError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")
    except CannotStart as reason:
        sys.exit(str(reason))
    except DomainError as refusal:
        sys.exit(refusal.detail)
    except KeyboardInterrupt:
        sys.exit(130)  # what a shell makes of a command that Ctrl-C ended


if __name__ == "__main__":
    main()
