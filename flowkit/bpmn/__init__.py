"""BPMN 2.0: the model, reading it, checking it, drawing it."""

from flowkit.bpmn.lint import check_deployable, lint
from flowkit.bpmn.parse import parse
from flowkit.bpmn.write import write

__all__ = ["check_deployable", "lint", "parse", "write"]
