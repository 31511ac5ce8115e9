"""The exception tree.

Every message answers three questions: what was expected, what was found, what to do.
Three kinds of trouble are kept apart (see ``docs/concepts/errors.md``): a caller's mistake raises
one of the exceptions below; trouble in a running model or its data becomes an *incident*;
a BPMN error is an event that the diagram itself catches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowkit.findings import Finding

__all__ = [
    "Conflict",
    "EngineClosed",
    "EvaluationLimit",
    "FlowkitError",
    "InvalidExpression",
    "InvalidModel",
    "InvalidPayload",
    "NotFound",
    "OutcomeUnknown",
    "Rejected",
    "StoreUnavailable",
    "WrongState",
]


class FlowkitError(Exception):
    """Root of everything that flowkit raises on purpose."""


class InvalidModel(FlowkitError):
    """A BPMN, DMN or form file can't be read or must not be deployed.

    ``findings`` tells what is wrong, one entry a problem, each with file, line and element.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class InvalidExpression(FlowkitError):
    """A FEEL text can't be parsed.

    ``position`` is the 0-based offset of the offending character in ``text``.
    """

    def __init__(self, message: str, *, text: str = "", position: int = 0) -> None:
        self.text = text
        self.position = position
        super().__init__(message)


class EvaluationLimit(FlowkitError):
    """An evaluation was stopped: too deep, too long, too large or too costly.

    Limits protect the host from hostile or mistaken expressions; none can be reached by an
    ordinary business rule.
    """


class Rejected(FlowkitError):
    """The engine refuses a caller's command; nothing has changed."""


class NotFound(Rejected):
    """What the command names (a definition, an instance, a task …) does not exist."""


class WrongState(Rejected):
    """What the command names exists, but is not in a state that allows the command."""


class Conflict(Rejected):
    """The command contradicts something that exists, such as a unique business key."""


class InvalidPayload(Rejected):
    """The data of a form, message or handler breaks its schema.

    ``problems`` holds one ``(path, message)`` pair a fault; the path is a JSON pointer.
    """

    def __init__(self, message: str, problems: Sequence[tuple[str, str]] = ()) -> None:
        self.problems: tuple[tuple[str, str], ...] = tuple(problems)
        super().__init__(message)


class EngineClosed(FlowkitError):
    """The engine was used after ``close()``."""


class StoreUnavailable(FlowkitError):
    """The database can't be reached or refused the transaction; the command was not acknowledged."""


class OutcomeUnknown(StoreUnavailable):
    """The connection was lost while the database committed: the command may have been stored, or not. Look
    before you give it again."""
