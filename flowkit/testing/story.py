"""A path through a diagram as a story for a script: what people do, what they fill in, what is still open.

A :class:`Story` grows step by step. A condition on the way demands a value of some variable; the value is
filled in where it comes from: in the last user task whose form has such a field, else in the last step
that brings data. A variable that the diagram computes itself can't be filled in, and is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from flowkit.kernel import Program
from flowkit.kernel.program import CallSpec, UserTaskSpec
from flowkit.soundness.exploration import Move
from flowkit.tasks.forms.cleaning import resolve
from flowkit.tasks.forms.form import Form
from flowkit.testing.conditions import MISSING, Demand, demands_of, put, value_for
from flowkit.values import Json

__all__ = ["Line", "Story", "World", "computed_by", "example_of", "filled_in", "values_of"]

MOST_CALLS = 3
"""So deep are called processes told."""
Route = Callable[[str, str], tuple[Move, ...] | None]
"""``(process, error code)``: a path of a called process to its end, or to that error."""

_demands = cache(demands_of)


@dataclass(frozen=True, slots=True)
class World:
    """What stories are told of: the programs of a folder by process id, its forms by id, and paths of
    called processes."""

    programs: Mapping[str, Program]
    forms: Mapping[str, Form]
    route: Route


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the script. ``kind`` as in :class:`~flowkit.soundness.exploration.Move`."""

    kind: str
    program: Program
    node: str
    code: str = ""
    form: Form | None = None
    notes: tuple[str, ...] = ()
    demands: tuple[Demand, ...] = ()
    depth: int = 0

    @property
    def brings_data(self) -> bool:
        """Can values be filled in here?"""
        return self.kind in ("start", "task", "message", "signal", "error")


@dataclass(frozen=True, slots=True)
class Story:
    """The steps so far. ``contradicts``: data can't lead there, as far as can be told."""

    lines: tuple[Line, ...] = ()
    contradicts: bool = False

    def after(self, world: World, program: Program, move: Move, depth: int = 0) -> Story:
        """The story with one more step."""
        story = self
        if move.kind == "call" or (move.kind == "error" and _called(program, move.node)):
            story = story._called_process(world, program, move, depth)
        if move.kind in ("job", "decision", "data", "call", "beside"):
            if move.kind == "call" and not _called(program, move.node):
                story = story._noted(f"needs: the process that {program.label(move.node)} calls")
        elif not (move.kind == "error" and _called(program, move.node)):
            detail = program.nodes[move.node].detail if move.node else None
            form = world.forms.get(detail.form or "") if isinstance(detail, UserTaskSpec) else None
            line = Line(move.kind, program, move.node, move.code, form, depth=depth)
            story = replace(story, lines=(*story.lines, line))
        for text, answer in move.asked:
            story = story._with_condition(program, text, answer, depth)
        return story

    def _called_process(self, world: World, program: Program, move: Move, depth: int) -> Story:
        called = _called(program, move.node)
        inner = world.programs.get(called)
        path = world.route(called, move.code) if inner is not None and depth < MOST_CALLS else None
        if inner is None or path is None:
            what = f"error {move.code}" if move.code else "an end"
            return self._noted(f"needs: the steps of the called process {called or '?'} to {what}")
        story = self
        for one in path:
            if one.kind != "start":
                story = story.after(world, inner, one, depth + 1)
        return story

    def _noted(self, note: str) -> Story:
        if not self.lines:
            return self
        last = self.lines[-1]
        return replace(self, lines=(*self.lines[:-1], replace(last, notes=(*last.notes, note))))

    def _with_condition(self, program: Program, text: str, answer: bool, depth: int) -> Story:
        said = f"{text.removeprefix('=').strip()} {'is true' if answer else 'is false'}"
        demands = _demands(text, answer)
        if demands is None:
            return self._noted(f"needs: {said}")
        story = self
        for demand in demands:
            place = story._holder(program, demand.path[0], depth)
            if place is None:
                if len(demands) == 1 or demand is demands[0]:
                    story = story._noted(f"needs: {said} (the diagram computes {demand.path[0]})")
                continue
            line = story.lines[place]
            wanted = (*line.demands, demand)
            if filled_in(line, wanted, demand.path) is MISSING:
                story = replace(story, contradicts=True)._noted(f"needs: {said}, against what was filled in")
                continue
            lines = list(story.lines)
            lines[place] = replace(line, demands=wanted)
            story = replace(story, lines=tuple(lines))
        return story

    def _holder(self, program: Program, variable: str, depth: int) -> int | None:
        """Which step brings the variable; None if the diagram computes it."""
        places = [place for place, line in enumerate(self.lines) if line.brings_data]
        for place in reversed(places):
            form = self.lines[place].form
            if form is not None and variable in form.schema.get("properties", {}):
                return place
        if variable in computed_by(program):
            return None
        for place in reversed(places):
            line = self.lines[place]
            if line.form is None and line.depth == depth and line.kind != "error":
                return place
        return places[0] if places else None


