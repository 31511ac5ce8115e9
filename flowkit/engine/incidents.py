"""What an operator does about an incident besides trying again: going on without, or with a BPMN error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowkit.engine.ids import join_id
from flowkit.errors import NotFound, WrongState
from flowkit.kernel.protocol import CompleteJob, Modify, MoveToken, SetVariables, ThrowBpmnError
from flowkit.kernel.state import Incident

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit
    from flowkit.kernel import Program

__all__ = ["skip", "throw"]


def skip(unit: Unit, instance: str, key: int, variables: Mapping[str, Any], to: str | None) -> None:
    """Go on as if what failed had given ``variables``; see :meth:`~flowkit.engine.Engine.skip`."""
    incident = _incident(unit, instance, key)
    if to is None and incident.resume == "job":
        unit.step(instance, CompleteJob(job=incident.subject, variables=variables))
        return
    live = unit.load(instance)
    token = live.instance.tokens[incident.token]
    target = to or _only_next(live.program, token.node)
    if variables:
        unit.step(instance, SetVariables(variables=variables, scope=token.scope))
    unit.step(instance, Modify(changes=(MoveToken(token=token.key, to=target),)))


def throw(unit: Unit, instance: str, key: int, code: str, message: str, variables: Mapping[str, Any]) -> None:
    """Throw a BPMN error from the activity whose job failed."""
    incident = _incident(unit, instance, key)
    if incident.resume != "job":
        raise WrongState(
            f"The incident {join_id(instance, key)} is no failed job's, which alone can throw a BPMN error: "
            "skip it to the element that is to handle it."
        )
    command = ThrowBpmnError(job=incident.subject, code=code, message=message, variables=variables)
    unit.step(instance, command)


def _incident(unit: Unit, instance: str, key: int) -> Incident:
    found = unit.load(instance).instance.waits.get(key)
    if not isinstance(found, Incident):
        raise NotFound(f"There is no open incident {join_id(instance, key)}: it may have been resolved.")
    return found


def _only_next(program: Program, element: str) -> str:
    targets = [flow.target for flow in program.nodes[element].out]
    if len(targets) != 1:
        where = f"; from {element!r} it could be {', '.join(targets)}" if targets else ""
        raise WrongState(f"Say at which element to go on{where}.")
    return targets[0]
