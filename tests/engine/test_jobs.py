"""Handlers: done at least once, tried again with back-off, and trouble that becomes an incident."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from flowkit.engine import Engine, VirtualClock, actions
from flowkit.errors import NotFound, WrongState
from flowkit.kernel.protocol import JobFailed
from flowkit.tasks import BpmnError, Retry, TaskContext, task
from tests.engine.diagrams import element, file, process, row, service, user

Make = Callable[..., Engine]


class Flaky:
    """Fails a number of times, then succeeds; remembers the contexts it was called with."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.seen: list[TaskContext] = []

    @task("flaky")
    def flaky(self, context: TaskContext) -> None:
        self.seen.append(context)
        if self.errors:
            raise self.errors.pop(0)


def test_a_failed_job_is_tried_again_after_a_growing_delay(make: Make, clock: VirtualClock) -> None:
    flaky = Flaky(OSError("printer"), OSError("printer"))
    engine = make(flaky.flaky)
    engine.deploy({"p.bpmn": row("p", service("s", "flaky", 3, {"retryBackoff": "PT10S"}))})
    case = engine.start("p")
    assert engine.run_until_idle() == 1
    [job] = engine.jobs(case)
    assert (job.state, job.retries) == ("waiting", 2)
    first = job.at - clock.now()
    assert timedelta(seconds=8) <= first <= timedelta(seconds=12)
    engine.advance(first)
    second = engine.jobs(case)[0].at - clock.now()
    assert timedelta(seconds=16) <= second <= timedelta(seconds=24)
    engine.advance(second)
    assert engine.instance(case).status == "completed"
    assert [context.attempt for context in flaky.seen] == [1, 2, 3]
    assert len({context.job_id for context in flaky.seen}) == 1


def test_the_last_failure_becomes_an_incident_with_the_traceback_and_inputs(make: Make) -> None:
    flaky = Flaky(OSError("paper jam"))
    engine = make(flaky.flaky)
    engine.deploy({"p.bpmn": row("p", service("s", "flaky", 1))})
    case = engine.start("p", {"plate": "京A1"})
    engine.run_until_idle()
    [incident] = engine.incidents()
    assert (incident.instance_id, incident.element_id, incident.kind) == (case, "s", "job")
    assert "OSError: paper jam" in incident.message
    assert "Traceback" in incident.details
    assert incident.job_id == engine.jobs(case)[0].id
    assert engine.jobs(case)[0].state == "failed"
    assert engine.run_until_idle() == 0
    engine.resolve(incident)
    assert engine.incidents() == []
    engine.run_until_idle()
    assert engine.instance(case).status == "completed"
    failures = [entry.event for entry in engine.history(case) if isinstance(entry.event, JobFailed)]
    assert len(failures) == 1


def test_retry_waits_as_long_as_the_handler_asks(make: Make, clock: VirtualClock) -> None:
    flaky = Flaky(Retry("line busy", after=timedelta(minutes=30)))
    engine = make(flaky.flaky)
    engine.deploy({"p.bpmn": row("p", service("s", "flaky"))})
    case = engine.start("p")
    engine.run_until_idle()
    assert engine.jobs(case)[0].at == clock.now() + timedelta(minutes=30)
    engine.advance(timedelta(minutes=29))
    assert engine.instance(case).status == "active"
    engine.advance(timedelta(minutes=1))
    assert engine.instance(case).status == "completed"


def test_wrong_inputs_are_an_incident_at_once(make: Make) -> None:
    @task("count")
    def count(number: int) -> None: ...

    engine = make(count)
    engine.deploy({"p.bpmn": row("p", service("s", "count"))})
    case = engine.start("p", {"number": "many"})
    engine.run_until_idle()
    [incident] = engine.incidents(case)
    assert "number" in incident.message
    engine.resolve(incident, variables={"number": 3})
    engine.run_until_idle()
    assert engine.instance(case).status == "completed"


