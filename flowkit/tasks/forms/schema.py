"""What a JSON Schema must be to serve as a form: valid, self-contained, without a word unread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flowkit.findings import Finding, Location, Severity
from flowkit.tasks.forms.validator import FORMATS, schema_fault

__all__ = ["check_schema"]

MAX_DEPTH = 60
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ONE = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_WORDS = """
$anchor $comment $id $ref $schema const contentEncoding contentMediaType default dependentRequired deprecated
description enum examples exclusiveMaximum exclusiveMinimum format maxContains maxItems maxLength
maxProperties maximum minContains minItems minLength minProperties minimum multipleOf pattern readOnly
required title type uniqueItems writeOnly
"""
_PLAIN = frozenset(_WORDS.split())
KEYWORDS = _ONE | _MANY | _NAMED | _PLAIN

Part = tuple[str, Any]
"""A JSON pointer and the schema there."""


def _parts(schema: Mapping[str, Any], pointer: str) -> Iterator[Part]:
    for keyword, value in schema.items():
        at = f"{pointer}/{keyword}"
        if keyword in _ONE:
            yield at, value
        elif keyword in _MANY and isinstance(value, list):
            yield from ((f"{at}/{index}", part) for index, part in enumerate(value))
        elif keyword in _NAMED and isinstance(value, Mapping):
            yield from ((f"{at}/{name}", part) for name, part in value.items())


def _subschemas(root: Mapping[str, Any]) -> Iterator[tuple[str, Any, int]]:
    todo: list[tuple[str, Any, int]] = [("#", root, 0)]
    while todo:
        pointer, schema, depth = todo.pop()
        yield pointer, schema, depth
        if isinstance(schema, Mapping) and depth <= MAX_DEPTH:
            todo += [(at, part, depth + 1) for at, part in _parts(schema, pointer)]


def _problems(pointer: str, schema: Any, depth: int) -> Iterator[tuple[str, str, str]]:
    """``(rule, message, hint)`` of one subschema."""
    if depth > MAX_DEPTH:
        yield "form-depth", f"{pointer[:80]}… is nested deeper than {MAX_DEPTH} levels", "Flatten the form."
        return
    if not isinstance(schema, Mapping):
        if not isinstance(schema, bool):
            yield "form-schema", f"{pointer}: expected a schema, found {type(schema).__name__}", ""
        return
    for word in schema:
        if word not in KEYWORDS and not word.startswith("x-"):
            yield (
                "form-keyword",
                f"{pointer}: {word!r} is no keyword that is checked",
                "Correct the spelling; keywords of your own start with 'x-'.",
            )
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference != "#" and not reference.startswith("#/"):
        yield (
            "form-reference",
            f"{pointer}: $ref {reference!r} leaves the file",
            "Move what it refers to into '$defs' and refer to it as '#/$defs/…'.",
        )
    form = schema.get("format")
    if isinstance(form, str) and form not in FORMATS:
        known = ", ".join(sorted(FORMATS))
        yield (
            "form-format",
            f"{pointer}: format {form!r} is not checked",
            f"Use one of {known}, or a 'pattern'.",
        )


def check_schema(schema: Mapping[str, Any], file: str) -> list[Finding]:
    """Every reason why ``schema`` can't be used as a form; [] if there is none."""
    found: list[tuple[str, str, str]] = []
    dialect = schema.get("$schema", DIALECT)
    if str(dialect).rstrip("#") != DIALECT:
        found.append(
            ("form-dialect", f"$schema is {dialect!r}", f"Forms are written in Draft 2020-12: {DIALECT}")
        )
    for pointer, part, depth in _subschemas(schema):
        found += _problems(pointer, part, depth)
    if not found:
        fault = schema_fault(schema)
        found += [("form-schema", fault, "See JSON Schema, Draft 2020-12.")] if fault else []
    return [
        Finding(rule, Severity.ERROR, Location(file), message, hint) for rule, message, hint in found[:50]
    ]
