"""Where tokens stand, told from rows that are there for other reasons.

No table says where an instance's tokens are: it would cost every step. But a token that waits for a job, a
user task, a timer, a message, a signal or a called instance has a row that names its element, and one in a
subprocess is there because of a token inside. So most elements have a query that gives every instance that
may have a token there, and few others. Who asks looks into those instances to be sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flowkit.engine.payload import encode
from flowkit.engine.sql.schema import (
    EVENT,
    INCIDENT,
    INSTANCE,
    JOB,
    POSTPONED,
    SUBSCRIPTION,
    TIMER,
    USER_TASK,
)
from flowkit.kernel.program import CallSpec, JobSpec, UserTaskSpec

if TYPE_CHECKING:
    from flowkit.kernel import Program
    from flowkit.kernel.formula import Formula
    from flowkit.kernel.program import Node

__all__ = ["mentioning", "standing_at"]

Query = tuple[str, tuple[Any, ...]]
"""The ids of instances, and its parameters."""

MOST = 200
"""Queries that are joined; SQLite takes 500."""
_PASSED = frozenset(
    {
        "businessRuleTask", "endEvent", "exclusiveGateway", "manualTask", "scriptTask", "startEvent", "task",
    }
)  # fmt: skip
"""Where tokens stay only when something goes wrong."""
_SPLITS = frozenset({"inclusiveGateway", "parallelGateway"})
"""Where they stay only to wait for others."""
_HERE = "process=? AND node=?"


def standing_at(programs: Iterable[Program], element: str) -> list[Query] | None:
    """Queries that together give every instance which has a token at ``element``, of processes with these
    ``programs``; None where no row tells."""
    found: dict[Query, None] = {}
    for program in programs:
        if element not in program.nodes:
            continue
        for query in _of(program, program.nodes[element]):
            if query is None:
                return None
            found[query] = None
    return list(found) if len(found) <= MOST else None


def _of(program: Program, node: Node) -> Iterator[Query | None]:
    here = (program.process_id, node.id)
    yield f"SELECT instance FROM {INCIDENT.name} WHERE {_HERE}", here
    inner = [one for one in program.nodes.values() if one.container == node.id]
    if node.start_quantity != 1 or node.attached_to or any(one.kind == "compensation" for one in node.throws):
        yield None
    elif inner and node.kind in ("subProcess", "transaction"):
        for one in inner:
            yield from _of(program, one)
    elif isinstance(node.detail, UserTaskSpec):
        yield f"SELECT instance FROM {USER_TASK.name} WHERE {_HERE}", here
    elif isinstance(node.detail, JobSpec):
        yield from _job(program, node.detail, here)
    elif isinstance(node.detail, CallSpec):
        yield from _call(node.detail)
    elif node.kind == "eventBasedGateway":
        for flow in node.out:
            yield from _catching(program, program.nodes[flow.target])
    elif node.kind in ("intermediateCatchEvent", "receiveTask"):
        yield from _catching(program, node)
    elif node.kind not in _PASSED and not (node.kind in _SPLITS and len(node.incoming) < 2):
        yield None


def _job(program: Program, spec: JobSpec, here: tuple[str, str]) -> Iterator[Query]:
    """Ready jobs are found by their type, others are few: those under way, and of suspended instances."""
    fixed = _fixed(spec.type)
    if fixed is None:
        yield f"SELECT instance FROM {JOB.name} WHERE {_HERE}", here
        return
    ready = f"SELECT instance FROM {JOB.name} WHERE state='ready' AND active=1 AND type=? AND {_HERE}"
    yield ready, (fixed, *here)
    yield f"SELECT instance FROM {JOB.name} WHERE state IN ('waiting', 'leased') AND {_HERE}", here
    yield f"SELECT id FROM {INSTANCE.name} WHERE process=? AND status='suspended'", (program.process_id,)


def _call(spec: CallSpec) -> Iterator[Query]:
    called = _fixed(spec.process)
    live = "parent IS NOT NULL AND status IN ('active', 'suspended')"
    if called is None:
        yield f"SELECT parent FROM {INSTANCE.name} WHERE {live}", ()
    else:
        yield f"SELECT parent FROM {INSTANCE.name} WHERE process=? AND {live}", (called,)
    yield f"SELECT instance FROM {POSTPONED.name}", ()  # that it calls is postponed, or that it was told
    ended = f"SELECT parent FROM {INSTANCE.name} WHERE parent IS NOT NULL AND id IN "
    yield f"{ended}(SELECT instance FROM {POSTPONED.name})", ()


def _catching(program: Program, node: Node) -> Iterator[Query | None]:
    here = (program.process_id, node.id)
    for catch in node.catches:
        if catch.kind == "timer":
            yield f"SELECT instance FROM {TIMER.name} WHERE {_HERE}", here
        elif catch.kind in ("message", "signal"):
            sql = f"SELECT instance FROM {SUBSCRIPTION.name} WHERE kind=? AND name=? AND {_HERE}"
            yield sql, (catch.kind, catch.name, *here)
        else:
            yield None


def _fixed(formula: Formula) -> str | None:
    """The text that the formula always is."""
    return str(formula.constant) if formula.expression is None else None


def mentioning(dialect: str, element: str) -> Query:
    """A condition for instances ``i``: their state, or what happened since it was stored, tells of the
    element. The database looks for its name in the bytes."""
    within = "instr({}, ?)>0" if dialect == "sqlite" else "position(? in {})>0"
    events = f"SELECT 1 FROM {EVENT.name} e WHERE e.instance=i.id AND e.seq>=i.snapshot AND "
    name = encode(element)
    return f"({within.format('i.state')} OR EXISTS ({events}{within.format('e.data')}))", (name, name)
