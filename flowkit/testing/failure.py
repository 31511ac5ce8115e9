"""How far a run got, for somebody who reads a failure: in words, and drawn on the diagram."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowkit.bpmn.diagram import Mark, draw, layout, read_diagrams
from flowkit.testing.script import Expectation

if TYPE_CHECKING:
    from flowkit.testing.player import Player

__all__ = ["how_far", "picture"]

LAST = 12
"""So many elements of the trail are told where no trail was expected."""
_PASSED = Mark(stroke="#15803d", fill="#ecfdf5")
_STANDS = Mark(stroke="#1d6fdc", fill="#dbeafe", width=3.0, badge="●", note="a token stands here")
_MISSED = Mark(stroke="#dc2626", width=3.0, note="expected, and not reached")


def how_far(player: Player, wanted: Expectation) -> str:
    """Where tokens stand, and what was passed: beside the expected trail if there is one."""
    return "\n".join(_lines(player, wanted)) if player.root else ""


def _lines(player: Player, wanted: Expectation) -> Iterator[str]:
    for instance in player.observer.instances():
        view = player.engine.instance(instance)
        for token in view.tokens:
            name = f"{token.name} ({token.element})" if token.name else token.element
            yield f"a token of {view.process_id} stands at {name}"
    entered = [(element, name) for _, element, name in player.observer.entered]
    if not wanted.trail:
        told = [name for element, name in entered if name != element][-LAST:]
        if told:
            yield f"passed: {' → '.join(told)}"
        return
    yield "the trail (- expected, + happened):"
    names = {name for pair in entered for name in pair}
    by_id = [name for name in wanted.trail if name in {element for element, _ in entered}]
    happened = [element if element in by_id else name for element, name in entered]
    happened = [name for name in happened if name in wanted.trail or name not in names - set(happened)]
    for line in difflib.ndiff(wanted.trail, happened):
        if not line.startswith("?"):
            yield f"  {line}"


def picture(player: Player, wanted: Expectation) -> str:
    """The diagram of the started process as SVG: what was passed, where tokens stand, what was missed."""
    view = player.engine.instance(player.root)
    program = player.engine.program(view.process_id, view.version)
    ours = [(element, name) for instance, element, name in player.observer.entered if instance == player.root]
    counts = Counter(element for element, _ in ours)
    marks = {
        element: Mark(_PASSED.fill, _PASSED.stroke, badge=str(times) if times > 1 else "")
        for element, times in counts.items()
    }
    marks |= {
        flow: Mark(stroke=_PASSED.stroke, width=2.0)
        for process, flow in player.observer.taken
        if process == view.process_id
    }
    missed = {*wanted.trail, *wanted.passed, *(wanted.end or ()), *(wanted.open or ())}
    for node in program.nodes.values():
        if missed & {node.id, node.name} and node.id not in counts:
            marks[node.id] = _MISSED
    marks |= {token.element: _STANDS for token in view.tokens}
    data = program.definitions.source
    return draw(data if read_diagrams(data) else layout(data), marks=marks)
