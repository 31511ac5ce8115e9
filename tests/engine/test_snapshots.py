"""What is stored of an instance: a snapshot and the events since. Nobody can tell how old the snapshot is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowkit.engine import Engine
from flowkit.engine.snapshots import SMALL
from tests.engine.diagrams import element, extended, file, process

ITEMS = 60


def crowd() -> bytes:
    """One parallel user task an item of ``items``, each with a text of its own."""
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics isSequential="false">'
        + extended('<zeebe:loopCharacteristics inputCollection="=items" inputElement="item"/>')
        + "</bpmn:multiInstanceLoopCharacteristics>"
    )
    each = element("userTask", "each", extended("<zeebe:userTask/>") + loop)
    nodes = [element("startEvent", "start"), each, element("endEvent", "end")]
    return file(process("crowd", *nodes, flows=[("start", "each"), ("each", "end")]))


def _rows(engine: Engine) -> tuple[int, int, int]:
    """The snapshot's revision, its bytes, and the bytes of the events that came after it."""
    with engine.store.reader() as session:
        [(snapshot, state)] = session.query("SELECT snapshot, state FROM flowkit_instance")
        since = session.query("SELECT data FROM flowkit_event WHERE seq>=?", (snapshot,))
    return snapshot, len(state), sum(len(data) for (data,) in since)


def test_a_step_of_a_large_instance_does_not_write_all_of_it(make: Callable[..., Engine]) -> None:
    engine = make()
    engine.deploy({"crowd.bpmn": crowd()})
    case = engine.start("crowd", {"items": [f"item {number} " * 20 for number in range(ITEMS)]})
    snapshots = {}
    written = 0
    for task in engine.tasks(case):
        engine.complete(task)
        revision, size, since = _rows(engine)
        assert since <= max(SMALL, size), "reading would replay more than the state weighs"
        if revision not in snapshots:
            snapshots[revision] = size
            written += size
    assert engine.instance(case).status == "completed"
    assert written <= sum(len(data) for (data,) in _events(engine)), "snapshots outweigh what happened"


def _events(engine: Engine) -> list[Any]:
    with engine.store.reader() as session:
        return session.query("SELECT data FROM flowkit_event")


def test_another_engine_sees_the_same_at_every_step(make: Callable[..., Engine]) -> None:
    one, other = make(), make()
    one.deploy({"crowd.bpmn": crowd()})
    case = one.start("crowd", {"items": [f"item {number} " * 20 for number in range(ITEMS)]})
    snapshots = set()
    for number in range(ITEMS):
        engine, looking = (one, other) if number % 3 else (other, one)
        engine.complete(engine.tasks(case)[0], {f"v{number}": f"{number} " * 100})
        view = looking.instance(case)
        assert view == engine.instance(case)
        assert view.variables.get(f"v{number}") == f"{number} " * 100 or view.ended is not None
        snapshots.add(_rows(one)[0])
    assert len(snapshots) > 1
    assert one.instance(case).status == "completed"
