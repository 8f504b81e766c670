"""Hands SIGTERM and SIGINT to a server that can't bear two of them at once.

Granian sets a `threading.Event` in its signal handlers. A second signal that comes while the main thread is waking from
that Event finds its lock taken by the very thread it interrupts, for ever; and a second one always comes where a group
is signalled as a whole, by Ctrl-C for one: from the terminal, and from the parent.
"""

import os
import signal
import threading

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def take_stop_signals() -> None:
    """Let a thread of its own wait for the signals and call their handlers; until a server sets these, just end.

    Call it in the main thread before any other thread starts, and again in a forked child.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    threading.Thread(target=_hand_over, name="stop signals", daemon=True).start()


def _hand_over() -> None:
    while True:
        number = signal.sigwait(STOP_SIGNALS)
        handler = signal.getsignal(number)
        if not callable(handler):
            os._exit(128 + number)
        handler(number, None)
