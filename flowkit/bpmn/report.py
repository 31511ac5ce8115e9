"""Findings for machines and people: JSON, SARIF 2.1.0, and plain text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from flowkit.findings import Finding, Severity
from flowkit.values import Json

__all__ = ["to_json", "to_sarif", "to_text"]

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def to_json(findings: Iterable[Finding]) -> str:
    """A JSON array, one object a finding; fields are those of :class:`~flowkit.findings.Finding`."""
    return json.dumps([_plain(f) for f in findings], ensure_ascii=False, indent=2)


def _plain(finding: Finding) -> dict[str, Json]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "file": finding.location.file,
        "line": finding.location.line,
        "column": finding.location.column,
        "element": finding.element_id,
        "name": finding.element_name,
        "message": finding.message,
        "hint": finding.hint,
    }


def to_text(findings: Sequence[Finding]) -> str:
    """A line a finding and a last line that counts them; for terminals and logs."""
    errors = sum(f.severity is Severity.ERROR for f in findings)
    warnings = sum(f.severity is Severity.WARNING for f in findings)
    lines = [str(finding) for finding in findings]
    lines.append(f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}")
    return "\n".join(lines)


def to_sarif(findings: Iterable[Finding], *, version: str = "") -> str:
    """A SARIF 2.1.0 log, as code-scanning services read it; ``version`` is flowkit's."""
    found = list(findings)
    rules = sorted({finding.rule for finding in found})
    driver: dict[str, Json] = {"name": "flowkit", "rules": [_rule(name) for name in rules]}
    if version:
        driver["version"] = version
    log: dict[str, Json] = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_result(f, rules.index(f.rule)) for f in found]}],
    }
    return json.dumps(log, ensure_ascii=False, indent=2)


def _rule(name: str) -> dict[str, Json]:
    # Loaded here: the table of rules imports every rule, which a report of DMN findings needs not.
    from flowkit.bpmn.lint import RULES  # noqa: PLC0415
    from flowkit.bpmn.lint.reading import READING_RULES  # noqa: PLC0415

    summaries = {**READING_RULES, **{rule.name: rule.summary for rule in RULES}}
    summary = summaries.get(name, name)
    return {"id": name, "shortDescription": {"text": summary}}


def _result(finding: Finding, rule_index: int) -> dict[str, Json]:
    region: dict[str, Json] = {"startLine": max(1, finding.location.line)}
    if finding.location.column:
        region["startColumn"] = finding.location.column
    location: dict[str, Json] = {
        "physicalLocation": {"artifactLocation": {"uri": finding.location.file}, "region": region}
    }
    if finding.element_id:
        name = finding.element_name or finding.element_id
        location["logicalLocations"] = [{"name": name, "fullyQualifiedName": finding.element_id}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.hint}".strip()},
        "locations": [location],
    }
