"""The engine for programs with an event loop: every method awaitable, the loop never blocked."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from flowkit.engine import user_tasks
from flowkit.engine.commit import Outcome
from flowkit.engine.conditions import InstanceConditions
from flowkit.engine.engine import Engine
from flowkit.engine.ids import split_id
from flowkit.engine.payload import json_copy
from flowkit.engine.unit import Unit
from flowkit.engine.views import UserTask

__all__ = ["AsyncEngine"]

T = TypeVar("T")

PATIENCE = 0.001
"""Seconds for those who were answered to ask again before the next transaction begins: full groups
are what makes many callers fast, and nobody waits for a caller who has nothing more to ask."""


class AsyncEngine:
    """``engine``'s methods, awaitable: ``await face.start(…)``.

    Starting, completing and publishing go to one committing thread, which stores everything that
    has come in while it was at the disk in one transaction: many callers share one write. All other
    methods run in a small pool of threads. Use it as an asynchronous context manager, or call
    :meth:`close`; the engine itself stays open.
    """

    def __init__(self, engine: Engine, *, threads: int = 4) -> None:
        self.engine = engine
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="flowkit-async")
        self._queued = threading.Event()
        self._settled: deque[tuple[asyncio.Future[Any], Outcome]] = deque()
        self._answered = threading.Event()
        """Whoever waited for the last transaction has been told, and had its turn."""
        self._answered.set()
        self._closing = False
        self._committing = threading.Thread(target=self._commit, name="flowkit-commit", daemon=True)
        self._committing.start()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Wait until everything that was asked for is stored."""
        self._closing = True
        self._queued.set()
        await asyncio.to_thread(self._committing.join)
        self._pool.shutdown(wait=False)

    # ---- the committing thread ----------------------------------------------------------------

    def _commit(self) -> None:
        while True:
            self._queued.wait()
            self._queued.clear()
            while self.engine.committer.lead():
                self.engine.store.tidy()  # while the loop tells those who waited
                self._answered.wait(PATIENCE)
            if self._closing:
                return

    async def transact(self, work: Callable[[Unit], T], instance: str = "") -> T:
        """Run ``work`` in a durable transaction, together with what others ask for at the same time."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self.engine.committer.submit(work, partial(self._notify, loop, future), instance)
        if not self._queued.is_set():
            self._queued.set()
        return await future

    def _notify(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], outcome: Outcome) -> None:
        """Called by the committing thread; the loop is woken once for all that are settled together."""
        self._answered.clear()
        self._settled.append((future, outcome))
        if len(self._settled) == 1:  # else the loop has not come to the ones before, and will see this one
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._settle, loop)

    def _settle(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._settled:
            future, outcome = self._settled.popleft()
            if future.cancelled():
                continue  # what was committed stays committed; nobody waits for it any more
            if outcome.error is not None:
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome.result)
        loop.call_soon(self._answered.set)  # after those who were waiting, who may have asked again

    async def start(
        self,
        process_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        version: int | None = None,
        start_event: str | None = None,
    ) -> str:
        """See :meth:`Engine.start`; without ``connection``."""
        work = self.engine.starting(
            process_id, variables, business_key=business_key, version=version, start_event=start_event
        )
        return await self.transact(work)

    async def complete(
        self, task: UserTask | str, variables: Mapping[str, Any] | None = None, *, user: str | None = None
    ) -> None:
        """See :meth:`Engine.complete`."""
        instance, key = split_id(task if isinstance(task, str) else task.id, "user task")
        data = json_copy(variables)
        await self.transact(lambda unit: user_tasks.complete_task(unit, instance, key, data, user), instance)

    async def publish(
        self,
        name: str,
        key: str = "",
        variables: Mapping[str, Any] | None = None,
        *,
        ttl: timedelta | None = None,
        message_id: str | None = None,
    ) -> list[str]:
        """See :meth:`Engine.publish`; without ``connection``."""
        work = self.engine.publishing(name, key, variables, ttl=ttl, message_id=message_id)
        return await self.transact(work)

    async def select(
        self, process: str | None = None, **conditions: Unpack[InstanceConditions]
    ) -> AsyncIterator[str]:
        """See :meth:`Engine.select`: ``async for instance in face.select(…)``."""
        ids = self.engine.select(process, **conditions)
        loop = asyncio.get_running_loop()
        while page := await loop.run_in_executor(self._pool, lambda: list(islice(ids, 500))):
            for instance in page:
                yield instance

    # ---- everything else ----------------------------------------------------------------------

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Any other method of the engine, run in a thread."""
        method = getattr(self.engine, name)
        if name.startswith("_") or not callable(method):
            raise AttributeError(f"AsyncEngine offers the engine's methods; {name!r} is none.")

        async def call(*arguments: Any, **options: Any) -> Any:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, partial(method, *arguments, **options))

        return call
