"""Start events that occur outside any instance, and what a parallel multiple one still waits for.

A start event with ``parallelMultiple`` starts an instance once all its triggers have come (BPMN 2.0.2,
10.5.2 and 13.2). Those that came first are kept here until the last one does. Messages belong together
by their correlation key; a signal, timer or condition has none, and goes with whichever is complete first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from flowkit.engine.payload import decode, encode
from flowkit.engine.sql.schema import ARRIVAL, INSTANCE
from flowkit.engine.store import Session
from flowkit.kernel import Program
from flowkit.kernel.protocol import Start

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit

__all__ = ["Occurrence", "forget_arrivals", "occur", "start_waiting"]

_ALIVE = f"SELECT id FROM {INSTANCE.name} WHERE process=? AND message_key=? AND ended IS NULL"
_FIRST = (
    f"SELECT id, variables FROM {ARRIVAL.name} "
    "WHERE process=? AND node=? AND cause=? AND correlation_key=? ORDER BY id LIMIT ?"
)
_KEYS = (
    f"SELECT correlation_key, MIN(id) FROM {ARRIVAL.name} WHERE process=? AND node=? AND keyed=1 "
    "GROUP BY correlation_key ORDER BY 2"
)


class Occurrence(NamedTuple):
    """One trigger of a start event has come. ``name`` is the message's or signal's, else the part's
    number; only messages have a ``key``."""

    node: str
    kind: str
    name: str
    key: str = ""
    variables: Mapping[str, Any] = {}

    @property
    def cause(self) -> str:
        return f"{self.kind}:{self.name}"


def occur(unit: Unit, process: str, occurrence: Occurrence) -> tuple[bool, str | None]:
    """Start an instance of the newest version, or remember the occurrence until the others have come.

    Gives whether it was taken, and the new instance. It is not taken while an instance that was
    started with the same key is alive.
    """
    version = unit.newest(process)
    program = unit.parts.definitions.program(unit.read(), version.digest)
    if program.nodes[occurrence.node].parallel:
        return True, _arrive(unit, program, process, occurrence)
    key = occurrence.key
    if key and unit.read(INSTANCE).query(_ALIVE, (process, key)):
        return False, None
    return True, _start(unit, process, occurrence.node, key, occurrence.variables)


def _start(unit: Unit, process: str, node: str, key: str, variables: Mapping[str, Any]) -> str:
    """The key becomes the business key: it is what sender and process call the case."""
    command = Start(variables=variables, start_event=node, business_key=key or None)
    return unit.start(unit.newest(process), command, message_key=key or None)


# ---- parallel multiple ----------------------------------------------------------------------


def _arrive(unit: Unit, program: Program, process: str, occurrence: Occurrence) -> str | None:
    _serialise(unit, process, occurrence.node)
    row_id = unit.parts.new_id(unit.now)
    row = [
        row_id, process, occurrence.node, occurrence.cause, occurrence.key,
        int(occurrence.kind == "message"), encode(occurrence.variables), unit.at,
    ]  # fmt: skip
    unit.changes.put(ARRIVAL, (row_id,), row)
    keys = [occurrence.key]
    if occurrence.kind != "message":
        rows = unit.read(ARRIVAL).query(_KEYS, (process, occurrence.node))
        keys = [key for key, _ in rows] or [""]
    for key in keys:
        started = _complete(unit, program, process, occurrence.node, key)
        if started is not None:
            return started
    return None


def _serialise(unit: Unit, process: str, node: str) -> None:
    """Two triggers that come at the same time must see each other."""
    unit.parts.store.serialise(unit.read(), f"start:{process}:{node}")


def _complete(unit: Unit, program: Program, process: str, node: str, key: str) -> str | None:
    """Start an instance if all its triggers have come; each brings its variables, later ones on top."""
    if key and unit.read(INSTANCE).query(_ALIVE, (process, key)):
        return None
    session = unit.read(ARRIVAL)
    found: dict[str, bytes] = {}
    for cause, count in _causes(program, node).items():
        own = key if cause.startswith("message:") else ""
        rows = session.query(_FIRST, (process, node, cause, own, count))
        if len(rows) < count:
            return None
        found |= dict(rows)
    variables: dict[str, Any] = {}
    for row_id in sorted(found):
        variables |= decode(bytes(found[row_id]))
        unit.changes.remove(ARRIVAL, (row_id,))
    return _start(unit, process, node, key, variables)


def _causes(program: Program, node: str) -> Counter[str]:
    """What the start event waits for, and how often."""
    return Counter(
        Occurrence(node, start.kind, start.name or str(start.part)).cause
        for start in program.starts
        if start.node == node
    )


def start_waiting(unit: Unit, process: str, key: str) -> bool:
    """An instance that was started with ``key`` is over: start the next one if its triggers have come."""
    version = unit.newest(process)
    program = unit.parts.definitions.program(unit.read(), version.digest)
    for node in dict.fromkeys(start.node for start in program.starts if program.nodes[start.node].parallel):
        _serialise(unit, process, node)
        if _complete(unit, program, process, node, key) is not None:
            return True
    return False


def forget_arrivals(session: Session, program: Program) -> None:
    """A new version takes over: what it does not wait for any more is forgotten."""
    process = program.process_id
    rows = session.query(f"SELECT DISTINCT node, cause FROM {ARRIVAL.name} WHERE process=?", (process,))
    for node, cause in rows:
        found = program.nodes.get(node)
        if found is None or not found.parallel or cause not in _causes(program, node):
            sql = f"DELETE FROM {ARRIVAL.name} WHERE process=? AND node=? AND cause=?"
            session.run(sql, (process, node, cause))
