"""Serves the web application: `python -m fastgen_backend.web --host 127.0.0.1 --port 8000`."""

import argparse
import gc
import sys
from importlib import import_module
from wsgiref.types import WSGIApplication

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import MPServer

from fastgen_backend.lifeline import end_with_parent, lead_children
from fastgen_backend.stop_signals import take_stop_signals

BACKLOG = 2048  # connections that wait or are open, over all workers
STOP_SECONDS = 7  # for requests in hand; less than the supervisor gives the server as a whole


def main() -> None:
    """Serve until SIGTERM or SIGINT; a bad setting is one plain sentence on standard error and status 1."""
    parser = argparse.ArgumentParser(prog="python -m fastgen_backend.web", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the IP address to listen on")
    parser.add_argument("--port", default=8000, type=int)
    options = parser.parse_args()
    take_stop_signals()
    end_with_parent()
    try:
        _load_project()
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")
    lead_children()
    server(options.host, options.port).serve(target_loader=load_application, wrap_loader=False)


def server(address: str, port: int) -> MPServer:
    """The web server: WSGI in `settings.WEB_PROCESSES` processes of `settings.WEB_THREADS` threads."""
    return MPServer(
        "fastgen_backend.wsgi:application",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=settings.WEB_PROCESSES,
        blocking_threads=settings.WEB_THREADS,
        backlog=BACKLOG,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.error,  # its warnings are advice on the number of threads, which is our owner's choice
    )


def load_application() -> WSGIApplication:
    """What each worker process runs first."""
    take_stop_signals()
    end_with_parent()
    from fastgen_backend.wsgi import application

    return application


def _load_project() -> None:
    """Import everything once, before the server forks: workers then start at once, and share that memory.

    What can't be imported ends the server here, in one process, rather than in one worker after the other.
    """
    import_module("fastgen_backend.wsgi")
    import_module(settings.ROOT_URLCONF)
    gc.freeze()


if __name__ == "__main__":
    main()
