"""Whatever is done in whatever order: the rows say exactly what the snapshots say."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flowkit.engine import Engine, VirtualClock
from flowkit.engine.snapshots import LIVES, lives
from flowkit.errors import Rejected
from flowkit.kernel import Program
from flowkit.kernel.state import Incident, Job, Subscription, Timer, UserTask
from flowkit.tasks import task
from tests.engine.diagrams import (
    call,
    catch,
    element,
    file,
    message,
    on_message,
    process,
    row,
    service,
    timer,
    user,
)

TABLES = {
    "job": Job,
    "timer": Timer,
    "subscription": Subscription,
    "user_task": UserTask,
    "incident": Incident,
}


def diagram() -> bytes:
    """A user task that reminds every hour, beside a service that may fail, beside a wait for a message."""
    boundary = (
        '<bpmn:boundaryEvent id="remind" attachedToRef="u" cancelActivity="false">'
        f"{timer('timeCycle', 'R/PT1H')}</bpmn:boundaryEvent>"
    )
    nodes = [
        element("startEvent", "start"), element("parallelGateway", "fork"),
        user("u", groups="前台"), boundary,
        service("note", "nobody"), element("endEvent", "noted"), service("s", "flaky", 2),
        catch("wait", on_message("paid")), call("c", "child"), element("parallelGateway", "join"),
        element("endEvent", "end"),
    ]  # fmt: skip
    flows = [
        ("start", "fork"), ("fork", "u"), ("fork", "s"), ("fork", "wait"), ("fork", "c"), ("u", "join"),
        ("s", "join"), ("wait", "join"), ("c", "join"), ("join", "end"),
        ("remind", "note"), ("note", "noted"),
    ]  # fmt: skip
    return file(message("paid", "order"), process("p", *nodes, flows=flows))


class Story(RuleBasedStateMachine):
    """Everything that people and time can do to instances."""

    @initialize()
    def begin(self) -> None:
        self.fails = False

        @task("flaky")
        def flaky() -> dict[str, int]:
            if self.fails:
                raise OSError("no")
            return {"done": 1}

        self.engine = Engine(tasks=[flaky], clock=VirtualClock())
        self.engine.deploy({"p.bpmn": diagram(), "c.bpmn": row("child", user("inside"))})

    @rule(order=st.integers(0, 3))
    def start(self, order: int) -> None:
        self.engine.start("p", {"order": f"{order}"})

    @rule(order=st.integers(0, 3))
    def publish(self, order: int) -> None:
        self.engine.publish("paid", f"{order}")

    @rule(pick=st.integers(0, 9))
    def complete(self, pick: int) -> None:
        todo = self.engine.tasks()
        if todo:
            self._try(self.engine.complete, todo[pick % len(todo)])

    @rule(pick=st.integers(0, 9), action=st.sampled_from(["suspend", "resume", "cancel", "migrate"]))
    def operate(self, pick: int, action: str) -> None:
        views = self.engine.instances()
        if views:
            self._try(getattr(self.engine, action), views[pick % len(views)].id)

    @rule(fails=st.booleans(), minutes=st.integers(0, 150))
    def time_goes_by(self, fails: bool, minutes: int) -> None:
        self.fails = fails
        self.engine.advance(timedelta(minutes=minutes))

    @rule(pick=st.integers(0, 9))
    def resolve(self, pick: int) -> None:
        found = self.engine.incidents()
        if found:
            self._try(self.engine.resolve, found[pick % len(found)])

    def _try(self, action, *arguments) -> None:  # type: ignore[no-untyped-def]
        with suppress(Rejected):
            action(*arguments)

    @invariant()
    def rows_are_what_the_snapshots_say(self) -> None:
        if not hasattr(self, "engine"):
            return
        expected: dict[str, set[tuple[str, int, str]]] = {table: set() for table in TABLES}
        with self.engine.store.reader() as session:
            statuses = dict(session.query("SELECT id, status FROM flowkit_instance"))
            every = f"{LIVES} (SELECT id FROM flowkit_instance) ORDER BY i.id, e.seq"
            for live in lives(session.query(every), self._program):
                assert live.instance.status == statuses[live.id]
                for key, wait in live.instance.waits.items():
                    for table, kind in TABLES.items():
                        if type(wait) is kind:
                            expected[table].add((live.id, key, wait.node))
            for table, rows in expected.items():
                assert set(session.query(f"SELECT instance, key, node FROM flowkit_{table}")) == rows, table

    def _program(self, digest: str) -> Program:
        return next(p for p in map(self.engine.program, ("p", "child")) if p.digest == digest)

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.close()


TestStory = Story.TestCase
TestStory.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
