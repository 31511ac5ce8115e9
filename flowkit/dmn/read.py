"""Reading a DMN file into :class:`~flowkit.dmn.model.Definitions` (versions 1.1 to 1.5)."""

from __future__ import annotations

from lxml import etree

from flowkit.dmn.model import (
    BusinessKnowledgeModel,
    Decision,
    DecisionService,
    Definitions,
    Import,
    InputData,
    KnowledgeSource,
)
from flowkit.dmn.read_boxed import read_function, read_logic
from flowkit.dmn.read_items import read_item
from flowkit.dmn.reader import Reader
from flowkit.dmn.xml import (
    DMN_VERSIONS,
    child,
    children,
    line_of,
    local_name,
    namespace_of,
    read_xml,
    refuse,
    text_of,
)
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity

__all__ = ["read_definitions"]

VERSION_TAG = "versionTag"
MAX_NODES = 3_000
"""The most elements of one kind that a model holds."""


def read_definitions(data: bytes, file: str = "") -> tuple[Definitions, tuple[Finding, ...]]:
    """The model in ``data`` and what is worth a warning.

    Raises :class:`~flowkit.errors.InvalidModel` with every error found, each with file and line.
    """
    root = read_xml(data, file)
    version = _version(root, file)
    namespace = root.get("namespace") or ""
    imports = tuple(_import(element, file) for element in children(root, "import"))
    reader = Reader(file, namespace, {one.namespace: one.name for one in imports})
    reader.language(root)
    reader.unknown(root)
    definitions = Definitions(
        id=root.get("id") or "",
        name=reader.name_of(root),
        namespace=namespace,
        version=version,
        file=file,
        imports=imports,
        items=tuple(read_item(reader, element) for element in children(root, "itemDefinition")),
        inputs=tuple(_input_data(reader, element) for element in children(root, "inputData")),
        decisions=tuple(_decision(reader, element) for element in children(root, "decision")),
        knowledge_models=tuple(
            _knowledge_model(reader, element) for element in children(root, "businessKnowledgeModel")
        ),
        services=tuple(_service(reader, element) for element in children(root, "decisionService")),
        knowledge_sources=tuple(
            KnowledgeSource(element.get("id") or "", reader.name_of(element), reader.place(element))
            for element in children(root, "knowledgeSource")
        ),
        location=reader.place(root),
    )
    _check_size(reader, root)
    _check_identity(reader, root)
    if any(finding.severity is Severity.ERROR for finding in reader.findings):
        raise InvalidModel(reader.findings)
    return definitions, tuple(reader.findings)


def _version(root: etree._Element, file: str) -> str:
    namespace = namespace_of(root)
    version = DMN_VERSIONS.get(namespace)
    if local_name(root) == "definitions" and version is not None:
        return version
    raise refuse(
        "not-dmn",
        f"The root element is <{local_name(root)}> in namespace '{namespace}', not the <definitions> of a "
        "DMN 1.1 to 1.5 model.",
        "Export the model as DMN 1.5 (or 1.1 to 1.4).",
        Location(file, line_of(root)),
    )


def _import(element: etree._Element, file: str) -> Import:
    return Import(
        name=" ".join((element.get("name") or "").split()),
        namespace=element.get("namespace") or "",
        import_type=element.get("importType") or "",
        location_uri=element.get("locationURI") or "",
        location=Location(file, line_of(element)),
    )


def _input_data(reader: Reader, element: etree._Element) -> InputData:
    name = reader.name_of(element)
    variable = reader.variable(child(element, "variable"), name, element)
    return InputData(element.get("id") or name, name, variable, reader.place(element))


def _hrefs(reader: Reader, parent: etree._Element, *names: str) -> tuple[str, ...]:
    found = []
    for element in children(parent, *names):
        href = (element.get("href") or "").strip()
        if not href:
            reader.report(
                "missing-reference",
                element,
                f"<{local_name(element)}> has no href.",
                "Draw the connection again in the modeler.",
            )
            continue
        found.append(href)
    return tuple(dict.fromkeys(found))


