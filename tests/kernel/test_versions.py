"""Snapshots, history and migration."""

from __future__ import annotations

import json

import pytest

from flowkit.errors import FlowkitError, NotFound, Rejected, WrongState
from flowkit.kernel import (
    check_migration,
    codec,
    compile_process,
    decode_event,
    decode_events,
    decode_instance,
    encode_event,
    encode_events,
    encode_instance,
    migrate,
    new_instance,
    replay,
    step,
)
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Subscription, Timer, UserTask
from tests.kernel.diagrams import (
    NOW,
    Run,
    both,
    boundary,
    compiled,
    element,
    end,
    event_sub,
    job,
    log,
    many,
    message,
    script,
    start,
    sub,
    timer,
    user,
)


def test_events_and_instances_go_through_bytes() -> None:
    run = Run(compiled(start(), user("a"), flows="s > a"))
    assert decode_events(encode_events(run.events)) == run.events
    assert [decode_event(encode_event(event)) for event in run.events] == run.events
    assert decode_instance(encode_instance(run.instance)) == run.instance


@pytest.mark.parametrize("data", [b"", b"x {}", b"1 {", b"1 []", b'9 {"id":"i"}', b'0 {"id":"i"}'])
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(FlowkitError):
        decode_instance(data)


def test_an_old_snapshot_is_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(compiled(start(), user("a"), flows="s > a"))
    body = json.loads(encode_instance(run.instance).partition(b" ")[2])
    body["name_of_yore"] = body.pop("process")
    monkeypatch.setitem(codec.UPCASTERS, 0, lambda raw: {**raw, "process": raw["name_of_yore"]})
    assert decode_instance(b"0 " + json.dumps(body).encode()) == run.instance


def test_an_instance_keeps_to_its_program() -> None:
    one = compiled(start(), user("a"), flows="s > a")
    other = compiled(start(), user("a"), user("b"), flows="s > a; a > b")
    run = Run(one)
    with pytest.raises(WrongState, match="runs on program"):
        step(other, run.instance, p.Suspend(), now=NOW)
    with pytest.raises(WrongState, match="Start must come"):
        step(one, new_instance(one, "x"), p.Suspend(), now=NOW)


def test_migration_to_the_identical_version_is_the_identity() -> None:
    program = compiled(start(), user("a"), flows="s > a")
    run = Run(program)
    before = encode_instance(run.instance)
    assert migrate(program, program, run.instance, now=NOW) == []
    assert encode_instance(run.instance) == before


def test_migration_arms_new_events_disarms_old_ones_and_goes_on() -> None:
    old = compiled(
        start(), both("f"), user("a"), boundary("t1", "a", timer("Duration", "PT1H")), user("b"), both("j"),
        event_sub("h1", start("hs1", message("M")), flows=""),
        flows="s > f; f > a; f > b; a > j; b > j",
    )  # fmt: skip
    new = compiled(
        start(), both("f"), user("aa"), boundary("t2", "aa", message("N")), log("x"), user("b"), both("jj"), log("z"),
        event_sub("h2", start("hs2", message("M")), log("hx"), flows="hs2 > hx"),
        flows="s > f; f > aa; f > b; aa > jj; b > jj; jj > z; t2 > x",
    )  # fmt: skip
    run = Run(old)
    run.complete("b")
    ids = {"a": "aa", "j": "jj", "b_j": "b_jj"}
    assert check_migration(old, new, run.instance, ids) == []
    events = migrate(old, new, run.instance, ids, now=NOW)
    assert replay(new_instance(old, "i"), run.events + events) == run.instance
    run.program = new
    run.events = []
    assert not run.waits(Timer)
    assert sorted(w.node for w in run.waits(Subscription)) == ["hs2", "t2"]
    task = run.waits(UserTask)[0]
    assert task.node == "aa"
    step(new, run.instance, p.CompleteUserTask(task.key), now=NOW)
    assert run.instance.status == "completed"


