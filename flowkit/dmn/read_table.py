"""Reading decision tables (DMN 1.5 section 8.3)."""

from __future__ import annotations

from lxml import etree

from flowkit.dmn.model import (
    Aggregation,
    Cell,
    DecisionTable,
    HitPolicy,
    InputClause,
    OutputClause,
    Rule,
)
from flowkit.dmn.reader import Reader
from flowkit.dmn.xml import child, children, text_of
from flowkit.findings import Severity

__all__ = ["read_table"]

CAMUNDA = "{http://camunda.org/schema/1.0/dmn}"


def read_table(reader: Reader, element: etree._Element) -> DecisionTable:
    """The decision table that ``element`` is; rows with missing cells are reported."""
    inputs = tuple(_input(reader, clause) for clause in children(element, "input"))
    outputs = tuple(_output(reader, clause) for clause in children(element, "output"))
    if not outputs:
        reader.report(
            "missing-part", element, "The decision table has no output column.", "Add an output column."
        )
    _check_output_names(reader, element, outputs)
    rules = tuple(_rule(reader, rule, len(inputs), len(outputs)) for rule in children(element, "rule"))
    return DecisionTable(
        id=element.get("id") or "",
        label=element.get("outputLabel") or element.get("label") or "",
        type_ref=reader.type_ref(element),
        location=reader.place(element),
        hit_policy=_hit_policy(reader, element),
        aggregation=_aggregation(reader, element),
        inputs=inputs,
        outputs=outputs,
        rules=rules,
        annotations=tuple(reader.name_of(note) for note in children(element, "annotation")),
    )


def _hit_policy(reader: Reader, element: etree._Element) -> HitPolicy:
    text = " ".join((element.get("hitPolicy") or "UNIQUE").split()).upper().replace("_", " ")
    try:
        return HitPolicy(text)
    except ValueError:
        reader.report(
            "hit-policy",
            element,
            f"'{text}' is no hit policy of DMN.",
            f"Use one of {', '.join(HitPolicy)}.",
        )
        return HitPolicy.UNIQUE


def _aggregation(reader: Reader, element: etree._Element) -> Aggregation | None:
    text = (element.get("aggregation") or "").strip().upper()
    if not text:
        return None
    try:
        return Aggregation(text)
    except ValueError:
        reader.report(
            "hit-policy",
            element,
            f"'{text}' is no aggregation of DMN.",
            f"Use one of {', '.join(Aggregation)}, or none.",
        )
        return None


def _optional(reader: Reader, parent: etree._Element, name: str) -> Cell | None:
    element = child(parent, name)
    if element is None:
        return None
    cell = reader.cell(element)
    return cell if cell.text else None


def _input(reader: Reader, clause: etree._Element) -> InputClause:
    expression = child(clause, "inputExpression")
    cell = Cell("", reader.place(clause)) if expression is None else reader.cell(expression)
    if not cell.text:
        reader.report(
            "missing-part",
            clause,
            "An input column has no input expression.",
            "Write what the column tests, such as the name of a variable.",
        )
    named = clause.get(f"{CAMUNDA}inputVariable")
    if named:
        reader.report(
            "vendor-attribute",
            clause,
            f"camunda:inputVariable='{named}' is not read: in FEEL the tested value is called ?.",
            "Write ? in the column's cells, and remove the attribute.",
            Severity.WARNING,
        )
    return InputClause(
        id=clause.get("id") or "",
        label=" ".join((clause.get("label") or "").split()) or cell.text,
        expression=cell,
        type_ref=None if expression is None else reader.type_ref(expression),
        values=_optional(reader, clause, "inputValues"),
    )


def _output(reader: Reader, clause: etree._Element) -> OutputClause:
    return OutputClause(
        id=clause.get("id") or "",
        label=" ".join((clause.get("label") or "").split()),
        name=reader.name_of(clause),
        type_ref=reader.type_ref(clause),
        values=_optional(reader, clause, "outputValues"),
        default=_optional(reader, clause, "defaultOutputEntry"),
        location=reader.place(clause),
    )


def _check_output_names(reader: Reader, element: etree._Element, outputs: tuple[OutputClause, ...]) -> None:
    if len(outputs) < 2:
        return
    names = [output.name for output in outputs]
    if "" in names:
        reader.report(
            "unnamed-output",
            element,
            "A table with several output columns has one without a name.",
            "Name each output column: the names become the keys of the result.",
        )
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        reader.report(
            "unnamed-output",
            element,
            f"Two output columns are called '{name}'.",
            "Give each output column a name of its own: the names become the keys of the result.",
        )


def _rule(reader: Reader, element: etree._Element, inputs: int, outputs: int) -> Rule:
    conditions = tuple(reader.cell(cell) for cell in children(element, "inputEntry"))
    conclusions = tuple(reader.cell(cell) for cell in children(element, "outputEntry"))
    for kind, found, wanted in (("input", len(conditions), inputs), ("output", len(conclusions), outputs)):
        if found != wanted:
            reader.report(
                "ragged-table",
                element,
                f"The rule has {found} {kind} entries, the table {wanted} {kind} columns.",
                f"Give each rule one {kind} entry a column; '-' matches anything.",
            )
    return Rule(
        id=element.get("id") or "",
        inputs=conditions,
        outputs=conclusions,
        annotations=tuple(
            (text_of(note, "text") or "").strip() for note in children(element, "annotationEntry")
        ),
        description=(text_of(element, "description") or "").strip(),
        location=reader.place(element),
    )
