"""Context functions (DMN 1.5, 10.3.4.9) and functions over any value."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from flowkit.errors import EvaluationLimit
from flowkit.feel.builtins.registry import Table
from flowkit.feel.operators import same
from flowkit.feel.values import Null, Run, normalize, to_json
from flowkit.values import unstorable

__all__ = ["TABLE"]

TABLE = Table("Context and other")


@TABLE.define("get value", "m: context, key: string")
def get_value(_run: Run, context: dict[str, Any], key: str) -> Any:
    """The entry's value; null if there is no such entry."""
    if key not in context:
        raise Null(f"get value(): there is no entry {key!r}", "missing")
    return context[key]


@TABLE.define("get value", "m: context, keys: list")
def get_value_deep(run: Run, context: dict[str, Any], keys: list[Any]) -> Any:
    """The value that a path of keys leads to."""
    value: Any = context
    if not keys:
        raise Null("get value(): the list of keys is empty", "value")
    for key in keys:
        if type(value) is not dict or type(key) is not str:
            raise Null(f"get value(): there is no entry {key!r}", "missing")
        value = get_value(run, value, key)
    return value


@TABLE.define("get entries", "m: context")
def get_entries(run: Run, context: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries as a list of contexts with ``key`` and ``value``."""
    run.spend(len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@TABLE.define("context put", "context: context, key: string, value: any")
def context_put(run: Run, context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The context with one entry added or changed."""
    run.spend(len(context))
    return {**context, key: value}


@TABLE.define("context put", "context: context, keys: list, value: any")
def context_put_deep(run: Run, context: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any]:
    """The context with the value changed that a path of keys leads to."""
    if not keys or not all(type(key) is str for key in keys):
        raise Null("context put(): the keys must be strings, at least one", "value")
    run.spend(len(context) + 1)
    run.enter()
    key, *rest = keys
    if rest:
        inner = context.get(key)
        if type(inner) is not dict:
            raise Null(f"context put(): {key!r} is not a context", "type")
        value = context_put_deep(run, inner, rest, value)
    run.calls -= 1
    return {**context, key: value}


@TABLE.define("context merge", "contexts: list")
def context_merge(run: Run, contexts: list[Any]) -> dict[str, Any]:
    """All entries of the contexts; later ones win."""
    merged: dict[str, Any] = {}
    for context in contexts:
        if type(context) is not dict:
            raise Null("context merge(): the list must hold only contexts", "type")
        run.spend(len(context) + 1)
        merged.update(context)
    return merged


@TABLE.define("is", "value1: any, value2: any")
def is_same(run: Run, left: Any, right: Any) -> bool:
    """Whether both are the same value of the same type; zones must be written alike."""
    return same(left, right, run)


@TABLE.define("not", "negand: any")
def negation(_run: Run, negand: Any) -> bool:
    """True for false and the reverse; null for anything else."""
    if type(negand) is not bool:
        raise Null("not(): the argument is not a boolean", "type")
    return not negand


@TABLE.define("get or else", "value: any, default: any")
def get_or_else(_run: Run, value: Any, default: Any) -> Any:
    """The value, or the default if the value is null."""
    return default if value is None else value


@TABLE.define("is defined", "value: any")
def is_defined(_run: Run, value: Any) -> bool:
    """Whether a variable or entry exists, even if it is null."""
    return value is not None


@TABLE.define("assert", "value: any, condition: any, cause?: string")
def assertion(_run: Run, value: Any, condition: Any, cause: str = "the condition is not fulfilled") -> Any:
    """The value if the condition is true, else null with the cause as diagnostic."""
    if condition is not True:
        raise Null(f"assert(): {cause}", "assert")
    return value


@TABLE.define("to json", "value: any")
def to_json_text(run: Run, value: Any) -> str:
    """The value as JSON text."""
    text = json.dumps(to_json(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    run.check_string(len(text))
    return text


@TABLE.define("from json", "value: string")
def from_json(run: Run, text: str) -> Any:
    """The value that a JSON text writes."""
    run.spend(len(text) // 8)
    try:
        found = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
        if "\\u" in text:
            _check_texts(found)
        return normalize(found)
    except (ValueError, ArithmeticError) as reason:
        raise Null(f"from json(): {reason}", "value") from None
    except RecursionError:
        raise EvaluationLimit("from json(): the text is nested too deep") from None


def _check_texts(value: Any) -> None:
    """JSON's escapes can write what is no character, and U+0000, which not every database holds."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and (problem := unstorable(item)):
            raise ValueError(problem)
        if isinstance(item, dict):
            waiting += item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
