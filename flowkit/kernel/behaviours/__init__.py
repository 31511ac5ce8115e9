"""What the kernel does at each element: one table, element class → behaviour.

The compiler looks here; a class that is missing is refused by name at deployment
(``tests/test_house.py`` checks that every flow node of the model is either here or refused).
Where an element has several faces (a script in FEEL or a job), the variant's name is the key.
"""

from __future__ import annotations

from flowkit.bpmn import model as m
from flowkit.kernel.behaviours import ad_hoc, events, gateways, scopes, tasks
from flowkit.kernel.program import Behaviour

__all__ = ["BEHAVIOURS", "VARIANTS"]

BEHAVIOURS: dict[type[m.FlowNode], Behaviour] = {
    m.Task: tasks.PASS,
    m.ManualTask: tasks.PASS,
    m.ServiceTask: tasks.JOB,
    m.SendTask: tasks.SEND,
    m.ReceiveTask: tasks.RECEIVE,
    m.UserTask: tasks.USER_TASK,
    m.ScriptTask: tasks.SCRIPT,
    m.BusinessRuleTask: tasks.DECISION,
    m.CallActivity: tasks.CALL,
    m.SubProcess: scopes.SUBPROCESS,
    m.Transaction: scopes.SUBPROCESS,
    m.AdHocSubProcess: ad_hoc.AD_HOC,
    m.ExclusiveGateway: gateways.EXCLUSIVE,
    m.ParallelGateway: gateways.PARALLEL,
    m.InclusiveGateway: gateways.INCLUSIVE,
    m.ComplexGateway: gateways.COMPLEX,
    m.EventBasedGateway: gateways.EVENT_BASED,
    m.StartEvent: events.START,
    m.IntermediateCatchEvent: events.CATCH,
    m.BoundaryEvent: events.BOUNDARY,
    m.IntermediateThrowEvent: events.THROW,
    m.EndEvent: events.THROW,
}

VARIANTS: dict[str, Behaviour] = {
    "job": tasks.JOB,
    "event_subprocess": scopes.EVENT_SUBPROCESS,
}
"""Behaviours that an extension or attribute chooses instead of the class's own."""
