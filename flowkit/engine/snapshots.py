"""What is stored of an instance: a snapshot of its state, and the events since.

Writing the whole state at every step would make each step of an instance with ten thousand tokens
cost ten thousand tokens. A snapshot is therefore taken when the events since the last one outweigh
it: what is written for a step stays in proportion to what happened in it, and reading an instance
replays no more bytes of events than its state has (or a few dozen events, where that is more). An
instance that ends gets none: there are few readers then, and nothing to go on with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from flowkit.engine.sql.schema import EVENT, INSTANCE
from flowkit.engine.store import Row
from flowkit.kernel import (
    Instance,
    Program,
    decode_events,
    decode_instance,
    encode_events,
    encode_instance,
    new_instance,
    replay,
)
from flowkit.kernel.protocol import Event
from flowkit.kernel.state import OVER

__all__ = ["LIVES", "SAVED", "SINCE", "Live", "instance_of", "lives", "saved"]

SMALL = 4096
"""Bytes of events that are always replayed rather than have another snapshot written."""

SAVED = "CASE WHEN e.seq IS NULL OR e.seq=i.snapshot THEN i.state END, e.seq, e.data"
"""Columns: the snapshot, in the first of an instance's rows; what came after it, a row a step."""
SINCE = f"LEFT JOIN {EVENT.name} e ON e.instance=i.id AND e.seq>=i.snapshot"
LIVES = (
    "SELECT i.id, i.process, i.version, i.digest, i.deployment, i.depth, i.message_key, i.snapshot, "
    f"{SAVED} FROM {INSTANCE.name} i {SINCE} WHERE i.id IN"
)


@dataclass(slots=True)
class Live:
    """An instance in memory, with what the store knows about it; ``revision`` counts its events."""

    id: str
    instance: Instance
    program: Program
    process: str
    version: int
    deployment: str
    depth: int
    message_key: str | None
    revision: int = 0
    weight: int = 0
    """Bytes of events since the snapshot."""
    limit: int = SMALL
    """How many there may be before another snapshot is taken."""
    epoch: int = 0
    events: list[Event] = field(default_factory=list)
    tasks: dict[int, list[Any]] = field(default_factory=dict)
    """The rows of open user tasks, as far as it is known what is stored in them."""


def saved(live: Live) -> tuple[bytes, dict[str, Any] | None]:
    """The new events as they are to be stored, and what changes with the snapshot, if one is due."""
    data = encode_events(live.events)
    live.revision += len(live.events)
    live.events = []
    live.weight += len(data)
    if live.weight < live.limit or live.instance.status in OVER:
        return data, None
    state = encode_instance(live.instance)
    live.weight, live.limit = 0, max(SMALL, len(state))
    return data, {"revision": live.revision, "snapshot": live.revision, "state": state}


def lives(rows: Iterable[Row], program_of: Callable[[str], Program]) -> Iterator[Live]:
    """The instances in the rows of a query of :data:`LIVES`, ordered by id and seq."""
    for instance_id, group in groupby(rows, itemgetter(0)):
        own = list(group)
        _, process, version, digest, deployment, depth, message_key, snapshot, state, *_ = own[0]
        program = program_of(digest)
        instance, events, weight = _replayed(program, instance_id, own)
        yield Live(
            instance_id, instance, program, process, version, deployment, depth, message_key,
            snapshot + events, weight, max(SMALL, len(state)),
        )  # fmt: skip


def instance_of(program: Program, instance_id: str, rows: Sequence[Row]) -> Instance:
    """The state that an instance's rows tell, which end with the columns of :data:`SAVED`."""
    return _replayed(program, instance_id, rows)[0]


def _replayed(program: Program, instance_id: str, rows: Sequence[Row]) -> tuple[Instance, int, int]:
    """The state; how many events, of how many bytes, have happened since its snapshot."""
    state = bytes(rows[0][-3])
    instance = decode_instance(state) if state else new_instance(program, instance_id)
    count = weight = 0
    for *_, data in rows:
        if data is not None:
            events = decode_events(bytes(data))
            replay(instance, events)
            count, weight = count + len(events), weight + len(data)
    return instance, count, weight
