"""The durable engine: stores what the kernel decides, and runs the handlers that it asks for."""

from __future__ import annotations

from flowkit.engine.async_engine import AsyncEngine
from flowkit.engine.clock import Clock, SystemClock, VirtualClock
from flowkit.engine.data_stores import Access, DataStore, Documents
from flowkit.engine.engine import Engine
from flowkit.engine.jobs import Claimed
from flowkit.engine.telemetry import Telemetry
from flowkit.engine.views import (
    DefinitionView,
    Deployment,
    HistoryEntry,
    IncidentView,
    InstanceView,
    JobView,
    OutboxView,
    TokenView,
    UserTask,
)
from flowkit.engine.worker import Worker

__all__ = [
    "Access",
    "AsyncEngine",
    "Claimed",
    "Clock",
    "DataStore",
    "DefinitionView",
    "Deployment",
    "Documents",
    "Engine",
    "HistoryEntry",
    "IncidentView",
    "InstanceView",
    "JobView",
    "OutboxView",
    "SystemClock",
    "Telemetry",
    "TokenView",
    "UserTask",
    "VirtualClock",
    "Worker",
]
