"""`manage.py events_worker`: one worker; run as many as you like."""

import asyncio
import logging
import os
import threading
from typing import Any

from django.core.management.base import BaseCommand

from events.handlers import load_handlers
from events.worker import EventsWorker
from fastgen_backend.lifeline import end_with_parent
from fastgen_backend.vault import verify_key


class Command(BaseCommand):
    help = "Sequences the log, and delivers events to webhooks and handlers, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        end_with_parent()
        verify_key()
        load_handlers()
        asyncio.run(self._work())
        _leave_behind_what_hangs()

    async def _work(self) -> None:
        await EventsWorker().run()


def _leave_behind_what_hangs() -> None:
    """End at once where a handler or a statement is still at work: Python itself would wait for its thread."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        logging.shutdown()
        os._exit(0)
