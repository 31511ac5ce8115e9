"""flowkit: a durable BPMN 2.0 workflow engine in one Python library."""

from __future__ import annotations

__version__ = "0.1.0"
