"""Data stores: asked for before a node begins and when it is done (BPMN 2.0.2, 10.4.1 and 13.4)."""

from __future__ import annotations

from typing import Any

import pytest

from flowkit.bpmn import parse
from flowkit.kernel import compile_process
from flowkit.kernel import protocol as p
from flowkit.kernel.state import DataRequest, Job
from tests.bpmn.snippets import rules
from tests.kernel.diagrams import (
    Run,
    both,
    boundary,
    catch,
    compiled,
    end,
    event_sub,
    expression,
    job,
    log,
    many,
    mapping,
    message,
    process,
    script,
    start,
    sub,
    throw,
    timer,
)

STORE = '<bpmn:dataStoreReference id="ref" name="stock"/>'
IO = (
    '<bpmn:ioSpecification id="{n}io"><bpmn:dataInput id="{n}in" name="given"/><bpmn:dataOutput id="{n}out" name="made"/>'
    '<bpmn:inputSet id="{n}is"><bpmn:dataInputRefs>{n}in</bpmn:dataInputRefs></bpmn:inputSet>'
    '<bpmn:outputSet id="{n}os"><bpmn:dataOutputRefs>{n}out</bpmn:dataOutputRefs></bpmn:outputSet></bpmn:ioSpecification>'
)


def assign(source: str, target: str) -> str:
    return f"<bpmn:assignment>{expression('from', source)}{expression('to', target)}</bpmn:assignment>"


def takes(target: str, inner: str = "") -> str:
    return (
        f"<bpmn:dataInputAssociation><bpmn:sourceRef>ref</bpmn:sourceRef><bpmn:targetRef>{target}</bpmn:targetRef>"
        f"{inner}</bpmn:dataInputAssociation>"
    )


def gives(source: str = "", inner: str = "", target: str = "ref") -> str:
    named = f"<bpmn:sourceRef>{source}</bpmn:sourceRef>" if source else ""
    return (
        f"<bpmn:dataOutputAssociation>{named}<bpmn:targetRef>{target}</bpmn:targetRef>"
        f"{inner}</bpmn:dataOutputAssociation>"
    )


def io(name: str, inputs: str = "", outputs: str = "") -> str:
    return IO.format(n=name) + inputs + outputs


class Shelf:
    """Answers what the run asks for, from a dictionary."""

    def __init__(self, run: Run, **content: Any) -> None:
        self.run, self.content = run, content

    def answer(self) -> None:
        while waits := self.run.waits(DataRequest):
            request = waits[0]
            asked = next(e for e in self.run.of(p.DataRequested) if e.request == request.key)
            for write in asked.writes:
                assert not write.path
                self.content[write.store] = write.value
            self.run.do(p.CompleteData(request.key, {name: self.content.get(name) for name in asked.reads}))


def both_ways(**options: Any) -> Any:
    return compiled(
        STORE, start(), job("a", inner=io("a", takes("ain"), gives("aout")), **options), log("z"), end(),
        flows="s > a; a > z; z > e",
    )  # fmt: skip


def test_an_activity_begins_with_what_the_store_has_and_gives_it_what_it_made() -> None:
    run = Run(both_ways())
    [asked] = run.of(p.DataRequested)
    assert (asked.node, asked.reads, asked.writes) == ("a", ("stock",), ())
    assert not run.waits(Job)
    shelf = Shelf(run, stock=7)
    shelf.answer()
    assert run.instance.inputs_of(run.waits(Job)[0].key)["given"] == 7
    run.complete("a", made=8, other=9)
    assert run.log == []
    shelf.answer()
    assert shelf.content == {"stock": 8}
    assert run.log == ["z"]
    # As with a data object, what is not associated stays inside.
    assert run.variables.keys() == {"log"}
    run.check_deterministic()


def test_a_store_that_fails_is_an_incident_at_either_end() -> None:
    run = Run(both_ways())
    run.do(p.FailData(run.waits(DataRequest)[0].key, "no connection"))
    [incident] = run.incidents
    assert (incident.node, incident.kind, incident.message) == ("a", "data", "no connection")
    run.resolve()
    shelf = Shelf(run, stock=1)
    shelf.answer()
    run.complete("a", made=2)
    run.do(p.FailData(run.waits(DataRequest)[0].key, "no connection"))
    assert run.log == []
    assert not run.waits(Job)
    run.resolve()
    shelf.answer()
    assert (shelf.content, run.log, run.status) == ({"stock": 2}, ["z"], "completed")


