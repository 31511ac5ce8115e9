"""Compiling the standard's correlation: which messages belong to which key (BPMN 2.0.2, 8.4.2)."""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn import model as m
from flowkit.kernel.compile_formulas import Compiler
from flowkit.kernel.program import Correlation

__all__ = ["correlations_of"]


def correlations_of(
    definitions: m.Definitions, process: m.Process, compiler: Compiler
) -> dict[str, Correlation]:
    """By message id, for those messages that carry every property of a key of the process."""
    properties = {one.id: one for one in definitions.correlation_properties}
    subscriptions = {one.correlation_key: one for one in process.correlation_subscriptions}
    found: dict[str, Correlation] = {}
    for key, names in _keys(definitions, process, frozenset(subscriptions)):
        subscription = subscriptions.get(key)
        for message in definitions.messages:
            retrievals = [
                next((one for one in properties[name].retrievals if one.message == message.id), None)
                for name in names
                if name in properties
            ]
            if not retrievals or len(retrievals) < len(names) or message.id in found:
                continue
            paths = tuple(compiler.standard(one, one.path) for one in retrievals if one is not None)
            if len(paths) < len(names):
                continue
            bound = dict(subscription.bindings) if subscription is not None else {}
            context = tuple(
                compiler.standard(subscription or process, bound[name]) for name in names if name in bound
            )
            found[message.id] = Correlation(key, tuple(names), paths, context)
    return found


def _keys(
    definitions: m.Definitions, process: m.Process, subscribed: frozenset[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The keys of the collaborations that the process takes part in, and those that it subscribes to."""
    for collaboration in definitions.collaborations:
        pools = {participant.process for participant in collaboration.participants}
        for key, names in collaboration.correlation_keys:
            if not pools or process.id in pools or key in subscribed:
                yield key, names
