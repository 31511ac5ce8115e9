"""Which events somebody outside must act on."""

from __future__ import annotations

from flowkit.kernel import protocol as p

__all__ = ["EFFECTS"]

EFFECTS: frozenset[type] = frozenset(
    {
        p.InstanceEnded,
        p.InstanceSuspended,
        p.InstanceResumed,
        p.JobOpened,
        p.JobFailed,
        p.JobRetried,
        p.JobClosed,
        p.UserTaskOpened,
        p.UserTaskUpdated,
        p.UserTaskClosed,
        p.TimerSet,
        p.TimerFired,
        p.TimerCleared,
        p.SubscriptionOpened,
        p.SubscriptionClosed,
        p.MessageThrown,
        p.SignalThrown,
        p.DecisionRequested,
        p.DataRequested,
        p.CallOpened,
        p.CallClosed,
        p.EscalationThrown,
        p.IncidentRaised,
        p.IncidentResolved,
    }
)
"""Events that somebody outside must act on; all others are only history."""