def computed_by(program: Program) -> set[str]:
    """The variables that the diagram itself sets: scripts, decisions, mappings, items of a list."""
    found: set[str] = set()
    for node in program.nodes.values():
        if node.multi is not None:
            found |= {node.multi.input_element, node.multi.output_collection}
        if node.kind != "userTask":
            found |= node.assigns
    return found


def _called(program: Program, node: str) -> str:
    detail = program.nodes[node].detail if node else None
    constant = detail.process.constant if isinstance(detail, CallSpec) else None
    return constant if isinstance(constant, str) else ""


def filled_in(line: Line, demands: tuple[Demand, ...], path: tuple[str, ...]) -> Json:
    """The value at ``path`` that meets all the demands on it; MISSING if there is none."""
    schema: Any = line.form.schema if line.form is not None else {}
    root = schema
    for name in path:
        schema = resolve(schema.get("properties", {}).get(name, {}), root)
    choices: list[Json] = list(schema.get("enum", ()))
    if "const" in schema:
        choices = [schema["const"]]
    return value_for([demand for demand in demands if demand.path == path], choices)


def values_of(line: Line) -> dict[str, Any]:
    """What is filled in at a step: what its form requires, and what the conditions behind it demand."""
    values: dict[str, Any] = {}
    if line.form is not None:
        example = example_of(line.form.schema, line.form.schema)
        values = example if isinstance(example, dict) else {}
    for demand in line.demands:
        value = filled_in(line, line.demands, demand.path)
        if value is not MISSING:
            put(values, demand.path, value)
    return values


def example_of(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Json:
    """Some value that a JSON Schema allows, as far as the usual keywords tell."""
    schema = resolve(schema, root)
    for word in ("const", "default"):
        if word in schema:
            found: Json = schema[word]
            return found
    for word in ("examples", "enum"):
        if schema.get(word):
            first: Json = schema[word][0]
            return first
    for word in ("oneOf", "anyOf"):
        if schema.get(word):
            return example_of(
                {**schema[word][0], **{k: v for k, v in schema.items() if k != word}}, root, depth
            )
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    return _EXAMPLES.get(kind, _text)(schema, root, depth + 1) if kind != "null" else None


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Json:
    if depth > 8:
        return {}
    properties = schema.get("properties", {})
    return {name: example_of(properties.get(name, {}), root, depth) for name in schema.get("required", ())}


def _array(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Json:
    count = min(int(schema.get("minItems", 0)), 10)
    return [example_of(schema.get("items", {}), root, depth) for _ in range(count)] if depth <= 8 else []


def _number(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Json:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    if low is not None:
        return low + 1 if "exclusiveMinimum" in schema else low  # type: ignore[no-any-return]  # a number
    return min(1, schema["maximum"]) if "maximum" in schema else 1


_FORMATS = {
    "date": "2025-03-10",
    "date-time": "2025-03-10T09:00:00+08:00",
    "time": "09:00:00",
    "email": "a@example.org",
    "uri": "https://example.org/",
    "duration": "PT1H",
}


def _text(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Json:
    text = _FORMATS.get(str(schema.get("format")), "示例")
    return text + "示" * max(0, min(int(schema.get("minLength", 0)), 200) - len(text))


_EXAMPLES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], int], Json]] = {
    "object": _object,
    "array": _array,
    "number": _number,
    "integer": _number,
    "string": _text,
    "boolean": lambda schema, root, depth: True,
}
