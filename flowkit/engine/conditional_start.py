"""Conditional start events: outside an instance there are no variables, so somebody gives the facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowkit.engine.arrivals import Occurrence, occur
from flowkit.engine.unit import Unit

__all__ = ["start_where_true"]


def start_where_true(unit: Unit, facts: Mapping[str, Any], process_id: str | None) -> list[str]:
    """Start every process (or only ``process_id``) at each conditional start event of its newest
    version whose condition is true for ``facts``, which become the instance's variables."""
    session, definitions = unit.read(), unit.parts.definitions
    known = dict.fromkeys(view.id for view in definitions.all(session, "process"))
    wanted = [process_id] if process_id is not None else list(known)
    started = []
    for name in wanted:
        newest = unit.newest(name)
        program = definitions.program(session, newest.digest)
        for trigger in program.starts:
            if trigger.condition is not None and trigger.condition.feel(facts, unit.now) is True:
                occurrence = Occurrence(trigger.node, "condition", str(trigger.part), variables=facts)
                _, instance = occur(unit, name, occurrence)
                if instance is not None:
                    started.append(instance)
    return started
