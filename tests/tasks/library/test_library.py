"""The ready-made handlers, over books in memory and in SQLite."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowkit.errors import InvalidPayload
from flowkit.tasks import BpmnError, TaskContext
from flowkit.tasks.books import MemoryBooks, SqlBooks
from flowkit.tasks.library import StandardTasks, standard_tasks

NOW = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
LATE = datetime(2025, 3, 3, 17, 0, tzinfo=UTC)  # already the 4th in Shanghai


@pytest.fixture(params=["memory", "sqlite"])
def tasks(request: pytest.FixtureRequest, tmp_path: Path) -> StandardTasks:
    books = None if request.param == "memory" else f"sqlite:///{tmp_path / 'books.db'}"
    return standard_tasks(books=books, templates={"hello.txt": "你好"})


class Caller:
    """Calls handlers as a worker would, each time for a new job."""

    def __init__(self, tasks: StandardTasks) -> None:
        self.tasks, self.job = tasks, 0

    def __call__(self, job_type: str, *, job: int | None = None, now: datetime = NOW, **variables: object):
        if job is None:
            self.job += 1
        headers = {str(k)[1:]: str(variables.pop(k)) for k in list(variables) if k.startswith("_")}
        context = TaskContext(
            instance_id="9",
            job_id=f"9:{self.job if job is None else job}",
            job_type=job_type,
            business_key="WO-1",
            headers=headers,
            now=now,
        )
        handler = self.tasks.registry.get(job_type)
        assert handler is not None, f"no handler for {job_type}"
        return handler.call(context, variables)


@pytest.fixture
def call(tasks: StandardTasks) -> Caller:
    return Caller(tasks)


# ---- stock ----------------------------------------------------------------------------------


def parts(**quantities: int) -> list[dict[str, object]]:
    return [{"part_no": part_no, "quantity": quantity} for part_no, quantity in quantities.items()]


def test_stock_tells_what_is_missing(tasks, call):
    tasks.stock.fill({"A": 2, "B": 1})
    assert call("stock.query", parts=parts(A=2)) == {"available": True, "missing": []}
    wanted = [{"part_no": "A", "quantity": 2}, {"part_no": "A", "quantity": 1, "name": "机油"}]
    assert call("stock.query", parts=wanted) == {
        "available": False,
        "missing": [{"part_no": "A", "quantity": 1, "name": "机油"}],
    }


def test_parts_are_reserved_once_a_job_and_given_back_once(tasks, call):
    tasks.stock.fill({"A": 2})
    taken = call("stock.reserve", job=1, parts=parts(A=2))
    assert taken == {"reservation": "CK-20250303-0001"}
    assert call("stock.reserve", job=1, parts=parts(A=2)) == taken
    assert call("stock.query", parts=parts(A=1))["available"] is False
    assert call("stock.return", reservation=taken["reservation"]) == {"returned": True}
    assert call("stock.return", reservation=taken["reservation"]) == {"returned": False}
    assert call("stock.query", parts=parts(A=2))["available"] is True


def test_too_little_stock_is_a_bpmn_error_and_takes_nothing(tasks, call):
    tasks.stock.fill({"A": 2, "B": 0})
    with pytest.raises(BpmnError) as caught:
        call("stock.reserve", parts=parts(A=1, B=1))
    assert caught.value.code == "OUT_OF_STOCK"
    assert caught.value.variables == {"missing": [{"part_no": "B", "quantity": 1}]}
    assert call("stock.query", parts=parts(A=2))["available"] is True


def test_a_reservation_may_grow_under_its_number_and_nothing_is_returned_for_none(tasks, call):
    tasks.stock.fill({"A": 3})
    call("stock.reserve", parts=parts(A=1), reservation="R1")
    call("stock.reserve", parts=parts(A=2), reservation="R1")
    assert call("stock.return", reservation="R1") == {"returned": True}
    assert call("stock.query", parts=parts(A=3))["available"] is True
    assert call("stock.return") == {"returned": False}
    assert call("stock.return", reservation="R9") == {"returned": False}


def test_filling_leaves_known_parts_alone_and_receiving_adds(tasks, call):
    tasks.stock.fill({"A": 1})
    tasks.stock.fill({"A": 9})
    tasks.stock.receive({"A": 1})
    assert call("stock.query", parts=parts(A=3))["missing"] == parts(A=1)


def test_orders_and_shipments_get_numbers(call):
    assert call("purchase.order", parts=parts(A=1), supplier="厂家") == {"purchase_no": "PO-20250303-0001"}
    shipped = call("shipment.create", recipient={"name": "李"}, items=["A"], _carrier="顺丰")
    assert shipped == {"tracking_no": "SF-20250303-0001"}
    assert call("shipment.create", recipient="李", items=[])["tracking_no"] == "SF-20250303-0002"


# ---- documents ------------------------------------------------------------------------------


def test_documents_are_numbered_by_series_and_day_of_the_zone(call):
    assert call("document.number", _prefix="WO") == {"number": "WO-20250303-0001"}
    assert call("document.number", prefix="WO") == {"number": "WO-20250303-0002"}
    assert call("document.number", prefix="GD") == {"number": "GD-20250303-0001"}
    assert call("document.number", prefix="WO", now=LATE) == {"number": "WO-20250304-0001"}
    with pytest.raises(InvalidPayload, match="set the header 'prefix'"):
        call("document.number")


def test_records_are_saved_replaced_and_found(tasks, call):
    tasks.records.fill({"客户档案": [{"key": "k1", "plate": "京A1"}]})
    tasks.records.fill({"客户档案": [{"key": "k2", "plate": "京A2"}]})
    assert call("record.save", record={"plate": "京B1", "n": 1}, _kind="客户档案") == {"record_id": "WO-1"}
    assert call("record.save", record={"plate": "京B1", "n": 2}, key="WO-1", _kind="客户档案")
    found = call("record.find", query={"plate": "京B1"}, _kind="客户档案")
    assert found == {"found": True, "records": [{"plate": "京B1", "n": 2}]}
    nothing = {"found": False, "records": []}
    assert call("record.find", query={"plate": "京A2"}, _kind="客户档案") == nothing
    assert call("record.find", query={"nothing": None}, _kind="客户档案") == nothing
    with pytest.raises(InvalidPayload, match="header 'kind'"):
        call("record.find", query={})


def test_form_completeness_looks_at_dotted_names_and_blanks(call):
    form = {"plate": "京A", "note": " ", "items": [], "customer": {"name": "李"}, "a.b": 0}
    required = ["plate", "note", "items", "customer.name", "customer.phone", "a.b"]
    assert call("form.complete", form=form, required=required) == {
        "complete": False,
        "missing_fields": ["note", "items", "customer.phone"],
    }
    assert call("form.complete", form=form, required=["plate"]) == {"complete": True, "missing_fields": []}


def test_signatures_need_a_name(call):
    signatures = [{"role": "客户", "name": "李", "method": "亲签"}, {"role": "组长", "name": ""}]
    assert call("signature.check", signatures=signatures, roles=["客户", "组长"]) == {
        "signed": False,
        "missing_signatures": ["组长"],
    }
    assert call("signature.check", signatures=None, roles=[]) == {"signed": True, "missing_signatures": []}


def test_evidence_needs_a_reference(call):
    evidence = [{"kind": "照片", "reference": "p.jpg"}, {"kind": "截图", "reference": ""}]
    assert call("evidence.check", evidence=evidence, kinds=["照片", "截图", "清单"]) == {
        "evidence_complete": False,
        "missing_evidence": ["截图", "清单"],
    }


def test_a_document_is_checked_for_fields_and_signatures(call):
    document = {"kind": "结算清单", "fields": {"金额": 3}, "signatures": [{"role": "财务", "name": "王"}]}
    checked = call(
        "document.check",
        document=document,
        required_fields=["金额", "日期"],
        required_signatures=["客户", "财务"],
    )
    assert checked == {"valid": False, "defects": ["结算清单:缺 日期", "结算清单:缺签字 客户"]}
    assert call("document.check", document=document) == {"valid": True, "defects": []}


def test_approvers_are_those_whose_limit_is_below_the_amount(call):
    levels = [
        {"role": "经理", "above": 0},
        {"role": "总监", "above": 1000},
        {"role": "总经理", "above": 5000},
    ]
    assert call("approval.chain", levels=levels, amount=1000) == {"approvers": ["经理"]}
    assert call("approval.chain", levels=levels, amount=1000.01) == {"approvers": ["经理", "总监"]}


# ---- money ----------------------------------------------------------------------------------


def test_freezing_is_undone_by_releasing_once(call):
    frozen = call("money.freeze", order_id="T1", amount=99.9)["freeze_id"]
    assert call("money.release", freeze_id=frozen) == {"released": True}
    assert call("money.release", freeze_id=frozen) == {"released": False}
    assert call("money.release", freeze_id=None) == {"released": False}
    assert call("money.release", freeze_id="unknown") == {"released": False}


def test_a_refund_comes_out_of_the_frozen_sum_and_may_be_reversed(call):
    frozen = call("money.freeze", order_id="T1", amount=100)["freeze_id"]
    paid = call("money.refund", job=90, order_id="T1", payee="买家", amount=60.1, freeze_id=frozen)
    assert call("money.refund", job=90, order_id="T1", payee="买家", amount=60.1, freeze_id=frozen) == paid
    with pytest.raises(BpmnError) as caught:
        call("money.refund", order_id="T1", payee="买家", amount=40, freeze_id=frozen)
    assert caught.value.code == "INSUFFICIENT_FUNDS"
    assert caught.value.variables == {"frozen_left": 39.9}
    assert call("money.reverse", payment_id=paid["payment_id"]) == {"reversed": True}
    assert call("money.reverse", payment_id=paid["payment_id"]) == {"reversed": False}
    assert call("money.refund", order_id="T1", payee="买家", amount=100, freeze_id=frozen)["payment_id"]
    assert call("money.release", freeze_id=frozen) == {"released": False}


def test_refunds_without_a_freeze_and_transfers(call):
    assert call("money.refund", order_id="T1", payee="买家", amount=5)["payment_id"] == "ZF-20250303-0001"
    with pytest.raises(InvalidPayload, match="ever frozen under 'x'"):
        call("money.refund", order_id="T1", payee="买家", amount=5, freeze_id="x")
    assert call("money.transfer", payer="卖家", payee="买家", amount=0) == {"payment_id": ""}
    paid = call("money.transfer", payer="卖家", payee="买家", amount=12.5, reason="运费")["payment_id"]
    assert call("money.reverse", payment_id=paid) == {"reversed": True}
    assert call("money.reverse") == {"reversed": False}


@pytest.mark.parametrize("amount", [-1, 0.001, "x", float("inf")])
def test_amounts_are_not_negative_and_to_the_fen(call, amount):
    with pytest.raises(InvalidPayload, match="argument 'amount'"):
        call("money.freeze", order_id="T1", amount=amount)


def test_the_notifier_is_part_of_it(tasks, call):
    assert call("notify", recipients="客户", _template="hello") == {}
    assert "notice" in tasks.registry.deliverers


# ---- books ----------------------------------------------------------------------------------


def test_a_transaction_that_fails_keeps_nothing(tasks):
    def fail() -> None:
        with tasks.books.transaction() as page:
            page.put("k", "a", {"n": 1})
            assert page.get("k", "a") == {"n": 1}
            assert page.items("k") == [("a", {"n": 1})]
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    with tasks.books.transaction() as page:
        assert page.get("k", "a") is None


def test_records_are_copies():
    books = MemoryBooks()
    with books.transaction() as page:
        page.put("k", "a", {"list": []})
    with books.transaction() as page:
        page.get("k", "a")["list"].append(1)
        assert page.get("k", "a") == {"list": []}


def test_sql_books_are_shared_by_threads_and_survive(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'b.db'}"
    tasks = standard_tasks(books=url)

    def number(job: int) -> None:
        Caller(tasks)("document.number", job=job, prefix="WO")

    threads = [threading.Thread(target=number, args=(job,)) for job in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = SqlBooks(url)
    with again.transaction() as page:
        assert page.get("counter", "WO-20250303") == {"count": 8}
    again.close()
