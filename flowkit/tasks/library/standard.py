"""Putting the ready-made handlers together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flowkit.feel.calendar import WorkingCalendar
from flowkit.tasks.books import Books, MemoryBooks, SqlBooks
from flowkit.tasks.library import checks
from flowkit.tasks.library.deadlines import DeadlineHandlers, SlotHandlers, default_calendars
from flowkit.tasks.library.money import MoneyHandlers
from flowkit.tasks.library.numbering import NumberHandlers
from flowkit.tasks.library.records import RecordHandlers
from flowkit.tasks.library.stock import BookStock, Stock, StockHandlers, SupplyHandlers
from flowkit.tasks.notify.notifier import Notifier
from flowkit.tasks.notify.templates import Templates
from flowkit.tasks.registry import Registry

if TYPE_CHECKING:
    from flowkit.tasks.notify.settings import NotifySettings

__all__ = ["StandardTasks", "standard_registry", "standard_tasks"]


@dataclass(frozen=True, slots=True)
class StandardTasks:
    """The ready-made handlers with what stands behind them, so that tests can fill and look into it."""

    registry: Registry
    books: Books
    stock: BookStock
    records: RecordHandlers
    notifier: Notifier

    def close(self) -> None:
        """Give back the connections of the books, where they have some."""
        if isinstance(self.books, SqlBooks):
            self.books.close()


def standard_tasks(
    *,
    books: Books | str | None = None,
    settings: NotifySettings | Path | str | None = None,
    templates: Path | Mapping[str, str] | None = None,
    stock: Stock | None = None,
    calendars: Mapping[str, WorkingCalendar] | None = None,
    zone: str = "Asia/Shanghai",
) -> StandardTasks:
    """Build every ready-made handler.

    ``books`` is where they keep what they know: None for memory, or the URL of a SQL database.
    ``settings`` is the notification settings file; without one, notices are only kept, never sent.
    ``templates`` is the directory of message templates, unless the settings name one. ``stock``
    connects another parts store. ``calendars`` tell when people work, by name; the first is the
    default. ``zone`` is the time zone in which days, hours and numbers are counted.
    """
    kept: Books = MemoryBooks() if books is None else SqlBooks(books) if isinstance(books, str) else books
    place = ZoneInfo(zone)
    shelf = BookStock(kept, place)
    records = RecordHandlers(kept, place)
    notifier = _notifier(kept, settings, Templates({} if templates is None else templates))
    days = default_calendars() if calendars is None else calendars
    registry = Registry(
        checks,
        DeadlineHandlers(days, place),
        SlotHandlers(kept, days, place),
        StockHandlers(stock if stock is not None else shelf),
        SupplyHandlers(kept, place),
        NumberHandlers(kept, place),
        MoneyHandlers(kept, place),
        records,
        notifier,
    )
    return StandardTasks(registry, kept, shelf, records, notifier)


def _notifier(books: Books, settings: NotifySettings | Path | str | None, templates: Templates) -> Notifier:
    if settings is None:
        return Notifier(templates, books=books)
    if isinstance(settings, Path | str):
        from flowkit.tasks.notify.settings import read_settings  # noqa: PLC0415 only where there is a file

        settings = read_settings(settings)
    return Notifier.from_settings(settings, books=books, templates=templates)


def standard_registry(**options: Any) -> Registry:
    """The registry of :func:`standard_tasks`, which explains the options."""
    return standard_tasks(**options).registry
