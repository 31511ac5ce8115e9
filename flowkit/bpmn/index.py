"""The elements of a file by id, the references between them, and how a finding names an element."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from flowkit.bpmn.schema import BPMN
from flowkit.bpmn.xml import Node
from flowkit.findings import Finding, Severity

__all__ = ["Index", "finding", "index_ids", "owner_of", "resolve"]


@dataclass(slots=True)
class Index:
    """The elements of a file by id, and the namespaces that count as its own."""

    nodes: dict[str, Node] = field(default_factory=dict)
    own_namespaces: frozenset[str] = frozenset()
    duplicates: list[Node] = field(default_factory=list)


def index_ids(root: Node) -> Index:
    """Every BPMN element of the file by its id (DI ids are looked up elsewhere)."""
    index = Index(own_namespaces=frozenset({root.get("targetNamespace") or "", BPMN, ""}))
    for node in _bpmn_nodes(root):
        identifier = node.get("id")
        if identifier is None:
            continue
        if identifier in index.nodes:
            index.duplicates.append(node)
        else:
            index.nodes[identifier] = node
    return index


def _bpmn_nodes(root: Node) -> Iterator[Node]:
    """All BPMN elements outside foreign content, in document order."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.namespace != BPMN:
            continue
        yield node
        if node.tag not in ("extensionElements", "documentation", "text", "script"):
            stack.extend(reversed(node.children))


def resolve(node: Node, text: str, index: Index) -> str | None:
    """The id that a QName names in this file; None when it names something outside it."""
    text = text.strip()
    prefix, colon, local = text.rpartition(":")
    if not colon:
        return text
    namespace = node.prefixes.get(prefix)
    return local if namespace in index.own_namespaces and namespace is not None else None


def owner_of(node: Node) -> tuple[str, str]:
    """Id and name of the nearest element that has an id: what a person finds in the diagram."""
    at: Node | None = node
    while at is not None:
        if identifier := at.get("id"):
            return identifier, " ".join((at.get("name") or "").split())
        at = at.parent
    return "", ""


def finding(
    rule: str, node: Node, message: str, hint: str = "", severity: Severity = Severity.ERROR
) -> Finding:
    """A finding at ``node``."""
    identifier, name = owner_of(node)
    return Finding(rule, severity, node.location, message, hint, identifier, name)