def _with_boundary() -> bytes:
    boundary = (
        '<bpmn:boundaryEvent id="caught" attachedToRef="s">'
        '<bpmn:errorEventDefinition errorRef="no_stock"/></bpmn:boundaryEvent>'
    )
    nodes = [
        element("startEvent", "start"), service("s", "flaky"), boundary, user("order"),
        element("endEvent", "end"), element("endEvent", "end2"),
    ]  # fmt: skip
    flows = [("start", "s"), ("s", "end"), ("caught", "order"), ("order", "end2")]
    error = '<bpmn:error id="no_stock" name="no_stock" errorCode="NO_STOCK"/>'
    return file(error, process("p", *nodes, flows=flows))


def test_a_bpmn_error_goes_to_the_diagram(make: Make) -> None:
    engine = make(Flaky(BpmnError("NO_STOCK", "none left")).flaky)
    engine.deploy({"p.bpmn": _with_boundary()})
    case = engine.start("p")
    engine.run_until_idle()
    assert engine.instance(case).active_elements == ("order",)
    assert engine.jobs(case) == []


def test_an_uncaught_bpmn_error_is_an_incident(make: Make) -> None:
    engine = make(Flaky(BpmnError("SOMETHING_ELSE")).flaky)
    engine.deploy({"p.bpmn": _with_boundary()})
    case = engine.start("p")
    engine.run_until_idle()
    [incident] = engine.incidents(case)
    assert "SOMETHING_ELSE" in incident.message


def test_a_handler_owns_its_inputs(make: Make) -> None:
    @task("spoil")
    def spoil(parts: list[Any]) -> None:
        parts.append("spoiled")

    engine = make(spoil)
    engine.deploy({"p.bpmn": row("p", service("s", "spoil"), user("u"))})
    case = engine.start("p", {"parts": ["wheel"]})
    engine.run_until_idle()
    assert engine.instance(case).variables["parts"] == ["wheel"]


def test_async_handlers_run_too(make: Make) -> None:
    @task("ask")
    async def ask(question: str) -> dict[str, str]:
        return {"answer": question.upper()}

    engine = make(ask)
    engine.deploy({"p.bpmn": row("p", service("s", "ask"), user("u"))})
    case = engine.start("p", {"question": "why"})
    engine.run_until_idle()
    assert engine.instance(case).variables["answer"] == "WHY"


def test_a_handler_may_use_the_engine(make: Make) -> None:
    engines: list[Engine] = []

    @task("spawn")
    def spawn() -> dict[str, str]:
        return {"child": engines[0].start("q", {"from": "handler"})}

    engine = make(spawn)
    engines.append(engine)
    engine.deploy({"p.bpmn": row("p", service("s", "spawn"), user("u")), "q.bpmn": row("q", user("u"))})
    case = engine.start("p")
    engine.run_until_idle()
    child = engine.instance(case).variables["child"]
    assert engine.instance(child).variables == {"from": "handler"}


