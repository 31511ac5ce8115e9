"""Parts in stock: query, reserve, give back; purchase orders and shipments.

:class:`Stock` is the port: an ERP or DMS is connected by a class with these three methods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any, Protocol

from flowkit.tasks.books import Books, Page, once
from flowkit.tasks.context import TaskContext
from flowkit.tasks.library.numbering import next_number
from flowkit.tasks.outcomes import BpmnError
from flowkit.tasks.registry import Header, task
from flowkit.tasks.shapes import Contact, Part, named

__all__ = ["BookStock", "Stock", "StockHandlers", "SupplyHandlers"]


class Stock(Protocol):
    """A parts store. Every change is given the job's context: do it once for each ``ctx.job_id``."""

    def missing(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """How many of each part number are lacking; {} when all are on hand."""

    def reserve(self, wanted: Mapping[str, int], reservation: str | None, ctx: TaskContext) -> str:
        """Take the parts out of stock under a number; raises BpmnError("OUT_OF_STOCK") and takes nothing."""

    def give_back(self, reservation: str, ctx: TaskContext) -> bool:
        """Undo a reservation; False where there is none, or it was undone before."""


def _lacking(page: Page, wanted: Mapping[str, int]) -> dict[str, int]:
    lacking = {}
    for part_no, quantity in wanted.items():
        on_hand = (page.get("stock", part_no) or {"quantity": 0})["quantity"]
        if quantity > on_hand:
            lacking[part_no] = quantity - on_hand
    return lacking


def _shift(page: Page, parts: Mapping[str, int], sign: int) -> None:
    for part_no, quantity in parts.items():
        on_hand = (page.get("stock", part_no) or {"quantity": 0})["quantity"]
        page.put("stock", part_no, {"quantity": on_hand + sign * quantity})


class BookStock:
    """Stock kept in books: in memory or in SQL."""

    def __init__(self, books: Books, zone: tzinfo) -> None:
        self._books, self._zone = books, zone

    def fill(self, stock: Mapping[str, int]) -> None:
        """Set the quantities of parts that are not known yet; known ones stay as they are."""
        with self._books.transaction() as page:
            for part_no, quantity in stock.items():
                if page.get("stock", part_no) is None:
                    page.put("stock", part_no, {"quantity": quantity})

    def receive(self, parts: Mapping[str, int]) -> None:
        """Parts have arrived: add them."""
        with self._books.transaction() as page:
            _shift(page, parts, +1)

    def missing(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """See :class:`Stock`."""
        with self._books.transaction() as page:
            return _lacking(page, wanted)

    def reserve(self, wanted: Mapping[str, int], reservation: str | None, ctx: TaskContext) -> str:
        """See :class:`Stock`."""

        def take(page: Page) -> dict[str, Any]:
            lacking = _lacking(page, wanted)
            if lacking:
                parts = [{"part_no": part_no, "quantity": count} for part_no, count in lacking.items()]
                text = ", ".join(f"{part_no} ×{count}" for part_no, count in lacking.items())
                raise BpmnError("OUT_OF_STOCK", f"缺件: {text}", {"missing": parts})
            number = reservation or next_number(page, "CK", ctx.now, self._zone)
            _shift(page, wanted, -1)
            held: Counter[str] = Counter((page.get("reservation", number) or {"parts": {}})["parts"])
            held.update(wanted)
            page.put("reservation", number, {"parts": dict(held)})
            return {"reservation": number}

        return str(once(self._books, ctx, take)["reservation"])

    def give_back(self, reservation: str, ctx: TaskContext) -> bool:
        """See :class:`Stock`."""

        def put_back(page: Page) -> dict[str, Any]:
            held = (page.get("reservation", reservation) or {"parts": {}})["parts"]
            _shift(page, held, +1)
            if held:
                page.put("reservation", reservation, {"parts": {}})
            return {"returned": bool(held)}

        return bool(once(self._books, ctx, put_back)["returned"])


def _wanted(parts: Iterable[Part]) -> dict[str, int]:
    """Quantities by part number: a part may be listed twice."""
    total: Counter[str] = Counter()
    for part in parts:
        total[part.part_no] += part.quantity
    return {part_no: quantity for part_no, quantity in total.items() if quantity}


class StockHandlers:
    """The job types ``stock.query``, ``stock.reserve`` and ``stock.return`` over a :class:`Stock`."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock

    @task("stock.query", title="查询库存")
    def query(self, parts: list[Part]) -> dict[str, Any]:
        """Tell which of the parts are on hand."""
        lacking = self._stock.missing(_wanted(parts))
        names = {part.part_no: part.name for part in parts if part.name}
        missing = [
            {"part_no": part_no, "quantity": count} | ({"name": names[part_no]} if part_no in names else {})
            for part_no, count in lacking.items()
        ]
        return {"available": not missing, "missing": missing}

    @task("stock.reserve", title="领料出库")
    def reserve(self, ctx: TaskContext, parts: list[Part], reservation: str | None = None) -> dict[str, str]:
        """Take parts from stock under a reservation number; throws the BPMN error OUT_OF_STOCK."""
        return {"reservation": self._stock.reserve(_wanted(parts), reservation, ctx)}

    @task("stock.return", title="退料入库")
    def give_back(self, ctx: TaskContext, reservation: str | None = None) -> dict[str, bool]:
        """Undo a reservation: the compensation of stock.reserve."""
        return {"returned": bool(reservation) and self._stock.give_back(str(reservation), ctx)}


class SupplyHandlers:
    """Orders placed with suppliers and goods handed to carriers, written into the books."""

    def __init__(self, books: Books, zone: tzinfo) -> None:
        self._books, self._zone = books, zone

    def _file(self, kind: str, prefix: str, ctx: TaskContext, record: dict[str, Any]) -> str:
        def write(page: Page) -> dict[str, Any]:
            number = next_number(page, prefix, ctx.now, self._zone)
            page.put(kind, number, record | {"number": number, "business_key": ctx.business_key})
            return {"number": number}

        return str(once(self._books, ctx, write)["number"])

    @task("purchase.order", title="采购下单")
    def order(self, ctx: TaskContext, parts: list[Part], supplier: str | None = None) -> dict[str, str]:
        """Place a purchase order."""
        record = {"parts": [part.model_dump() for part in parts], "supplier": supplier}
        return {"purchase_no": self._file("采购单", "PO", ctx, record)}

    @task("shipment.create", title="发货", headers=[Header("carrier", "承运人")])
    def ship(self, ctx: TaskContext, recipient: Contact | str, items: list[Any]) -> dict[str, str]:
        """Hand goods to a carrier; the header ``carrier`` may name one."""
        record = {
            "recipient": recipient if isinstance(recipient, str) else recipient.model_dump(exclude_none=True),
            "recipient_name": named(recipient),
            "items": items,
            "carrier": ctx.headers.get("carrier"),
        }
        return {"tracking_no": self._file("发货单", "SF", ctx, record)}
