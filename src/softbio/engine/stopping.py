"""Ending a run on SIGTERM or SIGINT with its state saved, soon enough for a batch system."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Slurm kills 30 s after its SIGTERM by default, Snakemake's users press Ctrl-C twice sooner.
GRACE_SECONDS = 8.0
# After the signal, where the state is being saved: of a large network to a busy disk it takes long.
SAVING_SECONDS = 20.0
logger = logging.getLogger(__name__)


class Stopped(SystemExit):
    """The run was asked to end, and has saved its state; the exit status is 128 + signal."""


class Stop:
    """Whether a signal has asked this process to end."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._heard = threading.Event()
        self._saved = threading.Event()

    def requested(self) -> bool:
        """To be asked where the state can be saved, which is to follow where it is True."""
        if self.signal is not None:
            self._heard.set()
        return self.signal is not None

    def leave(self, saved: str) -> None:
        """Raise `Stopped`, telling what was saved."""
        self._saved.set()
        logger.warning(
            "stopped by %s: %s; run the same command again to go on",
            signal.Signals(self.signal).name,
            saved,
        )
        raise Stopped(128 + self.signal)

    def _ask(self, number: int, fallback: Callable[[], str]) -> None:
        """Note the signal; end the process where it does not save its state in time."""
        self.signal = number
        name = signal.Signals(number).name
        logger.info("%s: saving the state after the batch under way", name)
        late = time.monotonic() + SAVING_SECONDS
        heard = self._heard.wait(GRACE_SECONDS)
        if not (heard and self._saved.wait(max(0.0, late - time.monotonic()))):
            where = "while its state was being saved" if heard else "in the middle of a batch"
            logger.warning("stopped by %s %s: %s", name, where, fallback())
            for handler in logging.getLogger("softbio").handlers:
                handler.flush()
            os._exit(128 + number)


@contextmanager
def stoppable(fallback: Callable[[], str]) -> Iterator[Stop]:
    """Within it SIGTERM and SIGINT set `Stop.requested` instead of ending the process.

    If nobody asks for it within `GRACE_SECONDS`, or has saved within `SAVING_SECONDS`, the process
    ends all the same, and the log says `fallback()`: what is on disk. Python runs a signal's
    handler only between two of its own instructions, which a backward pass can hold up for seconds;
    the thread that counts the time is therefore woken by the handler that Python installs in C.
    Outside the main thread, where signals cannot be caught, nothing changes.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    listen, wake = socket.socketpair()
    wake.setblocking(False)

    def watch() -> None:
        while number := listen.recv(1):
            if number[0] in (signal.SIGTERM, signal.SIGINT):
                stop._ask(number[0], fallback)
                return

    thread = threading.Thread(target=watch, name="softbio-stop", daemon=True)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    before_wake = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    for number in before:
        signal.signal(number, lambda *_: None)
    thread.start()
    try:
        yield stop
    finally:
        stop._heard.set()
        stop._saved.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_wake)
        wake.close()
        thread.join()
        listen.close()
