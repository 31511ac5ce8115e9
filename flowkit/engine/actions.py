"""What is done to many instances at once: functions for :meth:`~flowkit.engine.Engine.bulk`.

>>> engine.bulk(engine.select("auto_4s", with_incidents=True), actions.retry(3))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flowkit.engine import incidents
from flowkit.engine.maintenance import migrate_instance
from flowkit.engine.payload import json_copy
from flowkit.engine.restart import restart as begin_again
from flowkit.errors import WrongState
from flowkit.kernel.protocol import Modify, MoveToken, ResolveIncident
from flowkit.kernel.state import Incident

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit

__all__ = ["migrate", "move", "restart", "retry", "skip"]

Action = Callable[["Unit", str], object]


def retry(retries: int = 1) -> Action:
    """Resolve every incident of the instance; jobs get ``retries`` attempts."""

    def act(unit: Unit, instance: str) -> None:
        waits = unit.load(instance).instance.waits
        for key in [key for key, wait in waits.items() if isinstance(wait, Incident)]:
            if key in waits:  # an earlier one may have led away from it
                unit.step(instance, ResolveIncident(incident=key, retries=retries))

    return act


def skip(variables: Mapping[str, Any] | None = None, to: str | None = None) -> Action:
    """Go on from every incident of the instance as if what failed had given ``variables``."""
    data = json_copy(variables)

    def act(unit: Unit, instance: str) -> None:
        waits = unit.load(instance).instance.waits
        for key in [key for key, wait in waits.items() if isinstance(wait, Incident)]:
            if key in waits:
                incidents.skip(unit, instance, key, data, to)

    return act


def restart(
    at: int | str | None = None, variables: Mapping[str, Any] | None = None, *, cancel: bool = False
) -> Action:
    """Start an instance again, as :meth:`~flowkit.engine.Engine.restart` does.

    Select with ``restarted=False, is_restart=False``: so what was started anew is not met again, and an
    interrupted run goes on with what is left.
    """
    data = json_copy(variables)
    return lambda unit, instance: begin_again(
        unit, instance, at=at, start_event=None, variables=data, cancel=cancel
    )


def move(source: str, target: str) -> Action:
    """Move every token that stands at one element to another; raises WrongState where none does."""

    def act(unit: Unit, instance: str) -> None:
        tokens = unit.load(instance).instance.tokens.values()
        found = tuple(MoveToken(token=token.key, to=target) for token in tokens if token.node == source)
        if not found:
            raise WrongState(f"No token of instance {instance} stands at {source!r}.")
        unit.step(instance, Modify(changes=found))

    return act


def migrate(version: int | None = None, mapping: Mapping[str, str] | None = None) -> Action:
    """Let the instance go on with another version (default: the newest)."""
    ids = dict(mapping or {})
    return lambda unit, instance: migrate_instance(unit, instance, version, ids)
