"""The rows that a transaction is going to write, gathered until they are needed.

Gathering pays twice: what is inserted and deleted in the same transaction (a job opened and done in
one group) never reaches the database, and the rest goes there with one statement a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flowkit.engine.sql.schema import Table
from flowkit.engine.store import Session, WriteConflict

__all__ = ["Changes"]

Key = tuple[Any, ...]


class Changes:
    """Rows to put, patch and remove.

    A key is the table's primary key, or a prefix of it that stands for all rows under it (the
    candidates of a user task).
    """

    __slots__ = ("_patches", "_puts", "_removals", "put_tables")

    def __init__(self) -> None:
        self.put_tables: set[Table] = set()
        """Every table that ever got a row here, written or not: tells workers what is new."""
        self._puts: dict[Table, dict[Key, list[list[Any]]]] = {}
        self._patches: dict[Table, dict[Key, dict[str, Any]]] = {}
        self._removals: dict[Table, dict[Key, Sequence[Any] | None]] = {}

    def __bool__(self) -> bool:
        return bool(self._puts or self._patches or self._removals)

    def touches(self, tables: Iterable[Table]) -> bool:
        """Whether a read of one of ``tables`` would miss something."""
        return any(t in self._puts or t in self._patches or t in self._removals for t in tables)

    def patches(self, table: Table) -> bool:
        """Whether stored rows of ``table`` are going to be changed (not only removed)."""
        return table in self._patches

    def removes(self, table: Table, key: Key) -> bool:
        """Whether the row under ``key`` is going to be removed."""
        removals = self._removals.get(table)
        return removals is not None and key in removals

    def new_rows(self, table: Table) -> Iterator[Sequence[Any]]:
        """The rows that are going to be inserted, to be read only."""
        for rows in self._puts.get(table, {}).values():
            yield from rows

    def put(self, table: Table, key: Key, row: list[Any]) -> None:
        """Insert ``row``; further rows under the same key are inserted too."""
        rows = self._puts.get(table)
        if rows is None:
            rows = self._puts[table] = {}
            self.put_tables.add(table)
        under = rows.get(key)
        if under is None:
            rows[key] = [row]
        else:
            under.append(row)

    def patch(self, table: Table, key: Key, values: Mapping[str, Any]) -> None:
        """Set columns of a row, which may be one that was put here."""
        rows = self._puts.get(table)
        if rows is not None and key in rows:
            for row in rows[key]:
                for name, value in values.items():
                    row[table.position[name]] = value
            return
        patches = self._patches.get(table)
        if patches is None:
            patches = self._patches[table] = {}
        known = patches.get(key)
        if known is None:
            patches[key] = dict(values)
        else:
            known.update(values)

    def remove(self, table: Table, key: Key, row: Sequence[Any] | None = None) -> None:
        """Delete the rows under ``key``; ``row`` is the one that is stored there, if that is known."""
        rows = self._puts.get(table)
        if rows is not None and rows.pop(key, None) is not None:
            if not rows:
                del self._puts[table]
            return  # it was new here; had it taken a stored row's place, that removal stands already
        patches = self._patches.get(table)
        if patches is not None:
            patches.pop(key, None)
        removals = self._removals.get(table)
        if removals is None:
            self._removals[table] = {key: row}
        else:
            removals[key] = row

    def absorb(self, later: Changes) -> None:
        """Take over the changes of ``later``, which came after these."""
        self.put_tables |= later.put_tables
        if not self:
            self._puts, self._patches, self._removals = later._puts, later._patches, later._removals
            return
        for table, removals in later._removals.items():
            if _apart(removals, self._puts.get(table)) and _apart(removals, self._patches.get(table)):
                _merge(self._removals, table, removals)
            else:
                for key, row in removals.items():
                    self.remove(table, key, row)
        for table, puts in later._puts.items():
            if _apart(puts, self._puts.get(table)):
                _merge(self._puts, table, puts)
            else:
                for key, rows in puts.items():
                    for row in rows:
                        self.put(table, key, row)
        for table, patches in later._patches.items():
            if _apart(patches, self._puts.get(table)) and _apart(patches, self._patches.get(table)):
                _merge(self._patches, table, patches)
            else:
                for key, values in patches.items():
                    self.patch(table, key, values)

    def flush(self, session: Session) -> bool:
        """Write everything and forget it. Removals go first: a row may be put in a removed one's place.

        True when one of the rows that were changed was surely there, as it was known to be.
        """
        found = False
        all_puts = self._puts
        if self._removals:
            for table, removals in self._removals.items():
                if table.succession and table in all_puts:
                    found = _succeed(session, table, removals, all_puts[table])
                if len(removals) == 1:
                    [key] = removals
                    session.run(table.delete(len(key)), key)
                elif removals:
                    _remove(session, table, removals)
            self._removals.clear()
        for table, puts in all_puts.items():
            rows = [row for under in puts.values() for row in under]
            if len(rows) == 1:
                session.run(table.insert, rows[0])
            elif rows:
                session.run_many(table.insert, rows)
        all_puts.clear()
        if self._patches:
            for table, patches in self._patches.items():
                _patch(session, table, patches)
            self._patches.clear()
        return found


def _apart(keys: Mapping[Key, Any], others: Mapping[Key, Any] | None) -> bool:
    """Whether two tables' changes meet in no row, as those of different instances never do."""
    return not others or others.keys().isdisjoint(keys)


def _merge(tables: dict[Table, dict[Key, Any]], table: Table, rows: dict[Key, Any]) -> None:
    known = tables.get(table)
    if known is None:
        tables[table] = rows
    else:
        known.update(rows)


def _succeed(
    session: Session,
    table: Table,
    removals: dict[Key, Sequence[Any] | None],
    puts: dict[Key, list[list[Any]]],
) -> bool:
    """Where an instance's wait is over and its next one begins, make the one's row the other's; both are
    done with then. A row of which it isn't known what is stored there is left to be removed.

    True when there was one, and it was there.
    """
    succeeding, lasting = table.succeeding, table.lasting
    if len(removals) == len(puts) == 1:  # one command
        [(key, old)] = removals.items()
        [[new]] = puts.values()
        if old is None or lasting(old) != lasting(new):
            return False
        changed = session.run(table.update(table.succession), (*succeeding(new), *key))
        if changed == 0:
            raise WriteConflict("the wait is over already")
        removals.clear()
        puts.clear()
        return changed == 1
    following = {rows[0][0]: key for key, rows in puts.items()}
    updates = []
    for key, old in tuple(removals.items()):
        after = following.pop(key[0], None)
        if after is not None and old is not None and lasting(old) == lasting(puts[after][0]):
            del removals[key]
            updates.append((*succeeding(puts.pop(after)[0]), *key))
    if updates:
        session.run_many(table.update(table.succession), updates)
    return False


def _remove(session: Session, table: Table, keys: Iterable[Key]) -> None:
    by_length: dict[int, list[Key]] = {}
    for key in keys:
        by_length.setdefault(len(key), []).append(key)
    for length, group in by_length.items():
        session.run_many(table.delete(length), group)


def _patch(session: Session, table: Table, patches: Mapping[Key, Mapping[str, Any]]) -> None:
    if len(patches) == 1:
        [(key, values)] = patches.items()
        session.run(table.update(tuple(values)), (*values.values(), *key))
        return
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for key, values in patches.items():
        by_columns.setdefault(tuple(values), []).append((*values.values(), *key))
    for columns, parameters in by_columns.items():
        session.run_many(table.update(columns), parameters)
