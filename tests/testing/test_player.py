"""Scripts played on small diagrams: every kind of step, every expectation, every way to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.errors import InvalidModel
from flowkit.tasks.library import standard_tasks
from flowkit.testing.player import Player, ScriptFailed
from flowkit.testing.script import parse_script
from flowkit.testing.trail import TrailLine

HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  id="d" targetNamespace="http://example.org/t">
  <message id="m_signed" name="已签字"><extensionElements><zeebe:subscription correlationKey="=order"/>
  </extensionElements></message>
  <message id="m_order" name="下单"/>
  <signal id="s_close" name="打烊"/>
  <error id="e_rework" name="返工" errorCode="REWORK"/>
  <escalation id="x_more" name="增项" escalationCode="MORE"/>"""
ORDER = (
    HEAD
    + """
  <process id="order" name="订单" isExecutable="true">
    <startEvent id="start" name="收到订单"><messageEventDefinition messageRef="m_order"/></startEvent>
    <sequenceFlow id="f0" sourceRef="start" targetRef="repair"/>
    <userTask id="repair" name="维修"><extensionElements><zeebe:userTask/>
      <zeebe:assignmentDefinition candidateGroups="技师"/></extensionElements></userTask>
    <boundaryEvent id="rework" name="须返工" attachedToRef="repair">
      <errorEventDefinition errorRef="e_rework"/></boundaryEvent>
    <sequenceFlow id="f1" sourceRef="rework" targetRef="repair"/>
    <boundaryEvent id="more" name="有增项" attachedToRef="repair" cancelActivity="false">
      <escalationEventDefinition escalationRef="x_more"/></boundaryEvent>
    <sequenceFlow id="f2" sourceRef="more" targetRef="tell"/>
    <serviceTask id="tell" name="通知客户"><extensionElements><zeebe:taskDefinition type="notify"/>
      <zeebe:ioMapping><zeebe:input source="客户" target="recipients"/></zeebe:ioMapping>
      <zeebe:taskHeaders><zeebe:header key="template" value="more"/></zeebe:taskHeaders></extensionElements>
    </serviceTask>
    <sequenceFlow id="f3" sourceRef="tell" targetRef="told"/>
    <endEvent id="told" name="已通知"/>
    <sequenceFlow id="f4" sourceRef="repair" targetRef="ok"/>
    <exclusiveGateway id="ok" name="合格?" default="f6"/>
    <sequenceFlow id="f5" name="是" sourceRef="ok" targetRef="signed">
      <conditionExpression xsi:type="tFormalExpression">=passed</conditionExpression></sequenceFlow>
    <sequenceFlow id="f6" name="否" sourceRef="ok" targetRef="failed"/>
    <endEvent id="failed" name="不合格"/>
    <intermediateCatchEvent id="signed" name="等签字"><messageEventDefinition messageRef="m_signed"/>
    </intermediateCatchEvent>
    <sequenceFlow id="f7" sourceRef="signed" targetRef="wait"/>
    <intermediateCatchEvent id="wait" name="等两小时"><timerEventDefinition>
      <timeDuration xsi:type="tFormalExpression">PT2H</timeDuration></timerEventDefinition>
    </intermediateCatchEvent>
    <sequenceFlow id="f8" sourceRef="wait" targetRef="closing"/>
    <intermediateCatchEvent id="closing" name="等打烊"><signalEventDefinition signalRef="s_close"/>
    </intermediateCatchEvent>
    <sequenceFlow id="f9" sourceRef="closing" targetRef="done"/>
    <endEvent id="done" name="完成"/>
  </process>
</definitions>"""
)
DAILY = (
    HEAD
    + """
  <process id="daily" name="每日" isExecutable="true">
    <startEvent id="start" name="每天"><timerEventDefinition>
      <timeCycle xsi:type="tFormalExpression">R/P1D</timeCycle></timerEventDefinition></startEvent>
    <sequenceFlow id="f0" sourceRef="start" targetRef="look"/>
    <userTask id="look" name="看一看"><extensionElements><zeebe:userTask/></extensionElements></userTask>
    <sequenceFlow id="f1" sourceRef="look" targetRef="done"/>
    <endEvent id="done" name="看过"/>
  </process>
</definitions>"""
)
START = "start: {message: 下单, business_key: T-1, variables: {order: T-1, due: 2025-03-03}}\n"


