"""Runs DBOS; called by benchmarks/peers/__init__.py in an interpreter that has it.

``python dbos_peer.py URL w1|w2 INSTANCES TASKS`` prints JSON: the seconds a step of the fastest way of
running the work, and of each way. On SQLite the fastest journal is set: WAL with ``synchronous=NORMAL``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

VARIABLES = {"order": "WO-1001", "amount": 12.5, "items": [1, 2, 3]}
THREADS = 8
SOON = 0.001
"""Seconds between two looks for a message or a result, the smallest that DBOS allows."""


def main() -> None:
    from dbos import DBOS  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - a peer
    from sqlalchemy import event  # noqa: PLC0415
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    url, work, *numbers = sys.argv[1:]
    instances, tasks = map(int, numbers)

    if url.startswith("sqlite"):

        @event.listens_for(Engine, "connect")
        def fastest(connection: Any, record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    DBOS(
        config={
            "name": "peer",
            "system_database_url": url,
            "log_level": "ERROR",
            "console_log_level": "ERROR",
            "notification_listener_polling_interval_sec": SOON,
        }
    )

    @DBOS.step()
    def step(n: int) -> int:
        return n + 1

    @DBOS.workflow()
    def service_tasks(variables: dict[str, Any]) -> int:
        n = 0
        for _ in range(tasks):
            n = step(n)
        return n

    @DBOS.workflow()
    def user_tasks(variables: dict[str, Any]) -> dict[str, Any]:
        for _ in range(tasks):
            variables.update(DBOS.recv("task", 60))
        return variables

    def serve(_number: int) -> None:
        assert service_tasks(dict(VARIABLES)) == tasks

    def complete(_number: int) -> None:
        """The caller sends all its messages at once; DBOS takes them up as fast as it can."""
        handle = DBOS.start_workflow(user_tasks, dict(VARIABLES))
        for number in range(tasks):
            DBOS.send(handle.workflow_id, {f"r{number}": number}, "task")
        assert len(handle.get_result(polling_interval_sec=SOON)) == len(VARIABLES) + tasks

    def seconds(run: Callable[[], None]) -> float:
        begun = perf_counter()
        run()
        return (perf_counter() - begun) / (instances * tasks)

    one = serve if work == "w1" else complete
    DBOS.launch()
    one(0)  # prepares statements and pools
    with ThreadPoolExecutor(THREADS) as pool:
        found = {
            "sequential": seconds(lambda: [one(n) for n in range(instances)] and None),
            "threads": seconds(lambda: list(pool.map(one, range(instances))) and None),
        }
    DBOS.destroy()
    print(json.dumps({"seconds": min(found.values()), **found}))


if __name__ == "__main__":
    main()
