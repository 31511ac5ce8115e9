"""Holding an XML tree against the schema table: names, numbers, types and references."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from flowkit.bpmn.consistency import (
    check_bindings,
    check_choice,
    check_event_set,
    check_flow_references,
    check_parameters,
    check_sets,
    check_shared_definition,
)
from flowkit.bpmn.index import Index, finding, resolve
from flowkit.bpmn.schema import BPMN, BPMNDI, ELEMENTS, ENUMERATIONS, Attribute, Child, ElementType, is_a
from flowkit.bpmn.structure_choreography import check_choreography
from flowkit.bpmn.xml import Node
from flowkit.findings import Finding, Severity

__all__ = ["check_attributes", "check_counts", "check_structure", "check_value", "is_number", "out_of_order"]

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NAME = re.compile(r"[^\W\d][\w.\-·]*\Z")
_QNAME = re.compile(r"(?:([^\W\d][\w.\-·]*):)?([^\W\d][\w.\-·]*)\Z")
_INTEGER = re.compile(r"[+-]?\d{1,18}\Z")
_BOOLEANS = frozenset({"true", "false", "1", "0"})
_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?\Z")
_NO_URI = re.compile(r"%(?![0-9A-Fa-f]{2})|#[^#]*#")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+*-]{1,80}\s*(;.*)?\Z")
_TECHNOLOGIES = {
    "implementation": ("##unspecified", "##WebService"),
    "method": ("##Compensate", "##Image", "##Store"),
}
_FORMAL = "tFormalExpression"


def type_of(node: Node, child: Child | None = None) -> ElementType | None:
    """The schema type of an element at its place, None where it is unknown."""
    name = child.type if child and child.type else node.tag
    if name == "expression" and _schema_type(node) == _FORMAL:
        name = "formalExpression"
    return ELEMENTS.get(name)


def _schema_type(node: Node) -> str:
    return (node.get("type", XSI) or "").strip().rpartition(":")[2]


def check_structure(root: Node, index: Index) -> list[Finding]:
    """Everything in which the file departs from the schema, in document order."""
    findings = [
        finding(
            "duplicate-id",
            node,
            f"the id '{node.get('id')}' is already used in line "
            f"{index.nodes[node.get('id') or ''].location.line}.",
            "Give every element its own id.",
        )
        for node in index.duplicates
    ]
    stack: list[tuple[Node, ElementType]] = [(root, ELEMENTS["definitions"])]
    while stack:
        node, element = stack.pop()
        findings.extend(check_attributes(node, element, index))
        findings.extend(_check_schema_type(node, element))
        if element.name == "extensionElements":
            findings.extend(_check_foreign(node))
        elif element.mixed:
            continue
        if node.text.strip():
            findings.append(
                finding("unexpected-text", node, f"<{node.tag}> holds text, but may only hold elements.")
            )
        if element.mixed:
            continue
        below: list[tuple[Node, ElementType]] = []
        findings.extend(_check_children(node, element, index, below))
        stack.extend(reversed(below))
    findings.extend(check_flow_references(root, index))
    return findings


def _check_schema_type(node: Node, element: ElementType) -> Iterator[Finding]:
    """``xsi:type`` may turn an expression into a formal one; any other would change what the element is."""
    if node.get("nil", XSI) is not None:
        yield finding(
            "invalid-value", node, f"xsi:nil stands at <{node.tag}>: no BPMN element is nil.", "Remove it."
        )
    given = node.get("type", XSI)
    if given is None:
        return
    prefix, _, name = given.strip().rpartition(":")
    if prefix and prefix not in node.prefixes:
        yield _undeclared(node, "xsi:type", given, prefix, name)
    elif (
        not (name == _FORMAL and element.name == "formalExpression") and name != f"t{_capital(element.name)}"
    ):
        yield finding(
            "invalid-value",
            node,
            f"xsi:type makes a '{name[:60]}' of <{node.tag}>.",
            "Use the element of that name; only an expression may be a tFormalExpression.",
        )


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _check_foreign(node: Node) -> Iterator[Finding]:
    """What stands in ``extensionElements`` is of another namespace, and of one at all."""
    for child in node.children:
        if child.namespace == BPMN:
            yield finding(
                "unknown-element",
                child,
                f"<{child.tag}> of BPMN stands in <extensionElements>, which holds foreign elements only.",
                "Move it to its place in the model.",
            )
        elif not child.namespace:
            yield finding(
                "misplaced-extension",
                child,
                f"<{child.tag}> in <extensionElements> has no namespace.",
                "Give it the namespace of who reads it.",
            )


def check_attributes(node: Node, element: ElementType, index: Index) -> Iterator[Finding]:
    """Which attributes are not the type's, wrong, or missing; those of other namespaces are free."""
    for (namespace, name), value in node.attributes.items():
        if namespace not in ("", BPMN):
            continue
        rule = element.attributes.get(name) if not namespace else None
        if rule is None:
            known = ", ".join(sorted(element.attributes)) or "none"
            formal = element.name == "expression" and name in ELEMENTS["formalExpression"].attributes
            yield finding(
                "unknown-attribute",
                node,
                f"<{node.tag}> has no attribute '{name}' {'with a prefix' if namespace else 'in BPMN 2.0'}.",
                'Add xsi:type="tFormalExpression".' if formal else f"Known attributes: {known}.",
            )
        else:
            yield from check_value(node, f"attribute '{name}'", rule, value, index)
    for rule in element.attributes.values():
        if rule.required and node.get(rule.name) is None:
            yield finding(
                "missing-attribute", node, f"<{node.tag}> needs the attribute '{rule.name}'.", "Set it."
            )


