"""What the explored states mean, in the diagram's own names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowkit.bpmn import model as m
from flowkit.findings import Finding, Location, Severity
from flowkit.kernel import Program, compile_process
from flowkit.soundness.exploration import Exploration, Stuck
from flowkit.soundness.explore import explore
from flowkit.soundness.undoing import undoing_of

__all__ = ["Soundness", "check_soundness"]

ROOM, MOST_TIMES = 200, 5
"""So many states, or so many times those without it, there may be when calls are undone, too."""


@dataclass(frozen=True, slots=True)
class Soundness:
    """The outcome for one process.

    ``decided`` is False when there were more than the allowed number of ``states``: then what was
    found is true, but what was not found may still be there.
    """

    process: str
    findings: tuple[Finding, ...]
    states: int
    decided: bool
    notes: tuple[str, ...] = ()
    """What was left out, because the diagram alone does not tell it."""

    @property
    def sound(self) -> bool:
        """Everything was seen and nothing is an error."""
        return self.decided and not any(f.severity is Severity.ERROR for f in self.findings)

    @property
    def summary(self) -> str:
        """One line for people."""
        if not self.decided:
            return f"{self.process}: not decided beyond {self.states} states"
        verdict = "sound" if self.sound else "not sound"
        return f"{self.process}: {verdict} ({self.states} states)"


def check_soundness(
    definitions: m.Definitions,
    process_id: str,
    *,
    max_states: int = 5_000,
    reduce: bool = True,
    called: Sequence[m.Definitions] = (),
) -> Soundness:
    """Explore the process with its data left open and report what can go wrong.

    Rules: ``deadlock`` (a token waits for ever), ``livelock`` (no end can be reached any more),
    ``unbounded-tokens``, ``endless-loop``, ``uncaught-error``, ``dead-element`` (never reached),
    ``dead-boundary-event``, ``message-never-thrown``. Each names a shortest trail where there is one.

    ``called`` are further files, with the processes that it calls: a call that leaves something to undo may
    be undone. What was left out stands in the result's ``notes``.

    With ``reduce`` False every order of independent steps is looked at: the same findings, more slowly.
    Raises InvalidModel for a process that does not compile.
    """
    program = compile_process(definitions, process_id)
    undoing = undoing_of((definitions, *called), program)
    seen = explore(program, max_states=max_states, reduce=reduce, undoable=frozenset())
    left_out = ""
    if undoing.undoable and seen.decided:
        room = min(max_states, max(ROOM, MOST_TIMES * seen.size))
        more = explore(program, max_states=room, reduce=reduce, undoable=undoing.undoable)
        seen, left_out = (more, "") if more.decided else (seen, f"that is more than {room} states")
    elif undoing.undoable:
        left_out = "there are too many states without it"
    findings = [
        *_faults(program, seen),
        *_errors(program, seen),
        *(_livelocks(program, seen) if seen.decided else ()),
        *(_dead(program, seen) if seen.decided else ()),
        *_unheard(definitions, program),
    ]
    notes = [
        f"Undoing the call of '{one}' was not explored: its file is not given." for one in undoing.unknown
    ]
    if left_out:
        calls = ", ".join(f"'{program.label(one)}'" for one in sorted(undoing.undoable))
        notes.append(f"Undoing the completed call {calls} was not explored: {left_out}.")
    name = program.name or program.process_id
    return Soundness(name, tuple(findings), seen.size, seen.decided, tuple(notes))


def _finding(
    program: Program, rule: str, node_id: str, message: str, hint: str, severity: Severity = Severity.ERROR
) -> Finding:
    node = program.nodes.get(node_id)
    location = node.location if node is not None else Location()
    name = node.name if node is not None else ""
    return Finding(rule, severity, location, message, hint, node_id, name)


def _way(seen: Exploration, state: int) -> str:
    return " → ".join(seen.trail(state))


_SAID = {
    "deadlock": (
        "deadlock",
        "A token waits here for ever",
        "Join with the kind of gateway that split the flow, or lead the missing branch here.",
    ),
    "unbounded": (
        "unbounded-tokens",
        "More and more tokens gather here",
        "A parallel split inside a loop needs its join inside the loop, too.",
    ),
    "endless_loop": (
        "endless-loop",
        "A loop goes on without ever waiting",
        "Give the loop a task that waits, or a condition that ends it.",
    ),
}


def _faults(program: Program, seen: Exploration) -> list[Finding]:
    told: dict[tuple[str, str], Finding] = {}
    for part in seen.parts():
        for fault in part.faults:
            if (fault.kind, fault.node) not in told:
                told[fault.kind, fault.node] = _fault(program, part, fault)
    return list(told.values())


def _fault(program: Program, seen: Exploration, fault: Stuck) -> Finding:
    rule, text, hint = _SAID.get(fault.kind, (fault.kind.replace("_", "-"), fault.message, ""))
    if fault.kind == "endless_loop":
        trail = [*seen.trail(fault.state), fault.message]
        return _finding(program, rule, fault.node, f"{text}, after: {' → '.join(trail)}.", hint)
    missing = f" (nothing comes from {fault.message})" if fault.kind == "deadlock" and fault.message else ""
    return _finding(
        program, rule, fault.node, f"{text}{missing}. It happens after: {_way(seen, fault.state)}.", hint
    )


def _errors(program: Program, seen: Exploration) -> list[Finding]:
    """Errors that leave the process: right for a called one, an incident for one that nobody calls."""
    return [
        _finding(
            program,
            "uncaught-error",
            node,
            "Nothing in the process catches this error. It happens after:"
            f" {' → '.join([*part.trail(state), step])}.",
            "Let the call activity that calls this process catch it, or catch it here.",
            Severity.WARNING,
        )
        for part in seen.parts()
        for node, (state, step) in part.errors.items()
    ]


def _livelocks(program: Program, seen: Exploration) -> list[Finding]:
    """States from which no end can be reached, though something still happens."""
    return [
        _finding(
            program,
            "livelock",
            "",
            f"From here on the process can never end: {_way(part, state.number)}.",
            "Give the loop a way out.",
        )
        for part in seen.parts()
        if (state := part.endless()) is not None
    ]


def _dead(program: Program, seen: Exploration) -> list[Finding]:
    found = []
    entered = {node for part in seen.parts() for node in part.entered}
    handlers = {node.handler for node in program.nodes.values() if node.handler}
    for node in program.nodes.values():
        if node.id in entered or node.id in handlers or node.container in handlers:
            continue
        if any(catch.kind == "compensation" for catch in node.catches):
            continue
        if any(catch.kind in ("error", "escalation") for catch in node.catches) and not node.attached_to:
            continue
        if node.attached_to:
            rule, text = "dead-boundary-event", "This boundary event can never occur."
        else:
            rule, text = "dead-element", "No token can ever come here."
        found.append(_finding(program, rule, node.id, text, "Connect it, or remove it.", Severity.WARNING))
    return found


def _unheard(definitions: m.Definitions, program: Program) -> list[Finding]:
    """Messages that another process of the file should send by the drawing, but does not throw."""
    nodes = {node.id: node for process in definitions.processes for node in _all_nodes(process)}
    found = []
    for collaboration in definitions.collaborations:
        for flow in collaboration.message_flows:
            source, target = nodes.get(flow.source), program.nodes.get(flow.target)
            if source is None or target is None:
                continue
            wanted = {catch.name for catch in target.catches if catch.kind == "message"}
            thrown = _messages_of(definitions, source)
            if wanted and thrown and not wanted & thrown:
                found.append(
                    _finding(
                        program,
                        "message-never-thrown",
                        target.id,
                        f"A message flow leads here from '{source.name or source.id}', which sends"
                        f" {', '.join(sorted(thrown))}; but {', '.join(sorted(wanted))} is awaited.",
                        "Let both ends refer to the same message.",
                        Severity.WARNING,
                    )
                )
    return found


def _all_nodes(container: m.Process | m.SubProcess) -> list[m.FlowNode]:
    found = list(container.nodes)
    for node in container.nodes:
        if isinstance(node, m.SubProcess):
            found += _all_nodes(node)
    return found


def _messages_of(definitions: m.Definitions, node: m.FlowNode) -> set[str]:
    names = {message.id: message.name or message.id for message in definitions.messages}
    ids = []
    if isinstance(node, m.SendTask):
        ids.append(node.message)
    elif isinstance(node, m.ThrowEvent):
        ids += [d.message for d in node.definitions if isinstance(d, m.MessageEventDefinition)]
    return {names[one] for one in ids if one in names}
