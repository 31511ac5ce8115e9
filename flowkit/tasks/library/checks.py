"""Completeness of forms, signatures, evidence and documents; approval chains. Pure functions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flowkit.tasks.registry import task
from flowkit.tasks.shapes import Document, Evidence, Level, Signature

__all__ = ["approval_chain", "document_check", "evidence_check", "form_complete", "signature_check"]


def _at(record: dict[str, Any], path: str) -> Any:
    """The value under a dotted name; a field whose own name has dots wins."""
    if path in record:
        return record[path]
    value: Any = record
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _absent(record: dict[str, Any], names: list[str]) -> list[str]:
    """The names under which there is nothing: absent, null, blank text, an empty list or context."""
    missing = []
    for name in names:
        value = _at(record, name)
        if value is None or value in ([], {}) or (isinstance(value, str) and not value.strip()):
            missing.append(name)
    return missing


def _unsigned(signatures: list[Signature], roles: list[str]) -> list[str]:
    signed = {signature.role for signature in signatures if (signature.name or "").strip()}
    return [role for role in roles if role not in signed]


@task("form.complete", title="表单完整性校验")
def form_complete(form: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """Tell which required fields of a form are absent, null or empty."""
    missing = _absent(form, required)
    return {"complete": not missing, "missing_fields": missing}


@task("signature.check", title="签字校验")
def signature_check(roles: list[str], signatures: list[Signature] | None = None) -> dict[str, Any]:
    """Tell which roles have not signed; a signature needs a name."""
    missing = _unsigned(signatures or [], roles)
    return {"signed": not missing, "missing_signatures": missing}


@task("evidence.check", title="凭证校验")
def evidence_check(kinds: list[str], evidence: list[Evidence] | None = None) -> dict[str, Any]:
    """Tell which kinds of evidence are lacking; evidence needs a reference to where it is kept."""
    given = {item.kind for item in evidence or [] if (item.reference or "").strip()}
    missing = [kind for kind in kinds if kind not in given]
    return {"evidence_complete": not missing, "missing_evidence": missing}


@task("document.check", title="单据校验")
def document_check(
    document: Document, required_fields: list[str] | None = None, required_signatures: list[str] | None = None
) -> dict[str, Any]:
    """Check one paper against the fields and signatures that it must bear."""
    defects = [f"{document.kind}:缺 {name}" for name in _absent(document.fields, required_fields or [])]
    unsigned = _unsigned(document.signatures, required_signatures or [])
    defects += [f"{document.kind}:缺签字 {role}" for role in unsigned]
    return {"valid": not defects, "defects": defects}


@task("approval.chain", title="审批链")
def approval_chain(levels: list[Level], amount: Decimal) -> dict[str, list[str]]:
    """Give the roles that must approve an amount, in order: those whose ``above`` is less than it."""
    return {"approvers": [level.role for level in levels if level.above < amount]}
