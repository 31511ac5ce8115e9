"""Small models for the conformance tables: what stands around the one thing that a row is about."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = [
    "INNER",
    "ROOTS",
    "Row",
    "catch",
    "flow",
    "flows",
    "path",
    "pools",
    "process",
]


class Row(NamedTuple):
    """A model that must be refused: the clause that it breaks, the rule that says so, and a word that
    the finding must say (or the id of the element that it must point at)."""

    clause: str
    rule: str
    says: str
    model: str


ROOTS = (
    '<itemDefinition id="item"/><message id="m" name="M"/><message id="m2" name="M2"/>'
    '<signal id="sig" name="S"/><error id="err" name="E" errorCode="E"/>'
    '<escalation id="esc" name="X" escalationCode="X"/>'
)
"""One of each that an event refers to."""


def flow(name: str, source: str, target: str, condition: str = "", **attributes: str) -> str:
    """A sequence flow."""
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    more = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}"{more}>{inner}</sequenceFlow>'


def flows(text: str) -> str:
    """``s>a a>b?x`` as sequence flows; what follows ``?`` is the condition; ids are ``a__b``."""
    made = []
    for word in text.split():
        source, target, condition = re.fullmatch(r"(\w+)>(\w+)(?:\?(.*))?", word).groups("")  # type: ignore[union-attr]
        made.append(flow(f"{source}__{target}", source, target, condition))
    return "".join(made)


def process(body: str, roots: str = "", attributes: str = "", after: str = "") -> str:
    """A whole executable process ``p``; root elements before and after it."""
    return f'{roots}<process id="p" isExecutable="true"{attributes}>{body}</process>{after}'


def path(element: str, name: str = "x", roots: str = "", more: str = "", after: str = "") -> str:
    """start ``s`` → ``element`` (whose id is ``name``) → end ``e``, then what else the process holds."""
    line = flows(f"s>{name} {name}>e")
    return process(f'<startEvent id="s"/>{element}<endEvent id="e"/>{line}{more}', roots, after=after)


INNER = f'<startEvent id="is"/><endEvent id="ie"/>{flows("is>ie")}'
"""The least that a subprocess holds."""


def catch(name: str, definition: str = '<messageEventDefinition messageRef="m"/>') -> str:
    """An intermediate catch event."""
    return f'<intermediateCatchEvent id="{name}">{definition}</intermediateCatchEvent>'


def pools(
    message_flows: str, one: str = "", two: str = "", roots: str = ROOTS, participants: str = ""
) -> str:
    """Two pools ``A`` (process ``p``) and ``B`` (process ``q``) with what connects them."""
    inside_one = one or f'<startEvent id="s"/><task id="t"/><endEvent id="e"/>{flows("s>t t>e")}'
    inside_two = two or f'<startEvent id="s2"/><task id="t2"/><endEvent id="e2"/>{flows("s2>t2 t2>e2")}'
    return (
        f'{roots}<collaboration id="col"><participant id="A" name="A" processRef="p"/>'
        f'<participant id="B" name="B" processRef="q"/>{participants}{message_flows}</collaboration>'
        f'<process id="p" isExecutable="true">{inside_one}</process>'
        f'<process id="q" isExecutable="true">{inside_two}</process>'
    )
