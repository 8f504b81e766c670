"""`manage.py events_worker`: one worker; run as many as you like."""

import asyncio
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

    async def _work(self) -> None:
        await EventsWorker().run()
