"""The kernel: a pure step from (program, instance, command, now) to events.

>>> events = step(program, instance, Start({"amount": 3}), now=now)

:mod:`flowkit.kernel.protocol` is the vocabulary; read it first.
"""

from flowkit.kernel.codec import (
    decode_event,
    decode_events,
    decode_instance,
    encode_event,
    encode_events,
    encode_instance,
)
from flowkit.kernel.compile import compile_process
from flowkit.kernel.evolve import evolve, replay
from flowkit.kernel.migrate import Obstacle, check_migration, migrate
from flowkit.kernel.program import Called, Flow, Node, Program, StartTrigger
from flowkit.kernel.protocol import Command, Event
from flowkit.kernel.reopen import reopen
from flowkit.kernel.state import Instance
from flowkit.kernel.step import new_instance, step

__all__ = [
    "Called",
    "Command",
    "Event",
    "Flow",
    "Instance",
    "Node",
    "Obstacle",
    "Program",
    "StartTrigger",
    "check_migration",
    "compile_process",
    "decode_event",
    "decode_events",
    "decode_instance",
    "encode_event",
    "encode_events",
    "encode_instance",
    "evolve",
    "migrate",
    "new_instance",
    "reopen",
    "replay",
    "step",
]
