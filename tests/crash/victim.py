"""A process to be killed: it drives instances and works on their jobs, and says what was acknowledged.

What it says goes to files that only grow; each
line is one ``write``, so a kill loses at most the line that was not written.
"""

from __future__ import annotations

import os
import random
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

from flowkit.engine import Engine, Worker
from flowkit.errors import NotFound, Rejected
from flowkit.tasks import Connection, Outgoing, TaskContext, deliver, task
from tests.engine.diagrams import catch, element, file, message, on_message, process, service, user

__all__ = ["diagram", "handlers", "main"]

JOB_TYPE = "count"
MOST = 10
"""Instances that one victim starts: enough to be killed in the midst of, few enough to be finished."""
OFTEN = 1000
"""Attempts: a killed worker costs its jobs one each."""


def diagram() -> bytes:
    """service → user task → service → message → two parallel services → end."""
    patient = {"retryBackoff": "PT0.01S"}
    nodes = [
        element("startEvent", "start"),
        service("one", JOB_TYPE, OFTEN, patient),
        user("approve"),
        service("two", JOB_TYPE, OFTEN, patient),
        catch("paid", on_message("paid")),
        element("parallelGateway", "fork"),
        service("three", JOB_TYPE, OFTEN, patient),
        service("four", "book", OFTEN, patient),
        element("parallelGateway", "join"),
        element("endEvent", "end"),
    ]
    flows = [
        ("start", "one"), ("one", "approve"), ("approve", "two"), ("two", "paid"), ("paid", "fork"),
        ("fork", "three"), ("fork", "four"), ("three", "join"), ("four", "join"), ("join", "end"),
    ]  # fmt: skip
    return file(message("paid", "order"), process("crash", *nodes, flows=flows))


class Journal:
    """A file that only grows, shared by processes."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, *words: str) -> None:
        os.write(self._file, (" ".join(words) + "\n").encode())


def handlers(folder: Path) -> list[Any]:
    """What the jobs and letters need: all of them say that they were called."""
    calls, letters = Journal(folder / "calls"), Journal(folder / "letters")

    @task(JOB_TYPE)
    def count(context: TaskContext) -> dict[str, int]:
        calls.write(context.job_id, context.element_id)
        return {context.element_id: 1}

    @task("book")
    def book(context: TaskContext, connection: Connection) -> dict[str, int]:
        calls.write(context.job_id, context.element_id)
        mark = "?" if isinstance(connection, sqlite3.Connection) else "%s"
        connection.execute(f"INSERT INTO booked VALUES ({mark})", (context.job_id,))
        context.send("letter", {})
        return {context.element_id: 1}

    @deliver("letter", attempts=OFTEN)
    def letter(item: Outgoing) -> None:
        letters.write(item.key)

    return [count, book, letter]


def main(url: str, folder: str, name: str) -> None:
    """Start, complete, publish and work until killed."""
    acknowledged = Journal(Path(folder) / "acknowledged")
    engine = Engine(url, tasks=handlers(Path(folder)))
    number = 0
    chance = random.Random(name)
    with Worker(engine, concurrency=4, lease=timedelta(seconds=0.5), poll=timedelta(seconds=0.05), name=name):
        while True:
            if number < MOST:
                number += 1
                order = f"{name}-{number}"
                case = engine.start("crash", {"order": order})
                acknowledged.write("started", case, order)
            for todo in engine.tasks(limit=20):
                try:
                    engine.complete(todo, {"approved": 1})
                except (NotFound, Rejected):
                    continue  # the other victim was faster
                acknowledged.write("completed", todo.id)
            order = f"{name}-{chance.randint(1, number)}"
            if engine.publish("paid", order, {"paid": 1}, message_id=order, ttl=timedelta(days=1)):
                acknowledged.write("published", order)