def _required(reader: Reader, element: etree._Element, requirement: str, part: str) -> tuple[str, ...]:
    found: list[str] = []
    for need in children(element, requirement):
        found.extend(_hrefs(reader, need, part))
    return tuple(dict.fromkeys(found))


def _decision(reader: Reader, element: etree._Element) -> Decision:
    name = reader.name_of(element)
    identifier = element.get("id") or name
    return Decision(
        id=identifier,
        name=name or identifier,
        variable=reader.variable(child(element, "variable"), name or identifier, element),
        logic=read_logic(reader, element),
        required_decisions=_required(reader, element, "informationRequirement", "requiredDecision"),
        required_inputs=_required(reader, element, "informationRequirement", "requiredInput"),
        required_knowledge=_required(reader, element, "knowledgeRequirement", "requiredKnowledge"),
        question=(text_of(element, "question") or "").strip(),
        description=(text_of(element, "description") or "").strip(),
        version_tag=_version_tag(element),
        location=reader.place(element),
    )


def _version_tag(element: etree._Element) -> str:
    """``camunda:versionTag`` as an attribute or ``<zeebe:versionTag value>`` as an extension."""
    for key, value in element.attrib.items():
        if str(key).endswith("}" + VERSION_TAG):
            return str(value)
    extensions = child(element, "extensionElements")
    for extension in () if extensions is None else extensions:
        if local_name(extension) == VERSION_TAG:
            return extension.get("value") or ""
    return ""


def _knowledge_model(reader: Reader, element: etree._Element) -> BusinessKnowledgeModel:
    name = reader.name_of(element)
    logic = child(element, "encapsulatedLogic")
    return BusinessKnowledgeModel(
        id=element.get("id") or name,
        name=name,
        variable=reader.variable(child(element, "variable"), name, element),
        logic=None if logic is None else read_function(reader, logic),
        required_knowledge=_required(reader, element, "knowledgeRequirement", "requiredKnowledge"),
        location=reader.place(element),
    )


def _service(reader: Reader, element: etree._Element) -> DecisionService:
    name = reader.name_of(element)
    outputs = _hrefs(reader, element, "outputDecision")
    if not outputs:
        reader.report(
            "missing-part",
            element,
            "The decision service has no output decision.",
            "Put at least one decision into its output part.",
        )
    return DecisionService(
        id=element.get("id") or name,
        name=name,
        variable=reader.variable(child(element, "variable"), name, element),
        output_decisions=outputs,
        encapsulated_decisions=_hrefs(reader, element, "encapsulatedDecision"),
        input_decisions=_hrefs(reader, element, "inputDecision"),
        input_data=_hrefs(reader, element, "inputData"),
        location=reader.place(element),
    )


def _check_size(reader: Reader, root: etree._Element) -> None:
    """Each element is compiled in the scope of all: what no drawing holds would take for ever."""
    for name in ("inputData", "decision", "businessKnowledgeModel", "decisionService", "itemDefinition"):
        found = sum(1 for _ in children(root, name))
        if found > MAX_NODES:
            reader.report(
                "xml-too-large",
                root,
                f"The model has {found:,} <{name}> elements; at most {MAX_NODES:,} are read.",
                "Split the model into several files that import each other.",
            )


def _check_identity(reader: Reader, root: etree._Element) -> None:
    """Ids are unique in the file; names are unique among what shares the graph's scope."""
    ids: dict[str, etree._Element] = {}
    names: dict[str, etree._Element] = {}
    for element in children(root, "inputData", "decision", "businessKnowledgeModel", "decisionService"):
        identifier, name = element.get("id") or "", reader.name_of(element)
        if not (identifier or name):
            reader.report("unnamed-element", element, f"<{local_name(element)}> has no name.", "Name it.")
        for kind, key, seen in (("id", identifier, ids), ("name", name, names)):
            if key and key in seen:
                reader.report(
                    "duplicate-name",
                    element,
                    f"The {kind} '{key}' is also that of the <{local_name(seen[key])}> in line "
                    f"{line_of(seen[key])}.",
                    f"Give each element a {kind} of its own.",
                )
            seen.setdefault(key, element)
