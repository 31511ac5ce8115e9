"""Document numbers: ``WO-20250101-0001``, counted per prefix and day."""

from __future__ import annotations

from datetime import datetime, tzinfo

from flowkit.errors import InvalidPayload
from flowkit.tasks.books import Books, Page, once
from flowkit.tasks.context import TaskContext
from flowkit.tasks.registry import Header, task

__all__ = ["NumberHandlers", "next_number"]


def next_number(page: Page, prefix: str, now: datetime, zone: tzinfo) -> str:
    """The next number of the series ``prefix`` on the day of ``now`` in ``zone``."""
    day = f"{now.astimezone(zone):%Y%m%d}"
    key = f"{prefix}-{day}"
    count = (page.get("counter", key) or {"count": 0})["count"] + 1
    page.put("counter", key, {"count": count})
    return f"{key}-{count:04d}"


class NumberHandlers:
    """Numbers documents; a series has no gaps, since the number is taken in the job's transaction."""

    def __init__(self, books: Books, zone: tzinfo) -> None:
        self._books, self._zone = books, zone

    @task("document.number", title="单据编号", headers=[Header("prefix", "编号前缀")])
    def number(self, ctx: TaskContext, prefix: str | None = None) -> dict[str, str]:
        """Give the next number of a document series; the header ``prefix`` names the series."""
        series = prefix or ctx.headers.get("prefix", "")
        if not series:
            raise InvalidPayload(
                "document.number expects a prefix, found none: set the header 'prefix'",
                [("/prefix", "missing")],
            )
        return once(self._books, ctx, lambda page: {"number": next_number(page, series, ctx.now, self._zone)})
