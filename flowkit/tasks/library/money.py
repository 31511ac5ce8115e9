"""Money: freeze and release (a compensable pair), refund, transfer, reverse.

A ledger in books, to the fen. ``money.release`` compensates ``money.freeze``; ``money.reverse``
compensates ``money.refund`` and ``money.transfer``.
"""

from __future__ import annotations

from datetime import tzinfo
from decimal import Decimal
from typing import Any

from flowkit.errors import InvalidPayload
from flowkit.tasks.books import Books, Page, once
from flowkit.tasks.context import TaskContext
from flowkit.tasks.library.numbering import next_number
from flowkit.tasks.outcomes import BpmnError
from flowkit.tasks.registry import task
from flowkit.tasks.shapes import Money

__all__ = ["MoneyHandlers"]


def _frozen(page: Page, freeze_id: str) -> dict[str, Any]:
    frozen = page.get("freeze", freeze_id)
    if frozen is None:
        text = f"no money was ever frozen under {freeze_id!r}"
        raise InvalidPayload(f"money.refund: {text}", [("/freeze_id", text)])
    return frozen


class MoneyHandlers:
    """The ``money.…`` job types over a ledger in books."""

    def __init__(self, books: Books, zone: tzinfo) -> None:
        self._books, self._zone = books, zone

    @task("money.freeze", title="冻结货款")
    def freeze(self, ctx: TaskContext, order_id: str, amount: Money) -> dict[str, str]:
        """Freeze an amount of an order."""

        def write(page: Page) -> dict[str, Any]:
            number = next_number(page, "DJ", ctx.now, self._zone)
            page.put("freeze", number, {"order_id": order_id, "amount": str(amount), "left": str(amount)})
            return {"freeze_id": number}

        return once(self._books, ctx, write)

    @task("money.release", title="解冻货款")
    def release(self, ctx: TaskContext, freeze_id: str | None = None) -> dict[str, bool]:
        """Undo a freeze: what is left of the frozen amount becomes free; false where nothing was left."""

        def write(page: Page) -> dict[str, Any]:
            frozen = page.get("freeze", freeze_id) if freeze_id else None
            if frozen is None or Decimal(frozen["left"]) == 0:
                return {"released": False}
            page.put("freeze", str(freeze_id), frozen | {"left": "0"})
            return {"released": True}

        return once(self._books, ctx, write)

    @task("money.refund", title="退款")
    def refund(
        self, ctx: TaskContext, order_id: str, payee: str, amount: Money, freeze_id: str | None = None
    ) -> dict[str, str]:
        """Refund an order, out of the frozen amount where there is one; more than that is the BPMN
        error INSUFFICIENT_FUNDS."""

        def write(page: Page) -> dict[str, Any]:
            if freeze_id:
                frozen = _frozen(page, freeze_id)
                left = Decimal(frozen["left"])
                if amount > left:
                    text = f"冻结余额 {left} 元, 不足退款 {amount} 元"
                    raise BpmnError("INSUFFICIENT_FUNDS", text, {"frozen_left": float(left)})
                page.put("freeze", freeze_id, frozen | {"left": str(left - amount)})
            payment = {"order_id": order_id, "payee": payee, "amount": str(amount), "freeze_id": freeze_id}
            return self._pay(page, ctx, payment)

        return once(self._books, ctx, write)

    @task("money.transfer", title="支付")
    def transfer(
        self, ctx: TaskContext, payer: str, payee: str, amount: Money, reason: str = ""
    ) -> dict[str, str]:
        """Pay, for freight or damages; nothing to pay gives no payment (an empty id)."""
        if amount == 0:
            return {"payment_id": ""}
        payment = {"payer": payer, "payee": payee, "amount": str(amount), "reason": reason}
        return once(self._books, ctx, lambda page: self._pay(page, ctx, payment))

    def _pay(self, page: Page, ctx: TaskContext, payment: dict[str, Any]) -> dict[str, Any]:
        number = next_number(page, "ZF", ctx.now, self._zone)
        page.put("payment", number, payment | {"reversed": False, "business_key": ctx.business_key})
        return {"payment_id": number}

    @task("money.reverse", title="撤销支付")
    def reverse(self, ctx: TaskContext, payment_id: str | None = None) -> dict[str, bool]:
        """Undo a payment; a refund out of a frozen amount is frozen again."""

        def write(page: Page) -> dict[str, Any]:
            payment = page.get("payment", payment_id) if payment_id else None
            if payment is None or payment["reversed"]:
                return {"reversed": False}
            page.put("payment", str(payment_id), payment | {"reversed": True})
            if payment.get("freeze_id"):
                frozen = _frozen(page, payment["freeze_id"])
                left = Decimal(frozen["left"]) + Decimal(payment["amount"])
                page.put("freeze", payment["freeze_id"], frozen | {"left": str(left)})
            return {"reversed": True}

        return once(self._books, ctx, write)
