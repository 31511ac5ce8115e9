"""What a handler may raise to say something to the diagram or to the worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flowkit.errors import FlowkitError

__all__ = ["BpmnError", "InvalidHandler", "Retry", "Undeliverable"]


class BpmnError(Exception):
    """A business error: boundary events and event subprocesses of the diagram catch it by ``code``.

    ``variables`` are given to the catching event. An error that nothing catches becomes an incident.
    (BPMN 2.0, section 10.5.1.)
    """

    def __init__(self, code: str, message: str = "", variables: Mapping[str, Any] | None = None) -> None:
        if not code:
            raise ValueError("BpmnError needs a code: the errorCode that the diagram's error event names")
        self.code = code
        self.message = message
        self.variables: dict[str, Any] = dict(variables or {})
        super().__init__(f"{code}: {message}" if message else code)


class Retry(Exception):
    """The work can't be done now; the job is to be tried again ``after`` that long.

    ``after=None`` leaves the delay to the worker's back-off. Each raise uses up one of the job's
    retries; when none is left, the job becomes an incident.
    """

    def __init__(self, message: str = "", *, after: timedelta | None = None) -> None:
        if after is not None and after < timedelta(0):
            raise ValueError(f"Retry(after=…) expects a delay of zero or more, found {after}")
        self.message = message
        self.after = after
        super().__init__(message or "the handler asks to be called again")


class Undeliverable(Exception):
    """A deliverer can't bring this to its receiver, and trying again would not help: an incident at once."""


class InvalidHandler(FlowkitError, TypeError):
    """A function can't serve as a handler, or two handlers claim the same job type."""
