"""What the schema says beside its grammar: choices, sets, ids, and facts that a file states twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flowkit.bpmn.index import Index, finding, resolve
from flowkit.bpmn.schema import BPMN, ElementType, is_a
from flowkit.bpmn.xml import Node
from flowkit.findings import Finding

__all__ = [
    "check_bindings",
    "check_choice",
    "check_event_set",
    "check_flow_references",
    "check_parameters",
    "check_sets",
    "check_shared_definition",
]


def check_flow_references(root: Node, index: Index) -> Iterator[Finding]:
    """Do ``incoming`` and ``outgoing`` say the same as the sequence flows?

    A node may leave all of them out, as the schema allows; one that lists flows must list the right
    ones, since it would be read differently by whoever believes the one or the other.
    """
    declared: dict[tuple[str, str], set[str]] = {}
    actual: dict[tuple[str, str], set[str]] = {}
    for identifier, node in index.nodes.items():
        if node.tag == "sequenceFlow":
            for attribute, side in (("sourceRef", "outgoing"), ("targetRef", "incoming")):
                end = resolve(node, node.get(attribute) or "", index) or ""
                actual.setdefault((end, side), set()).add(identifier)
        elif is_a(node.tag, "flowNode"):
            for child in node.children:
                if child.namespace == BPMN and child.tag in ("incoming", "outgoing"):
                    flow = resolve(child, child.text, index) or ""
                    declared.setdefault((identifier, child.tag), set()).add(flow)
    listing = {identifier for identifier, _ in declared}
    for identifier, side in sorted(actual.keys() | declared.keys()):
        if identifier not in listing:
            continue
        node = index.nodes.get(identifier, root)
        wanted, given = actual.get((identifier, side), set()), declared.get((identifier, side), set())
        if not is_a(node.tag, "flowNode") or wanted == given:
            continue
        differing = ", ".join(sorted(wanted ^ given))
        yield finding(
            "flow-reference",
            node,
            f"its <{side}> elements and the sequence flows disagree about: {differing}.",
            "Save the file with a modeler, or correct the list.",
        )


_EXCLUSIVE: dict[str, tuple[str, ...]] = {
    "timerEventDefinition": ("timeDate", "timeDuration", "timeCycle"),
    "resourceRole": ("resourceRef", "resourceAssignmentExpression"),
}
# Children of which the schema allows one at most.


def check_choice(node: Node, element: ElementType) -> Iterator[Finding]:
    for base, names in _EXCLUSIVE.items():
        if is_a(element.name, base):
            found = [child.tag for child in node.children if child.namespace == BPMN and child.tag in names]
            if len(found) > 1:
                yield finding(
                    "too-many-children",
                    node,
                    f"<{node.tag}> holds {' and '.join(f'<{name}>' for name in found)}; only one may stand.",
                    "Keep one of them.",
                )
    if is_a(element.name, "resourceRole"):
        tags = {child.tag for child in node.children if child.namespace == BPMN}
        if "resourceParameterBinding" in tags and "resourceRef" not in tags:
            yield finding(
                "missing-child",
                node,
                f"<{node.tag}> binds parameters, but has no <resourceRef>: of which resource?",
                "Add it.",
            )


def check_parameters(node: Node, element: ElementType, index: Index) -> Iterator[Finding]:
    """10.3.1: a role binds each parameter of its resource at most once, and all that are required."""
    resource = next((child for child in _children(node, "resourceRef")), None)
    if not is_a(element.name, "resourceRole") or resource is None:
        return
    target = index.nodes.get(resolve(resource, resource.text, index) or "")
    if target is None or target.tag != "resource":
        return
    own = {child.get("id") or "": child for child in _children(target, "resourceParameter")}
    bindings = _children(node, "resourceParameterBinding")
    bound = Counter(resolve(one, one.get("parameterRef") or "", index) or "" for one in bindings)
    wrong = [f"binds '{one}', which is no parameter of its resource" for one in bound if one not in own]
    wrong += [f"binds '{one}' {count} times" for one, count in bound.items() if count > 1]
    wrong += [
        f"leaves out '{child.get('name') or one}', which its resource requires"
        for one, child in own.items()
        if (child.get("isRequired") or "").strip() in ("true", "1") and one not in bound
    ]
    for problem in wrong:
        yield finding(
            "resource-binding",
            node,
            f"the <{node.tag}> {problem}.",
            "Bind each parameter of the resource that is named, once.",
        )


_SETS: dict[str, tuple[str, tuple[str, str], tuple[str, str]]] = {
    # set: (all, those among all, (what refers to the other kind of set, what refers back))
    "inputSet": (
        "dataInputRefs",
        ("optionalInputRefs", "whileExecutingInputRefs"),
        ("outputSetRefs", "inputSetRefs"),
    ),
    "outputSet": (
        "dataOutputRefs",
        ("optionalOutputRefs", "whileExecutingOutputRefs"),
        ("inputSetRefs", "outputSetRefs"),
    ),
}


def _listed(node: Node, tag: str) -> list[str]:
    return [child.text.strip() for child in node.children if child.namespace == BPMN and child.tag == tag]


def _texts(node: Node, tag: str) -> set[str]:
    return set(_listed(node, tag))


def check_sets(node: Node, name: str, index: Index) -> Iterator[Finding]:
    """10.4.1: optional and streaming data are part of their set; paired sets name each other."""
    if name not in _SETS:
        return
    everything, parts, (forth, back) = _SETS[name]
    for tag in (everything, *parts):
        listed = Counter(_listed(node, tag))
        for twice in sorted(text for text, count in listed.items() if count > 1):
            yield finding("data-set", node, f"<{tag}> lists '{twice}' more than once.", "List it once.")
    for part in parts:
        for missing in sorted(_texts(node, part) - _texts(node, everything)):
            yield finding(
                "data-set",
                node,
                f"<{part}> lists '{missing}', but <{everything}> does not.",
                f"List it in <{everything}> too.",
            )
    for other in sorted(_texts(node, forth)):
        paired = index.nodes.get(other)
        if paired is not None and paired.parent is not node.parent:
            yield finding(
                "data-set",
                node,
                f"<{forth}> names '{other}', a set of another element.",
                "Pair the input and output sets of one ioSpecification.",
            )
        elif paired is not None and node.get("id") not in _texts(paired, back):
            yield finding(
                "data-set",
                node,
                f"<{forth}> names '{other}', which does not name this set in <{back}>.",
                "Let both sets name each other, or neither.",
            )


def check_event_set(node: Node, index: Index) -> Iterator[Finding]:
    """The set of an event lists the event's own data."""
    for tag, members, data in (
        ("outputSet", "dataOutputRefs", "dataOutput"),
        ("inputSet", "dataInputRefs", "dataInput"),
    ):
        own = {child.get("id") for child in node.children if child.tag == data}
        sets = [child for child in node.children if child.tag == tag and child.namespace == BPMN]
        for listed in (text for one in sets for text in _listed(one, members)):
            if listed in index.nodes and listed not in own:
                yield finding(
                    "data-set",
                    node,
                    f"the event's <{tag}> lists '{listed}', which is not its own.",
                    "List the event's own data.",
                )


