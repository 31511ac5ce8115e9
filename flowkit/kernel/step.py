"""The step: (program, instance, command, now) → events. Everything else is plumbing around it."""

from __future__ import annotations

from datetime import datetime

from flowkit.errors import Rejected, WrongState
from flowkit.kernel import protocol as p
from flowkit.kernel.behaviours.joins import settle
from flowkit.kernel.catching import conditions_come_true
from flowkit.kernel.commands import COMMAND_TABLE, WHILE_SUSPENDED
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import fail
from flowkit.kernel.program import Program
from flowkit.kernel.state import OVER, Instance
from flowkit.kernel.triggering import trigger

__all__ = ["MAXIMUM_ACTIONS", "new_instance", "step"]

MAXIMUM_ACTIONS = 1_000_000
"""More than this in one step is a loop without a wait state: its tokens become incidents."""


def new_instance(program: Program, instance_id: str) -> Instance:
    """An instance that waits for :class:`~flowkit.kernel.protocol.Start`."""
    return Instance(instance_id, program.process_id, program.digest)


def step(program: Program, instance: Instance, command: p.Command, *, now: datetime) -> list[p.Event]:
    """Carry out one command: change ``instance`` in place and return what happened.

    Deterministic: the same instance, command and ``now`` (an aware datetime) give the same events.
    Raises :class:`~flowkit.errors.Rejected` for a command that the instance can't take; after any
    exception the instance must be dropped and loaded again. Commands about something that is
    over (a timer that was cleared, a closed subscription) give no events.
    """
    status = instance.status
    if status != "active":
        _check_status(instance, command)
    if instance.program != program.digest:
        raise WrongState(
            f"Instance {instance.id} runs on program {instance.program[:12]}, not {program.digest[:12]}."
        )
    frame = Frame(program, instance, now)
    COMMAND_TABLE[type(command)](frame, command)
    _run(frame)
    return frame.events


def _check_status(instance: Instance, command: p.Command) -> None:
    status = instance.status
    starts = isinstance(command, p.Start)
    if status == "created" and starts:
        return
    if status == "suspended" and isinstance(command, WHILE_SUSPENDED):
        return
    what = type(command).__name__
    if status == "created":
        raise WrongState(f"Instance {instance.id} has not started: Start must come before {what}.")
    if status in OVER:
        raise WrongState(f"Instance {instance.id} is {status}: it takes no {what}.")
    raise Rejected(f"Instance {instance.id} is {status}: resume it before {what}.")


def _run(frame: Frame) -> None:
    """Work the queue until every token rests."""
    queue = frame.queue
    actions = 0
    while True:
        while queue:
            action, arguments = queue.popleft()
            actions += 1
            if actions > MAXIMUM_ACTIONS and action is not fail:
                _stop(frame, arguments)
            else:
                action(frame, *arguments)
        if frame.changed and frame.instance.conditions:
            come_true = conditions_come_true(frame)
            for condition in come_true:
                if condition.key in frame.instance.waits:
                    trigger(frame, condition, {})
            if come_true:
                continue
        if frame.moved and frame.instance.synchronizing:
            settle(frame)
            if queue:
                continue
        return


def _stop(frame: Frame, arguments: tuple[object, ...]) -> None:
    token = frame.instance.tokens.get(arguments[0]) if isinstance(arguments[0], int) else None
    if token is not None:
        trouble = Trouble(
            "endless_loop",
            f"More than {MAXIMUM_ACTIONS} steps without waiting: this loop never ends. Give it a"
            " condition that becomes true, or a wait.",
        )
        fail(frame, token, trouble, resume="enter")
