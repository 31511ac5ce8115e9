"""Runs Temporal's development server and a worker; called by benchmarks/peers/__init__.py.

``python temporal_peer.py SERVER FOLDER w1|w2 INSTANCES TASKS`` prints JSON: the seconds a step. Fifty
workflows run at a time. The server keeps its state in a file in FOLDER, with ``synchronous=NORMAL``;
service tasks are local activities, user tasks signals. The workflow sandbox is off: it only costs time.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from datetime import timedelta
from time import monotonic, perf_counter
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

VARIABLES = {"order": "WO-1001", "amount": 12.5, "items": [1, 2, 3]}
CALLERS = 50
QUEUE = "work"


@activity.defn
async def serve(n: int) -> int:
    return n + 1


@workflow.defn
class ServiceTasks:
    @workflow.run
    async def run(self, variables: dict[str, Any], tasks: int) -> int:
        n = 0
        for _ in range(tasks):
            n = await workflow.execute_local_activity(serve, n, start_to_close_timeout=timedelta(minutes=1))
        return n


@workflow.defn
class UserTasks:
    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = []

    @workflow.signal
    def complete(self, result: dict[str, Any]) -> None:
        self.results.append(result)

    @workflow.run
    async def run(self, variables: dict[str, Any], tasks: int) -> int:
        for _ in range(tasks):
            await workflow.wait_condition(lambda: bool(self.results))
            variables.update(self.results.pop(0))
        return len(variables)


async def one(client: Client, work: str, number: int, tasks: int) -> None:
    if work == "w1":
        arguments = [VARIABLES, tasks]
        done = await client.execute_workflow(
            ServiceTasks.run, args=arguments, id=f"{number}", task_queue=QUEUE
        )
        assert done == tasks
        return
    case = await client.start_workflow(
        UserTasks.run, args=[VARIABLES, tasks], id=f"{number}", task_queue=QUEUE
    )
    for task in range(tasks):  # without waiting for the workflow to come to it
        await case.signal(UserTasks.complete, {f"r{task}": task})
    assert await case.result() == len(VARIABLES) + tasks


async def connect(address: str) -> Client:
    deadline = monotonic() + 60
    while True:
        try:
            return await Client.connect(address)
        except RuntimeError:
            if monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


async def run(address: str, work: str, instances: int, tasks: int) -> float:
    client = await connect(address)
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[ServiceTasks, UserTasks],
        activities=[serve],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        places = asyncio.Semaphore(CALLERS)

        async def next_one(number: int) -> None:
            async with places:
                await one(client, work, number, tasks)

        await next_one(-1)  # the server makes its tables and shards ready
        begun = perf_counter()
        await asyncio.gather(*(next_one(number) for number in range(instances)))
        return (perf_counter() - begun) / (instances * tasks)


def main() -> None:
    program, folder, work, instances, tasks = sys.argv[1:]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--headless", "--ip", "127.0.0.1", "--port", f"{port}", "--log-level", "error"]
    state = ["--db-filename", f"{folder}/temporal.db", "--sqlite-pragma", "synchronous=NORMAL"]
    server = subprocess.Popen(
        [program, "server", "start-dev", *options, *state],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        seconds = asyncio.run(run(f"127.0.0.1:{port}", work, int(instances), int(tasks)))
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
