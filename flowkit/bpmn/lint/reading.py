"""What the reader itself reports, beside the rules of this package: one line a rule.

The first six refuse to read the file at all (too-large also leaves some models readable); the others
leave a model that can be drawn, not deployed.
"""

from __future__ import annotations

__all__ = ["READING_RULES"]

READING_RULES: dict[str, str] = {
    "not-xml": "The file is well-formed XML.",
    "not-bpmn": "The file is BPMN 2.0.",
    "document-type": "The file has no document type declaration.",
    "invalid-encoding": "The file is written in the encoding that it declares, a common one.",
    "too-large": "The file is of a size that a diagram has.",
    "too-deep": "Elements are nested as deep as a diagram needs.",
    "unknown-element": "Every BPMN element stands where the schema has it.",
    "unknown-attribute": "Every attribute is one that the schema has.",
    "missing-attribute": "Required attributes are there.",
    "missing-child": "Required elements are there.",
    "too-many-children": "What stands once stands once.",
    "element-order": "Elements stand in the schema's order.",
    "invalid-value": "Attributes hold what they may hold.",
    "unexpected-text": "Text stands only where the schema allows it.",
    "misplaced-extension": "Foreign elements stand in extensionElements.",
    "duplicate-id": "Every id is used once.",
    "dangling-reference": "What is referred to exists.",
    "wrong-reference": "What is referred to is of the right kind.",
    "external-reference": "What is referred to is in the same file.",
    "undeclared-prefix": "The prefix of a reference is declared.",
    "flow-reference": "Nodes and sequence flows agree about how they are connected.",
    "diagram-reference": "Every shape and edge draws an element of its kind.",
    "data-set": "Input and output sets are consistent in themselves and with each other.",
    "resource-binding": "A role binds the parameters of its resource.",
    "choreography": "A choreography holds the interactions of its participants, as the standard has them.",
    "conversation": "A conversation connects the participants of its collaboration.",
    "io-binding": "A callable element binds its own data to the operations that it supports.",
    "data-reference-item": "A data object has an item definition, references to it have none.",
    "data-object-state": "References to a data object have states, the object has none.",
}
"""Name of the rule → the rule in a sentence."""
