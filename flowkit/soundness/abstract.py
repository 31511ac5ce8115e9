"""The program with its data abstracted: every condition may be true or false.

The explorer runs the real kernel on this program, so that what it finds is what would happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flowkit.kernel import Flow, Node, Program
from flowkit.kernel.formula import Formula
from flowkit.kernel.program import (
    Assignment,
    CallSpec,
    Catch,
    DecisionSpec,
    JobSpec,
    Loop,
    MultiInstance,
    Throw,
    TimerSpec,
    UserTaskSpec,
)

__all__ = ["TICK", "Chooser", "TooManyChoices", "abstract_program"]

TICK = "flowkit tick"
"""The variable whose change makes conditional events be looked at."""

_TIMERS = {"duration": "PT1H", "date": "2100-01-01T00:00:00Z", "cycle": "R/PT1H"}
_MOST_CHOICES = 40


class TooManyChoices(Exception):
    """One command led through more decisions than any diagram without an endless loop has."""


class Chooser:
    """Answers each condition in turn from a given list of answers, then with False.

    After a run ``taken`` holds all answers, and ``asked`` the conditions; the explorer flips them one by
    one.
    """

    def __init__(self) -> None:
        self.given: tuple[bool, ...] = ()
        self.taken: list[bool] = []
        self.asked: list[str] = []

    def prepare(self, given: tuple[bool, ...]) -> None:
        self.given, self.taken, self.asked = given, [], []

    def choose(self, text: str = "") -> bool:
        position = len(self.taken)
        if position >= _MOST_CHOICES:
            raise TooManyChoices
        answer = self.given[position] if position < len(self.given) else False
        self.taken.append(answer)
        self.asked.append(text)
        return answer


class _Choice:
    """Stands for a condition's compiled expression."""

    __slots__ = ("chooser", "reads", "text")

    def __init__(self, chooser: Chooser, text: str) -> None:
        self.chooser, self.text, self.reads = chooser, text, frozenset({TICK})

    def evaluate(self, scope: Mapping[str, Any], **_: Any) -> bool:
        return self.chooser.choose(self.text)


def _fixed(value: Any) -> Formula:
    return Formula(str(value), None, value)


class _Abstraction:
    def __init__(self, chooser: Chooser) -> None:
        self.chooser = chooser

    def choice(self, formula: Formula) -> Formula:
        expression: Any = _Choice(self.chooser, formula.text)
        return Formula(formula.text, expression, None, frozenset({TICK}))

    def flow(self, flow: Flow) -> Flow:
        return flow if flow.condition is None else replace(flow, condition=self.choice(flow.condition))

    def catch(self, catch: Catch) -> Catch:
        return replace(
            catch,
            key=None,
            correlation=None,
            timer=TimerSpec(catch.timer.kind, _fixed(_TIMERS[catch.timer.kind])) if catch.timer else None,
            condition=self.choice(catch.condition) if catch.condition else None,
        )

    def throw(self, result: Throw) -> Throw:
        code = result.code.text if result.code is not None else result.name
        return replace(
            result, key=None, correlation=None, code=None, name=code, message_id=None, time_to_live=None
        )

    def multi(self, multi: MultiInstance) -> MultiInstance:
        """Two instances stand for any number."""
        return replace(
            multi,
            collection=None,
            cardinality=_fixed(2),
            output_element=None,
            completion=self.choice(multi.completion) if multi.completion else None,
            event=self.throw(multi.event) if multi.event else None,
            complex=tuple((self.choice(formula), self.throw(event)) for formula, event in multi.complex),
        )

    def loop(self, loop: Loop) -> Loop:
        """Twice stands for many times; without a condition once, since states do not count rounds."""
        condition = self.choice(loop.condition) if loop.condition is not None else None
        most = 1 if condition is None else 2
        return replace(loop, condition=condition, maximum=loop.maximum and min(loop.maximum, most))

    def detail(self, node: Node) -> Any:
        detail = node.detail
        match detail:
            case JobSpec():
                return JobSpec(_fixed("work"), _fixed(1), {})
            case UserTaskSpec():
                return UserTaskSpec()
            case DecisionSpec():
                return replace(detail, decision=_fixed("decision"))
            case CallSpec():
                return replace(detail, process=_fixed("process"))
            case Formula():
                return detail  # the activation condition of a complex gateway counts tokens only
            case tuple():
                return (_fixed(None), "result", "")
        if node.kind == "adHocSubProcess":
            completion = self.choice(detail.completion) if detail.completion else None
            return replace(detail, completion=completion, active_elements=None, waits=False, job=None)
        return detail

    def node(self, node: Node, flows: Mapping[str, Flow]) -> Node:
        to_stores = {one.key for one in node.writes}
        return replace(
            node,
            out=tuple(flows[flow.id] for flow in node.out),
            default=flows[node.default.id] if node.default is not None else None,
            inputs=tuple(Assignment(_fixed(None), one.target) for one in node.inputs),
            outputs=tuple(
                Assignment(_fixed(None), one.target) for one in node.outputs if one.target[0] not in to_stores
            ),
            reads=(),
            writes=(),
            loop=self.loop(node.loop) if node.loop else None,
            multi=self.multi(node.multi) if node.multi else None,
            catches=tuple(self.catch(catch) for catch in node.catches),
            throws=tuple(self.throw(result) for result in node.throws),
            detail=self.detail(node),
        )


def abstract_program(program: Program, chooser: Chooser) -> Program:
    """The same diagram, its data left open; ``chooser`` decides every condition."""
    abstraction = _Abstraction(chooser)
    flows = {name: abstraction.flow(flow) for name, flow in program.flows.items()}
    nodes = {name: abstraction.node(node, flows) for name, node in program.nodes.items()}
    return replace(program, flows=flows, nodes=nodes)
