"""Workers step by step: a test takes their turns and says when handlers run, so nobody ever sleeps."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from flowkit.engine import Worker

__all__ = ["LONG", "Held", "work_off"]

LONG = 20.0
"""Seconds after which a test that waits for a thread has failed."""


class Held:
    """An executor that keeps what it is given until it is told to run it, in the caller's thread."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = []
        self.closed = False

    def __len__(self) -> int:
        return len(self.waiting)

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, fn, args))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.closed = True

    def begin(self) -> Callable[[], None]:
        """Begin the handler that has waited longest; what is given ends it."""
        future, fn, args = self.waiting.pop(0)
        future.set_running_or_notify_cancel()

        def end() -> None:
            try:
                result = fn(*args)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        return end

    def run(self, most: int = 1000) -> int:
        """Run up to ``most`` handlers, those that have waited longest; how many."""
        self.waiting = [entry for entry in self.waiting if not entry[0].cancelled()]
        count = min(most, len(self.waiting))
        for _ in range(count):
            self.begin()()
        return count


def work_off(worker: Worker, held: Held) -> None:
    """Take turns and run handlers until the worker has nothing in its hands and finds nothing to do."""
    while True:
        pause = worker.turn()
        if not held.run() and not worker.running and pause != 0.0:
            return
        if worker.running and not held:  # an async one runs: it will tell
            worker.wait(LONG)