class Stage:
    def __init__(self, url: str = "memory:") -> None:
        books = None if url.startswith("memory") else url
        self.handlers = standard_tasks(books=books, templates={"more.txt": "有增项\n{{ business_key }}"})
        self.lines: list[TrailLine] = []
        self.url = url

    def play(
        self,
        script: str,
        diagram: str = ORDER,
        *,
        more: str = "",
        key: str | None = None,
        again: bool = False,
    ) -> Player:
        plan = parse_script(script.encode(), file="script.yaml")
        with Engine(self.url, tasks=self.handlers.registry, clock=VirtualClock(plan.now)) as engine:
            engine.deploy({"a.bpmn": diagram.encode()} | ({"b.bpmn": more.encode()} if more else {}))
            player = Player(
                engine, plan, handlers=self.handlers, tell=self.lines.append, key=key, again=again
            )
            player.play()
            return player


@pytest.fixture
def stage() -> Stage:
    return Stage()


def failure(stage: Stage, script: str, **options: str) -> str:
    with pytest.raises(ScriptFailed) as caught:
        stage.play(script, **options)
    return str(caught.value)


WHOLE = (
    START
    + """
steps:
  - {expect: {open: [维修], ended: false, variables: {due: "2025-03-03"}}}
  - {error: {task: 维修, code: REWORK}}
  - {escalate: {task: repair, code: MORE}}
  - {task: 喝茶, if_open: true}
  - {task: 维修, by: 孙师傅, group: 技师, set: {passed: true}}
  - {message: 已签字, key: T-1}
  - {wait: PT1H}
  - {expect: {open: [], ended: false}}
  - {until: 2025-03-03T11:00:00+08:00}
  - {signal: 打烊}
expect:
  ended: true
  end: [完成, told]
  passed: [repair, 等打烊]
  not_passed: [不合格]
  trail: [维修, 通知客户, 等签字, 等打烊]
  variables: {passed: true}
  notices: [{template: more, to: 客户, channel: 短信, status: sent}]
  incidents: 0
"""
)


def test_a_whole_script(stage: Stage) -> None:
    player = stage.play(WHOLE)
    assert player.engine.clock.now().isoformat() == "2025-03-03T11:00:00+08:00"
    told = [(line.kind, line.name or line.element, line.text) for line in stage.lines]
    assert told == [
        ("start", "收到订单", "订单 T-1"),
        ("task", "维修", "error"),
        ("error", "维修", "REWORK"),
        ("escalation", "维修", "MORE"),
        ("job", "通知客户", "notify"),
        ("event", "已通知", "end"),
        ("user", "维修", "孙师傅 passed=是"),
        ("gateway", "合格?", "是"),
        ("message", "等签字", "← 已签字"),
        ("timer", "等两小时", "fired"),
        ("signal", "等打烊", "← 打烊"),
        ("event", "完成", "end"),
        ("end", "", "订单: completed"),
    ]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("steps: [{task: 喝茶}]", "step 1: expected the task '喝茶' open; open are: 维修 (repair)"),
        ("steps: [{task: 维修, nth: 2}]", "2 times open"),
        ("steps: [{task: 维修, group: 前台}]", "to be a task of '前台', found: 技师"),
        ("expect: {ended: true}", "at the end: expected the process to have ended, it is active at 维修"),
        ("expect: {open: [喝茶]}", "expected the task '喝茶' to be open; open are: 维修"),
        ("expect: {open: []}", "expected no open task, found 维修"),
        ("expect: {end: [完成]}", "expected the ends 完成, reached none"),
        ("expect: {passed: [喝茶]}", "expected to pass 喝茶"),
        ("expect: {not_passed: [维修]}", "expected not to pass 维修"),
        ("expect: {trail: [维修, start]}", "expected 'start' in the trail after"),
        ("expect: {variables: {a: 1}}", "expected the variable a = 1, found none"),
        ("expect: {variables: {order: 1}}", "expected the variable order = 1, found 'T-1'"),
        ("expect: {notices: [{to: 客户}]}", "sent were: none"),
        ("expect: {incidents: 1}", "expected 1 incidents, found 0"),
    ],
)
def test_what_does_not_hold_is_told(stage: Stage, rest: str, message: str) -> None:
    assert message in failure(stage, START + rest)


