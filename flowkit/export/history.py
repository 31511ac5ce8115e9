"""From an instance's history to the work that was done in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flowkit.export.records import LogCase, WorkRecord
from flowkit.kernel import protocol as p

__all__ = ["case_of"]


def case_of(instance: str, history: Iterable[tuple[datetime, p.Event]], names: Mapping[str, str]) -> LogCase:
    """One case from the events of one instance, oldest first.

    ``names`` gives the elements' names by id. Work that was cancelled is left out. A user task counts as
    started when it was claimed, else when it was opened; ``resource`` is who completed or held it.
    """
    opened: dict[int, tuple[str, datetime, datetime, str]] = {}
    attributes: dict[str, Any] = {}
    work: list[WorkRecord] = []

    def close(key: int, at: datetime, user: str | None) -> None:
        node, enabled, started, holder = opened.pop(key)
        work.append(WorkRecord(names.get(node) or node, node, enabled, started, at, user or holder))

    for at, event in history:
        match event:
            case p.InstanceStarted():
                attributes = {
                    k: v for k, v in event.variables.items() if isinstance(v, str | int | float | bool)
                }
                if event.business_key is not None:
                    attributes["business_key"] = event.business_key
            case p.JobOpened():
                opened[event.job] = (event.node, at, at, event.type)
            case p.UserTaskOpened():
                opened[event.task] = (event.node, at, at, event.assignee or "")
            case p.UserTaskUpdated() if event.task in opened and event.assignee:
                node, enabled, started, holder = opened[event.task]
                opened[event.task] = (node, enabled, started if holder else at, event.assignee)
            case p.JobClosed() if event.job in opened:
                if event.reason == "cancelled":
                    del opened[event.job]
                else:
                    close(event.job, at, None)
            case p.UserTaskClosed() if event.task in opened:
                if event.reason == "cancelled":
                    del opened[event.task]
                else:
                    close(event.task, at, event.user)
            case _:
                pass
    return LogCase(instance, attributes, work)
