"""What every part of the reader needs: ids, references, expressions, the common attributes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypedDict

from flowkit.bpmn.extensions import read_extensions
from flowkit.bpmn.extensions_model import Extensions
from flowkit.bpmn.index import Index, resolve
from flowkit.bpmn.juel import is_juel, juel_to_feel
from flowkit.bpmn.languages import to_feel
from flowkit.bpmn.model import Expression, UnsupportedElement
from flowkit.bpmn.schema import BPMN
from flowkit.bpmn.xml import Node
from flowkit.findings import Location

__all__ = ["Common", "Reader", "children", "first", "flag", "number"]

FEEL_LANGUAGES = frozenset({"", "feel"})
_FEEL_URI = re.compile(r"https?://www\.omg\.org/spec/(dmn/\d{8}/feel|feel/\d{8})\Z")
# DMN 1.2 and later, DMN 1.1.


class Common(TypedDict):
    """The keyword arguments that every element of the model takes."""

    id: str
    name: str
    documentation: str
    location: Location
    extensions: Extensions


@dataclass(slots=True)
class Reader:
    """One file being read; ids for elements without one are made from their place, so they are stable."""

    index: Index
    expression_language: str = ""
    _made: dict[Node, str] = field(default_factory=dict)
    _numbers: Counter[str] = field(default_factory=Counter)

    def id_of(self, node: Node) -> str:
        """The element's id; made up (``parent.tag.n``) where the file gives none."""
        if given := node.get("id"):
            return given
        if node not in self._made:
            parent = node.parent
            while parent is not None and parent.namespace != BPMN:
                parent = parent.parent
            stem = f"{self.id_of(parent)}.{node.tag}" if parent is not None else node.tag
            self._numbers[stem] += 1
            self._made[node] = f"{stem}.{self._numbers[stem]}"
        return self._made[node]

    def common(self, node: Node) -> Common:
        documentation = "\n\n".join(child.text.strip() for child in children(node, "documentation"))
        return Common(
            id=self.id_of(node),
            name=node.get("name") or "",
            documentation=documentation,
            location=node.location,
            extensions=read_extensions(node),
        )

    def reference(self, node: Node, attribute: str) -> str:
        """The id that the attribute refers to; empty where it is absent or leads out of the file."""
        return self.resolve(node, node.get(attribute) or "")

    def resolve(self, node: Node, text: str) -> str:
        return (resolve(node, text, self.index) or "") if text.strip() else ""

    def child_reference(self, node: Node, tag: str) -> str:
        return next(iter(self.child_references(node, tag)), "")

    def child_references(self, node: Node, tag: str) -> tuple[str, ...]:
        found = (self.resolve(child, child.text) for child in children(node, tag))
        return tuple(reference for reference in found if reference)

    def expression(self, node: Node | None) -> Expression | None:
        """An ``Expression``; its language is empty for FEEL, whichever of its URIs says so."""
        if node is None:
            return None
        stated = node.get("language")
        language = self.expression_language if stated is None else stated
        if (carried := to_feel(node.text.strip(), language, stated is not None)) is not None:
            text, language = carried
            return Expression(text, normal_language(language), False, node.location)
        if _says_the_same_everywhere(node.text.strip()):
            language = ""
        return Expression(_feel_text(node.text), normal_language(language), False, node.location)

    def timer(self, node: Node | None) -> Expression | None:
        """A timer's text: ISO 8601 stands for itself, everything else is an expression."""
        expression = self.expression(node)
        if expression is None or not _ISO_TIME.match(expression.text):
            return expression
        return replace(expression, language="", literal=True)

    def child_expression(self, node: Node, tag: str) -> Expression | None:
        return self.expression(first(node, tag))

    def unsupported(self, node: Node) -> UnsupportedElement:
        return UnsupportedElement(tag=node.tag, **self.common(node))


_ISO_TIME = re.compile(
    r"\d{4}-[\dW]|\d{4}W\d|\d{7,8}T\d|[+-]?P[\dT]|R-?\d*/|R\d*\s*$|(@\w+|([\d*][\d*/,#L-]*)(\s+\S+){4,5})$"
)
# A date, a duration, a repetition, or a cron text (at least five fields).


_NUMBER = re.compile(r"\d{1,18}(\.\d{1,18})?\Z")


def _says_the_same_everywhere(text: str) -> bool:
    """A number, or ``${…}`` that FEEL can say: many modelers write XPath, the schema's default, into the
    head of every file, whatever the expressions in it are written in."""
    return bool(_NUMBER.match(text)) or (is_juel(text) and juel_to_feel(text) is not None)


def _feel_text(text: str) -> str:
    """FEEL without the ``=`` that Camunda 8 puts before it; ``${…}`` where it means the same."""
    text = text.strip()
    if is_juel(text):
        return juel_to_feel(text) or text
    return text.removeprefix("=").strip()


def normal_language(language: str) -> str:
    """Empty for FEEL (unset, ``feel``, or any of the DMN specification's FEEL URIs)."""
    lowered = language.strip().lower().rstrip("/")
    if lowered in FEEL_LANGUAGES or _FEEL_URI.match(lowered):
        return ""
    return language.strip()


def children(node: Node, *tags: str) -> Iterator[Node]:
    """The BPMN child elements with one of these names."""
    return (child for child in node.children if child.namespace == BPMN and child.tag in tags)


def first(node: Node, *tags: str) -> Node | None:
    return next(children(node, *tags), None)


def flag(node: Node, name: str, default: bool) -> bool:
    """A boolean attribute; the default where it is absent (wrong values are findings of the schema)."""
    value = node.get(name)
    return default if value is None else value.strip() in ("true", "1")


def number(node: Node, name: str) -> int | None:
    """An integer attribute; None where it is absent or no number."""
    try:
        return int(node.get(name) or "")
    except ValueError:
        return None