def test_migration_names_every_obstacle() -> None:
    old = compiled(
        start(), both("f"), user("a"), user("b", many("[1,2]")), both("j"), user("c"),
        sub("u", start("us"), user("w"), flows="us > w"), job("d"),
        flows="s > f; f > a; f > b; f > u; f > c; f > d; a > j; b > j",
    )  # fmt: skip
    new = compiled(
        start(), both("f"), job("a"), user("b", many("[1,2]", sequential=True)), both("j"), element("task", "d"),
        user("u"), user("w"),
        flows="s > f; f > a; f > b; f > u; f > w; f > d; a > j; b > j",
    )  # fmt: skip
    run = Run(old)
    found = {
        obstacle.element: obstacle.message
        for obstacle in check_migration(old, new, run.instance, {"zz": "a"})
    }
    assert {"zz", "a", "b", "c", "u", "w", "d"} <= set(found)
    with pytest.raises(Rejected, match="'c' is active"):
        migrate(old, new, run.instance, now=NOW)
    done = Run(compiled(start(), end(), flows="s > e"))
    assert "completed" in check_migration(done.program, done.program, done.instance)[0].message
    with pytest.raises(WrongState):
        migrate(new, old, run.instance, now=NOW)


def test_migration_knows_what_waits_at_joins_and_what_can_be_compensated() -> None:
    old = compiled(
        start(), script("k", "1", "n"), boundary("b_u", "k", "<bpmn:compensateEventDefinition/>"),
        script("un", "2", "n", isForCompensation=True),
        '<bpmn:association id="as" sourceRef="b_u" targetRef="un"/>',
        both("f"), user("a"), both("j"), flows="s > k; k > f; f > a; f > j; a > j",
    )  # fmt: skip
    new = compiled(start(), both("f"), user("a"), both("j"), flows="s > f; f > a; a > j")
    run = Run(old)
    told = {obstacle.element for obstacle in check_migration(old, new, run.instance)}
    assert told == {"k", "f_j"}


def test_a_new_event_that_can_not_be_armed_forbids_migration() -> None:
    old = compiled(start(), user("a"), flows="s > a")
    new = compiled(
        start(), user("a"), boundary("t", "a", timer("Duration", "=wait")), end(), flows="s > a; t > e"
    )
    run = Run(old)
    with pytest.raises(Rejected, match="armed"):
        migrate(old, new, run.instance, now=NOW)


# ---- what a program says of itself ----------------------------------------------------------


def test_a_program_tells_what_it_needs() -> None:
    call = element("callActivity", "c", calledElement="other")
    decision = element(
        "businessRuleTask", "d",
        extensions='<zeebe:calledDecision decisionId="D1" resultVariable="r" bindingType="versionTag" versionTag="v1"/>',
    )  # fmt: skip
    form = user("f", extensions='<zeebe:formDefinition formId="F" bindingType="deployment"/>')
    program = compiled(start(), job("j", "pack"), call, decision, form, end("m", "", extensions=
        '<zeebe:taskDefinition type="send"/>'), flows="s > j; j > c; c > d; d > f; f > m")  # fmt: skip
    assert program.job_types == {"pack", "send"}
    assert [one.id for one in program.called_processes] == ["other"]
    assert [(one.id, one.binding, one.version_tag) for one in program.called_decisions] == [
        ("D1", "versionTag", "v1")
    ]
    assert [(one.id, one.binding) for one in program.forms] == [("F", "deployment")]
    assert program.label("j") == "j"
    assert program.label("s_j") == "s_j"
    assert program.label("nothing") == "nothing"
    assert program.node("j").kind == "serviceTask"
    assert "serviceTask" in repr(program.node("j"))
    with pytest.raises(NotFound):
        compile_process(program.definitions, "nope")


def test_an_end_event_can_be_a_workers_job() -> None:
    program = compiled(start(), end("m", "", extensions='<zeebe:taskDefinition type="send"/>'), flows="s > m")
    run = Run(program)
    run.complete("m")
    assert run.status == "completed"


def test_a_global_task_is_called_like_a_process() -> None:
    roots = (
        '<bpmn:globalScriptTask id="G" name="twice"><bpmn:extensionElements>'
        '<zeebe:script expression="=n * 2" resultVariable="n"/></bpmn:extensionElements></bpmn:globalScriptTask>'
        '<bpmn:globalUserTask id="H" name="ask"/>'
    )
    definitions = compiled(start(), end(), flows="s > e", roots=roots).definitions
    run = Run(compile_process(definitions, "G"), n=21)
    assert run.variables["n"] == 42
    asked = Run(compile_process(definitions, "H"))
    asked.complete("H_task")
    assert asked.status == "completed"


def test_the_digest_is_that_of_the_content() -> None:
    one, same, other = (compiled(start(), log(name), flows=f"s > {name}") for name in ("a", "a", "b"))
    assert one.digest == same.digest != other.digest