def test_other_programs_claim_and_report(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", service("s", "elsewhere", 2), user("u"))})
    case = engine.start("p", {"a": 1})
    [job] = engine.claim_jobs("elsewhere", worker="w1", lease=timedelta(minutes=1))
    assert job.inputs() == {"a": 1}
    assert engine.claim_jobs("elsewhere", worker="w2") == []
    engine.fail_job(job, "not now", after=timedelta(minutes=5))
    assert engine.claim_jobs("elsewhere", worker="w2") == []
    clock.advance(timedelta(minutes=5))
    [again] = engine.claim_jobs("elsewhere", worker="w2")
    assert (again.id, again.attempt, again.retries) == (job.id, 2, 1)
    engine.complete_job(again, {"b": 2})
    assert engine.instance(case).variables == {"a": 1, "b": 2}
    with pytest.raises(NotFound):
        engine.complete_job(job)


def test_a_lost_lease_is_a_failed_attempt_and_the_last_one_an_incident(
    make: Make, clock: VirtualClock
) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", service("s", "deadly", 2))})
    case = engine.start("p")
    for _ in range(2):
        assert engine.claim_jobs("deadly", worker="doomed", lease=timedelta(seconds=30))
        clock.advance(timedelta(hours=1))
        engine.run_until_idle()
        clock.advance(timedelta(hours=1))
    assert engine.claim_jobs("deadly", worker="next") == []
    [incident] = engine.incidents(case)
    assert "doomed" in incident.message


def test_a_sign_of_life_keeps_the_lease(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", service("s", "long"))})
    engine.start("p")
    [job] = engine.claim_jobs("long", worker="w", lease=timedelta(minutes=1))
    clock.advance(timedelta(seconds=50))
    assert engine.extend_lease(job, timedelta(minutes=1))
    clock.advance(timedelta(seconds=50))
    assert engine.claim_jobs("long", worker="thief") == []
    clock.advance(timedelta(seconds=20))
    engine.claim_jobs("long", worker="thief")
    assert not engine.extend_lease(job)


def test_jobs_of_other_types_are_left_alone(make: Make) -> None:
    engine = make(Flaky().flaky)
    engine.deploy({"p.bpmn": row("p", service("s", "unknown"))})
    case = engine.start("p")
    assert engine.run_until_idle() == 0
    assert [job.type for job in engine.jobs(case, state="ready")] == ["unknown"]


def test_what_was_not_done_is_given_back_when_the_caller_is_interrupted(make: Make) -> None:
    calls: list[int] = []

    @task("stop")
    def stop(number: int) -> None:
        calls.append(number)
        if len(calls) == 2:
            raise KeyboardInterrupt

    engine = make(stop)
    engine.deploy({"p.bpmn": row("p", service("s", "stop"))})
    cases = [engine.start("p", {"number": number}) for number in range(3)]
    with pytest.raises(KeyboardInterrupt):
        engine.run_until_idle()
    assert engine.instance(cases[0]).status == "completed"
    engine.run_until_idle()
    assert {engine.instance(case).status for case in cases} == {"completed"}
    assert calls == [0, 1, 1, 2]


def _stuck(make: Make, diagram: bytes) -> tuple[Engine, str]:
    engine = make(Flaky(OSError("broken")).flaky)
    engine.deploy({"p.bpmn": diagram})
    case = engine.start("p")
    engine.run_until_idle()
    assert engine.incidents(case)
    return engine, case


def test_an_operator_skips_a_failed_job_with_given_output(make: Make) -> None:
    engine, case = _stuck(make, row("p", service("s", "flaky", 1), user("u")))
    engine.complete_job(engine.incidents(case)[0].job_id or "", {"by_hand": True})
    assert engine.instance(case).variables == {"by_hand": True}
    assert engine.incidents(case) == []


def test_an_operator_turns_a_failed_job_into_a_bpmn_error(make: Make) -> None:
    once = _with_boundary().replace(b'retries="3"', b'retries="1"')
    engine, case = _stuck(make, once)
    engine.throw_error(engine.incidents(case)[0].job_id or "", "NO_STOCK")
    assert engine.instance(case).active_elements == ("order",)
    assert engine.incidents(case) == []


def test_an_incident_is_skipped_or_made_a_bpmn_error(make: Make) -> None:
    once = _with_boundary().replace(b'retries="3"', b'retries="1"')
    engine, case = _stuck(make, once)
    engine.throw(engine.incidents(case)[0], "NO_STOCK", variables={"missing": "P-1"})
    assert engine.instance(case).active_elements == ("order",)
    other = engine.start("p")
    [job] = engine.claim_jobs("flaky", worker="w")
    engine.fail_job(job, "broken", retries=0)
    [incident] = engine.incidents(other)
    engine.skip(incident, {"by_hand": True})
    assert engine.instance(other).status == "completed"
    assert engine.instance(other).variables == {"by_hand": True}
    for act in (engine.skip, lambda one: engine.throw(one, "NO_STOCK")):
        with pytest.raises((NotFound, WrongState)):
            act(incident)


def test_what_could_not_be_delivered_is_resent_or_dropped_not_skipped(make: Make) -> None:
    with pytest.raises(WrongState, match="end it, or drop it"):
        make().skip("outbox:019b")


def test_many_incidents_are_skipped(make: Make) -> None:
    engine, case = _stuck(make, row("p", service("s", "flaky", 1), user("u")))
    report = engine.bulk(engine.select("p", with_incidents=True), actions.skip({"by_hand": True}))
    assert report.done == (case,)
    assert engine.instance(case).active_elements == ("u",)