def check_value(node: Node, what: str, rule: Attribute, value: str, index: Index) -> Iterator[Finding]:
    """Is an attribute's value of its kind?"""
    kind = rule.kind
    text = value.strip()
    wrong = ""
    if kind == "bool" and text not in _BOOLEANS:
        wrong = "true or false"
    elif kind == "int" and not _INTEGER.match(text):
        wrong = "a whole number"
    elif kind == "int32" and not (_INTEGER.match(text) and abs(int(text)) < 2**31):
        wrong = "a whole number of 32 bits"
    elif kind == "uri" and _NO_URI.search(text):
        wrong = "a URI: '%' begins two hexadecimal digits, and '#' stands once"
    elif kind == "number" and not is_number(text):
        wrong = "a number"
    elif kind == "mime" and not _MEDIA_TYPE.match(text):
        wrong = "a media type such as text/plain or text/html"
    elif kind == "technology" and text.startswith("##") and text.lower() not in _technologies(rule.name):
        wrong = "a URI or one of " + ", ".join(_TECHNOLOGIES[rule.name])
    elif kind == "id" and not _NAME.match(text):
        wrong = "an XML name: a letter or '_' first, then letters, digits, '-', '_' or '.'"
    elif kind in ENUMERATIONS and value not in ENUMERATIONS[kind]:
        wrong = "one of " + ", ".join(ENUMERATIONS[kind])
    elif kind == "ref":
        yield from _check_reference(node, what, rule, text, index)
    if wrong:
        yield finding("invalid-value", node, f"{what} is '{text[:60]}', but must be {wrong}.", "Correct it.")


def is_number(text: str) -> bool:
    """A finite decimal number, as the schema's ``double`` writes it."""
    return _NUMBER.match(text.strip()) is not None


def _technologies(attribute: str) -> list[str]:
    """In lower case: modelers don't agree about capitals, and nothing else is meant."""
    return [word.lower() for word in _TECHNOLOGIES[attribute]]


def _undeclared(node: Node, what: str, text: str, prefix: str, name: str) -> Finding:
    return finding(
        "undeclared-prefix",
        node,
        f"{what} is '{text[:60]}', but the prefix '{prefix}' is not declared.",
        f"Declare it with xmlns:{prefix}, or refer to '{name}'.",
    )


def _check_reference(
    node: Node, what: str, rule: Attribute | Child, text: str, index: Index
) -> Iterator[Finding]:
    targets = rule.targets
    free = targets == ("free",)
    if free and not text:
        return  # says nothing, as if it were absent
    match = _QNAME.match(text)
    if match is None and free:
        yield finding("invalid-value", node, f"{what} is '{text[:60]}', but must be a name.", "Correct it.")
        return
    if match is None:
        yield finding(
            "dangling-reference", node, f"{what} is '{text[:60]}', which is no element's id.", "Set it."
        )
        return
    if match[1] and match[1] not in node.prefixes:
        yield _undeclared(node, what, text, match[1], match[2])
        return
    if free:
        return
    if match[1] and rule.local:
        yield finding(
            "invalid-value",
            node,
            f"{what} is '{text[:60]}', but the schema has an id without prefix here (IDREF).",
            f"Write '{match[2]}'.",
        )
        return
    identifier = resolve(node, text, index)
    if identifier is None:
        yield finding(
            "external-reference",
            node,
            f"{what} refers to '{text[:60]}' of another file, which is not read.",
            "Put what is referred to into this file.",
            # The type of a value changes nothing about what runs.
            Severity.WARNING if targets == ("itemDefinition",) else Severity.ERROR,
        )
        return
    target = index.nodes.get(identifier)
    if target is None:
        yield finding(
            "dangling-reference",
            node,
            f"{what} refers to '{identifier[:60]}', which does not exist in the file.",
            "Refer to an existing element, or remove the reference.",
        )
    elif targets != ("any",) and not any(is_a(_kind(target), name) for name in targets):
        yield finding(
            "wrong-reference",
            node,
            f"{what} refers to '{identifier}', which is a <{target.tag}>, not a {' or '.join(targets)}.",
            "Refer to an element of that kind.",
        )


