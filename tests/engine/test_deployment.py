"""Deployments: files that belong together, and what they refer to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowkit.engine import Engine
from flowkit.engine.views import Deployment
from flowkit.errors import InvalidModel
from flowkit.feel import HostFunction
from tests.dmn.models import decision, definitions, knowledge, literal
from tests.engine.diagrams import call, element, extended, file, process, row, timer, user

Make = Callable[..., Engine]

IMPORT = '<import name="rates" namespace="rates" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>'
PRICE = definitions(
    IMPORT, decision("price", literal("rates.hourly(2)"), ["rates#k_hourly"]), namespace="price"
)


def rates(per_hour: int) -> bytes:
    return definitions(knowledge("hourly", {"h": "number"}, literal(f"h * {per_hour}")), namespace="rates")


def decides(name: str, binding: str = "") -> str:
    called = f'<zeebe:calledDecision decisionId="{name}" resultVariable="r" {binding}/>'
    return element("businessRuleTask", "rule", extended(called))


def result_of(engine: Engine, version: int | None = None) -> object:
    return engine.instance(engine.start("p", version=version)).variables["r"]


def test_decisions_are_kept_with_the_files_that_they_import(make: Make) -> None:
    engine = make()
    caller = row("p", decides("price", 'bindingType="deployment"'), user("u"))
    files = {"p.bpmn": caller, "a.dmn": PRICE, "z.dmn": rates(150)}
    engine.deploy(files)
    assert result_of(engine) == 300
    # Only the imported file is new: the decision that imports it is another one, too.
    second = engine.deploy({**files, "p.bpmn": caller + b" ", "z.dmn": rates(200)})
    assert {(one.kind, one.id): one.version for one in second.definitions} == {
        ("decision", "price"): 2, ("process", "p"): 2,
    }  # fmt: skip
    assert result_of(engine) == 400
    assert result_of(engine, version=1) == 300
    assert {view.version for view in engine.deploy(files).definitions} == {3}


def test_a_bundle_is_read_again_by_another_engine(make: Make, url: str) -> None:
    caller = row("p", decides("price"), user("u"))
    make().deploy({"p.bpmn": caller, "in/a.dmn": PRICE, "in/z.dmn": rates(150)})
    other = make()
    assert result_of(other) == 300
    assert other.deploy({"b.dmn": PRICE, "y.dmn": rates(150)}).definitions[0].version == 1


def test_a_decision_is_bound_by_its_version_tag(make: Make) -> None:
    def tagged(tag: str, value: int) -> bytes:
        space = 'xmlns:camunda="http://camunda.org/schema/1.0/dmn"'
        text = definitions(decision("off", literal(str(value))), attributes=space).decode()
        return text.replace("<decision ", f'<decision camunda:versionTag="{tag}" ').encode()

    engine = make()
    engine.deploy({"d.dmn": tagged("spring", 5)})
    engine.deploy({"d.dmn": tagged("autumn", 9)})
    assert [view.version_tag for view in engine.definitions("decision")] == ["spring", "autumn"]
    engine.deploy(
        {"p.bpmn": row("p", decides("off", 'bindingType="versionTag" versionTag="spring"'), user("u"))}
    )
    assert result_of(engine) == 5


def test_decisions_have_the_functions_of_the_engine(make: Make) -> None:
    functions = {"taxed price": HostFunction("taxed price", ("n",), lambda n: n * 2)}
    engine = make(functions=functions)
    engine.deploy(
        {
            "p.bpmn": row("p", decides("taxed"), user("u")),
            "d.dmn": definitions(decision("taxed", literal("taxed price(21)"))),
        }
    )
    assert result_of(engine) == 42


def warned(deployment: Deployment) -> list[tuple[str, int, str]]:
    return [(one.element_id, one.location.line, one.message) for one in deployment.warnings]


def test_a_deployment_warns_of_what_it_calls_and_nobody_has(make: Make) -> None:
    engine = make()
    caller = row("p", call("c", "q"), decides("off"), user("u", form="payment"))
    first = engine.deploy({"p.bpmn": caller})
    assert [(node, message) for node, _, message in warned(first)] == [
        ("c", "there is no process or decision 'q'."),
        ("rule", "there is no decision 'off'."),
        ("u", "there is no form 'payment'."),
    ]
    assert all(line for _, line, _ in warned(first))
    second = engine.deploy({"q.bpmn": row("q"), "d.dmn": definitions(decision("off", literal("1")))})
    assert second.warnings == ()
    third = engine.deploy({"p.bpmn": caller})
    assert [node for node, _, _ in warned(third)] == ["u"]


def test_a_reference_to_the_same_deployment_is_looked_for_there(make: Make) -> None:
    engine = make()
    engine.deploy({"q.bpmn": row("q")})
    bound = engine.deploy({"p.bpmn": row("p", call("c", "q", "deployment"))})
    assert warned(bound)[0][2] == "there is no process or decision 'q' in the same deployment."
    tagged = engine.deploy({"p.bpmn": row("p", call("c", "q", "versionTag", "v9"))})
    assert "with the version tag 'v9'" in warned(tagged)[0][2]


def test_what_is_called_in_another_file_can_be_called(make: Make) -> None:
    engine = make()
    timed = element("startEvent", "start", timer("timeDuration", "PT1H"))
    waits = file(process("q", timed, element("endEvent", "end"), flows=[("start", "end")]))
    with pytest.raises(InvalidModel) as refusal:
        engine.deploy({"p.bpmn": row("p", call("c", "q")), "q.bpmn": waits})
    assert [(f.rule, f.element_id, f.location.file) for f in refusal.value.findings] == [
        ("called-process", "c", "p.bpmn")
    ]
    assert engine.deploy({"p.bpmn": row("p", call("c", "q")), "q.bpmn": row("q")}).warnings == ()
