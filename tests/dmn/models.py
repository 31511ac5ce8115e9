"""Short ways to write DMN models for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flowkit.dmn import DecisionModel, parse

NAMESPACES = {
    "1.1": "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "1.2": "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "1.3": "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "1.4": "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "1.5": "https://www.omg.org/spec/DMN/20230324/MODEL/",
}


def definitions(*parts: str, namespace: str = "test", version: str = "1.5", attributes: str = "") -> bytes:
    """A whole file."""
    head = f'<definitions xmlns="{NAMESPACES[version]}" name="test" namespace="{namespace}" {attributes}>'
    return f"{head}\n{chr(10).join(parts)}\n</definitions>".encode()


def model(*parts: str, **options: Any) -> DecisionModel:
    """The parsed model of some parts."""
    imports = options.pop("imports", {})
    return parse(definitions(*parts, **options), file="test.dmn", imports=imports)


def literal(text: str, type_ref: str = "") -> str:
    """A literal expression."""
    kind = f" typeRef={quoteattr(type_ref)}" if type_ref else ""
    return f"<literalExpression{kind}><text>{escape(text)}</text></literalExpression>"


def input_data(name: str, type_ref: str = "") -> str:
    """Input data with the id ``in_NAME``."""
    kind = f" typeRef={quoteattr(type_ref)}" if type_ref else ""
    return f'<inputData id="in_{name}" name="{name}"><variable name="{name}"{kind}/></inputData>'


def decision(name: str, logic: str, needs: Sequence[str] = (), type_ref: str = "") -> str:
    """A decision, its name as id; ``needs`` are ids: ``in_…`` input, ``k_…`` knowledge, else decisions."""
    kind = f" typeRef={quoteattr(type_ref)}" if type_ref else ""
    requirements = []
    for need in needs:
        href = need if "#" in need else f"#{need}"
        local = href.rpartition("#")[2]
        if local.startswith("k_"):
            part = f'<knowledgeRequirement><requiredKnowledge href="{href}"/></knowledgeRequirement>'
        else:
            tag = "requiredInput" if local.startswith("in_") else "requiredDecision"
            part = f'<informationRequirement><{tag} href="{href}"/></informationRequirement>'
        requirements.append(part)
    variable = f'<variable name="{name}"{kind}/>'
    return f'<decision id="{name}" name="{name}">{variable}{"".join(requirements)}{logic}</decision>'


def knowledge(name: str, parameters: dict[str, str], body: str, needs: Sequence[str] = ()) -> str:
    """A business knowledge model with the id ``k_NAME``."""
    formal = "".join(
        f'<formalParameter name="{one}"{f" typeRef={quoteattr(kind)}" if kind else ""}/>'
        for one, kind in parameters.items()
    )
    required = "".join(
        f'<knowledgeRequirement><requiredKnowledge href="#{need}"/></knowledgeRequirement>' for need in needs
    )
    logic = f"<encapsulatedLogic>{formal}{body}</encapsulatedLogic>"
    return (
        f'<businessKnowledgeModel id="k_{name}" name="{name}"><variable name="{name}"/>{logic}{required}'
        "</businessKnowledgeModel>"
    )


def table(
    inputs: Sequence[str],
    outputs: Sequence[str],
    rules: Sequence[Sequence[str]],
    policy: str = "UNIQUE",
    aggregation: str = "",
) -> str:
    """A decision table: inputs ``name:type|allowed``, outputs ``name:type|values|default``, rows of cells."""
    folded = f' aggregation="{aggregation}"' if aggregation else ""
    parts = [f'<decisionTable hitPolicy="{policy}"{folded}>']
    for text in inputs:
        head, _, allowed = text.partition("|")
        name, _, kind = head.partition(":")
        typed = f' typeRef="{kind}"' if kind else ""
        values = f"<inputValues><text>{escape(allowed)}</text></inputValues>" if allowed else ""
        parts.append(
            f"<input><inputExpression{typed}><text>{escape(name)}</text></inputExpression>{values}</input>"
        )
    for text in outputs:
        head, values, default = [*text.split("|"), "", ""][:3]
        name, _, kind = head.partition(":")
        typed = f' typeRef="{kind}"' if kind else ""
        listed = f"<outputValues><text>{escape(values)}</text></outputValues>" if values else ""
        fallback = (
            f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>" if default else ""
        )
        parts.append(f'<output name="{name}"{typed}>{listed}{fallback}</output>')
    for number, cells in enumerate(rules, 1):
        entries = [
            f"<{'inputEntry' if place < len(inputs) else 'outputEntry'}><text>{escape(cell)}</text>"
            f"</{'inputEntry' if place < len(inputs) else 'outputEntry'}>"
            for place, cell in enumerate(cells)
        ]
        parts.append(f'<rule id="r{number}">{"".join(entries)}</rule>')
    return "\n".join([*parts, "</decisionTable>"])


def evaluate(logic: str, variables: dict[str, Any] | None = None, *others: str, **options: Any) -> Any:
    """The value of a decision with this logic."""
    return model(*others, decision("d", logic), **options).evaluate("d", variables or {}).value
