"""What a worker does with a job: one portion after the other, and what becomes of one that fails."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

from datahub.errors import RowTooLarge, TableBusy
from datahub.models import Job
from datahub.services import jobs
from datahub.services.background_conversion import Converting
from datahub.services.imports.loading import Loading
from datahub.services.imports.undo import Undoing
from datahub.services.purging import Purging

log = logging.getLogger("fastgen.worker")


class Work(Protocol):
    """A job in a worker's hands."""

    def step(self) -> bool: ...

    def fail(self, detail: str) -> None: ...


KINDS: Mapping[str, Callable[[jobs.Lease], Work]] = {
    Job.Kind.IMPORT: Loading,
    Job.Kind.UNDO: Undoing,
    Job.Kind.CONVERSION: Converting,
    Job.Kind.PURGE: Purging,
}


class Working:
    """A job and how far this worker is with it."""

    def __init__(self, lease: jobs.Lease) -> None:
        self._lease = lease
        self._work = KINDS[lease.kind](lease)

    def step(self) -> bool:
        """Do one portion; tells whether this worker should go on. Raises what says that the database is away.

        A portion that fails is tried again after a while, by whoever comes first, and after 20 times no more; where
        a row has no room in the database, not even once.
        """
        try:
            if self._lease.tries > jobs.TRIES_MAX:
                self._work.fail(_("It failed %(count)d times in a row.") % {"count": jobs.TRIES_MAX})
            return self._portion()
        except jobs.LeaseLost:
            return False
        except TableBusy:
            jobs.put_off(self._lease, seconds=1)
        except Exception as error:
            if _is_away(error):
                raise
            log.exception("The job %s %s failed; it is tried again.", self._lease.kind, self._lease.subject)
            jobs.put_off(self._lease)
        return False

    def _portion(self) -> bool:
        try:
            return self._work.step()
        except Exception as error:
            if not isinstance(error, RowTooLarge) and not RowTooLarge.is_meant_by(error):
                raise
            self._work.fail(str(RowTooLarge.title))
            return True


def _is_away(error: Exception) -> bool:
    """Whether this says that the database can't be reached, and not that it refuses what it was given."""
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    state = getattr(error.__cause__, "sqlstate", None) or ""
    return state[:2] not in {"22", "23", "54"}  # data exception, constraint violation, program limit exceeded
