"""Variables by which instances are found through an index: those that their process names.

``zeebe:property name="flowkit.searchable" value="plate, order_no"`` on a process keeps these variables
of the process scope in a table. Other processes pay nothing for it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from flowkit.engine.payload import encode
from flowkit.engine.sql.schema import VARIABLE
from flowkit.kernel.protocol import InstanceStarted, VariablesSet

if TYPE_CHECKING:
    from flowkit.engine.changes import Changes
    from flowkit.engine.snapshots import Live

__all__ = ["follow", "index", "value_key"]

ROOT = 1
"""The key of the process scope."""
LONGEST = 200


def value_key(value: Any) -> str:
    """What stands for a value in the index: its JSON, or its hash where that is long."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = encode(value).decode()
    if len(text) <= LONGEST:
        return text
    return "#" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def follow(changes: Changes, live: Live) -> None:
    """Write what the instance's new events changed."""
    changed: dict[str, Any] = {}
    for event in live.events:
        if isinstance(event, InstanceStarted) or (isinstance(event, VariablesSet) and event.scope == ROOT):
            given, names = event.variables, live.program.searchable
            changed.update((name, given[name]) for name in names if name in given)
    _write(changes, live, changed)


def index(changes: Changes, live: Live) -> None:
    """Write what the instance has now: for one that did not begin here (restart, migration)."""
    variables = live.instance.variables_of()
    _write(changes, live, {name: variables[name] for name in live.program.searchable if name in variables})


def _write(changes: Changes, live: Live, values: dict[str, Any]) -> None:
    for name, value in values.items():
        changes.remove(VARIABLE, (live.id, name))
        changes.put(VARIABLE, (live.id, name), [live.id, name, live.process, value_key(value)])
