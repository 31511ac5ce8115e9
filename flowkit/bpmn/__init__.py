"""BPMN 2.0: the model, reading it, checking it, drawing it."""

from flowkit.bpmn.parse import parse

__all__ = ["parse"]