def test_associations_transform_and_assign() -> None:
    inner = io(
        "a",
        takes("ain", expression("transformation", "stock * 10")),
        gives("", assign("given + 1", "stock.count") + assign("given", "seen")),
    )
    run = Run(compiled(STORE, start(), job("a", inner=inner), end(), flows="s > a; a > e"))
    Shelf(run, stock=7).answer()
    assert run.instance.inputs_of(run.waits(Job)[0].key)["given"] == 70
    run.complete("a")
    assert run.of(p.DataRequested)[-1].writes == (p.DataWrite("stock", ("count",), 71),)
    run.do(p.CompleteData(run.waits(DataRequest)[0].key))
    assert run.variables["seen"] == 70


def test_a_store_is_named_by_the_root_element_and_limited_by_it() -> None:
    ref = '<bpmn:dataStoreReference id="ref" name="shelf" dataStoreRef="ds"/>'
    inner = io("a", takes("ain", expression("transformation", "shelf + 1")), gives("aout"))
    data = process(
        ref, start(), job("a", inner=inner), end(), flows="s > a; a > e",
        roots='<bpmn:dataStore id="ds" name="warehouse" capacity="3" isUnlimited="false"/>',
    )  # fmt: skip
    run = Run(compile_process(parse(data), "P"))
    assert run.of(p.DataRequested)[0].reads == ("warehouse",)
    Shelf(run, warehouse=1).answer()
    run.complete("a", made=[2])
    assert run.of(p.DataRequested)[-1].writes == (p.DataWrite("warehouse", (), [2], 3),)


def test_a_drawn_association_moves_nothing() -> None:
    """What bpmn.io draws: a placeholder as the target, no source."""
    inner = (
        '<bpmn:property id="pl" name="__targetRef_placeholder"/>' + takes("pl") + gives()
    )  # fmt: skip
    run = Run(compiled(STORE, start(), job("a", inner=inner), end(), flows="s > a; a > e"))
    run.complete("a")
    assert run.of(p.DataRequested) == []


def test_a_data_object_of_the_same_name_is_not_the_store() -> None:
    objects = '<bpmn:dataObject id="do" name="stock"/><bpmn:dataObjectReference id="dor" dataObjectRef="do"/>'
    inner = io("a", takes("ain").replace(">ref<", ">dor<"))
    run = Run(compiled(objects, STORE, start(), job("a", inner=inner), end(), flows="s > a; a > e"), stock=5)
    assert run.of(p.DataRequested) == []
    assert run.instance.inputs_of(run.waits(Job)[0].key)["given"] == 5


def data_in(target: str = "given") -> str:
    """A data input of a throwing event, fed from the store."""
    return (
        f'<bpmn:dataInput id="tin" name="{target}"/>'
        + takes("tin")
        + "<bpmn:inputSet id='x'><bpmn:dataInputRefs>tin</bpmn:dataInputRefs></bpmn:inputSet>"
    )


def data_out(name: str = "got") -> str:
    """A data output of a catching event, given to the store."""
    return (
        f'<bpmn:dataOutput id="{name}" name="{name}"/>'
        + gives(name)
        + f'<bpmn:outputSet id="{name}s"><bpmn:dataOutputRefs>{name}</bpmn:dataOutputRefs></bpmn:outputSet>'
    )


def test_a_throwing_event_sends_what_the_store_has() -> None:
    program = compiled(STORE, start(), throw("t", data_in() + message("M")), end(), flows="s > t; t > e")
    run = Run(program)
    assert run.of(p.MessageThrown) == []
    Shelf(run, stock=4).answer()
    assert run.of(p.MessageThrown)[0].variables == {"given": 4}
    assert run.status == "completed"


def test_catching_events_write_what_came() -> None:
    program = compiled(STORE, start(), catch("c", data_out() + message("M")), log("z"), flows="s > c; c > z")
    run = Run(program)
    run.deliver("c", got=3)
    assert run.log == []
    shelf = Shelf(run)
    shelf.answer()
    assert (shelf.content, run.log, run.trail) == ({"stock": 3}, ["z"], ["s", "c", "z"])
    run = Run(program)
    run.deliver("c", got=3)
    run.do(p.FailData(run.waits(DataRequest)[0].key, "no connection"))
    run.resolve()
    shelf = Shelf(run)
    shelf.answer()
    assert (shelf.content, run.log) == ({"stock": 3}, ["z"])