def _kind(node: Node) -> str:
    """The type of an element whose name differs from its type (inputDataItem is a dataInput …)."""
    if node.tag in ELEMENTS or node.parent is None or node.parent.tag not in ELEMENTS:
        return node.tag
    found = ELEMENTS[node.parent.tag].child(node.tag)
    return found[1].type if found and found[1].type else node.tag


def _check_children(
    node: Node, element: ElementType, index: Index, below: list[tuple[Node, ElementType]]
) -> Iterator[Finding]:
    seen: Counter[int] = Counter()
    last = 0
    ordered = True
    drawn = False
    for child in node.children:
        if child.namespace != BPMN:
            if child.tag == "BPMNDiagram" and child.namespace == BPMNDI and element.name == "definitions":
                drawn = True
            else:
                yield finding(
                    "misplaced-extension",
                    child,
                    f"<{child.tag}> of {child.namespace or 'no namespace'} stands directly in <{node.tag}>.",
                    "Put it into <extensionElements>.",
                )
            continue
        found = element.child(child.tag)
        if found is None:
            yield finding(
                "unknown-element",
                child,
                f"<{child.tag}> is not allowed in <{node.tag}> by BPMN 2.0.",
                "" if child.tag in ELEMENTS else "The standard has no element of this name.",
            )
            continue
        rank, rule = found
        seen[rank] += 1
        if drawn and child.tag != "relationship":
            yield out_of_order(child, node)
        if rank < last and ordered:
            ordered = False
            yield out_of_order(child, node)
        last = max(last, rank)
        if rule.type == "ref":
            yield from _check_plain(child)
            if child.text.strip() or rule.targets != ("free",):
                yield from _check_reference(child, f"<{child.tag}>", rule, child.text.strip(), index)
            if child.tag == "eventDefinitionRef":
                yield from check_shared_definition(child, index)
            continue
        child_type = type_of(child, rule)
        if child_type is not None:
            below.append((child, child_type))
    yield from check_counts(node, element, seen)
    yield from check_choice(node, element)
    yield from check_parameters(node, element, index)
    yield from check_sets(node, element.name, index)
    if is_a(element.name, "event"):
        yield from check_event_set(node, index)
    elif is_a(element.name, "callableElement"):
        yield from check_bindings(node, index)
    yield from check_choreography(node, index)
    if element.name == "dataObject" and any(child.tag == "dataState" for child in node.children):
        yield finding(
            "data-object-state",
            node,
            "a data object has a state; only references to it have one (10.4.1).",
            "Move the <dataState> to the dataObjectReference.",
        )
    if element.name == "dataObjectReference" and node.get("itemSubjectRef") is not None:
        yield finding(
            "data-reference-item",
            node,
            "a reference to a data object names an item definition; only the object does (10.4.1).",
            "Move itemSubjectRef to the dataObject.",
        )


def _check_plain(node: Node) -> Iterator[Finding]:
    """An element that holds nothing but a reference has neither attributes nor elements."""
    for namespace, name in node.attributes:
        if namespace != XSI:
            yield finding(
                "unknown-attribute",
                node,
                f"<{node.tag}> has no attribute '{name}' in BPMN 2.0.",
                "Remove it.",
            )
    for child in node.children:
        yield finding(
            "unknown-element", child, f"<{child.tag}> is not allowed in <{node.tag}>, which holds an id."
        )


def out_of_order(child: Node, node: Node) -> Finding:
    """The finding for a child that stands too late."""
    return finding(
        "element-order",
        child,
        f"<{child.tag}> comes too late in <{node.tag}> for the schema's order.",
        "Save the file with a modeler, or move the element.",
    )


def check_counts(node: Node, element: ElementType, seen: Counter[int]) -> Iterator[Finding]:
    """Does each child stand as often as it must and may?"""
    for rank, rule in enumerate(element.children):
        count = seen[rank]
        names = " or ".join(f"<{name}>" for name in rule.names[:4])
        if count < rule.minimum:
            needed = f"{rule.minimum} {names}" if rule.minimum > 1 else names
            yield finding("missing-child", node, f"<{node.tag}> needs {needed}.", "Add it.")
        elif rule.maximum is not None and count > rule.maximum:
            most = "one" if rule.maximum == 1 else str(rule.maximum)
            yield finding(
                "too-many-children",
                node,
                f"<{node.tag}> may hold only {most} {names}, not {count}.",
                "Remove the others.",
            )