def test_an_unexpected_end_is_told(stage: Stage) -> None:
    script = START + "steps: [{task: 维修, set: {passed: false}}]\nexpect: {end: [], ended: true}"
    assert "expected the ends none, reached 不合格" in failure(stage, script)


def test_the_end_of_a_subprocess_is_not_the_process_s_own(stage: Stage) -> None:
    inner = """<process id="outer" isExecutable="true"><startEvent id="s"/>
      <sequenceFlow id="o0" sourceRef="s" targetRef="u"/>
      <subProcess id="u"><startEvent id="us"/><sequenceFlow id="u0" sourceRef="us" targetRef="ue"/>
      <endEvent id="ue" name="里面完了"/></subProcess>
      <sequenceFlow id="o1" sourceRef="u" targetRef="e"/><endEvent id="e" name="全部完了"/>
      </process></definitions>"""
    begin = "start: {process: outer}\n"
    stage.play(begin + "expect: {end: [全部完了], passed: [里面完了]}", diagram=HEAD + inner)
    told = failure(stage, begin + "expect: {end: [全部完了, 里面完了]}", diagram=HEAD + inner)
    assert "reached 全部完了; 里面完了 ends a subprocess: say passed" in told


def test_a_script_that_starts_nothing_fails(stage: Stage) -> None:
    assert "nothing was started" in failure(stage, "start: {message: 无人}")


def test_a_timer_may_start_the_process(stage: Stage) -> None:
    player = stage.play(
        "start: {timer: daily}\nsteps: [{task: 看一看}]\nexpect: {end: [看过]}", diagram=DAILY
    )
    assert player.engine.clock.now().isoformat() == "2025-03-04T09:00:00+08:00"


def test_what_other_timers_start_is_not_part_of_the_run(stage: Stage) -> None:
    player = stage.play(START + "steps: [{wait: P3D}]\nexpect: {open: [维修]}", more=DAILY)
    assert len(player.observer.instances()) == 1


def test_a_run_that_failed_goes_on_from_the_step_that_failed(tmp_path: Path) -> None:
    stage = Stage(f"sqlite:///{tmp_path / 'run.db'}")
    broken = WHOLE.replace("{message: 已签字, key: T-1}", "{task: 喝茶}")
    with pytest.raises(ScriptFailed, match="step 6"):
        stage.play(broken, key="k")
    assert stage.play(WHOLE, key="k").resumed
    before = len(stage.lines)
    assert stage.play(WHOLE, key="k").engine.clock is not None
    assert len(stage.lines) > before
    assert not stage.play(WHOLE, key="k", again=True).resumed


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("start: {}", "start: expected exactly one of process, message, signal, timer; found none"),
        ("start: {process: a, message: b}", "found process and message"),
        ("start: {process: a}\nstep: []", "step: Extra inputs"),
        ("start: {process: a}\nsteps: [{tusk: a}]", "steps → 1: expected exactly one of task, message"),
        ("start: {process: a}\nsteps: [a]", "expected a step such as {task: …}, found 'a'"),
        ("start: {process: a}\nsteps: [{task: a, sets: {}}]", "sets"),
        ("start: {process: a}\nsteps: [{wait: soon}]", "wait"),
        ("start: {process: a}\nsteps: [{wait: -PT1H}]", "greater than or equal to"),
        ("start: [", "script.yaml:1"),
        ("- a", "the script: "),
    ],
)
def test_a_wrong_script_is_refused_with_the_place(script: str, message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        parse_script(script.encode(), file="script.yaml")
    assert message in str(caught.value)


def test_times_without_a_zone_are_shanghais() -> None:
    plan = parse_script(b"now: 2025-03-03T09:00:00\nstart: {process: a}")
    assert plan.now.utcoffset().total_seconds() == 8 * 3600
