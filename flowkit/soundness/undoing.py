"""Calls that can be undone, because the process that they call leaves something to undo.

Where a call has no compensation handler of its own, compensation undoes what the called process did
(BPMN 2.0.2, 10.7.2): by its compensation event subprocess, or by the handlers in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flowkit.bpmn import model as m
from flowkit.kernel import Program

__all__ = ["Undoing", "calls_elsewhere", "undoing_of"]


@dataclass(frozen=True, slots=True)
class Undoing:
    """The calls that can be undone, by node, and the called processes of which it is ``unknown``."""

    undoable: frozenset[str]
    unknown: tuple[str, ...]


def undoing_of(files: Sequence[m.Definitions], program: Program) -> Undoing:
    """Which calls something in the process may undo, as far as the called processes are in ``files``."""
    kinds = {one.kind for node in program.nodes.values() for one in node.throws}
    undoable, unknown = set(), set()
    for node in program.nodes.values():
        call = node.element
        if (
            kinds.isdisjoint(("compensation", "cancel"))
            or not isinstance(call, m.CallActivity)
            or node.handler
        ):
            continue
        missing: set[str] = set()
        if _leaves_something(files, _called(call), missing, set()):
            undoable.add(node.id)
        else:
            unknown |= missing
    return Undoing(frozenset(undoable), tuple(sorted(unknown)))


def calls_elsewhere(definitions: m.Definitions) -> bool:
    """Does a process of the file call one of another file?"""
    calls = [node for process in definitions.processes for node in _nodes(process)]
    return any(isinstance(one, m.CallActivity) and not _is_here([definitions], _called(one)) for one in calls)


def _called(call: m.CallActivity) -> str:
    spec = call.extensions.called_element
    return spec.process_id if spec is not None else call.called_element


def _is_here(files: Sequence[m.Definitions], called: str) -> bool:
    return any(one.id == called for file in files for one in (*file.processes, *file.global_tasks))


def _leaves_something(
    files: Sequence[m.Definitions], called: str, missing: set[str], asked: set[str]
) -> bool:
    """Is there anything to undo in the process, or in one that it calls? What is not there is ``missing``."""
    if called in asked:
        return False
    asked.add(called)
    if not _is_here(files, called):
        missing.add(called)
        return False
    nodes = [node for file in files for one in file.processes if one.id == called for node in _nodes(one)]
    if any(
        isinstance(one, m.CompensateEventDefinition) and not isinstance(node, m.ThrowEvent)
        for node in nodes
        if isinstance(node, m.Event)
        for one in node.definitions
    ):
        return True
    inner = [_called(node) for node in nodes if isinstance(node, m.CallActivity)]
    found = [_leaves_something(files, one, missing, asked) for one in inner]
    return any(found)


def _nodes(container: m.Process | m.SubProcess) -> Iterator[m.FlowNode]:
    for node in container.nodes:
        yield node
        if isinstance(node, m.SubProcess):
            yield from _nodes(node)
