"""What each event changes in the tables: one small function an event type, and the table of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from flowkit.engine.changes import Changes
from flowkit.engine.clock import micros
from flowkit.engine.sql.schema import (
    CANDIDATE,
    INCIDENT,
    INSTANCE,
    JOB,
    SUBSCRIPTION,
    TIMER,
    USER_TASK,
)
from flowkit.kernel import protocol as p

if TYPE_CHECKING:
    from flowkit.engine.snapshots import Live

__all__ = ["PROJECTIONS"]

Project = Callable[[Changes, "Live", Any, int], None]

_encode = msgspec.json.Encoder().encode
_NO_CANDIDATES = _encode(((), (), None))
_CANDIDATES = USER_TASK.position["candidates"]


def _moment(when: datetime | None) -> int | None:
    return None if when is None else micros(when)


def _ended(changes: Changes, live: Live, event: p.InstanceEnded, at: int) -> None:
    outcome = event.outcome if not event.code else f"{event.outcome} {event.code}: {event.message}"
    changes.patch(INSTANCE, (live.id,), {"status": event.outcome, "ended": at, "outcome": outcome})


def _job_opened(changes: Changes, live: Live, event: p.JobOpened, at: int) -> None:
    row = [
        live.id, event.job, event.type, event.node, live.process, event.retries, 0, event.priority,
        "ready" if event.retries > 0 else "failed", at, None, _encode(event.headers), at, 1,
    ]  # fmt: skip
    changes.put(JOB, (live.id, event.job), row)


def _job_failed(changes: Changes, live: Live, event: p.JobFailed, at: int) -> None:
    state = "waiting" if event.retries > 0 else "failed"
    due = at if event.retry_at is None else micros(event.retry_at)
    values = {"state": state, "at": due, "retries": event.retries, "worker": None}
    changes.patch(JOB, (live.id, event.job), values)


def _job_retried(changes: Changes, live: Live, event: p.JobRetried, at: int) -> None:
    values = {"state": "ready", "at": at, "retries": event.retries, "worker": None}
    changes.patch(JOB, (live.id, event.job), values)


def _job_closed(changes: Changes, live: Live, event: p.JobClosed, at: int) -> None:
    changes.remove(JOB, (live.id, event.job))


def _user_task_opened(changes: Changes, live: Live, event: p.UserTaskOpened, at: int) -> None:
    if event.headers:
        detail = _encode((event.name, event.form, event.form_binding, event.form_version_tag, event.headers))
    else:
        detail = _detail(event.name, event.form, event.form_binding, event.form_version_tag)
    key = (live.id, event.task)
    row = [
        *key, event.node, live.process, event.assignee, _moment(event.due), event.priority,
        _candidates(changes, key, event), detail, at,
    ]  # fmt: skip
    live.tasks[event.task] = row
    changes.put(USER_TASK, key, row)


@lru_cache(maxsize=4096)
def _detail(name: str, form: str | None, binding: str, version_tag: str) -> bytes:
    """The same for each instance that comes to the task."""
    return _encode((name, form, binding, version_tag, {}))


def _user_task_updated(changes: Changes, live: Live, event: p.UserTaskUpdated, at: int) -> None:
    key = (live.id, event.task)
    live.tasks.pop(event.task, None)
    changes.remove(CANDIDATE, key)
    values = {
        "assignee": event.assignee,
        "due": _moment(event.due),
        "priority": event.priority,
        "candidates": _candidates(changes, key, event),
    }
    changes.patch(USER_TASK, key, values)


def _candidates(changes: Changes, key: tuple[str, int], event: p.UserTaskOpened | p.UserTaskUpdated) -> bytes:
    """Rows to find the task by, and the same for its own row, with the follow-up date."""
    if not event.candidate_groups and not event.candidate_users:
        return _NO_CANDIDATES if event.follow_up is None else _encode(((), (), _moment(event.follow_up)))
    for group in dict.fromkeys(event.candidate_groups):
        changes.put(CANDIDATE, key, [*key, "group", group])
    for user in dict.fromkeys(event.candidate_users):
        changes.put(CANDIDATE, key, [*key, "user", user])
    return _encode((event.candidate_groups, event.candidate_users, _moment(event.follow_up)))


def _user_task_closed(changes: Changes, live: Live, event: p.UserTaskClosed, at: int) -> None:
    key = (live.id, event.task)
    row = live.tasks.pop(event.task, None)
    changes.remove(USER_TASK, key, row)
    if row is None or row[_CANDIDATES] is not _NO_CANDIDATES:
        changes.remove(CANDIDATE, key)


def _timer_set(changes: Changes, live: Live, event: p.TimerSet, at: int) -> None:
    row = [live.id, event.timer, event.node, live.process, micros(event.due), 1]
    changes.put(TIMER, (live.id, event.timer), row)


def _timer_gone(changes: Changes, live: Live, event: p.TimerFired | p.TimerCleared, at: int) -> None:
    changes.remove(TIMER, (live.id, event.timer))


def _subscription_opened(changes: Changes, live: Live, event: p.SubscriptionOpened, at: int) -> None:
    key = (live.id, event.subscription)
    row = [*key, event.kind, event.name, event.key, event.node, live.process, at, 1]
    changes.put(SUBSCRIPTION, key, row)


def _subscription_closed(changes: Changes, live: Live, event: p.SubscriptionClosed, at: int) -> None:
    changes.remove(SUBSCRIPTION, (live.id, event.subscription))


def _incident_raised(changes: Changes, live: Live, event: p.IncidentRaised, at: int) -> None:
    key = (live.id, event.incident)
    row = [*key, event.kind, event.node, live.process, event.message, event.details, event.subject, at]
    changes.put(INCIDENT, key, row)


def _incident_resolved(changes: Changes, live: Live, event: p.IncidentResolved, at: int) -> None:
    changes.remove(INCIDENT, (live.id, event.incident))


PROJECTIONS: dict[type, Project] = {
    p.InstanceEnded: _ended,
    p.JobOpened: _job_opened,
    p.JobFailed: _job_failed,
    p.JobRetried: _job_retried,
    p.JobClosed: _job_closed,
    p.UserTaskOpened: _user_task_opened,
    p.UserTaskUpdated: _user_task_updated,
    p.UserTaskClosed: _user_task_closed,
    p.TimerSet: _timer_set,
    p.TimerFired: _timer_gone,
    p.TimerCleared: _timer_gone,
    p.SubscriptionOpened: _subscription_opened,
    p.SubscriptionClosed: _subscription_closed,
    p.IncidentRaised: _incident_raised,
    p.IncidentResolved: _incident_resolved,
}
