"""Vendor extensions: which dialect says what, and what nobody here understands.

Each dialect is a table: element or attribute name → how it is read. What a known dialect says and its
table does not list is refused when the element is executed; other vendors' extensions are kept, since
a modeler's colours and cost figures run nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from flowkit.bpmn.extensions_camunda import (
    CAMUNDA_ATTRIBUTES,
    CAMUNDA_ELEMENTS,
    CAMUNDA_NAMESPACES,
    finish_camunda,
)
from flowkit.bpmn.extensions_draft import Draft
from flowkit.bpmn.extensions_model import NO_EXTENSIONS, Extensions
from flowkit.bpmn.extensions_spiff import SPIFF_ATTRIBUTES, SPIFF_ELEMENTS, SPIFF_NAMESPACES
from flowkit.bpmn.extensions_zeebe import ZEEBE_ATTRIBUTES, ZEEBE_ELEMENTS, ZEEBE_NAMESPACES
from flowkit.bpmn.schema import BPMN
from flowkit.bpmn.xml import Node

__all__ = ["DIALECTS", "read_extensions"]

ElementReader = Callable[[Draft, Node], None]
AttributeReader = Callable[[Draft, str], None]


class Dialect(NamedTuple):
    name: str
    elements: Mapping[str, ElementReader]
    attributes: Mapping[str, AttributeReader]


DIALECTS: dict[str, Dialect] = {
    **{uri: Dialect("zeebe", ZEEBE_ELEMENTS, ZEEBE_ATTRIBUTES) for uri in ZEEBE_NAMESPACES},
    **{uri: Dialect("camunda", CAMUNDA_ELEMENTS, CAMUNDA_ATTRIBUTES) for uri in CAMUNDA_NAMESPACES},
    **{uri: Dialect("spiffworkflow", SPIFF_ELEMENTS, SPIFF_ATTRIBUTES) for uri in SPIFF_NAMESPACES},
}
"""The dialects that are understood, by namespace."""

_NOT_FOREIGN = frozenset(
    {"", BPMN, "http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/XML/1998/namespace"}
)


def read_extensions(node: Node) -> Extensions:
    """All that the extensions of ``node`` say, whichever dialect says it."""
    draft = Draft(node)
    for (namespace, name), value in node.attributes.items():
        if namespace not in _NOT_FOREIGN:
            _read_attribute(draft, namespace, name, value)
    for holder in node.children:
        if holder.namespace == BPMN and holder.tag == "extensionElements":
            for child in holder.children:
                _read_element(draft, child)
    finish_camunda(draft)
    return draft.extensions() if draft.touched else NO_EXTENSIONS


def _read_attribute(draft: Draft, namespace: str, name: str, value: str) -> None:
    full = f"@{{{namespace}}}{name}"
    dialect = DIALECTS.get(namespace)
    if dialect is None:
        draft.keep(full, draft.host.location)
    elif name in dialect.attributes:
        dialect.attributes[name](draft, value)
    else:
        draft.refuse(full, draft.host.location, f"flowkit does not know {dialect.name}:{name}.")


def _read_element(draft: Draft, child: Node) -> None:
    full = f"{{{child.namespace}}}{child.tag}"
    dialect = DIALECTS.get(child.namespace)
    if dialect is None:
        draft.keep(full, child.location)
    elif child.tag in dialect.elements:
        dialect.elements[child.tag](draft, child)
    else:
        draft.refuse(full, child.location, f"flowkit does not know {dialect.name}:{child.tag}.")
