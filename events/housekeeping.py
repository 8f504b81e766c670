"""What the worker does once a minute: letting keys follow each other, and forgetting what is of no more use."""

import logging
from collections.abc import Callable

from django.db import NotSupportedError

from authpages import throttles
from authpages.services.signing_keys import keep_signing_keys
from datahub.services import housekeeping
from events.services import leases, retention
from events.services.trials import forget_trials
from fastgen_backend.connections import DatabaseUnavailable

log = logging.getLogger("fastgen.worker")

STEPS: list[Callable[[], object]] = [
    keep_signing_keys,
    leases.delete_expired_secrets,
    forget_trials,
    retention.forget_retired_secrets,
    throttles.delete_forgotten,
    housekeeping.keep_house,
]


def keep_house() -> None:
    """Take all steps. One that fails is told of, tried again next time, and holds up no other.

    Raises what the database's driver does where the connection is no good any more: the next steps would fail as well.
    """
    for step in STEPS:
        try:
            step()
        except NotSupportedError:  # a prepared statement outlived a change of its columns' types
            raise
        except Exception as error:
            if DatabaseUnavailable.is_meant_by(error):
                raise
            log.exception("The step %s.%s failed; it is tried again.", step.__module__, step.__name__)
