"""Scenario skeletons from a diagram: few scripts that together take every sequence flow.

The explorer finds the paths (:mod:`flowkit.soundness.paths`); what the conditions on a path demand is
filled in where it can be derived (:mod:`flowkit.testing.story`); each skeleton is then played once, and
says itself how far it gets and what a person must fill in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from flowkit.bpmn import parse as parse_bpmn
from flowkit.engine.files import collect
from flowkit.errors import FlowkitError
from flowkit.feel.syntax import nodes as n
from flowkit.feel.syntax import parse_expression
from flowkit.kernel import Node, Program, compile_process
from flowkit.kernel.program import Catch, UserTaskSpec
from flowkit.soundness.exploration import Exploration, Move
from flowkit.soundness.explore import explore
from flowkit.soundness.paths import covering_paths, path_to
from flowkit.tasks.forms.form import Form, read_form
from flowkit.testing.story import Line, Story, World, computed_by, values_of
from flowkit.timers import parse_timer_duration

__all__ = ["Generator", "Skeleton"]

KEY = "K-1"
"""The business key and correlation key of generated scripts."""
MOST_ITEMS = 4
"""So often a task of a multi-instance activity is offered again, if it is open."""
Play = Callable[[str], str]
"""Plays the text of a script; "" if all went as written, else what did not."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A generated script. ``problem`` is "" if it plays as it stands; ``flows`` are those that its path
    takes, and ``number`` counts the skeletons of the ``process``."""

    process: str
    number: int
    text: str
    problem: str
    flows: frozenset[str]


class Generator:
    """Generates skeletons for the processes of a folder of diagrams. ``play`` plays a script."""

    def __init__(self, folder: Path, play: Play, *, max_states: int = 5_000) -> None:
        self._play, self._max_states = play, max_states
        self._files: dict[str, list[str]] = {}
        self._explored: dict[str, Exploration] = {}
        self._routes: dict[tuple[str, str], tuple[Move, ...] | None] = {}
        self.missing: dict[str, list[str]] = {}
        """Per process the flows that no path takes: nothing can come there, or not within the bounds."""
        programs: dict[str, Program] = {}
        forms: dict[str, Form] = {}
        for name, data in collect((folder,)).items():
            if name.endswith(".bpmn"):
                definitions = parse_bpmn(data, file=name)
                for process in definitions.processes:
                    if process.is_executable:
                        programs[process.id] = compile_process(definitions, process.id)
                        self._files.setdefault(str(Path(name).resolve()), []).append(process.id)
            elif name.endswith((".json", ".form")):
                form = read_form(data, file=name)
                forms[form.id] = form
        self.world = World(programs, forms, self._route)

    def processes(self, file: Path | None = None) -> list[str]:
        """The processes of one file, or all of them."""
        if file is not None:
            return self._files.get(str(file.resolve()), [])
        return list(self.world.programs)

    def skeletons(self, process: str) -> Iterator[Skeleton]:
        """The scripts for one process."""
        program = self.world.programs[process]
        seen = self._exploration(process)

        def follow(story: Any, move: Move) -> Any:
            after = (story or Story()).after(self.world, program, move)
            return None if after.contradicts else after

        nodes = program.nodes.values()
        ends = [it.id for it in nodes if it.kind == "endEvent" and it.container == process]
        cover = covering_paths(seen, program.flows, follow, ends)
        self.missing[process] = sorted(cover.missing)
        taken: set[str] = set()
        for number, path in enumerate(cover.paths, 1):
            flows = frozenset(flow for move in path for flow in move.flows)
            new = sorted(flows - taken)
            taken |= flows
            yield self._skeleton(program, number, len(cover.paths), path, new, flows)

    def _skeleton(
        self,
        program: Program,
        number: int,
        total: int,
        path: tuple[Move, ...],
        new: list[str],
        flows: frozenset[str],
    ) -> Skeleton:
        story = Story()
        for move in path:
            story = story.after(self.world, program, move)
        begin = f"# Generated: path {number} of {total} of {program.process_id}.\n"
        names = [_flow(program, flow) for flow in new if program.flows[flow].name or len(new) <= 3]
        takes = f"# Takes first: {'; '.join(names[:12])}{' …' if len(names) > 12 else ''}\n" if names else ""
        body = "".join(_script(program, path, story, number))
        problem = self._play(begin + body)
        fill = any(line.notes for line in story.lines)
        unset = _unset(program, self.world)
        if problem and unset:
            begin += f"# Read, and set by nothing in the diagram: {', '.join(unset)}\n"
        told = (
            "# It plays as it stands.\n"
            if not problem
            else f"# As generated it stops at {_one_line(problem)}\n"
            f"# Fill in {'what # needs says' if fill else 'the data'}, and check what is expected.\n"
        )
        return Skeleton(program.process_id, number, begin + takes + told + body, problem, flows)

    # ---- exploring ------------------------------------------------------------------------------

    def _exploration(self, process: str) -> Exploration:
        if process not in self._explored:
            program = self.world.programs[process]
            self._explored[process] = explore(program, max_states=self._max_states)
        return self._explored[process]

    def _route(self, process: str, code: str) -> tuple[Move, ...] | None:
        """A shortest path of a called process to an end of its own, or to the error ``code``."""
        if (process, code) not in self._routes:
            self._routes[process, code] = None  # a process that calls itself is not told again
            program = self.world.programs[process]

            def ends(move: Move, status: str) -> bool:
                return move.thrown == code if code else status == "completed"

            def follow(story: Any, move: Move) -> Any:
                after = (story or Story()).after(self.world, program, move)
                return None if after.contradicts else after

            self._routes[process, code] = path_to(self._exploration(process), ends, follow)
        return self._routes[process, code]


# ---- writing --------------------------------------------------------------------------------------


def _flow(program: Program, key: str) -> str:
    flow = program.flows[key]
    label = f"[{flow.name}] " if flow.name else ""
    return f"{program.label(flow.source)} → {label}{program.label(flow.target)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _inline(value: Any) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=100_000, sort_keys=False)
    return text.removesuffix("...\n").strip()


def _script(program: Program, path: tuple[Move, ...], story: Story, number: int) -> Iterator[str]:
    ends = _ends(program, path)
    title = f"{program.name or program.process_id}: {ends[-1] if ends else number}"
    yield f"title: {_inline(title)}\n"
    first, *rest = story.lines
    yield from _comments(first, "")
    yield f"start: {_inline(_start(program, first, story))}\n"
    if rest:
        yield "steps:\n"
    for before, line in zip(story.lines, rest, strict=False):
        yield from _step(line, again=(before.kind, before.node) == (line.kind, line.node))
    expected: dict[str, Any] = {"ended": True, "end": ends}
    tasks = [line.node for line in rest if line.kind == "task" and line.depth == 0]
    if tasks:
        expected["passed"] = list(dict.fromkeys(tasks))
    yield f"expect: {_inline(expected)}\n"


def _ends(program: Program, path: Iterable[Move]) -> list[str]:
    found = []
    for move in path:
        for key in move.entered:
            node = program.nodes[key]
            if node.kind == "endEvent" and node.container == program.process_id:
                found.append(node.name or node.id)
    return found


def _comments(line: Line, indent: str) -> Iterator[str]:
    for note in dict.fromkeys(line.notes):
        yield f"{indent}# {_one_line(note)}\n"


def _start(program: Program, line: Line, story: Story) -> dict[str, Any]:
    start: dict[str, Any] = {}
    triggers = {trigger.node: trigger for trigger in program.starts}
    trigger = triggers.get(line.node)
    if trigger is not None and trigger.kind in ("message", "signal"):
        start[trigger.kind] = trigger.name
    elif trigger is not None and trigger.kind == "timer":
        start["timer"] = program.process_id
    else:
        start["process"] = program.process_id
        if line.node:
            start["start_event"] = line.node
    start["business_key"] = KEY
    variables = values_of(line)
    for name in _keys(program, story):
        variables.setdefault(name, KEY)
    if variables:
        start["variables"] = variables
    return start if "timer" not in start else {"timer": start["timer"]}


def _keys(program: Program, story: Story) -> list[str]:
    """The variables that messages are correlated by and that nothing fills in before they are needed."""
    known = computed_by(program) | {
        name for line in story.lines[1:] if line.form for name in line.form.schema.get("properties", {})
    }
    at_once = set(program.containers[program.process_id].event_subprocesses)
    names = {_variable(one): node.id in at_once for node in program.nodes.values() for one in _messages(node)}
    return [name for name, early in names.items() if name and (early or name not in known)]


def _messages(node: Node) -> list[Catch]:
    return [one for one in node.catches if one.kind == "message"]


def _catch(line: Line, kind: str) -> Catch | None:
    return next((one for one in line.program.nodes[line.node].catches if one.kind == kind), None)


def _variable(catch: Catch) -> str:
    """The variable that a message is correlated by, if its key is nothing else."""
    try:
        tree = parse_expression(catch.key.text.removeprefix("=").strip()) if catch.key is not None else None
    except FlowkitError:
        return ""
    return tree.name if isinstance(tree, n.Name) else ""


def _unset(program: Program, world: World) -> list[str]:
    """The variables that conditions and mappings read, and that neither the diagram nor a form sets."""
    known = computed_by(program)
    read: set[str] = set()
    for node in program.nodes.values():
        detail = node.detail
        form = world.forms.get(detail.form or "") if isinstance(detail, UserTaskSpec) else None
        known |= set(form.schema.get("properties", {})) if form is not None else set()
        for one in node.inputs:
            read |= one.formula.reads
            known.add(one.target[0])
        read |= {name for catch in node.catches if catch.key is not None for name in catch.key.reads}
        if node.multi is not None and node.multi.collection is not None:
            read |= node.multi.collection.reads
    for flow in program.flows.values():
        read |= flow.condition.reads if flow.condition is not None else set()
    return sorted(name for name in read - known if name.isidentifier())


def _step(line: Line, *, again: bool) -> Iterator[str]:
    name = line.program.label(line.node) if line.node else ""
    called = f" ({line.program.name or line.program.process_id})" if line.depth else ""
    step, remark = _STEPS[line.kind](line)
    if step is None:
        yield f"  # needs: {remark or name}\n"
    else:
        values = values_of(line)
        keys = {_variable(one) for node in line.program.nodes.values() for one in _messages(node)}
        values |= {name: KEY for name in keys if isinstance(values.get(name), str)}
        if values and line.kind in ("task", "message", "signal"):
            step["set"] = values
        said = f"{name}{called}" + (f": {remark}" if remark else "")
        several = line.kind == "task" and again and line.program.nodes[line.node].multi is not None
        for turn in range(MOST_ITEMS if several else 1):
            if several:
                step["if_open"] = True
                said = f"{name}{called}: one for each item" if not turn else ""
            yield f"  - {_inline(step)}" + (f"  # {_one_line(said)}\n" if said else "\n")
    yield from _comments(line, "    ")


Written = tuple[dict[str, Any] | None, str]


def _message(line: Line) -> Written:
    catch = _catch(line, "message")
    step = {"message": catch.name if catch is not None else line.node}
    if catch is not None and catch.key is not None:
        step["key"] = KEY
        if not _variable(catch):
            return step, f"needs the key {catch.key.text}"
    return step, ""


def _timer(line: Line) -> Written:
    catch = _catch(line, "timer")
    text = str(catch.timer.formula.constant) if catch is not None and catch.timer is not None else ""
    duration = re.search(r"P[^/]*$", text)
    if duration is not None:
        try:
            iso = parse_timer_duration(duration.group())
        except FlowkitError:
            return {"wait": "P1D"}, f"needs the time: {text}"
        plain = timedelta(days=iso.days + 30 * iso.months, seconds=iso.seconds)
        return {"wait": duration.group() if not iso.months else f"P{plain.days}D"}, ""
    if catch is not None and catch.timer is not None and catch.timer.kind == "date" and text != "None":
        return {"until": text}, ""
    formula = catch.timer.formula.text if catch is not None and catch.timer is not None else ""
    return {"wait": "P1D"}, f"needs the time of {formula}"


def _thrown(word: str) -> Callable[[Line], Written]:
    def write(line: Line) -> Written:
        if line.program.nodes[line.node].kind != "userTask":
            return None, f"{line.program.label(line.node)} throws the {line.kind} {line.code} (its handler)"
        return {word: {"task": line.node, "code": line.code}}, ""

    return write


_STEPS: Mapping[str, Callable[[Line], Written]] = {
    "task": lambda line: ({"task": line.node}, ""),
    "message": _message,
    "signal": lambda line: ({"signal": getattr(_catch(line, "signal"), "name", line.node)}, ""),
    "timer": _timer,
    "error": _thrown("error"),
    "escalation": _thrown("escalate"),
    "condition": lambda line: (None, "a condition of the diagram becomes true"),
    "start": lambda line: (None, "the start"),
}
