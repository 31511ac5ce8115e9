"""Data stores: the engine's own documents, and adapters of the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowkit.engine import Access, Documents, Engine
from flowkit.errors import InvalidModel, InvalidPayload
from flowkit.kernel import protocol as p
from tests.engine.diagrams import element, file, process
from tests.kernel.test_data_stores import assign, gives, io, takes

Make = Callable[..., Engine]


def counter(update: str = "given + 1", target: str = "stock", store: str = "") -> bytes:
    """A task that reads the store ``stock`` as ``given``, and writes."""
    reference = f'<bpmn:dataStoreReference id="ref" name="stock" {store}/>'
    inner = io("a", takes("ain"), gives("", assign(update, target)))
    root = '<bpmn:dataStore id="ds" name="warehouse" capacity="2" isUnlimited="false"/>' if store else ""
    nodes = [
        reference, element("startEvent", "start"), element("task", "a", inner), element("endEvent", "end"),
    ]  # fmt: skip
    return file(root, process("p", *nodes, flows=[("start", "a"), ("a", "end")]))


def test_a_diagram_with_a_data_store_just_works(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": counter()})
    assert engine.read_store("stock") is None
    engine.write_store("stock", 40)
    cases = [engine.start("p") for _ in range(2)]
    assert [engine.instance(case).status for case in cases] == ["completed", "completed"]
    assert engine.read_store("stock") == 42
    asked = [entry.event for entry in engine.history(cases[1]) if isinstance(entry.event, p.DataAnswered)]
    assert [event.values for event in asked] == [{"stock": 41}, {}]
    with pytest.raises(InvalidPayload):
        engine.write_store("stock", object())


def test_an_assignment_changes_a_part_of_the_content(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": counter("given.seen + 1", "stock.seen")})
    engine.write_store("stock", {"seen": 1, "kept": True})
    engine.start("p")
    assert engine.read_store("stock") == {"seen": 2, "kept": True}


def test_what_was_written_is_undone_with_its_transaction(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": counter()})
    engine.write_store("stock", 1)

    def fails(unit: Any) -> None:
        unit.start(unit.newest("p"), p.Start())
        unit.settle()
        raise KeyError("no")

    with pytest.raises(KeyError):
        engine.committer.run(fails)
    assert engine.read_store("stock") == 1


def test_a_store_that_is_full_is_an_incident(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": counter("append(given, 1)", "stock", 'dataStoreRef="ds"')})
    engine.write_store("warehouse", [7])
    assert engine.instance(engine.start("p")).status == "completed"
    case = engine.start("p")
    [incident] = engine.incidents(case)
    assert incident.message == "The data store 'warehouse' holds at most 2, not 3."
    engine.write_store("warehouse", [])
    engine.resolve(incident)
    assert engine.instance(case).status == "active"  # what it read before was full already
    engine.cancel(case)


class Customers:
    """An adapter that may be down."""

    def __init__(self) -> None:
        self.down = False
        self.rows: dict[str, Any] = {}
        self.seen: list[Access] = []

    def read(self, access: Access) -> Any:
        self.seen.append(access)
        if self.down:
            raise ConnectionError("no route to host")
        return self.rows.get(access.variables["plate"], 0)

    def write(self, access: Access, value: Any) -> None:
        self.seen.append(access)
        self.rows[access.variables["plate"]] = value


def test_an_adapter_serves_a_store(make: Make) -> None:
    customers = Customers()
    engine = make(stores={"stock": customers})
    engine.deploy({"p.bpmn": counter()})
    case = engine.start("p", {"plate": "京A12345"}, business_key="WO-1")
    assert customers.rows == {"京A12345": 1}
    read, write = customers.seen
    assert (read.store, read.instance_id, read.element_id, read.business_key) == ("stock", case, "a", "WO-1")
    assert read.key != write.key
    assert write.variables["given"] == 0


def test_an_adapter_that_fails_is_an_incident_that_can_be_resolved(make: Make) -> None:
    customers = Customers()
    customers.down = True
    engine = make(stores={"stock": customers})
    engine.deploy({"p.bpmn": counter()})
    case = engine.start("p", {"plate": "X"})
    [incident] = engine.incidents(case)
    assert (incident.element_id, incident.kind) == ("a", "data")
    assert incident.message == "The data store failed: ConnectionError: no route to host"
    customers.down = False
    engine.resolve(incident)
    assert engine.instance(case).status == "completed"
    assert customers.rows == {"X": 1}


def test_an_adapter_is_asked_once_also_when_another_engine_was_faster(make: Make) -> None:
    customers = Customers()
    customers.down = True
    engine, other = make(stores={"stock": customers}), make(stores={"stock": customers})
    engine.deploy({"p.bpmn": counter()})
    case = engine.start("p", {"plate": "X"})  # which it has in memory now
    [incident] = engine.incidents(case)
    other.set_variables(case, {"plate": "Y"})
    customers.down = False
    engine.resolve(incident)
    assert engine.instance(case).status == "completed"
    assert customers.rows == {"Y": 1}


def test_an_adapter_that_calls_the_engine_is_told_so_instead_of_waiting_for_itself(make: Make) -> None:
    class Calling(Customers):
        def read(self, access: Access) -> Any:
            return engine.start("p")

    engine = make(stores={"stock": Calling()})
    engine.deploy({"p.bpmn": counter()})
    [incident] = engine.incidents(engine.start("p", {"plate": "X"}))
    assert "called the engine that it is serving" in incident.message
    assert len(engine.instances()) == 1


def test_an_adapter_that_gives_no_json_is_an_incident(make: Make) -> None:
    class Odd(Customers):
        def read(self, access: Access) -> Any:
            return object()

    engine = make(stores={"stock": Odd()})
    engine.deploy({"p.bpmn": counter()})
    [incident] = engine.incidents(engine.start("p", {"plate": "X"}))
    assert "expected a JSON value" in incident.message


def test_a_store_that_no_adapter_serves_is_not_deployed(make: Make) -> None:
    engine = make(stores={"other": Customers()})
    with pytest.raises(InvalidModel) as refused:
        engine.deploy({"p.bpmn": counter()})
    [finding] = refused.value.findings
    assert (finding.rule, finding.element_id, finding.location.file) == ("unserved-data-store", "a", "p.bpmn")
    assert engine.definitions() == []


def test_another_engine_without_the_adapter_raises_an_incident(make: Make) -> None:
    make(stores={"stock": Customers()}).deploy({"p.bpmn": counter()})
    other = make(stores={"other": Customers(), "more": Documents()})
    [incident] = other.incidents(other.start("p"))
    assert incident.message == "No adapter serves the data store 'stock' in this engine."


def test_all_other_stores_may_be_documents(make: Make) -> None:
    engine = make(stores={"other": Customers(), "": Documents()})
    engine.deploy({"p.bpmn": counter()})
    engine.write_store("stock", 1)
    engine.start("p")
    assert engine.read_store("stock") == 2


def test_a_decision_and_data_withdrawn_in_the_step_that_asked_are_not_answered(make: Make) -> None:
    called = '<zeebe:calledDecision decisionId="d" resultVariable="r"/>'
    rule = element("businessRuleTask", "rule", f"<bpmn:extensionElements>{called}</bpmn:extensionElements>")
    stop = element("endEvent", "stop", "<bpmn:terminateEventDefinition/>")
    reads = element("task", "a", io("a", takes("ain")))
    nodes = [
        '<bpmn:dataStoreReference id="ref" name="stock"/>', element("startEvent", "start"),
        element("parallelGateway", "fork"), rule, reads, stop, element("endEvent", "end"),
        element("endEvent", "end2"),
    ]  # fmt: skip
    flows = [
        ("start", "fork"), ("fork", "rule"), ("fork", "a"), ("fork", "stop"), ("rule", "end"), ("a", "end2"),
    ]  # fmt: skip
    engine = make()
    engine.deploy({"p.bpmn": file(process("p", *nodes, flows=flows))})
    assert engine.instance(engine.start("p")).status == "terminated"
