"""User tasks: claiming, delegating and completing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowkit.engine.border import checked_key, checked_person
from flowkit.engine.ids import join_id
from flowkit.engine.payload import decode
from flowkit.engine.sql.schema import USER_TASK
from flowkit.errors import InvalidPayload, NotFound, WrongState
from flowkit.kernel.protocol import CompleteUserTask, UpdateUserTask
from flowkit.kernel.state import UserTask

if TYPE_CHECKING:
    from flowkit.engine.snapshots import Live
    from flowkit.engine.unit import Unit

__all__ = ["assign", "claim_task", "complete_task", "delegate"]

_FORM = f"SELECT detail FROM {USER_TASK.name} WHERE instance=? AND key=?"


def _open(live: Live, key: int) -> UserTask:
    """The open task as the instance knows it: no query, the instance is needed anyway."""
    task = live.instance.waits.get(key)
    if not isinstance(task, UserTask):
        raise NotFound(f"There is no open user task {join_id(live.id, key)}: it may be done or withdrawn.")
    return task


def _check_assignee(instance: str, key: int, assignee: str | None, user: str | None) -> None:
    if user is not None and assignee is not None and assignee != user:
        raise WrongState(
            f"User task {join_id(instance, key)} is assigned to {assignee!r}, not to {user!r}: "
            "let them unclaim or delegate it first."
        )


def claim_task(unit: Unit, instance: str, key: int, user: str) -> None:
    """``user`` takes the task; raises WrongState when somebody else has it."""
    checked_person(user, "The user")
    assignee = _open(unit.load(instance), key).assignee
    _check_assignee(instance, key, assignee, user)
    if assignee != user:
        unit.step(instance, UpdateUserTask(task=key, assignee=user, user=user))


def assign(unit: Unit, instance: str, key: int, assignee: str | None, user: str | None = None) -> None:
    """Give the task to ``assignee``, or to nobody, whoever has it now."""
    for person, what in ((assignee, "The assignee"), (user, "The user")):
        if person is not None:
            checked_key(person, what)
    _open(unit.load(instance), key)
    unit.step(instance, UpdateUserTask(task=key, assignee=assignee, user=user))


def delegate(unit: Unit, instance: str, key: int, to: str, user: str | None) -> None:
    """``user``, who has the task, hands it on; raises WrongState when somebody else has it."""
    checked_person(to, "The assignee")
    if user is not None:
        checked_person(user, "The user")
    assignee = _open(unit.load(instance), key).assignee
    _check_assignee(instance, key, assignee, user)
    unit.step(instance, UpdateUserTask(task=key, assignee=to, user=user))


def complete_task(
    unit: Unit, instance: str, key: int, variables: Mapping[str, Any], user: str | None
) -> None:
    """Complete the task with what the form gave; raises InvalidPayload when that breaks its schema."""
    live = unit.load(instance)
    task = _open(live, key)
    if user is not None:
        checked_key(user, "The user")
        _check_assignee(instance, key, task.assignee, user)
    if task.form is not None:
        variables = _checked(unit, live, key, task.form, variables)
    unit.advance(live, CompleteUserTask(task=key, variables=variables, user=user))


def _checked(unit: Unit, live: Live, key: int, form: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The form's version is found when the task is completed: *latest* may be newer than the task."""
    definitions = unit.parts.definitions
    [(detail,)] = unit.read(USER_TASK).query(_FORM, (live.id, key))
    _name, _form, binding, tag, _headers = decode(bytes(detail))
    try:
        version = definitions.bound(unit.read(), "form", form, binding, tag, live.deployment)
    except NotFound:
        raise InvalidPayload(
            f"The task's form {form!r} is not deployed, so its data can't be checked; deploy the form."
        ) from None
    checked = definitions.form(unit.read(), version).validate(variables)
    return variables if checked is None else checked
