"""Conditional start events start what is true for the given facts, once each, in one transaction."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowkit.engine import Engine
from flowkit.errors import NotFound
from tests.engine.diagrams import element, file, process, user

Make = Callable[..., Engine]


def watching(process_id: str, condition: str) -> bytes:
    definition = (
        "<bpmn:conditionalEventDefinition>"
        f'<bpmn:condition xsi:type="bpmn:tFormalExpression">={condition}</bpmn:condition>'
        "</bpmn:conditionalEventDefinition>"
    )
    nodes = [element("startEvent", "low", definition), user("u"), element("endEvent", "end")]
    return file("", process(process_id, *nodes, flows=[("low", "u"), ("u", "end")]))


def test_what_is_true_starts_with_the_facts(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": watching("p", "stock &lt; 5"), "q.bpmn": watching("q", "stock &lt; 2")})
    assert engine.evaluate_conditions({"stock": 9}) == []
    [case] = engine.evaluate_conditions({"stock": 3})
    assert engine.instance(case).process_id == "p"
    assert engine.instance(case).variables == {"stock": 3}
    assert len(engine.evaluate_conditions({"stock": 1})) == 2
    assert len(engine.evaluate_conditions({"stock": 1}, "q")) == 1


def test_a_condition_that_is_null_starts_nothing(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": watching("p", "stock &lt; 5")})
    assert engine.evaluate_conditions({}) == []


def test_an_unknown_process_is_rejected(make: Make) -> None:
    with pytest.raises(NotFound):
        make().evaluate_conditions({}, "nope")
