"""The engine inside an event loop: many callers share a commit, the loop goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from flowkit.engine import AsyncEngine, Engine
from flowkit.engine.sql.sqlite import CHANGES
from flowkit.errors import NotFound
from tests.engine.diagrams import catch, element, file, message, on_message, process, row, user

Make = Callable[..., Engine]


def test_many_callers_at_once(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"), user("b"))})

    async def one(face: AsyncEngine, number: int) -> str:
        case = await face.start("p", {"number": number})
        for _ in range(2):
            [todo] = await face.tasks(case)
            await face.complete(todo, {todo.element_id: number})
        return case

    async def everyone() -> list[str]:
        async with AsyncEngine(engine) as face:
            return await asyncio.gather(*(one(face, number) for number in range(30)))

    cases = asyncio.run(everyone())
    for number, case in enumerate(cases):
        view = engine.instance(case)
        assert (view.status, view.variables) == ("completed", {"number": number, "a": number, "b": number})


def test_a_refusal_reaches_its_caller_only(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"))})

    async def both() -> list[object]:
        async with AsyncEngine(engine) as face:
            return await asyncio.gather(face.start("p"), face.start("q"), return_exceptions=True)

    good, bad = asyncio.run(both())
    assert engine.instance(str(good)).status == "active"
    assert isinstance(bad, NotFound)


def test_ids_come_in_pages(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("a"))})
    engine.committer.run_all([engine.starting("p") for _ in range(510)])

    async def every() -> list[str]:
        async with AsyncEngine(engine) as face:
            return [case async for case in face.select("p", running=True)]

    assert asyncio.run(every()) == [view.id for view in engine.instances()]


def test_what_is_no_method_is_an_error() -> None:
    async def wrong() -> None:
        async with AsyncEngine(engine) as face:
            with pytest.raises(AttributeError):
                await face.registry()

    with Engine() as engine:
        asyncio.run(wrong())


def test_the_log_is_copied_between_transactions(tmp_path: Path) -> None:
    """Not within one, which would take its callers several times as long."""
    path = tmp_path / "flowkit.db"

    async def work(engine: Engine) -> None:
        async with AsyncEngine(engine) as face:
            await asyncio.gather(*(face.start("p") for _ in range(CHANGES)))

    with Engine(f"sqlite:///{path}", durability="normal") as engine:
        engine.deploy({"p.bpmn": row("p", user("u"))})
        connection: sqlite3.Connection = engine.store._writer.connection  # type: ignore[attr-defined]
        connection.execute("PRAGMA wal_autocheckpoint=0")
        size = path.stat().st_size
        engine.start("p")
        engine.store.tidy()
        assert path.stat().st_size == size, "a few rows aren't worth it"
        asyncio.run(work(engine))
        assert path.stat().st_size > size + CHANGES * 200


def test_many_messages_at_once(make: Make) -> None:
    engine = make()
    nodes = [element("startEvent", "start"), catch("wait", on_message("paid")), element("endEvent", "end")]
    diagram = process("p", *nodes, flows=[("start", "wait"), ("wait", "end")])
    engine.deploy({"p.bpmn": file(message("paid", "order"), diagram)})
    cases = [engine.start("p", {"order": f"{number}"}) for number in range(30)]

    async def everyone() -> list[list[str]]:
        async with AsyncEngine(engine) as face:
            names = (f"{number}" for number in range(30))
            return await asyncio.gather(*(face.publish("paid", name, {"n": name}) for name in names))

    assert asyncio.run(everyone()) == [[case] for case in cases]
    assert [engine.instance(case).variables["n"] for case in cases] == [f"{number}" for number in range(30)]
    assert {engine.instance(case).status for case in cases} == {"completed"}
