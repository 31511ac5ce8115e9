"""Calls, decisions and forms: answered in the transaction that asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.errors import InvalidModel, InvalidPayload, WrongState
from flowkit.kernel import protocol as p
from tests.engine.diagrams import call, catch, element, extended, file, process, row, timer, user

Make = Callable[..., Engine]


def test_a_called_process_runs_and_returns(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", call("c", "q"), user("after")), "q.bpmn": row("q", user("inside"))})
    case = engine.start("p", {"a": 1}, business_key="WO-9")
    [todo] = engine.tasks()
    assert todo.process_id == "q"
    child = engine.instance(todo.instance_id)
    assert (child.parent, child.business_key, child.variables) == (case, "WO-9", {"a": 1})
    engine.complete(todo, {"b": 2})
    assert engine.instance(case).active_elements == ("after",)
    assert engine.instance(case).variables == {"a": 1, "b": 2}


def test_a_call_that_ends_at_once_leaves_no_trace_of_waiting(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", call("c", "q"), call("d", "q")), "q.bpmn": row("q")})
    assert engine.instance(engine.start("p")).status == "completed"


def test_a_call_of_nothing_is_an_incident_that_can_be_resolved(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", call("c", "q"))})
    case = engine.start("p")
    [incident] = engine.incidents(case)
    assert "'q'" in incident.message
    engine.deploy({"q.bpmn": row("q")})
    engine.resolve(incident)
    assert engine.instance(case).status == "completed"


def test_cancelling_the_caller_cancels_the_called(make: Make) -> None:
    engine = make()
    engine.deploy(
        {
            "p.bpmn": row("p", call("c", "q")),
            "q.bpmn": row("q", call("d", "r")),
            "r.bpmn": row("r", user("u")),
        }
    )
    case = engine.start("p")
    engine.cancel(case)
    assert engine.tasks() == []
    assert {view.status for view in engine.instances()} == {"cancelled"}


def test_cancelling_the_called_is_an_incident_of_the_caller(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", call("c", "q")), "q.bpmn": row("q", user("u"))})
    case = engine.start("p")
    engine.cancel(engine.tasks()[0].instance_id)
    [incident] = engine.incidents(case)
    engine.resolve(incident)
    [todo] = engine.tasks()
    engine.complete(todo)
    assert engine.instance(case).status == "completed"


def test_a_process_that_calls_itself_for_ever_ends_in_an_incident(make: Make) -> None:
    engine = make()
    nodes = (
        element("startEvent", "s"),
        element("exclusiveGateway", "g"),
        call("c", "p"),
        element("endEvent", "e"),
    )
    ways = [("s", "g"), ("g", "c", "true"), ("g", "e", "false"), ("c", "e")]
    engine.deploy({"p.bpmn": file(process("p", *nodes, flows=ways))})
    engine.start("p")
    [incident] = engine.incidents()
    assert "deep" in incident.message


def test_a_suspended_caller_learns_of_the_end_when_it_is_resumed(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", call("c", "q")), "q.bpmn": row("q", user("u"))})
    case = engine.start("p")
    engine.suspend(case)
    engine.complete(engine.tasks()[0], {"b": 2})
    assert engine.run_until_idle() == 0
    assert engine.instance(case).status == "suspended"
    engine.resume(case)
    engine.run_until_idle()
    view = engine.instance(case)
    assert (view.status, view.variables) == ("completed", {"b": 2})


def test_an_error_of_the_called_is_caught_by_the_caller(make: Make) -> None:
    error = '<bpmn:error id="e" name="e" errorCode="NO"/>'
    throw = element("endEvent", "end", '<bpmn:errorEventDefinition errorRef="e"/>')
    child = file(error, process("q", element("startEvent", "start"), throw, flows=[("start", "end")]))
    boundary = (
        '<bpmn:boundaryEvent id="caught" attachedToRef="c">'
        '<bpmn:errorEventDefinition errorRef="e"/></bpmn:boundaryEvent>'
    )
    nodes = [element("startEvent", "start"), call("c", "q"), boundary, user("repair")]
    nodes += [element("endEvent", "end"), element("endEvent", "end2")]
    flows = [("start", "c"), ("c", "end"), ("caught", "repair"), ("repair", "end2")]
    engine = make()
    engine.deploy({"p.bpmn": file(error, process("p", *nodes, flows=flows)), "q.bpmn": child})
    case = engine.start("p")
    assert engine.instance(case).active_elements == ("repair",)


@pytest.mark.parametrize(
    ("binding", "found"), [("latest", "new"), ("deployment", "old"), ("versionTag", "old")]
)
def test_a_call_is_bound_as_the_diagram_says(make: Make, binding: str, found: str) -> None:
    def child(name: str, tag: str) -> bytes:
        text = row("q", user(name)).decode()
        inner = extended(f'<zeebe:versionTag value="{tag}"/>')
        return text.replace('isExecutable="true">', f'isExecutable="true">{inner}').encode()

    engine = make()
    caller = row("p", call("c", "q", binding, "v1" if binding == "versionTag" else ""))
    engine.deploy({"p.bpmn": caller, "q.bpmn": child("old", "v1")})
    engine.deploy({"q.bpmn": child("new", "v2")})
    engine.start("p")
    assert [todo.element_id for todo in engine.tasks()] == [found]


DECISION = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="http://example.com">
  <decision id="discount" name="discount">
    <variable name="discount" typeRef="number"/>
    <decisionTable hitPolicy="UNIQUE">
      <input><inputExpression typeRef="number"><text>amount</text></inputExpression></input>
      <output name="discount" typeRef="number"/>
      <rule><inputEntry><text>&lt; 100</text></inputEntry><outputEntry><text>0</text></outputEntry></rule>
      <rule><inputEntry><text>&gt;= 100</text></inputEntry><outputEntry><text>10</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>"""


