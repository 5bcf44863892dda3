"""What every process of our own does first: it leaves Ctrl-C to its parent, and ends with it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from threading import Thread

from joblib.externals.loky import ProcessPoolExecutor


def executor(processes: int) -> ProcessPoolExecutor:
    """Processes that end with this one; they start where work is submitted."""
    return ProcessPoolExecutor(processes, initializer=_begin, initargs=(os.getpid(),))


@contextmanager
def no_interrupts() -> Generator[None]:
    """Keep Ctrl-C from this thread, and for good from the processes that it starts meanwhile.

    It reaches every process of a terminal, also those that are still at their imports.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Python starts it with the first process, and lets Ctrl-C through again as it does so.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int) -> None:
    # The parent decides what a Ctrl-C means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process soon after its parent, which may be killed without a last word."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
