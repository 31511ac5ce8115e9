"""What a diagram calls in other files: processes, decisions and forms by id.

Each is looked up when it is needed, since it may be deployed later; that nothing answers to an id
when a diagram is deployed is most often a slip of the pen, so it is told as a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from flowkit.bpmn.lint.activities import can_be_called
from flowkit.bpmn.lint.model import Model
from flowkit.bpmn.model import CallActivity, Definitions, FlowNode, UserTask
from flowkit.findings import Finding, Severity

__all__ = ["Reference", "missing_definitions", "references", "uncallable"]


class Reference(NamedTuple):
    """``kinds`` are those of which one is wanted: a call activity may call a process or a decision."""

    kinds: tuple[str, ...]
    id: str
    binding: str
    version_tag: str
    node: FlowNode


def references(definitions: Definitions) -> Iterator[Reference]:
    """What the executable processes of a file call by a fixed id, in the file's order."""
    for _, node in Model(definitions).run(FlowNode):
        extensions = node.extensions
        called, decision, form = extensions.called_element, extensions.called_decision, extensions.form
        if isinstance(node, CallActivity):
            wanted = (called.process_id if called is not None else "") or node.called_element
            binding, tag = (called.binding, called.version_tag) if called is not None else ("latest", "")
            found = Reference(("process", "decision"), wanted, binding, tag, node)
        elif decision is not None:
            kinds = ("decision",)
            found = Reference(kinds, decision.decision_id, decision.binding, decision.version_tag, node)
        elif isinstance(node, UserTask) and form is not None and form.form_id:
            found = Reference(("form",), form.form_id, form.binding, form.version_tag, node)
        else:
            continue
        if found.id and not found.id.startswith("="):
            yield found


def missing_definitions(
    files: Iterable[Definitions], exists: Callable[[str, Reference], bool]
) -> list[Finding]:
    """A warning for each reference of ``files`` for which there is nothing of any of its kinds."""
    return [
        _missing(reference)
        for definitions in files
        for reference in references(definitions)
        if not any(exists(kind, reference) for kind in reference.kinds)
    ]


def uncallable(files: Iterable[Definitions]) -> list[Finding]:
    """An error for each call of a process in another of ``files`` that nothing can be called in."""
    known = list({id(one): one for one in files}.values())
    processes = {p.id: (file, p) for file in known for p in file.processes if p.is_executable}
    found = []
    for file in known:
        for reference in references(file):
            home, process = processes.get(reference.id, (file, None))
            tagged = reference.binding == "versionTag"  # may be one that was deployed before
            if home is not file and process is not None and not tagged and not can_be_called(process):
                node = reference.node
                found.append(
                    Finding(
                        "called-process",
                        Severity.ERROR,
                        node.location,
                        f"the called process '{reference.id}' ({process.location.file}) has not just one "
                        "none start event, so it can't be called.",
                        "Give it exactly one start event without a trigger (13.3.3).",
                        node.id,
                        " ".join(node.name.split()),
                    )
                )
    return found


def _missing(reference: Reference) -> Finding:
    node = reference.node
    what = " or ".join(reference.kinds)
    bound = {
        "deployment": " in the same deployment",
        "versionTag": f" with the version tag '{reference.version_tag}'",
    }.get(reference.binding, "")
    return Finding(
        "missing-definition",
        Severity.WARNING,
        node.location,
        f"there is no {what} '{reference.id}'{bound}.",
        "Correct the id, or deploy it before it is needed: until then each use of it fails.",
        node.id,
        " ".join(node.name.split()),
    )
