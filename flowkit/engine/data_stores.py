"""Data stores: named state outside the instances, each served by an adapter.

Out of the box every data store is a JSON document in the engine's own database, read and written in
the transaction of the step. An application serves a store itself with an object that has ``read`` and
``write``: ``Engine(stores={"客户档案": Customers()})``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from flowkit.engine.ids import join_id
from flowkit.engine.payload import decode, encode, json_copy
from flowkit.engine.sql.schema import DATA_STORE
from flowkit.engine.store import WriteConflict
from flowkit.errors import FlowkitError, StoreUnavailable, WrongState
from flowkit.findings import Finding, Severity
from flowkit.kernel import Program
from flowkit.kernel.data import after_write
from flowkit.kernel.protocol import Command, CompleteData, DataRequested, DataWrite, FailData

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit

__all__ = ["Access", "DataStore", "Documents", "Stores", "read_document", "write_document"]


@dataclass(frozen=True, slots=True)
class Access:
    """Who reads or writes, and why. ``variables`` are all those in the element's sight.

    ``key`` is unique to this access and the same when it is tried again (a transaction that met
    another one is run anew), so that an adapter can tell a repetition.
    """

    store: str
    instance_id: str
    process_id: str
    element_id: str
    business_key: str | None
    key: str
    variables: Mapping[str, Any]


class DataStore(Protocol):
    """What an application gives to serve a data store.

    Called in the middle of a transaction: be quick, leave what takes its time to a service task, and don't
    call the engine.
    What it raises becomes an incident at the element, which is tried again when that is resolved.
    """

    def read(self, access: Access) -> Any:
        """The content, as JSON; None where there is none."""
        ...

    def write(self, access: Access, value: Any) -> None:
        """Make ``value`` the content."""
        ...


class Documents:
    """The adapter of stores that nobody serves: a JSON document a store, in the engine's database."""


class Stores:
    """The adapters by name; under "" the one of all stores that are not named."""

    def __init__(self, adapters: Mapping[str, DataStore | Documents] | None = None) -> None:
        self._adapters: Mapping[str, DataStore | Documents] = (
            {"": Documents()} if adapters is None else dict(adapters)
        )
        self._called = threading.local()

    def check_free(self) -> None:
        """Raise WrongState when this thread is inside an adapter: its transaction would wait for itself."""
        store = getattr(self._called, "store", "")
        if store:
            raise WrongState(
                f"The adapter of the data store '{store}' called the engine that it is serving, in the middle"
                " of a transaction. Let it only read and write its own data, and a task of the process do the"
                " rest."
            )

    @contextmanager
    def _calling(self, store: str) -> Iterator[None]:
        self._called.store = store
        try:
            yield
        finally:
            self._called.store = ""

    def _of(self, store: str) -> DataStore | Documents | None:
        return self._adapters.get(store) or self._adapters.get("")

    def unserved(self, programs: Iterable[Program]) -> list[Finding]:
        """An error for each node that uses a store which no adapter serves."""
        return [
            Finding(
                "unserved-data-store",
                Severity.ERROR,
                node.location,
                f"no adapter serves the data store '{store}'; there are:"
                f" {', '.join(sorted(self._adapters)) or 'none'}.",
                f"Give Engine(stores=…) one named '{store}', or Documents() under \"\" for all others.",
                node.id,
                " ".join(node.name.split()),
            )
            for program in programs
            for node in program.nodes.values()
            for store in dict.fromkeys((*(r.store for r in node.reads), *(w.store for w in node.writes)))
            if self._of(store) is None
        ]

    def answer(self, unit: Unit, instance: str, event: DataRequested) -> Command:
        """Read or write what the event asks for."""
        unit.batch.be_sure()  # an adapter's work is not undone with the transaction
        try:
            for write in event.writes:
                self._write(unit, instance, event, write)
            values = {store: self._read(unit, instance, event, store) for store in event.reads}
        except (WriteConflict, StoreUnavailable):
            raise
        except FlowkitError as error:
            return FailData(request=event.request, message=str(error))
        except Exception as error:  # an adapter may raise whatever it likes
            text = f"The data store failed: {type(error).__name__}: {error}"
            return FailData(request=event.request, message=text)
        return CompleteData(request=event.request, values=values)

    def _served(self, store: str) -> DataStore | Documents:
        adapter = self._of(store)
        if adapter is None:
            raise FlowkitError(f"No adapter serves the data store '{store}' in this engine.")
        return adapter

    def _read(self, unit: Unit, instance: str, event: DataRequested, store: str) -> Any:
        adapter = self._served(store)
        if isinstance(adapter, Documents):
            return read_document(unit, store)
        access = _access(unit, instance, event, store)
        with self._calling(store):
            content = adapter.read(access)
        return json_copy({store: content})[store]

    def _write(self, unit: Unit, instance: str, event: DataRequested, write: DataWrite) -> None:
        store = write.store
        adapter = self._served(store)
        content = self._read(unit, instance, event, store) if write.path else None
        value = after_write(content, write)
        if isinstance(adapter, Documents):
            write_document(unit, store, value)
        else:
            access = _access(unit, instance, event, store)
            with self._calling(store):
                adapter.write(access, value)


def _access(unit: Unit, instance: str, event: DataRequested, store: str) -> Access:
    live = unit.load(instance)
    return Access(
        store,
        instance,
        live.process,
        event.node,
        live.instance.business_key,
        join_id(instance, event.request),
        live.instance.inputs_of(event.request),
    )


# ---- the engine's own documents -------------------------------------------------------------


def read_document(unit: Unit, store: str) -> Any:
    """The content of a store that is kept here; None where nothing was written yet."""
    sql = f"SELECT content FROM {DATA_STORE.name} WHERE name=?{unit.parts.store.lock}"
    rows = unit.read(DATA_STORE).query(sql, (store,))
    return decode(bytes(rows[0][0])) if rows else None


def write_document(unit: Unit, store: str, value: Any) -> None:
    """Make ``value`` the content of a store that is kept here."""
    unit.changes.remove(DATA_STORE, (store,))
    unit.changes.put(DATA_STORE, (store,), [store, encode(value), unit.at])
