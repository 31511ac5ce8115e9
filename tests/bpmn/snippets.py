"""Small diagrams for tests: the inside of a process, or of a file, becomes a whole file."""

from __future__ import annotations

from flowkit.bpmn import lint, parse
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Severity

_OPEN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" '
    'targetNamespace="http://example.com/test">'
)


def whole_file(snippet: str) -> bytes:
    """A snippet as a file: wrapped in definitions, and in a process where it has none."""
    if snippet.startswith(("<?xml", "<definitions", "<!DOCTYPE")):
        return snippet.encode()
    if "<process" not in snippet:
        snippet = f'<process id="p" isExecutable="true">{snippet}</process>'
    return f"{_OPEN}{snippet}</definitions>".encode()


def findings(snippet: str, *, job_types: frozenset[str] | None = None) -> list[Finding]:
    """All that reading and checking report."""
    try:
        return lint(parse(whole_file(snippet)), job_types=job_types)
    except InvalidModel as refusal:
        return list(refusal.findings)


def rules(snippet: str, **options: frozenset[str] | None) -> set[str]:
    """The rules that a snippet breaks, notes left out."""
    return {f.rule for f in findings(snippet, **options) if f.severity is not Severity.INFO}
