"""Given, when, then; spies; and failures that a person can read."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowkit.errors import InvalidModel
from flowkit.tasks import BpmnError, InvalidHandler, Registry, Retry, task
from flowkit.tasks.library import standard_tasks
from flowkit.testing.bench import Bench
from flowkit.testing.player import ScriptFailed
from flowkit.testing.spies import Spy
from tests.testing.test_player import HEAD, ORDER
from tests.testing.test_plugin import run

pytest_plugins = ["pytester"]
BANK = (
    HEAD
    + """
  <process id="refund" name="退款" isExecutable="true"><startEvent id="s"/>
    <sequenceFlow id="f0" sourceRef="s" targetRef="pay"/>
    <serviceTask id="pay" name="付款"><extensionElements>
      <zeebe:taskDefinition type="bank.transfer" retries="3"/></extensionElements></serviceTask>
    <boundaryEvent id="b" name="银行拒绝" attachedToRef="pay"><errorEventDefinition errorRef="e_rework"/>
    </boundaryEvent>
    <sequenceFlow id="f1" sourceRef="pay" targetRef="ok"/><endEvent id="ok" name="已退"/>
    <sequenceFlow id="f2" sourceRef="b" targetRef="no"/><endEvent id="no" name="未退"/>
  </process>
</definitions>"""
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(
        lambda texts: standard_tasks(books=None, templates={"more.txt": "有增项\n{{ business_key }}"}),
        tmp_path,
    )
    yield made
    made.close()


START = {"message": "下单", "business_key": "T-1", "variables": {"order": "T-1"}}


def test_a_case_goes_as_told(bench: Bench) -> None:
    bench.deploy({"a.bpmn": ORDER.encode()})
    case = bench.given(**START)
    case.then(open=["维修"], ended=False)
    case.when(escalate={"task": "维修", "code": "MORE"})
    case.when(task="维修", by="孙师傅", group="技师", set={"passed": True}).when(message="已签字", key="T-1")
    case.when(wait="PT2H").when(signal="打烊")
    case.then(ended=True, end=["完成", "已通知"], trail=["维修", "等签字"], notices=[{"template": "more"}])
    assert case.trail[-1] == "完成"
    assert case.variables["passed"] is True


def test_a_failure_tells_the_trail_and_where_tokens_stand_and_draws_them(
    bench: Bench, tmp_path: Path
) -> None:
    bench.deploy({"a.bpmn": ORDER.encode()})
    case = bench.given(**START).when(task="维修", set={"passed": True})
    with pytest.raises(ScriptFailed) as caught:
        case.then(trail=["收到订单", "维修", "不合格", "等签字"])
    text = str(caught.value)
    assert "step 2: expected '等签字' in the trail" not in text
    assert "expected '不合格' in the trail after the ones named before it" in text
    assert "a token of order stands at 等签字 (signed)" in text
    assert re.search(r"    收到订单\n    维修\n  - 不合格\n(  \+ .*\n)*    等签字", text), text
    picture = (tmp_path / "failed-2.svg").read_text("utf-8")
    assert str(tmp_path / "failed-2.svg") in text
    assert "<title>a token stands here</title>" in picture
    assert "<title>expected, and not reached</title>" in picture


def test_what_can_t_be_done_is_told_with_the_way_so_far(bench: Bench) -> None:
    bench.deploy({"a.bpmn": ORDER.encode()})
    with pytest.raises(
        ScriptFailed, match=r"'喝茶' open; open are: 维修 \(repair\)\n.*\npassed: 收到订单 → 维修\ndrawn in"
    ):
        bench.given(**START).when(task="喝茶")


def test_wrong_words_are_refused(bench: Bench) -> None:
    with pytest.raises(RuntimeError, match="deploy"):
        bench.given(process="order")
    bench.deploy({"a.bpmn": ORDER.encode()})
    with pytest.raises(TypeError, match="exactly one of process"):
        bench.given(variables={})
    case = bench.given(**START)
    with pytest.raises(TypeError, match="Extra inputs"):
        case.when(task="维修", sets={})
    with pytest.raises(TypeError, match="opened"):
        case.then(opened=[])
    with pytest.raises(InvalidModel):
        bench.deploy({"b.bpmn": b"<a/>"})


def test_a_spy_answers_and_remembers(bench: Bench) -> None:
    pay = bench.spy("bank.transfer").returns({"receipt": "R-1"}, {"receipt": "R-2"})
    bench.deploy({"a.bpmn": BANK.encode()})
    for receipt in ("R-1", "R-2", "R-2"):
        case = bench.given(process="refund", variables={"amount": 3})
        case.then(end=["已退"], variables={"receipt": receipt})
    assert pay.arguments[0] == {"amount": 3}
    assert [call.context.element_id for call in pay.calls] == ["pay"] * 3
    assert bench.spy("bank.transfer") is pay


def test_a_spy_raises_what_it_is_told(bench: Bench) -> None:
    bench.deploy({"a.bpmn": BANK.encode()})
    bench.spy("bank.transfer").raises(Retry("later"), BpmnError("REWORK", "no such account"))
    bench.given(process="refund").when(wait="PT1H").then(end=["未退"])
    assert len(bench.spy("bank.transfer").calls) == 2


def test_a_spy_can_work_its_answer_out(bench: Bench) -> None:
    bench.spy("bank.transfer").does(lambda variables: {"double": 2 * variables["amount"]})
    bench.deploy({"a.bpmn": BANK.encode()})
    bench.given(process="refund", variables={"amount": 4}).then(variables={"double": 8})


def test_a_spy_that_is_told_nothing_lets_the_handler_work(bench: Bench) -> None:
    from tests.cli.test_commands import PARTS  # noqa: PLC0415 only here

    bench.deploy({"a.bpmn": PARTS.replace('<zeebe:formDefinition formId="confirm"/>', "").encode()})
    spy = bench.spy("stock.reserve")
    bench.given(process="parts", variables={"parts": [], "order": "T-1"}).then(open=["确认"])
    assert spy.arguments[0]["order"] == "T-1"


def test_a_handler_inside_the_transaction_must_be_stubbed() -> None:
    @task("write")
    def write(connection: sqlite3.Connection) -> None:
        """Writes."""

    spy = Spy("write", Registry(write).get("write"))
    with pytest.raises(InvalidHandler, match="tell the spy what it returns"):
        spy.handler()(context=None)
    assert spy.returns({"a": 1}).handler()(context=None) == {"a": 1}


def test_an_answer_that_is_no_variables_is_refused() -> None:
    with pytest.raises(TypeError, match="by name"):
        Spy("a").returns(3)  # type: ignore[arg-type]  # what a careless test would do


def test_the_fixture_and_the_words_of_a_failed_simulation(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))
    (pytester.path / "bank.bpmn").write_text(BANK, "utf-8")
    pytester.makepyfile(
        """
        from flowkit.simulation import Estimate, hours, minutes

        def test_a_refund(bench):
            pay = bench.spy("bank.transfer").returns({"receipt": "R-1"})
            bench.deploy("bank.bpmn")
            bench.given(process="refund").then(end=["已退"])
            assert len(pay.calls) == 1

        def test_it_is_quick():
            assert Estimate(13000.0, 2000.0, 10) < hours(4)

        def test_it_is_slow():
            assert Estimate(20000.0, 2000.0, 10) < hours(4)
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*as a time: 3h 37m ± 33m 20s < 4h*",
            "*the interval goes from 11,000 to 15,000 (95%, 10 replications)",
            "*the bound lies within the interval: undecided, more replications make it narrower",
            "*with 95% confidence it is above the bound",
        ]
    )
