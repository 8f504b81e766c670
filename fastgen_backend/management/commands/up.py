"""The main command: prepares an installation, then runs its web server and events worker until it is told to stop."""

import http.client
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand
from django.db import connections

from authpages.services.admin_setup import issue_setup_link
from authpages.signing_keys import make_first_keys
from fastgen_backend import startup
from fastgen_backend.errors import CannotStart
from fastgen_backend.supervisor import Child, Supervisor


class Command(BaseCommand):
    """Starts everything; a foreseeable mistake is one plain sentence on standard error and status 1."""

    help = "Migrate the database, then serve the web application and run the events worker, until SIGTERM or SIGINT."
    requires_system_checks = []  # they answer in paragraphs; `startup` checks the same and more, in a sentence

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine alone)")
        parser.add_argument("--port", default=8000, type=_port, help="from 1 to 65535 (default: 8000)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # before there are children, a Ctrl-C just ends us
        try:
            address = self._prepare(host, port)
        except CannotStart as reason:
            sys.exit(str(reason))
        setup_link = issue_setup_link(base_url=settings.BASE_URL)
        connections.close_all()
        self._warn()
        threading.Thread(target=self._announce, args=(address, port, setup_link), daemon=True).start()
        Supervisor(_children(address, port)).run()

    def _prepare(self, host: str, port: int) -> str:
        """All that has to hold before anything starts; returns the address to listen on."""
        startup.check_settings(host)
        address = startup.listening_address(host, port)
        _set_base_url(host, port)
        startup.check_port(address, port)
        startup.check_folders()
        startup.prepare_database(and_then=make_first_keys)
        startup.check_port(address, port)  # again: preparing takes its time, and somebody else may have come
        return address

    def _warn(self) -> None:
        if not settings.THROTTLES:
            self._say("WARNING: THROTTLES=off. Nothing slows down who guesses passwords; use this for load tests only.")

    def _announce(self, address: str, port: int, setup_link: str | None) -> None:
        """Print where to go, once something answers there."""
        while not _is_healthy(address, port):
            time.sleep(0.1)
        if setup_link:
            self._tell(f"Create the first admin with this link, which works once:\n  {setup_link}")
        self._tell(f"Fastgen backend is running at {settings.BASE_URL}")

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _say(self, text: str) -> None:
        self.stderr.write(text)
        self.stderr.flush()


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise ArgumentTypeError(f"{text} is not a whole number from 1 to 65535")
    return int(text)


def _set_base_url(host: str, port: int) -> None:
    """Where no BASE_URL is given it is where we listen, for this process and its children."""
    if not settings.BASE_URL_IS_SET:
        settings.BASE_URL = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        os.environ["BASE_URL"] = settings.BASE_URL


def _children(address: str, port: int) -> list[Child]:
    """The web server and the events worker, found from any working directory."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(settings.BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])])
    web = [sys.executable, "-m", "fastgen_backend.web", "--host", address, "--port", str(port)]
    worker = [sys.executable, str(settings.BASE_DIR / "manage.py"), "events_worker"]
    return [Child("web server", web), Child("events worker", worker)]


def _is_healthy(address: str, port: int) -> bool:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104  nothing is bound here
    server = http.client.HTTPConnection(reachable, port, timeout=2)
    try:
        server.request("GET", "/healthz")
        return server.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        server.close()
