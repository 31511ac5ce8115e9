"""Correlation by the standard's properties (BPMN 2.0.2, 8.4.2).

The first message of a conversation, received or sent, gives the instance its key; a later one belongs to
the instance when it carries the same. Where the process subscribes to a key, its own data give the key
instead, and what it waits for follows when they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from flowkit.kernel import protocol as p
from flowkit.kernel.formula import Trouble, findable
from flowkit.kernel.frame import Frame
from flowkit.kernel.program import Correlation
from flowkit.kernel.state import Subscription

__all__ = ["carried", "follow", "key_to_wait_for", "learn", "thrown_key"]


def carried(correlation: Correlation, message: Mapping[str, Any], now: Any) -> str | None:
    """The key that a message with this content carries; None when it carries none."""
    return _text([path.value(message, now) for path in correlation.paths])


def _text(values: list[Any]) -> str | None:
    """Several values are one key: the JSON list of their texts."""
    if any(isinstance(value, bool) or not isinstance(value, str | int | float) for value in values):
        return None
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else msgspec.json.encode(texts).decode()


def _own(frame: Frame, correlation: Correlation) -> str | None:
    """The instance's key: from its data where it subscribes, else what the first message brought."""
    if not correlation.context:
        return frame.instance.keys.get(correlation.key)
    key = _text([frame.value(formula, 1) for formula in correlation.context])
    return None if key is None else findable(key, "correlation", "correlation key", correlation.key)


def key_to_wait_for(frame: Frame, correlation: Correlation) -> str:
    """What a message must carry; any key, while the instance has none. Raises Trouble."""
    key = _own(frame, correlation)
    if key is not None:
        return key
    if not correlation.context:
        return p.ANY_KEY
    texts = ", ".join(f"'{formula.text}'" for formula in correlation.context)
    raise Trouble(
        "correlation",
        f"The correlation key '{correlation.key}' has no value: {texts} must each give a text or a number.",
    )


def thrown_key(frame: Frame, correlation: Correlation, name: str, payload: Mapping[str, Any]) -> str:
    """What a message that is sent carries: by its content, else the instance's own key. Raises Trouble."""
    key = carried(correlation, payload, frame.now) or _own(frame, correlation)
    if key is None:
        texts = ", ".join(f"'{path.text}'" for path in correlation.paths)
        raise Trouble(
            "correlation",
            f"The message '{name}' carries no correlation key: {texts} must each give a text or a number of"
            " what it sends.",
        )
    return findable(key, "correlation", "correlation key", correlation.key)


def learn(frame: Frame, correlation: Correlation | None, key: str | None, received: int = 0) -> None:
    """The first message gives the instance its key; what waited for any key now waits for this one.

    ``received`` is the subscription that the message came by; it waits on only where it can come again.
    """
    if correlation is None or correlation.context or not key or correlation.key in frame.instance.keys:
        return
    frame.emit(p.CorrelationKeySet(correlation.key, key))
    for wait in list(frame.instance.waits.values()):
        if isinstance(wait, Subscription) and wait.correlation_key == p.ANY_KEY:
            event = frame.program.nodes[wait.node]
            own = event.catches[wait.part].correlation
            over = wait.key == received and event.interrupting
            if own is not None and own.key == correlation.key and not over:
                _wait_for(frame, wait, key)


def follow(frame: Frame, wait: Subscription, changed: set[str]) -> None:
    """Variables changed: does the process's data give another key now? Without one it stays as it was."""
    correlation = frame.program.nodes[wait.node].catches[wait.part].correlation
    if correlation is None or not any(changed & formula.reads for formula in correlation.context):
        return
    key = _own(frame, correlation)
    if key is not None and key != wait.correlation_key:
        _wait_for(frame, wait, key)


def _wait_for(frame: Frame, wait: Subscription, key: str) -> None:
    frame.emit(p.SubscriptionClosed(wait.key))
    correlation = frame.program.nodes[wait.node].catches[wait.part].correlation
    frame.emit(
        p.SubscriptionOpened(
            frame.next_key(), wait.kind, wait.token, wait.scope, wait.node, wait.name, key, wait.part,
            correlation is not None and bool(correlation.context),
        )
    )  # fmt: skip