def check_bindings(node: Node, index: Index) -> Iterator[Finding]:
    """10.3.7: what a callable element offers as a service binds its own data to operations that it offers."""
    interfaces, bindings = _texts(node, "supportedInterfaceRef"), _children(node, "ioBinding")
    if interfaces and not bindings:
        yield finding(
            "io-binding",
            node,
            "it supports an interface, but no <ioBinding> says by which of its data.",
            "Bind each operation to an input and an output set, or remove <supportedInterfaceRef>.",
        )
    own = {id(s) for io in _children(node, "ioSpecification") for s in io.children}
    offered = {resolve(node, text, index) for text in interfaces}
    for binding in bindings:
        operation = index.nodes.get(resolve(binding, binding.get("operationRef") or "", index) or "")
        owner = operation.parent if operation is not None else None
        if owner is not None and owner.tag == "interface" and owner.get("id") not in offered:
            yield finding(
                "io-binding",
                binding,
                f"operationRef is '{binding.get('operationRef')}', of an interface that is not supported.",
                "Name the interface in <supportedInterfaceRef>, or bind one of its operations.",
            )
        for attribute in ("inputDataRef", "outputDataRef"):
            bound = index.nodes.get(binding.get(attribute) or "")
            if bound is not None and id(bound) not in own:
                yield finding(
                    "io-binding",
                    binding,
                    f"{attribute} is '{binding.get(attribute)}', which is no set of this element.",
                    "Name a set of its own <ioSpecification>.",
                )


def _children(node: Node, tag: str) -> list[Node]:
    return [child for child in node.children if child.namespace == BPMN and child.tag == tag]


def check_shared_definition(node: Node, index: Index) -> Iterator[Finding]:
    """``eventDefinitionRef`` names a definition at the top of the file, never one inside an event."""
    target = index.nodes.get(resolve(node, node.text, index) or "")
    if target is not None and target.parent is not None and target.parent.tag != "definitions":
        yield finding(
            "wrong-reference",
            node,
            f"<eventDefinitionRef> refers to '{target.get('id')}', which belongs to another event.",
            "Put the shared event definition directly into <definitions>.",
        )
