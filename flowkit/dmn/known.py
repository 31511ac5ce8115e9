"""Which DMN element may stand within which (the schemas of versions 1.1 to 1.5 taken together)."""

from __future__ import annotations

__all__ = ["BOXED", "CHILDREN"]

BOXED = frozenset(
    {"literalExpression", "decisionTable", "context", "invocation", "list", "relation", "functionDefinition"}
    | {"conditional", "for", "some", "every", "filter"}
)
"""The boxed expressions."""

TEXT = frozenset({"text"})
EXPRESSION = frozenset({"text", "importedValues"})
DECISION = frozenset({"variable", "informationRequirement", "knowledgeRequirement", "authorityRequirement"})
ITEM = frozenset({"typeRef", "allowedValues", "typeConstraint", "itemComponent", "functionItem"})
FUNCTION = BOXED | {"formalParameter"}

OWN: dict[str, frozenset[str]] = {
    "definitions": frozenset(
        {"import", "itemDefinition", "inputData", "decision", "businessKnowledgeModel", "decisionService"}
        | {"knowledgeSource", "textAnnotation", "association", "group", "artifact", "elementCollection"}
        | {"performanceIndicator", "organizationUnit", "organisationUnit", "businessContextElement"}
    ),
    "decision": DECISION
    | BOXED
    | {"question", "allowedAnswers", "decisionMaker", "decisionOwner", "impactedPerformanceIndicator"}
    | {"supportedObjective", "usingProcess", "usingTask"},
    "businessKnowledgeModel": DECISION | {"encapsulatedLogic"},
    "decisionService": frozenset(
        {"variable", "outputDecision", "encapsulatedDecision", "inputDecision", "inputData"}
    ),
    "inputData": frozenset({"variable"}),
    "informationRequirement": frozenset({"requiredDecision", "requiredInput"}),
    "knowledgeRequirement": frozenset({"requiredKnowledge"}),
    "authorityRequirement": frozenset({"requiredDecision", "requiredInput", "requiredAuthority"}),
    "encapsulatedLogic": FUNCTION,
    "itemDefinition": ITEM,
    "itemComponent": ITEM,
    "functionItem": frozenset({"parameters"}),
    "decisionTable": frozenset({"input", "output", "annotation", "rule"}),
    "input": frozenset({"inputExpression", "inputValues"}),
    "output": frozenset({"outputValues", "defaultOutputEntry"}),
    "rule": frozenset({"inputEntry", "outputEntry", "annotationEntry"}),
    "inputExpression": EXPRESSION,
    "outputEntry": EXPRESSION,
    "defaultOutputEntry": EXPRESSION,
    "literalExpression": EXPRESSION,
    "inputEntry": TEXT,
    "inputValues": TEXT,
    "outputValues": TEXT,
    "allowedValues": TEXT,
    "typeConstraint": TEXT,
    "annotationEntry": TEXT,
    "context": frozenset({"contextEntry"}),
    "contextEntry": BOXED | {"variable"},
    "invocation": BOXED | {"binding"},
    "binding": BOXED | {"parameter"},
    "list": BOXED,
    "relation": frozenset({"column", "row"}),
    "row": BOXED,
    "functionDefinition": FUNCTION,
    "conditional": frozenset({"if", "then", "else"}),
    "for": frozenset({"in", "return"}),
    "some": frozenset({"in", "satisfies"}),
    "every": frozenset({"in", "satisfies"}),
    "filter": frozenset({"in", "match"}),
    **dict.fromkeys(("if", "then", "else", "in", "return", "satisfies", "match"), BOXED),
}

CHILDREN = {name: own | {"description", "extensionElements"} for name, own in OWN.items()}
"""The children that an element may have, by its name; elements that are not executed are left out."""
