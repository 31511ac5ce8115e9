"""Errors that leave a process: do those that call it catch them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from flowkit.bpmn import model as m
from flowkit.soundness.report import Soundness

__all__ = ["without_caught"]


def without_caught(result: Soundness, process_id: str, files: Sequence[m.Definitions]) -> Soundness:
    """The result without the errors that every call of the process in ``files`` catches.

    A call catches by an error boundary event on it or on a subprocess around it, or by an error event
    subprocess around it; else its own process is left by the error, and its calls are asked in turn.
    ``files`` include the process's own. An error of a process that nothing calls stays reported.
    """
    codes = {
        node.id: code
        for file in files
        for process in file.processes
        if process.id == process_id
        for node in _nodes(process)
        for code in _codes(file, node)
    }
    kept = [
        finding
        for finding in result.findings
        if finding.rule != "uncaught-error"
        or finding.element_id not in codes
        or not _caught(process_id, codes[finding.element_id], files, set())
    ]
    return replace(result, findings=tuple(kept))


def _caught(process_id: str, code: str, files: Sequence[m.Definitions], asked: set[str]) -> bool:
    asked.add(process_id)
    calls = [
        (file, process, around)
        for file in files
        for process in file.processes
        for around in _calls(process, process_id, ())
    ]
    return bool(calls) and all(
        any(_catches(file, container, inside, code) for container, inside in around)
        or (process.id not in asked and _caught(process.id, code, files, asked))
        for file, process, around in calls
    )


_Around = tuple[tuple[m.Process | m.SubProcess, m.FlowNode], ...]


def _calls(container: m.Process | m.SubProcess, called: str, around: _Around) -> Iterator[_Around]:
    """Each call of the process: the containers around it, each with the node in it that holds the call."""
    for node in container.nodes:
        here = (*around, (container, node))
        if isinstance(node, m.CallActivity) and _called(node) == called:
            yield here
        elif isinstance(node, m.SubProcess):
            yield from _calls(node, called, here)


def _called(call: m.CallActivity) -> str:
    element = call.extensions.called_element
    return element.process_id if element is not None else call.called_element


def _catches(file: m.Definitions, container: m.Process | m.SubProcess, inside: m.FlowNode, code: str) -> bool:
    """Whether an error out of ``inside`` is caught in ``container``."""
    for node in container.nodes:
        starts: list[m.FlowNode] = (
            [node] if isinstance(node, m.BoundaryEvent) and node.attached_to == inside.id else []
        )
        if isinstance(node, m.SubProcess) and node.triggered_by_event and node is not inside:
            starts += [one for one in node.nodes if isinstance(one, m.StartEvent)]
        if any(found in ("", code) for start in starts for found in _codes(file, start)):
            return True
    return False


def _codes(file: m.Definitions, node: m.FlowNode) -> Iterator[str]:
    """The codes of the errors that an event throws or catches; empty for any."""
    by_id = {error.id: error.code for error in file.errors}
    for definition in node.definitions if isinstance(node, m.Event) else ():
        if isinstance(definition, m.ErrorEventDefinition):
            yield by_id.get(definition.error, "")


def _nodes(container: m.Process | m.SubProcess) -> Iterator[m.FlowNode]:
    for node in container.nodes:
        yield node
        if isinstance(node, m.SubProcess):
            yield from _nodes(node)
