"""Task handlers: the Python that a diagram calls.

>>> from flowkit.tasks import task, Registry
>>> @task("check_stock")
... def check_stock(part_no: str, quantity: int = 1) -> dict[str, bool]:
...     return {"in_stock": quantity < 10}
"""

from __future__ import annotations

from flowkit.tasks.connections import Connection
from flowkit.tasks.context import TaskContext
from flowkit.tasks.outcomes import BpmnError, InvalidHandler, Retry, Undeliverable
from flowkit.tasks.outgoing import Deliverer, Message, Outgoing, Posted, deliver
from flowkit.tasks.registry import Handler, Header, Registry, task

__all__ = [
    "BpmnError",
    "Connection",
    "Deliverer",
    "Handler",
    "Header",
    "InvalidHandler",
    "Message",
    "Outgoing",
    "Posted",
    "Registry",
    "Retry",
    "TaskContext",
    "Undeliverable",
    "deliver",
    "task",
]
