"""Couriers empty the outbox: in the caller's thread, or in the background beside a worker.

Receivers that are slow or down have threads of their own here, so that they never keep handlers from
running.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from flowkit.engine.clock import from_micros
from flowkit.engine.outbox import BATCH, Delivery, attempt, due_next, lease, settling
from flowkit.errors import FlowkitError, StoreUnavailable
from flowkit.tasks import Outgoing, Registry

if TYPE_CHECKING:
    from flowkit.engine.commit import Committer

__all__ = ["Courier", "deliver_due"]

_log = logging.getLogger("flowkit.outbox")

SLOTS = 4
"""Deliveries that one background courier has under way."""


def deliver_due(committer: Committer, registry: Registry) -> int:
    """Deliver what is due, in this thread; how many attempts were made."""
    count = 0
    deliveries: list[Delivery] = []
    while True:
        items = _turn(committer, registry, deliveries, BATCH)
        if not items:
            return count
        count += len(items)
        deliveries = [attempt(registry.deliverers[item.kind], item) for item in items]


def _turn(
    committer: Committer, registry: Registry, deliveries: Sequence[Delivery], limit: int
) -> list[Outgoing]:
    """Store what came of deliveries and lease further entries, in one transaction."""
    works = [settling(delivery) for delivery in deliveries]
    outcomes = committer.run_all([*works, lambda unit: lease(unit, registry.deliverers, limit)])
    for outcome in outcomes[:-1]:
        outcome.get()
    found: list[Outgoing] = outcomes[-1].get()
    return found


class Courier:
    """A thread that leases entries and some that deliver them; started and stopped by a worker."""

    def __init__(self, committer: Committer, registry: Registry, poll: float) -> None:
        self._committer = committer
        self._registry = registry
        self._poll = poll
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads = ThreadPoolExecutor(SLOTS, thread_name_prefix="flowkit-courier")
        self._done: deque[Delivery] = deque()
        self._underway = 0
        self._dispatcher = threading.Thread(target=self._dispatch, name="flowkit-courier", daemon=True)

    def start(self) -> None:
        """Deliver in the background."""
        self._committer.listeners.append(self._wake.set)
        self._dispatcher.start()

    def stop(self, timeout: float | None) -> None:
        """Begin no more deliveries and wait for those under way; what is not settled is tried again."""
        self._stopping.set()
        self._wake.set()
        self._dispatcher.join(timeout)
        self._committer.listeners.remove(self._wake.set)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _dispatch(self) -> None:
        pause = self._poll
        while not (self._stopping.is_set() and not self._underway):
            self._wake.clear()
            ended = [self._done.popleft() for _ in range(len(self._done))]
            free = 0 if self._stopping.is_set() else SLOTS - self._underway + len(ended)
            try:
                items = _turn(self._committer, self._registry, ended, free)
                pause = self._poll
            except StoreUnavailable:
                _log.exception("The store is not available; trying again.")
                self._done.extend(ended)
                pause = min(pause * 2, 10.0)
                self._wake.wait(pause)
                continue
            except FlowkitError:
                _log.exception("The courier stops.")
                return
            self._underway += len(items) - len(ended)
            for item in items:
                self._threads.submit(self._carry, item)
            if not items and not self._done:
                self._wake.wait(self._pause())

    def _carry(self, item: Outgoing) -> None:
        self._done.append(attempt(self._registry.deliverers[item.kind], item))
        self._wake.set()

    def _pause(self) -> float:
        """Seconds until an entry is due, at most the polling interval."""
        if self._underway >= SLOTS or self._stopping.is_set():
            return self._poll
        with self._committer.parts.store.reader() as session:
            due = due_next(session, list(self._registry.deliverers))
        if due is None:
            return self._poll
        left = (from_micros(due) - self._committer.parts.clock.now()).total_seconds()
        return min(max(left, 0.001), self._poll)
