"""What is done to many instances at once: functions for :meth:`~flowkit.engine.Engine.bulk`.

>>> engine.bulk(engine.select("auto_4s", with_incidents=True), actions.retry(3))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flowkit.engine.maintenance import migrate_instance
from flowkit.errors import WrongState
from flowkit.kernel.protocol import Modify, MoveToken, ResolveIncident
from flowkit.kernel.state import Incident

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit

__all__ = ["migrate", "move", "retry"]

Action = Callable[["Unit", str], object]


def retry(retries: int = 1) -> Action:
    """Resolve every incident of the instance; jobs get ``retries`` attempts."""

    def act(unit: Unit, instance: str) -> None:
        waits = unit.load(instance).instance.waits
        for key in [key for key, wait in waits.items() if isinstance(wait, Incident)]:
            if key in waits:  # an earlier one may have led away from it
                unit.step(instance, ResolveIncident(incident=key, retries=retries))

    return act


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