@pytest.mark.parametrize("cancel", [True, False])
def test_boundary_events_and_event_subprocesses_write_too(cancel: bool) -> None:
    program = compiled(
        STORE, start(), job("a"), boundary("b", "a", data_out() + message("M"), cancel=cancel), log("h"),
        event_sub("v", start("vs", data_out("more") + message("N"), isInterrupting=cancel), log("w"), flows="vs > w"),
        flows="s > a; b > h",
    )  # fmt: skip
    run = Run(program)
    shelf = Shelf(run)
    run.deliver("vs", more=2)
    shelf.answer()
    assert (shelf.content, run.log) == ({"stock": 2}, ["w"])
    run = Run(program)
    shelf = Shelf(run)
    run.deliver("b", got=1)
    shelf.answer()
    assert (shelf.content, run.log) == ({"stock": 1}, ["h"])


def test_a_start_event_writes_what_the_instance_was_started_with() -> None:
    program = compiled(STORE, start("s", data_out() + message("M")), log("z"), flows="s > z")
    run = Run(program, begin=False)
    run.do(p.Start({"got": 9, "log": []}, start_event="s"))
    shelf = Shelf(run)
    shelf.answer()
    assert (shelf.content, run.log) == ({"stock": 9}, ["z"])


@pytest.mark.parametrize("sequential", [True, False])
def test_each_instance_of_a_loop_reads_and_writes(sequential: bool) -> None:
    inner = io("a", takes("ain"), gives("", assign("given + item", "stock"))) + many(
        "[1, 2, 3]", sequential=sequential
    )
    run = Run(compiled(STORE, start(), job("a", inner=inner), end(), flows="s > a; a > e"))
    shelf = Shelf(run, stock=0)
    shelf.answer()
    while run.waits(Job):
        run.complete("a")
        shelf.answer()
    assert shelf.content == {"stock": 6 if sequential else 3}
    assert run.status == "completed"


def test_what_was_asked_for_is_withdrawn_with_the_token() -> None:
    program = compiled(
        STORE, start(), both("f"), job("a", inner=io("a", takes("ain"))), end("x", "<bpmn:terminateEventDefinition/>"),
        flows="s > f; f > a; f > x",
    )  # fmt: skip
    run = Run(program)
    assert len(run.of(p.DataWithdrawn)) == 1
    assert run.status == "terminated"
    run = Run(both_ways())
    request = run.waits(DataRequest)[0].key
    run.do(p.Cancel())
    assert not run.instance.waits
    other = Run(
        compiled(
            STORE,
            start(),
            job("a", inner=io("a", takes("ain"))),
            boundary("t", "a", timer("Duration", "PT1H")),
            flows="s > a",
        )
    )
    assert other.do(p.CompleteData(request + 99)) == []
    assert other.do(p.FailData(request + 99, "late")) == []


def test_a_subprocess_and_its_mappings_take_from_a_store() -> None:
    inner = script("i", "given + 1", "r")
    program = compiled(
        STORE, start(),
        job("a", inner=io("a", takes("ain")), extensions=mapping({"x": "1"}, {"r": "given + x"})),
        sub("u", inner), flows="s > a; a > u",
    )  # fmt: skip
    run = Run(program, given=1)
    Shelf(run, stock=40).answer()
    run.complete("a")
    assert run.variables["r"] == 2  # the subprocess sees its own surroundings again


_LOOP = "<multiInstanceLoopCharacteristics><loopDataInputRef>{}</loopDataInputRef></multiInstanceLoopCharacteristics>"


@pytest.mark.parametrize(
    "node",
    [
        f'<userTask id="x" name="T">{_LOOP.format("ref")}</userTask>',
        '<userTask id="x" name="T"><ioSpecification><dataInput id="i"/><inputSet><dataInputRefs>i</dataInputRefs>'
        "</inputSet><outputSet/></ioSpecification><dataInputAssociation><sourceRef>ref</sourceRef>"
        f"<targetRef>i</targetRef></dataInputAssociation>{_LOOP.format('i')}</userTask>",
        '<intermediateThrowEvent id="x"><dataInput id="i"/><dataInputAssociation><sourceRef>ref</sourceRef>'
        "<targetRef>i</targetRef></dataInputAssociation><inputSet><dataInputRefs>i</dataInputRefs></inputSet>"
        "<compensateEventDefinition/></intermediateThrowEvent>",
    ],
)
def test_where_a_store_can_not_be_read_is_refused(node: str) -> None:
    body = (
        f'<startEvent id="s"/>{node}<endEvent id="e"/><dataStoreReference id="ref" name="stock"/>'
        '<sequenceFlow id="f1" sourceRef="s" targetRef="x"/><sequenceFlow id="f2" sourceRef="x" targetRef="e"/>'
    )
    assert "data-store-use" in rules(body)
