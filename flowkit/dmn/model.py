"""The parts of a DMN model as the file states them: frozen, typed, one class an element.

Nothing here evaluates. Names follow the DMN 1.5 metamodel (chapters 6, 7, 8 and 10); every
element keeps the place in the file that it came from, so that each message can name it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from flowkit.findings import Location

__all__ = [
    "Aggregation",
    "Binding",
    "Boxed",
    "BusinessKnowledgeModel",
    "Cell",
    "Conditional",
    "Context",
    "ContextEntry",
    "Decision",
    "DecisionService",
    "DecisionTable",
    "Definitions",
    "Filter",
    "FunctionDefinition",
    "FunctionItem",
    "HitPolicy",
    "Import",
    "InputClause",
    "InputData",
    "Invocation",
    "ItemDefinition",
    "Iteration",
    "KnowledgeSource",
    "ListExpression",
    "LiteralExpression",
    "OutputClause",
    "Relation",
    "Rule",
    "Variable",
]


class HitPolicy(StrEnum):
    """How the rules that match become the table's output (section 8.2.10)."""

    UNIQUE = "UNIQUE"
    ANY = "ANY"
    PRIORITY = "PRIORITY"
    FIRST = "FIRST"
    RULE_ORDER = "RULE ORDER"
    OUTPUT_ORDER = "OUTPUT ORDER"
    COLLECT = "COLLECT"


class Aggregation(StrEnum):
    """How COLLECT folds the outputs of the rules that match: C+, C#, C<, C>."""

    SUM = "SUM"
    COUNT = "COUNT"
    MIN = "MIN"
    MAX = "MAX"


@dataclass(frozen=True, slots=True)
class Variable:
    """An information item: a name and, if stated, the name of its type."""

    name: str
    type_ref: str | None = None
    location: Location = field(default_factory=Location)
    declared: bool = True
    """False where the file has no such element and the name is that of its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxed:
    """What every boxed expression has (section 10.2)."""

    id: str = ""
    label: str = ""
    type_ref: str | None = None
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteralExpression(Boxed):
    """A FEEL text."""

    text: str


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """One entry of a boxed context; without a variable it is the context's result."""

    variable: Variable | None
    value: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Boxed):
    """Named values in order, each seeing those before it, and perhaps a result."""

    entries: tuple[ContextEntry, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """A named argument of an invocation."""

    parameter: Variable
    value: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation(Boxed):
    """A call of a function by named arguments."""

    function: Boxed | None
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListExpression(Boxed):
    """A list, one expression an item."""

    items: tuple[Boxed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation(Boxed):
    """A list of contexts with the same keys, written as a table."""

    columns: tuple[Variable, ...]
    rows: tuple[tuple[Boxed | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefinition(Boxed):
    """Parameters and a body; ``kind`` is FEEL, Java or PMML."""

    parameters: tuple[Variable, ...]
    body: Boxed | None
    kind: str = "FEEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Boxed):
    """``if``, ``then``, ``else``, each a boxed expression."""

    condition: Boxed | None
    then: Boxed | None
    otherwise: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration(Boxed):
    """``for``, ``some`` or ``every`` over a list; ``quantifier`` is that word."""

    quantifier: str
    variable: Variable
    collection: Boxed | None
    body: Boxed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter(Boxed):
    """The items of a list for which ``match`` is true."""

    collection: Boxed | None
    match: Boxed | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A FEEL text in a table, with its place."""

    text: str
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class InputClause:
    """A column of conditions: what is tested, its type, the values that it may have."""

    id: str
    label: str
    expression: Cell
    type_ref: str | None = None
    values: Cell | None = None


@dataclass(frozen=True, slots=True)
class OutputClause:
    """A column of conclusions; ``values`` are in order of priority (P and O)."""

    id: str
    label: str
    name: str
    type_ref: str | None = None
    values: Cell | None = None
    default: Cell | None = None
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class Rule:
    """A row; an input entry that is empty or ``-`` matches anything."""

    id: str
    inputs: tuple[Cell, ...]
    outputs: tuple[Cell, ...]
    annotations: tuple[str, ...] = ()
    description: str = ""
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTable(Boxed):
    """Rules over input clauses (chapter 8)."""

    hit_policy: HitPolicy = HitPolicy.UNIQUE
    aggregation: Aggregation | None = None
    inputs: tuple[InputClause, ...]
    outputs: tuple[OutputClause, ...]
    rules: tuple[Rule, ...]
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionItem:
    """The type of a function: its parameters and the type of its result."""

    parameters: tuple[Variable, ...]
    output_type_ref: str | None


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """A type, or a component of one (section 7.3.3).

    Exactly one of ``type_ref``, ``components`` and ``function`` says what it is made of.
    ``allowed_values`` constrains each item, ``type_constraint`` the value as a whole.
    """

    name: str
    id: str = ""
    label: str = ""
    type_ref: str | None = None
    type_language: str = ""
    components: tuple[ItemDefinition, ...] = ()
    function: FunctionItem | None = None
    is_collection: bool = False
    allowed_values: Cell | None = None
    type_constraint: Cell | None = None
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class Import:
    """Another model whose elements this one uses as ``name.element``."""

    name: str
    namespace: str
    import_type: str
    location_uri: str = ""
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class InputData:
    """A fact from outside that decisions need."""

    id: str
    name: str
    variable: Variable
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class KnowledgeSource:
    """An authority for decisions, such as a regulation; documentation only."""

    id: str
    name: str
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision: what it needs, and the logic that finds its value."""

    id: str
    name: str
    variable: Variable
    logic: Boxed | None
    required_decisions: tuple[str, ...] = ()
    required_inputs: tuple[str, ...] = ()
    required_knowledge: tuple[str, ...] = ()
    question: str = ""
    description: str = ""
    version_tag: str = ""
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class BusinessKnowledgeModel:
    """A function that decisions share."""

    id: str
    name: str
    variable: Variable
    logic: FunctionDefinition | None
    required_knowledge: tuple[str, ...] = ()
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class DecisionService:
    """Decisions offered as one function of the input data, then the input decisions (10.4)."""

    id: str
    name: str
    variable: Variable
    output_decisions: tuple[str, ...]
    encapsulated_decisions: tuple[str, ...] = ()
    input_decisions: tuple[str, ...] = ()
    input_data: tuple[str, ...] = ()
    location: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class Definitions:
    """A DMN file. References between elements are hrefs: ``#id`` or ``namespace#id``."""

    id: str
    name: str
    namespace: str
    version: str
    file: str = ""
    imports: tuple[Import, ...] = ()
    items: tuple[ItemDefinition, ...] = ()
    inputs: tuple[InputData, ...] = ()
    decisions: tuple[Decision, ...] = ()
    knowledge_models: tuple[BusinessKnowledgeModel, ...] = ()
    services: tuple[DecisionService, ...] = ()
    knowledge_sources: tuple[KnowledgeSource, ...] = ()
    location: Location = field(default_factory=Location)
