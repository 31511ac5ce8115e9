"""What the parts of one engine share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from flowkit.engine.clock import Clock
from flowkit.engine.data_stores import Stores
from flowkit.engine.definitions import Definitions
from flowkit.engine.store import Store
from flowkit.engine.telemetry import Telemetry

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True)
class Parts:
    """``message_ttl`` is how long a message that gives no time to live is kept."""

    store: Store
    clock: Clock
    definitions: Definitions
    new_id: Callable[[datetime], str]
    message_ttl: timedelta
    telemetry: Telemetry | None = None
    stores: Stores = field(default_factory=Stores)
    turns: Iterator[int] = field(default_factory=count)
    """Counts claims, so that those who wait for workers take turns to come first."""
