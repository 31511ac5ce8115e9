"""Correlation by the standard's properties (8.4.2): a message belongs to one key, and carries all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, error
from flowkit.bpmn.model import (
    Collaboration,
    Element,
    Event,
    FlowNode,
    Message,
    MessageEventDefinition,
    Process,
    ReceiveTask,
    SendTask,
)

__all__ = ["RULES"]


def correlation_key(model: Model) -> Iterator[Problem]:
    definitions = model.definitions
    for prop in definitions.correlation_properties:
        for name, count in Counter(retrieval.message for retrieval in prop.retrievals).items():
            if count > 1:
                yield Problem(
                    prop,
                    f"the property is retrieved from the message '{name}' in {count} ways.",
                    "Keep one correlationPropertyRetrievalExpression for each message.",
                )
    retrieved = {
        (prop.id, retrieval.message)
        for prop in definitions.correlation_properties
        for retrieval in prop.retrievals
    }
    for process in definitions.processes:
        if not process.is_executable:
            continue
        keys = list(_keys(model, process))
        if not keys:
            continue
        exchanged = dict(_exchanged(model, process))
        for holder, key, properties in keys:
            if not properties:
                yield Problem(holder, f"the correlation key '{key}' has no property.", "Name its properties.")
        for message, nodes in exchanged.items():
            yield from _one_key(message, nodes, [(key, names) for _, key, names in keys], retrieved)


def _one_key(
    message: Message,
    nodes: list[FlowNode],
    keys: list[tuple[str, tuple[str, ...]]],
    retrieved: set[tuple[str, str]],
) -> Iterator[Problem]:
    whole = []
    for key, names in keys:
        missing = [name for name in names if (name, message.id) not in retrieved]
        if names and not missing:
            whole.append(key)
        elif len(missing) < len(names):
            yield Problem(
                message,
                f"the message gives no value for '{missing[0]}' of the correlation key '{key}'.",
                "Add a correlationPropertyRetrievalExpression for it, or leave out those of the others.",
            )
    if len(whole) > 1:
        yield Problem(
            message,
            f"the message carries several correlation keys: {', '.join(whole)}.",
            "Keep one: by which of them it would be correlated is not defined here.",
        )
    elements: list[Element] = [message, *nodes]
    own = next((element for element in elements if element.extensions.correlation_key), None)
    if whole and own is not None:
        yield Problem(
            own,
            f"the message '{message.name or message.id}' has a zeebe correlation key, and the standard's "
            f"'{whole[0]}'.",
            "Keep one of them.",
        )


def _keys(model: Model, process: Process) -> Iterator[tuple[Collaboration, str, tuple[str, ...]]]:
    subscribed = {one.correlation_key for one in process.correlation_subscriptions}
    for collaboration in model.definitions.collaborations:
        pools = {participant.process for participant in collaboration.participants}
        for key, properties in collaboration.correlation_keys:
            if not pools or process.id in pools or key in subscribed:
                yield collaboration, key, properties


def _exchanged(model: Model, process: Process) -> Iterator[tuple[Message, list[FlowNode]]]:
    """The messages that the process receives or sends, with the nodes that do."""
    by_message: dict[str, list[FlowNode]] = {}
    for scope, node in model.run(FlowNode):
        if scope.process is not process:
            continue
        if isinstance(node, SendTask | ReceiveTask):
            by_message.setdefault(node.message, []).append(node)
        elif isinstance(node, Event):
            for definition in node.definitions:
                if isinstance(definition, MessageEventDefinition):
                    by_message.setdefault(definition.message, []).append(node)
    for message in model.definitions.messages:
        if message.id in by_message:
            yield message, by_message[message.id]


RULES: tuple[Rule, ...] = (
    error("correlation-key", "A message is correlated by one key, which it carries whole.", correlation_key),
)
