"""Handlers that take part in the transaction of their step: which argument is the connection.

An argument annotated with ``sqlite3.Connection``, ``psycopg.Connection``, SQLAlchemy's ``Connection``
or ``Session`` (or a class derived from it), or with :class:`Connection`, which stands for the
driver's connection of whatever store there is. No driver is imported to find out.
"""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Connection", "Wanted", "wanted_connection"]


class Connection(Protocol):
    """The driver's connection (of sqlite3 or psycopg) with the step's transaction open.

    Write rows with it; flowkit commits them together with the job's completion. Statements use the
    driver's own mark for parameters: ``?`` or ``%s``.
    """

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any:
        """Execute a statement; gives a cursor."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """``kind``: driver, sqlite, postgresql (a certain driver's), connection or session (SQLAlchemy's)."""

    argument: str
    kind: str
    annotation: Any


_KINDS = {
    (__name__, "Connection"): "driver",
    ("sqlite3", "Connection"): "sqlite",
    ("psycopg", "Connection"): "postgresql",
    ("sqlalchemy.engine.base", "Connection"): "connection",
    ("sqlalchemy.orm.session", "Session"): "session",
}


def wanted_connection(argument: str, annotations: Sequence[Any]) -> Wanted | None:
    """What an argument with one of these annotations wants, if that is a connection."""
    for annotation in annotations:
        owner = typing.get_origin(annotation) or annotation
        for base in getattr(owner, "__mro__", ()):
            kind = _KINDS.get((base.__module__, base.__qualname__))
            if kind is not None:
                return Wanted(argument, kind, owner)
    return None
