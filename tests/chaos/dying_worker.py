"""A real worker that kills itself with SIGKILL at a named moment of its first delivery. Run as a program by the tests.

The first argument names it: `before-send`, `after-send`, `before-acknowledge`, `amid-acknowledge`, `amid-sequence`,
`amid-replay` or `after-replay`.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastgen_backend.settings")


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(work: Callable[..., Any]) -> Callable[..., Any]:
    def last(*args: Any, **kwargs: Any) -> None:
        work(*args, **kwargs)
        die()

    return last


def die_where_true(work: Callable[[], bool]) -> Callable[[], bool]:
    def last() -> bool:
        if done := work():
            die()
        return done

    return last


def main(moment: str) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from events import dispatch
    from events import worker as events_worker
    from events.services import acknowledgement, delivery, promises, replaying, sending, sequencing

    async def send_and_die(*args: Any) -> None:
        await sending.send(*args)
        die()

    places: dict[str, tuple[Any, str, Any]] = {
        "before-send": (delivery, "send", die),
        "after-send": (delivery, "send", send_and_die),
        "before-acknowledge": (dispatch, "acknowledge", die),
        "amid-acknowledge": (acknowledgement, "finish", die_after(acknowledgement.finish)),
        "amid-replay": (replaying, "promise", die_after(promises.promise)),
        "after-replay": (events_worker, "advance_replays", die_where_true(replaying.advance_replays)),
        "amid-sequence": (sequencing, "_promise", die_after(sequencing._promise)),
    }
    setattr(*places[moment])
    call_command("events_worker")


if __name__ == "__main__":
    main(sys.argv[1])
