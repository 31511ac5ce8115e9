"""Couriers empty the outbox: in the caller's thread, or in the background beside a worker.

Receivers that are slow or down have threads of their own here, so that they never keep handlers from
running.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING

from flowkit.engine.clock import from_micros
from flowkit.engine.outbox import BATCH, Delivery, attempt, due_next, lease, settling
from flowkit.errors import EngineClosed, StoreUnavailable
from flowkit.tasks import Outgoing, Registry

if TYPE_CHECKING:
    from flowkit.engine.commit import Committer

__all__ = ["Courier", "deliver_due"]

_log = logging.getLogger("flowkit.outbox")

LONGEST_PAUSE = 10.0
"""Seconds between attempts to reach a store that is away."""
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
        deliveries = [
            attempt(registry.deliverers[item.kind], item, committer.parts.telemetry) for item in items
        ]


def _turn(
    committer: Committer, registry: Registry, deliveries: Sequence[Delivery], limit: int
) -> list[Outgoing]:
    """Store what came of deliveries and lease further entries, in one transaction."""
    works = [settling(delivery) for delivery in deliveries]
    outcomes = committer.run_all([*works, lambda unit: lease(unit, registry.deliverers, limit)])
    found: list[Outgoing] = outcomes[-1].get()
    for delivery, outcome in zip(deliveries, outcomes, strict=False):
        if outcome.error is not None:
            _log.error(
                "What came of delivering %s %s could not be stored; its lease will run out.",
                delivery.item.kind, delivery.item.key, exc_info=outcome.error,
            )  # fmt: skip
    return found


class Courier:
    """Leases entries and has threads deliver them; started and stopped by a worker. Like a worker, it
    lives by turns."""

    def __init__(
        self, committer: Committer, registry: Registry, poll: float, threads: Executor | None = None
    ) -> None:
        self._committer = committer
        self._registry = registry
        self._poll = poll
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._abandoned = False
        if threads is None:
            threads = ThreadPoolExecutor(SLOTS, thread_name_prefix="flowkit-courier")
        self._threads = threads
        self._done: deque[Delivery] = deque()
        self._underway = 0
        self._trouble = 0.0
        self._dispatcher = threading.Thread(target=self._dispatch, name="flowkit-courier", daemon=True)

    def start(self) -> None:
        """Deliver in the background."""
        self._committer.listeners.append(self._wake.set)
        self._dispatcher.start()

    def stop(self, timeout: float | None) -> bool:
        """Begin no more deliveries and wait for those under way; what is not settled is tried again.
        Whether all were."""
        self.close_shop()
        if self._dispatcher.ident is not None:
            self._dispatcher.join(timeout)
            self._committer.listeners.remove(self._wake.set)
        self._abandoned = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        return not self._underway

    def close_shop(self) -> None:
        """Begin no more deliveries; the turns that follow settle those under way."""
        self._stopping.set()
        self._wake.set()

    def _dispatch(self) -> None:
        while (pause := self.turn()) is not None:
            self._wake.wait(pause)
            self._wake.clear()

    def turn(self) -> float | None:
        """Settle what was delivered and take up more; the seconds until the next turn, None at the end."""
        stopping = self._stopping.is_set()
        if self._abandoned or (stopping and not self._underway):
            return None
        ended = [self._done.popleft() for _ in range(len(self._done))]
        free = 0 if stopping else SLOTS - self._underway + len(ended)
        try:
            items = _turn(self._committer, self._registry, ended, free)
            self._underway += len(items) - len(ended)
            ended = []
            for item in items:
                self._threads.submit(self._carry, item)
            self._trouble = 0.0
            return 0.0 if items or self._done else self._pause()
        except EngineClosed:
            _log.warning("The engine was closed before its courier was stopped.")
            return None
        except StoreUnavailable as error:
            _log.error("The store is not available; trying again: %s", error)
        except Exception:  # others' entries are still to be delivered
            _log.exception("A turn of the courier failed; it goes on.")
        self._done.extend(ended)
        self._trouble = min(max(2 * self._trouble, self._poll), LONGEST_PAUSE)
        return self._trouble

    def _carry(self, item: Outgoing) -> None:
        try:
            delivery = attempt(self._registry.deliverers[item.kind], item, self._committer.parts.telemetry)
        except BaseException as error:  # whatever it is, the entry is not to be lost from sight
            delivery = Delivery(item, error)
        self._done.append(delivery)
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
