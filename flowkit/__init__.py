"""flowkit: a durable BPMN 2.0 workflow engine in one Python library.

>>> from flowkit import Engine, task

What is named here is imported when it is first used, so that ``import flowkit`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowkit.engine import Engine as Engine
    from flowkit.engine import SystemClock as SystemClock
    from flowkit.engine import VirtualClock as VirtualClock
    from flowkit.errors import Conflict as Conflict
    from flowkit.errors import EngineClosed as EngineClosed
    from flowkit.errors import EvaluationLimit as EvaluationLimit
    from flowkit.errors import FlowkitError as FlowkitError
    from flowkit.errors import InvalidExpression as InvalidExpression
    from flowkit.errors import InvalidModel as InvalidModel
    from flowkit.errors import InvalidPayload as InvalidPayload
    from flowkit.errors import NotFound as NotFound
    from flowkit.errors import OutcomeUnknown as OutcomeUnknown
    from flowkit.errors import Rejected as Rejected
    from flowkit.errors import StoreUnavailable as StoreUnavailable
    from flowkit.errors import WrongState as WrongState
    from flowkit.tasks import BpmnError as BpmnError
    from flowkit.tasks import Outgoing as Outgoing
    from flowkit.tasks import Registry as Registry
    from flowkit.tasks import Retry as Retry
    from flowkit.tasks import TaskContext as TaskContext
    from flowkit.tasks import deliver as deliver
    from flowkit.tasks import task as task

__version__ = "0.1.0"

_HOMES = {
    "BpmnError": "flowkit.tasks",
    "Conflict": "flowkit.errors",
    "Engine": "flowkit.engine",
    "EngineClosed": "flowkit.errors",
    "EvaluationLimit": "flowkit.errors",
    "FlowkitError": "flowkit.errors",
    "InvalidExpression": "flowkit.errors",
    "InvalidModel": "flowkit.errors",
    "InvalidPayload": "flowkit.errors",
    "NotFound": "flowkit.errors",
    "OutcomeUnknown": "flowkit.errors",
    "Outgoing": "flowkit.tasks",
    "Registry": "flowkit.tasks",
    "Rejected": "flowkit.errors",
    "Retry": "flowkit.tasks",
    "StoreUnavailable": "flowkit.errors",
    "SystemClock": "flowkit.engine",
    "TaskContext": "flowkit.tasks",
    "VirtualClock": "flowkit.engine",
    "WrongState": "flowkit.errors",
    "deliver": "flowkit.tasks",
    "task": "flowkit.tasks",
}

__all__ = [
    "BpmnError",
    "Conflict",
    "Engine",
    "EngineClosed",
    "EvaluationLimit",
    "FlowkitError",
    "InvalidExpression",
    "InvalidModel",
    "InvalidPayload",
    "NotFound",
    "OutcomeUnknown",
    "Outgoing",
    "Registry",
    "Rejected",
    "Retry",
    "StoreUnavailable",
    "SystemClock",
    "TaskContext",
    "VirtualClock",
    "WrongState",
    "__version__",
    "deliver",
    "task",
]


def __getattr__(name: str) -> Any:
    """Import ``name`` on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'flowkit' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
