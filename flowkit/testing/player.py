"""Playing a script on an engine with a virtual clock.

Progress is kept in the books, step by step, so that a run that was killed goes on where it stopped:
before a step, the player writes down what it is about to do and how many events there are; when it
finds such a note later, more events mean that the step's transaction had been committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flowkit.errors import FlowkitError, Rejected
from flowkit.kernel import protocol as p
from flowkit.testing.expectations import unmet
from flowkit.testing.failure import how_far
from flowkit.testing.script import (
    Error,
    Escalate,
    Expect,
    Expectation,
    MessageStep,
    Script,
    SignalStep,
    Step,
    TaskStep,
    UntilStep,
    WaitStep,
)
from flowkit.testing.trail import Observer, TrailLine

if TYPE_CHECKING:
    from flowkit.engine import Engine, UserTask, VirtualClock
    from flowkit.tasks.library import StandardTasks

__all__ = ["Player", "ScriptFailed", "script_key"]


class ScriptFailed(FlowkitError, AssertionError):
    """A step could not be done, or something expected did not hold. ``step`` counts from 1; 0 is the end.

    ``details`` tells over several lines how far the run got, with the expected trail beside the real one.
    """

    def __init__(self, step: int, message: str, details: str = "") -> None:
        self.step, self.details = step, details
        place = f"step {step}" if step else "at the end"
        super().__init__(f"{place}: {message}")


def script_key(data: bytes) -> str:
    """The key under which the progress of a script file is kept."""
    return hashlib.sha256(data).hexdigest()[:16]


class Player:
    """Plays ``script``. ``tell`` gets every new line of the trail as it happens.

    With ``key``, progress is kept in the handlers' books: an unfinished run with the same key goes on,
    and a finished one is only told again, unless ``again`` asks for another. The engine must have a
    :class:`~flowkit.engine.VirtualClock`.
    """

    def __init__(
        self,
        engine: Engine,
        script: Script,
        *,
        handlers: StandardTasks,
        tell: Callable[[TrailLine], None] = lambda line: None,
        key: str | None = None,
        again: bool = False,
    ) -> None:
        self.engine, self.script, self.handlers = engine, script, handlers
        self._tell, self._key, self._again = tell, key, again
        self._state: dict[str, Any] = {}
        self.root = ""
        self.step = 0
        self.resumed = False
        self.observer: Observer
        self.summary: dict[str, Any] = {}

    # ---- progress ------------------------------------------------------------------------------

    def _load(self) -> None:
        if self._key is not None:
            with self.handlers.books.transaction() as page:
                self._state = page.get("script", self._key) or {}
        if not self._state or (self._again and self._state["finished"]):
            run = int(self._state.get("run", 0)) + 1
            self._state = {"run": run, "finished": False, "step": -1, "begun": False, "events": 0, "root": ""}
            self.observer = Observer(self.engine, timed=self.script.start.timer)
            self._state["known"] = sorted(self.observer.known)
            return
        self.resumed = True
        self.root, self.step = self._state["root"], self._state["step"]
        known = frozenset(self._state["known"])
        self.observer = Observer(self.engine, known, timed=self.script.start.timer)

    def _save(self, **changes: Any) -> None:
        self._state |= changes | {"now": self._clock.now().isoformat(), "events": self.observer.events}
        if self._key is not None:
            with self.handlers.books.transaction() as page:
                page.put("script", self._key, self._state)

    @property
    def _clock(self) -> VirtualClock:
        return self.engine.clock  # type: ignore[return-value]  # the constructor's contract

    def _restore(self) -> None:
        """Set the clock to where the killed run was, and take back the jobs that it held."""
        self._show()
        moments = [self.observer.latest, datetime.fromisoformat(self._state["now"])]
        self._clock.set(max([moment for moment in moments if moment is not None] + [self._clock.now()]))
        for job in self.engine.jobs(state="leased"):
            if job.instance_id in self.observer.instances():
                text = "the run was interrupted"
                self.engine.fail_job(job, text, retries=job.retries, after=timedelta(0))
        if self._state["begun"] and self.observer.events > self._state["events"]:
            self._state |= {"step": self._state["step"] + 1, "begun": False}
        self._settle()

    # ---- playing -------------------------------------------------------------------------------

    def play(self) -> None:
        """Play to the end; raises ScriptFailed, and whatever the engine refuses."""
        self._load()
        if self._state["finished"]:
            self._show()
            return
        if self.resumed:
            self._restore()
        else:
            if self._clock.now() < self.script.now:
                self._clock.set(self.script.now)
            self.handlers.stock.fill(self.script.stock)
            self.handlers.records.fill(self.script.records)
            self._save()
        if self._state["step"] < 0:
            self._begin()
        self._find_root()
        for number in range(int(self._state["step"]), len(self.script.steps)):
            self.step = number + 1
            self._save(step=number, begun=True, root=self.root)
            self._do(self.script.steps[number])
            self._settle()
            self._save(step=number + 1, begun=False)
        self.step = 0
        self._expect(self.script.expect)
        self._save(finished=True)

    def do(self, step: Step) -> None:
        """One more step, after :meth:`play` has come to its end; raises as that does."""
        self.step += 1
        self._do(step)
        self._settle()

    def _show(self) -> None:
        for line in self.observer.new_lines():
            self._tell(line)

    def _settle(self) -> None:
        """Let everything happen that can happen now, and tell it."""
        self.engine.run_until_idle()
        self._show()

    def _begin(self) -> None:
        start = self.script.start
        self._save(step=-1, begun=True)
        variables = start.variables
        if start.process is not None:
            key, event = start.business_key, start.start_event
            self.engine.start(start.process, variables, business_key=key, start_event=event)
        elif start.message is not None:
            key = start.key or start.business_key or ""
            message_id = f"script:{self._key or 'once'}:{self._state['run']}:start" if self._key else None
            self.engine.publish(start.message, key, variables, message_id=message_id)
        elif start.signal is not None:
            self.engine.broadcast(start.signal, variables)
        else:
            self._wait_for_start()
        self._settle()
        self._state |= {"step": 0, "begun": False}
        if not self.observer.roots:
            raise ScriptFailed(0, f"nothing was started by {start.model_dump(exclude_defaults=True)}")

    def _wait_for_start(self) -> None:
        due = self.engine.next_due()
        while due is not None and not self.observer.roots:
            self.engine.run_until(due)
            self._show()
            due = self.engine.next_due()

    def _find_root(self) -> None:
        if not self.root:
            self.root = self.observer.roots[0]

    # ---- steps ---------------------------------------------------------------------------------

    def _do(self, step: Step) -> None:
        try:
            self._dispatch(step)
        except Rejected as error:
            raise ScriptFailed(self.step, str(error)) from error

    def _dispatch(self, step: Step) -> None:
        match step:
            case TaskStep():
                task = self._task(step.task, step.nth, optional=step.if_open)
                if task is not None:
                    self._check_group(task, step.group)
                    self.engine.complete(task, step.set, user=step.by)
            case MessageStep():
                number = f"script:{self._key}:{self._state['run']}:{self.step}" if self._key else None
                self.engine.publish(step.message, step.key, step.set, message_id=number)
            case SignalStep():
                self.engine.broadcast(step.signal, step.set)
            case WaitStep():
                self._run_until(self._clock.now() + step.wait)
            case UntilStep():
                self._run_until(step.until)
            case Error(error=trouble):
                task = self._open_task(trouble.task, trouble.nth)
                self.engine.throw_error(task.id, trouble.code, trouble.message, trouble.set)
            case Escalate(escalate=trouble):
                task = self._open_task(trouble.task, trouble.nth)
                instance, _, number = task.id.rpartition(":")
                command = p.ThrowEscalation(job=int(number), code=trouble.code, variables=trouble.set)
                self.engine.send(instance, command)
            case Expect(expect=expectation):
                self._expect(expectation)

    def _run_until(self, until: datetime) -> None:
        """From due date to due date, so that the trail is told as it happens."""
        if self._state.get("until"):
            until = datetime.fromisoformat(self._state["until"])
        self._save(until=until.isoformat())
        while (due := self.engine.next_due()) is not None and due <= until:
            self.engine.run_until(max(due, self._clock.now()))
            self._show()
        self.engine.run_until(max(until, self._clock.now()))
        self._save(until=None)

    def open_tasks(self) -> list[UserTask]:
        """The open user tasks of the run."""
        ours = set(self.observer.instances())
        return [task for task in self.engine.tasks() if task.instance_id in ours]

    def _task(self, named: str, nth: int, *, optional: bool = False) -> UserTask | None:
        tasks = self.open_tasks()
        found = [task for task in tasks if named in (task.element_id, task.name)]
        if len(found) >= nth:
            return sorted(found, key=lambda task: (task.created, task.instance_id, _number(task.id)))[nth - 1]
        if optional:
            return None
        there = "; ".join(f"{task.name} ({task.element_id})" for task in tasks) or "none"
        troubles = "".join(
            f"; incident at {incident.element_id}: {incident.message}"
            for incident in self.engine.incidents()
            if incident.instance_id in self.observer.instances()
        )
        which = f"{nth} times " if nth > 1 else ""
        problem = f"expected the task {named!r} {which}open; open are: {there}{troubles}"
        raise ScriptFailed(self.step, problem, how_far(self, Expectation()))

    def _open_task(self, named: str, nth: int) -> UserTask:
        task = self._task(named, nth)
        assert task is not None, "only optional tasks may be missing"
        return task

    def _check_group(self, task: UserTask, group: str | None) -> None:
        if group is not None and group not in task.candidate_groups:
            groups = ", ".join(task.candidate_groups) or "none"
            raise ScriptFailed(
                self.step, f"expected {task.name!r} to be a task of {group!r}, found: {groups}"
            )

    # ---- expectations --------------------------------------------------------------------------

    def _expect(self, wanted: Expectation) -> None:
        self._show()
        problems = unmet(self, wanted)
        if problems:
            raise ScriptFailed(self.step, "; ".join(problems), how_far(self, wanted))

    def ends(self) -> list[tuple[str, str]]:
        """``(id, name)`` of the end events of the process itself that the first instance reached; those
        of its subprocesses only end their part of it."""
        view = self.engine.instance(self.root)
        nodes = self.engine.program(view.process_id, view.version).nodes
        return [
            (element, name)
            for instance, element, name in self.observer.entered
            if instance == self.root
            and nodes[element].kind == "endEvent"
            and nodes[element].container == view.process_id
        ]


def _number(task_id: str) -> int:
    return int(task_id.rpartition(":")[2])
