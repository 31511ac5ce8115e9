"""Files and registers (档案, 登记本, 排班表): records of a kind, saved and found again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from flowkit.errors import InvalidPayload
from flowkit.tasks.books import Books, Page, once
from flowkit.tasks.context import TaskContext
from flowkit.tasks.library.numbering import next_number
from flowkit.tasks.registry import Header, task

__all__ = ["RecordHandlers"]


def _kind(ctx: TaskContext) -> str:
    kind = ctx.headers.get("kind", "")
    if not kind:
        problem = [("/kind", "missing")]
        raise InvalidPayload(f"{ctx.job_type or 'record'} expects the header 'kind', found none", problem)
    return f"record:{kind}"


class RecordHandlers:
    """The job types ``record.save`` and ``record.find`` over books."""

    def __init__(self, books: Books, zone: tzinfo) -> None:
        self._books, self._zone = books, zone

    def fill(self, records: Mapping[str, list[dict[str, Any]]]) -> None:
        """Put records there before anything runs; a kind that has records already is left alone."""
        with self._books.transaction() as page:
            for kind, entries in records.items():
                if page.items(f"record:{kind}"):
                    continue
                for index, entry in enumerate(entries, start=1):
                    page.put(f"record:{kind}", str(entry.get("key", f"{index:04d}")), entry)

    @task("record.save", title="登记", headers=[Header("kind", "档案种类", required=True)])
    def save(self, ctx: TaskContext, record: dict[str, Any], key: str | None = None) -> dict[str, str]:
        """Store a record of the kind that the header names, or replace the one with the same key."""
        kind = _kind(ctx)

        def write(page: Page) -> dict[str, Any]:
            name = key or ctx.business_key or next_number(page, "REC", ctx.now, self._zone)
            page.put(kind, name, record)
            return {"record_id": name}

        return once(self._books, ctx, write)

    @task("record.find", title="查询档案", headers=[Header("kind", "档案种类", required=True)])
    def find(self, ctx: TaskContext, query: dict[str, Any]) -> dict[str, Any]:
        """Give the records of a kind whose fields equal those of ``query``."""
        with self._books.transaction() as page:
            entries = page.items(_kind(ctx))
        found = [
            entry
            for _, entry in entries
            if all(entry.get(name) == value and name in entry for name, value in query.items())
        ]
        return {"found": bool(found), "records": found}
