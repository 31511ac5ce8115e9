"""What of the diagrams and decision tables was used: sequence flows, end events and rules, with counts.

Coverage is plain data: it is written to a file (JSON), and runs are merged by adding their counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flowkit.dmn.model import BusinessKnowledgeModel, Decision, DecisionTable, Definitions
from flowkit.dmn.walk import parts_of
from flowkit.errors import FlowkitError, InvalidModel
from flowkit.findings import Finding, Location, Severity
from flowkit.kernel import Flow, Program
from flowkit.kernel import protocol as p

__all__ = ["Coverage", "CoverageMismatch", "ProcessCoverage", "Rule", "TableCoverage", "rules_matched"]

Counts = dict[str, int]


class CoverageMismatch(FlowkitError):
    """Two runs covered different versions of a file, so that their counts can't be added."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: str = ""
    digest: str
    counts: Counts = Field(default_factory=dict)

    def add(self, counts: Mapping[str, int]) -> None:
        """Count what a run used."""
        for key, times in counts.items():
            self.counts[key] = self.counts.get(key, 0) + times


class ProcessCoverage(_Part):
    """The sequence flows and end events of one process by id, with their names; ``counts`` tells how often
    flows were taken and elements entered."""

    process: str
    name: str = ""
    flows: dict[str, str]
    ends: dict[str, str]

    @property
    def missing(self) -> list[str]:
        """The names of the flows and ends that nothing used."""
        return [name for key, name in sorted({**self.flows, **self.ends}.items()) if not self.counts.get(key)]

    @property
    def share(self) -> float:
        """The covered part, from 0 to 1."""
        return _share([*self.flows, *self.ends], self.counts)


class Rule(BaseModel):
    """A row of a decision table, as its author wrote it."""

    model_config = ConfigDict(extra="forbid")

    inputs: list[str]
    outputs: list[str]


class TableCoverage(_Part):
    """The rules of one decision table; ``decision`` is the decision or knowledge model that holds it."""

    decision: str
    name: str = ""
    label: str = ""
    inputs: list[str]
    outputs: list[str]
    rules: dict[str, Rule]

    @property
    def missing(self) -> list[str]:
        """The rules that never matched, as ``row 3: inputs → outputs``."""
        return [
            f"rule {row}: {', '.join(rule.inputs)} → {', '.join(rule.outputs)}"
            for row, (key, rule) in enumerate(self.rules.items(), 1)
            if not self.counts.get(key)
        ]

    @property
    def share(self) -> float:
        """The covered part, from 0 to 1."""
        return _share(list(self.rules), self.counts)


def _share(keys: list[str], counts: Mapping[str, int]) -> float:
    return sum(1 for key in keys if counts.get(key)) / len(keys) if keys else 1.0


class Coverage(BaseModel):
    """Everything that runs covered. ``processes`` are by process id, ``tables`` by decision and label."""

    model_config = ConfigDict(extra="forbid")

    version: int = 1
    processes: dict[str, ProcessCoverage] = Field(default_factory=dict)
    tables: dict[str, TableCoverage] = Field(default_factory=dict)

    def know_process(self, program: Program, file: str = "") -> None:
        """Take a process in, nothing of it covered yet."""
        nodes = program.nodes.values()
        self.processes[program.process_id] = ProcessCoverage(
            process=program.process_id,
            name=program.name,
            file=file,
            digest=digest(program.definitions.source),
            flows={flow.id: _flow_name(program, flow) for flow in program.flows.values()},
            ends={node.id: node.name or node.id for node in nodes if node.kind == "endEvent"},
        )

    def know_decisions(self, definitions: Definitions, file: str, source: bytes) -> None:
        """Take the tables of a DMN file in."""
        holders: list[Decision | BusinessKnowledgeModel] = [
            *definitions.decisions,
            *definitions.knowledge_models,
        ]
        for holder in holders:
            for part in parts_of(holder.logic) if holder.logic is not None else ():
                if isinstance(part, DecisionTable):
                    self._know_table(holder, part, file, source)

    def _know_table(
        self, holder: Decision | BusinessKnowledgeModel, table: DecisionTable, file: str, source: bytes
    ) -> None:
        rules = {
            rule.id or f"row {row}": Rule(
                inputs=[cell.text or "-" for cell in rule.inputs],
                outputs=[cell.text for cell in rule.outputs],
            )
            for row, rule in enumerate(table.rules, 1)
        }
        key = holder.id
        number = 1
        while key in self.tables:
            number += 1
            key = f"{holder.id}#{number}"
        self.tables[key] = TableCoverage(
            decision=holder.id,
            name=holder.name,
            label=table.label,
            file=file,
            digest=digest(source),
            inputs=[clause.label or clause.expression.text for clause in table.inputs],
            outputs=[clause.label or clause.name for clause in table.outputs],
            rules=rules,
        )

    def add(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Count what one run used: per process id its flows and elements, per decision its rules."""
        for key, used in counts.items():
            if key in self.processes:
                self.processes[key].add(used)
            for table in self.tables.values():
                if table.decision == key:
                    table.add({rule: times for rule, times in used.items() if rule in table.rules})

    def merge(self, other: Coverage) -> None:
        """Add the counts of another run; raises CoverageMismatch for another version of a file."""
        for mine, theirs in ((self.processes, other.processes), (self.tables, other.tables)):
            _merge(mine, theirs)  # type: ignore[arg-type]  # either dict has one kind of part

    def write(self, path: Path) -> None:
        """Write the file that :meth:`read` reads."""
        path.write_text(self.model_dump_json(indent=1), "utf-8")

    @classmethod
    def read(cls, path: Path) -> Coverage:
        """Read a file; raises InvalidModel for one that is not coverage of this version."""
        try:
            found = cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            text = f"expected coverage written by flowkit test, found: {error.errors()[0]['msg']}"
            raise InvalidModel([Finding("coverage", Severity.ERROR, Location(str(path)), text)]) from None
        if found.version != 1:
            text = f"expected coverage of version 1, found {found.version}: write it again"
            raise InvalidModel([Finding("coverage", Severity.ERROR, Location(str(path)), text)])
        return found


def _merge(mine: dict[str, _Part], theirs: Mapping[str, _Part]) -> None:
    for key, part in theirs.items():
        if key not in mine:
            mine[key] = part.model_copy(deep=True)
        elif mine[key].digest != part.digest:
            raise CoverageMismatch(
                f"{key} was covered in two versions of {part.file or 'its file'}: run both sets of tests on"
                " the same files, or leave the older data out."
            )
        else:
            mine[key].add(part.counts)


def digest(source: bytes) -> str:
    """What tells versions of a file apart."""
    return hashlib.sha256(source).hexdigest()[:16]


def rules_matched(event: p.Event) -> Iterator[tuple[str, str]]:
    """``(decision id, rule)`` of every rule that matched when the event's decision was evaluated."""
    if isinstance(event, p.DecisionAnswered | p.CallClosed) and event.evaluation:
        for part in event.evaluation:
            for rule in part["rules"]:
                yield part["id"], rule["ruleId"] or f"row {rule['index']}"


def _flow_name(program: Program, flow: Flow) -> str:
    source, target = (program.nodes[key].name or key for key in (flow.source, flow.target))
    label = f" [{flow.name}]" if flow.name else ""
    return f"{source} →{label} {target}"
