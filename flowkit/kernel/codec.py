"""Instances and events as bytes: versioned JSON, read by any later version.

A snapshot starts with its version; :data:`UPCASTERS` turns the JSON of version *n* into that of
*n + 1*, so that what an old flowkit saved a new one reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from flowkit.errors import FlowkitError
from flowkit.kernel import protocol as p
from flowkit.kernel.state import Instance

__all__ = [
    "SNAPSHOT_VERSION",
    "decode_event",
    "decode_events",
    "decode_instance",
    "encode_event",
    "encode_events",
    "encode_instance",
]

SNAPSHOT_VERSION = 1

UPCASTERS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""``UPCASTERS[n]`` turns a snapshot of version *n* into one of version *n + 1*."""

_encoder = msgspec.json.Encoder()
_instance = msgspec.json.Decoder(Instance)
_event: msgspec.json.Decoder[p.Event] = msgspec.json.Decoder(p.Event)
_events = msgspec.json.Decoder(list[p.Event])


def encode_instance(instance: Instance) -> bytes:
    """The instance as bytes; equal instances that came from the same events give equal bytes."""
    return b"%d " % SNAPSHOT_VERSION + _encoder.encode(instance)


def decode_instance(data: bytes) -> Instance:
    """Read what :func:`encode_instance` wrote, now or in an earlier version.

    Raises FlowkitError for bytes that are no snapshot, or one of a newer flowkit.
    """
    version_text, _, body = data.partition(b" ")
    try:
        version = int(version_text)
        if version == SNAPSHOT_VERSION:
            return _instance.decode(body)
        raw = msgspec.json.decode(body)
        while version < SNAPSHOT_VERSION:
            raw = UPCASTERS[version](raw)
            version += 1
        if version > SNAPSHOT_VERSION:
            raise FlowkitError(
                f"The snapshot has version {version}; this flowkit reads up to {SNAPSHOT_VERSION}."
                " Upgrade flowkit."
            )
        return _instance.decode(_encoder.encode(raw))
    except (ValueError, KeyError, msgspec.DecodeError) as error:
        raise FlowkitError(f"Not a snapshot of an instance: {error}") from None


def encode_event(event: p.Event) -> bytes:
    """One event as JSON."""
    return _encoder.encode(event)


def encode_events(events: Sequence[p.Event]) -> bytes:
    """A list of events as one JSON array."""
    return _encoder.encode(events)


def decode_event(data: bytes) -> p.Event:
    """Read what :func:`encode_event` wrote."""
    return _event.decode(data)


def decode_events(data: bytes) -> list[p.Event]:
    """Read what :func:`encode_events` wrote."""
    return _events.decode(data)
