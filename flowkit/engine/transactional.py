"""Handlers that take part in the transaction which stores their job's completion.

The handler runs inside that transaction and writes with its connection: rows of the application and
the state of the process are stored together, or neither is. What an exception leaves behind is
nothing; the attempt is counted afterwards, in a transaction of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from flowkit.engine.jobs import Claimed, command_for_failure
from flowkit.engine.outbox import checked, post
from flowkit.engine.payload import json_copy
from flowkit.errors import WrongState
from flowkit.kernel.protocol import Command, CompleteJob
from flowkit.tasks import Handler, InvalidHandler, TaskContext

if TYPE_CHECKING:
    from flowkit.engine.commit import Committer
    from flowkit.engine.store import Session
    from flowkit.engine.unit import Unit

__all__ = ["perform_lent"]


class _HandlerFailed(Exception):
    """Carries a handler's exception past those that the database's own ones are translated to."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def perform_lent(
    committer: Committer, handler: Handler, job: Claimed, context: TaskContext
) -> Command | None:
    """Call the handler and complete its job, in one transaction: None when both are stored, else the
    command that reports the failure, when nothing is."""
    telemetry = committer.parts.telemetry
    if telemetry is None:
        return _perform(committer, handler, job, context)
    with telemetry.handling(job) as outcome:
        command = _perform(committer, handler, job, context)
        outcome.append(command or CompleteJob(job=job.key))
    return command


def _perform(committer: Committer, handler: Handler, job: Claimed, context: TaskContext) -> Command | None:
    quiet = msgspec.structs.replace(context, heartbeat=_no_heartbeat)

    def work(unit: Unit) -> None:
        context.outgoing.clear()  # of an attempt that met a conflict
        try:
            with _connection(handler, unit.batch.session) as connection:
                variables = json_copy(handler.call(quiet, job.inputs(), connection))
            _check_open(unit.batch.session.connection)
            outgoing = [checked(posted) for posted in context.outgoing]
        except Exception as error:
            raise _HandlerFailed(error) from error
        unit.step(job.instance, CompleteJob(job=job.key, variables=variables))
        for posted in outgoing:
            post(unit, job.instance, job.process, job.node, posted)

    try:
        committer.run_lent(work)
    except _HandlerFailed as failed:
        return command_for_failure(job, failed.error, context.now)
    except Exception as error:
        return command_for_failure(job, error, context.now)
    return None


def _no_heartbeat() -> None:
    """The lease can't be extended while the transaction is open; it should be a short one anyway."""


@contextmanager
def _connection(handler: Handler, session: Session) -> Iterator[Any]:
    """The connection in the shape that the handler asks for."""
    wanted = handler.signature.connection
    assert wanted is not None, "only for handlers that ask for one"
    if wanted.kind in ("connection", "session"):
        from flowkit.engine.sql.alchemy import lent  # noqa: PLC0415 SQLAlchemy is heavy

        session_class = wanted.annotation if wanted.kind == "session" else None
        with lent(session.dialect, session.connection, session_class) as connection:
            yield connection
        return
    if wanted.kind not in ("driver", session.dialect):
        raise InvalidHandler(
            f"handler {handler.type}: argument {wanted.argument!r} wants a {wanted.kind} connection, but the "
            f"engine's store is {session.dialect}; flowkit.tasks.Connection stands for either"
        )
    yield session.connection


def _check_open(connection: Any) -> None:
    """A handler must not have ended the transaction with SQL of its own, nor hidden that it failed."""
    if isinstance(connection, sqlite3.Connection):
        usable = connection.in_transaction
    else:
        usable = connection.info.transaction_status.name == "INTRANS"
    if not usable:
        raise WrongState(
            "The handler ended its step's transaction, or went on after a statement had failed in it: leave "
            "COMMIT and ROLLBACK to flowkit, and put what may fail into a savepoint."
        )