def _decides() -> bytes:
    called = extended('<zeebe:calledDecision decisionId="discount" resultVariable="off"/>')
    return row("p", element("businessRuleTask", "rule", called), user("u"))


def test_a_decision_is_answered_at_once(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": _decides(), "d.dmn": DECISION.encode()})
    case = engine.start("p", {"amount": 150})
    assert engine.instance(case).variables["off"] == 10


def test_a_missing_decision_is_an_incident(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": _decides()})
    case = engine.start("p", {"amount": 150})
    [incident] = engine.incidents(case)
    engine.deploy({"d.dmn": DECISION.encode()})
    engine.resolve(incident)
    assert engine.instance(case).variables["off"] == 10


def test_a_call_activity_can_call_a_decision(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", call("c", "discount"), user("u")), "d.dmn": DECISION.encode()})
    case = engine.start("p", {"amount": 150})
    assert engine.instance(case).variables["discount"] == 10
    [closed] = [entry.event for entry in engine.history(case) if isinstance(entry.event, p.CallClosed)]
    assert closed.evaluation[0]["name"] == "discount"


FORM = (
    b'{"$id": "payment", "type": "object", "required": ["amount"],'
    b' "properties": {"amount": {"type": "number", "minimum": 0}}}'
)


def test_a_form_checks_what_completes_its_task(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u", form="payment")), "payment.json": FORM})
    case = engine.start("p")
    [todo] = engine.tasks(case)
    with pytest.raises(InvalidPayload):
        engine.complete(todo, {"amount": -1})
    with pytest.raises(InvalidPayload):
        engine.complete(todo, {})
    assert engine.tasks(case) == [todo]
    engine.complete(todo, {"amount": 5})
    assert engine.instance(case).variables == {"amount": 5}


def test_a_task_has_one_owner(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u", groups="前台"))})
    case = engine.start("p")
    [todo] = engine.tasks(group="前台", assigned=False)
    engine.claim(todo, "王芳")
    engine.claim(todo, "王芳")
    with pytest.raises(WrongState, match="王芳"):
        engine.claim(todo, "李雷")
    with pytest.raises(WrongState):
        engine.complete(todo, user="李雷")
    with pytest.raises(WrongState):
        engine.delegate(todo, "韩梅梅", user="李雷")
    engine.delegate(todo, "韩梅梅", user="王芳")
    assert [found.id for found in engine.tasks(user="韩梅梅")] == [todo.id]
    assert engine.tasks(user="王芳") == []
    engine.unclaim(todo)
    assert engine.task(todo.id).assignee is None
    engine.assign(todo, "李雷")
    engine.complete(todo, user="李雷")
    assert engine.instance(case).status == "completed"


def test_deployment_is_all_or_nothing(make: Make) -> None:
    engine = make()
    with pytest.raises(InvalidModel):
        engine.deploy({"p.bpmn": row("p", user("u")), "q.bpmn": b"<nonsense/>"})
    assert engine.definitions() == []
    with pytest.raises(InvalidModel, match="duplicate"):
        engine.deploy({"p.bpmn": row("p", user("u")), "again.bpmn": row("p", user("v"))})


def test_equal_content_keeps_its_version(make: Make) -> None:
    engine = make()
    first = engine.deploy({"p.bpmn": row("p", user("u"))})
    same = engine.deploy({"p.bpmn": row("p", user("u"))})
    other = engine.deploy({"p.bpmn": row("p", user("v"))})
    assert [deployment.definitions[0].version for deployment in (first, same, other)] == [1, 1, 2]


def test_instances_stay_on_their_version(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", catch("t", timer("timeDuration", "PT1H")), user("old"))})
    old = engine.start("p")
    engine.deploy({"p.bpmn": row("p", user("new"))})
    engine.advance(timedelta(hours=1))
    assert engine.instance(old).active_elements == ("old",)
    assert engine.instance(engine.start("p")).active_elements == ("new",)
    assert engine.instance(engine.start("p", version=1)).version == 1


GLOBAL = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">'
    '<globalScriptTask id="double" scriptLanguage="feel"><script>{r: n * 2}</script></globalScriptTask>'
    '<globalUserTask id="ask" name="回访"/><process id="p" isExecutable="true"><startEvent id="s"/>'
    '<callActivity id="c" calledElement="double"/><callActivity id="u" calledElement="ask"/>'
    '<endEvent id="e"/>'
    '<sequenceFlow id="f1" sourceRef="s" targetRef="c"/><sequenceFlow id="f2" sourceRef="c" targetRef="u"/>'
    '<sequenceFlow id="f3" sourceRef="u" targetRef="e"/></process></definitions>'
)


def test_global_tasks_are_called_like_processes(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": GLOBAL.encode()})
    case = engine.start("p", {"n": 4})
    [todo] = engine.tasks()
    assert todo.name == "回访"
    engine.complete(todo, {"x": 1})
    assert engine.instance(case).variables == {"n": 4, "r": 8, "x": 1}
