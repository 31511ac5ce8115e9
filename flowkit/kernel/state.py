"""What an instance is: tokens, scopes, and what they wait for.

Two rules of what may live here: only what is needed to go on (history is the list of events), and
only what :mod:`flowkit.kernel.evolve` writes. A *token* is a position; a *scope* is a running
process, subprocess, multi-instance body or activity with variables of its own; a *wait* is
something outside that the instance waits for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from flowkit.kernel.protocol import Compensable, ParentCall

__all__ = [
    "BODIES",
    "OVER",
    "Call",
    "Condition",
    "DataRequest",
    "Incident",
    "Instance",
    "Job",
    "LoopState",
    "Request",
    "Scope",
    "Subscription",
    "Timer",
    "Token",
    "UserTask",
    "Wait",
]


OVER = frozenset({"completed", "terminated", "cancelled", "error"})
"""The statuses of an instance to which nothing happens any more."""

BODIES = frozenset({"multi_instance", "loop"})
"""The kinds of scopes whose tokens are instances of one activity."""


class _Wait(msgspec.Struct, tag=True, tag_field="@", omit_defaults=True, gc=False):
    """``token`` is 0 for what a scope waits for (the start of an event subprocess)."""

    key: int
    token: int
    node: str


class Job(_Wait, omit_defaults=True):
    type: str
    retries: int


class UserTask(_Wait, omit_defaults=True):
    assignee: str | None = None
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    due: datetime | None = None
    follow_up: datetime | None = None
    priority: int = 50
    form: str | None = None


class Timer(_Wait, omit_defaults=True):
    scope: int
    due: datetime
    repetitions: int | None = 0
    cycle: str = ""
    part: int = 0


class Subscription(_Wait, omit_defaults=True):
    scope: int
    kind: str
    name: str
    correlation_key: str = ""
    part: int = 0


class Condition(_Wait, omit_defaults=True):
    scope: int
    holds: bool
    part: int = 0


class Call(_Wait, omit_defaults=True):
    """With ``undo`` the called instance undoes that finished run."""

    process: str
    undo: Compensable | None = None


class Request(_Wait, omit_defaults=True):
    decision: str


class DataRequest(_Wait, omit_defaults=True):
    """``writes``: the node is done and gives to data stores, rather than takes from them to begin."""

    writes: bool = False


class Incident(_Wait, omit_defaults=True):
    kind: str
    resume: str
    message: str
    subject: int = 0


Wait = Job | UserTask | Timer | Subscription | Condition | Call | Request | DataRequest | Incident


class Token(msgspec.Struct, omit_defaults=True, gc=False):
    """A position in the diagram.

    ``active`` tells whether the node was entered; ``flow`` is where it waits at a join;
    ``holds`` are its waits; ``scopes`` are the scopes that it opened, outermost first.
    """

    key: int
    node: str
    scope: int
    active: bool = False
    flow: str | None = None
    holds: dict[int, None] = {}
    scopes: tuple[int, ...] = ()
    pending: tuple[Compensable, ...] = ()


class LoopState(msgspec.Struct, omit_defaults=True, gc=False):
    """The counters of a loop or multi-instance body; ``items`` are those that were not started."""

    total: int | None = None
    started: int = 0
    completed: int = 0
    terminated: int = 0
    items: list[Any] = []
    outputs: dict[int, Any] = {}
    thrown: bool = False


class Scope(msgspec.Struct, omit_defaults=True, gc=False):
    """``at`` counts the tokens per node; ``joins`` holds those that wait at a join, per flow."""

    key: int
    kind: str
    node: str
    parent: int
    token: int
    variables: dict[str, Any] = {}
    tokens: dict[int, None] = {}
    at: dict[str, int] = {}
    joins: dict[str, dict[str, list[int]]] = {}
    resetting: dict[str, tuple[str, ...]] = {}
    holds: dict[int, None] = {}
    records: dict[int, Compensable] = {}
    loop: LoopState | None = None
    occurred: dict[str, list[int]] = {}
    brought: dict[str, dict[str, Any]] = {}
    """What the parts of a parallel-multiple event that have ``occurred`` brought."""


class Instance(msgspec.Struct, omit_defaults=True):
    """One running process. Created by :func:`new_instance`, changed only by ``evolve``."""

    id: str
    process: str
    program: str
    status: str = "created"
    business_key: str | None = None
    parent: ParentCall | None = None
    counter: int = 0
    tokens: dict[int, Token] = {}
    scopes: dict[int, Scope] = {}
    waits: dict[int, Wait] = {}
    synchronizing: dict[int, None] = {}
    """Scopes in which a token waits at a join for tokens that can still reach it."""
    conditions: dict[int, None] = {}
    """The waits to be looked at when variables change: conditions, and messages whose key follows them."""
    keys: dict[str, str] = {}
    """The values of correlation keys that messages gave, by the key's id."""

    def lineage(self, scope: int) -> Iterator[Scope]:
        """The scope and those around it, innermost first."""
        scopes = self.scopes
        while scope:
            here = scopes[scope]
            yield here
            scope = here.parent

    def variables_of(self, scope: int | None = None) -> dict[str, Any]:
        """Every variable that is visible in ``scope`` (default: the root scope)."""
        visible: dict[str, Any] = {}
        if self.scopes:
            for here in reversed(list(self.lineage(scope or 1))):
                visible.update(here.variables)
        return visible

    def inner_scope(self, token: Token) -> int:
        """The scope whose variables the token's work sees: its own one, else the one it stands in."""
        return token.scopes[-1] if token.scopes else token.scope

    def inputs_of(self, wait: int) -> dict[str, Any]:
        """The variables in sight of a job, user task, call or decision request."""
        return self.variables_of(self.inner_scope(self.tokens[self.waits[wait].token]))
