"""The pages of the elements: their diagrams deploy, run as told, and look as they are drawn today."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from flowkit.bpmn import lint, parse
from flowkit.bpmn.diagram import draw
from flowkit.kernel import compile_process
from flowkit.kernel import protocol as p
from flowkit.kernel.behaviours import BEHAVIOURS
from flowkit.kernel.state import Call, DataRequest, Job, Request, Subscription, Timer, UserTask
from tests.docs.draw_elements import DIAGRAMS
from tests.kernel.diagrams import Run

FOLDER = DIAGRAMS.parent
PAGES = sorted(page.stem for page in FOLDER.glob("*.md") if page.stem != "README")
NAMES = sorted(path.stem for path in DIAGRAMS.glob("*.bpmn"))


@dataclass(frozen=True)
class Line:
    """A run: what is started with, what is done (an element whose wait is answered, perhaps with
    variables; or variables that are set), and which elements complete, in order."""

    do: list[Any]
    trail: str
    variables: dict[str, Any] = field(default_factory=dict)
    at: str | None = None
    gives: dict[str, Any] = field(default_factory=dict)


LINES: dict[str, list[Line]] = {
    "task": [Line([], "start label end")],
    "manual-task": [Line([], "start carry end")],
    "service-task": [
        Line(
            [("check", {"quantity": 3})],
            "start check end",
            {"order": {"part": "P-1"}},
            gives={"in_stock": True, "quantity": None, "part": None},
        )
    ],
    "send-task": [Line([], "start tell end", {"plate": "京A12345", "finish_time": "16:00"})],
    "receive-task": [Line([("wait", {"ok": True})], "start wait end", {"claim_no": 7}, gives={"ok": True})],
    "user-task": [Line([("confirm", {"fault": "刹车"})], "start confirm end", gives={"fault": "刹车"})],
    "script-task": [
        Line([], "start sum_up end", {"parts": 100, "hours": 2, "rate": 150}, gives={"total": 400})
    ],
    "business-rule-task": [Line([("judge", "保修")], "start judge end", gives={"verdict": "保修"})],
    "call-activity": [
        Line(
            [("archive", {"complete": True, "other": 1})],
            "start archive end",
            {"plate": "京A12345"},
            gives={"complete": True, "other": None},
        )
    ],
    "subprocess": [
        Line(["diagnose", "fix", "deliver"], "start begin diagnose fix done repair deliver end"),
    ],
    "event-subprocess": [
        Line(
            ["asked", "reply", "fix"],
            "start asked reply answered answer fix end",
            {"plate": "京A12345"},
        ),
        Line(
            [("fix", p.ThrowBpmnError), "report"],
            "start damaged report reported claim",
            {"plate": "京A12345"},
        ),
    ],
    "transaction": [
        Line(["reserve", "pay"], "start begin reserve pay paid booked book end", {"ok": True}),
        Line(
            ["reserve", "pay", "inform"],
            "start begin reserve pay paid release cancelled on_cancel inform end2",
            {"ok": False},
        ),
    ],
    "ad-hoc-subprocess": [
        Line(
            ["engine", ("body", {"fault_found": True})],
            "start engine body inspect end",
            {"fault_found": False},
            gives={"findings": [False, True]},
        ),
    ],
    "exclusive-gateway": [
        Line(["claim"], "start warranty claim merge end", {"age": 36}),
        Line(["charge"], "start warranty charge merge end", {"age": 37}),
    ],
    "parallel-gateway": [
        Line(["papers", "wash", "deliver"], "start fork papers wash join deliver end"),
    ],
    "inclusive-gateway": [
        Line(
            ["paint", "parts"],
            "start needs paint parts join end",
            {"parts_missing": True, "scratched": True},
        ),
        Line(["wash"], "start needs wash join end", {"parts_missing": False, "scratched": False}),
    ],
    "complex-gateway": [
        Line(["b", "a", "choose", "c"], "start ask b a two choose end c"),
    ],
    "event-based-gateway": [
        Line(["yes", "fix"], "start wait yes fix end", {"plate": "京A12345"}),
        Line(["late", "call"], "start wait late call end2", {"plate": "京A12345"}),
    ],
    "sequence-flow": [
        Line(
            ["diagnose", "order", "ask"],
            "start diagnose order end ask end",
            {"parts_missing": True, "cost": 3000},
        ),
        Line(["diagnose", "fix"], "start diagnose fix end", {"parts_missing": False, "cost": 100}),
    ],
    "start-event": [
        Line(["receive"], "walk_in receive end"),
        Line(["agree"], "booked_start agree end2", at="booked_start"),
        Line(["plan"], "monday plan end3", at="monday"),
    ],
    "intermediate-events": [
        Line(
            ["order", ("arrival", {"received": 4, "note": ""}), "fix"],
            "start order ordered arrival fix end",
            {"order_no": "B-1"},
            gives={"quantity": 4, "note": None},
        )
    ],
    "boundary-event": [
        Line(["remind", "hurry", "fix"], "start remind hurry end2 fix end", {"plate": "京A12345"}),
        Line(["recalled", "settle"], "start recalled settle end3", {"plate": "京A12345"}),
    ],
    "end-event": [Line(["archive", "deliver"], "start fork archive archived deliver delivered")],
    "message-event": [Line(["reply"], "start send reply end", {"order_no": "B-1", "part": "P-1"})],
    "timer-event": [
        Line(
            ["cool", "remind", "remind", "measure"],
            "start cool remind count end2 remind count end2 measure end",
            {"reminders": 0},
            gives={"reminders": 2},
        )
    ],
    "signal-event": [Line(["stop", "secure"], "start stop secure end2")],
    "error-event": [
        Line(["compare"], "start begin compare same installed install end", {"ok": True}),
        Line(
            ["compare", "send_back"], "start begin compare same wrong returned send_back end2", {"ok": False}
        ),
    ],
    "escalation-event": [
        Line(
            ["first", "supervise", "second"],
            "start begin first informed tell supervise end2 second painted paint end",
        )
    ],
    "conditional-event": [
        Line([{"temperature": 70}, "cool"], "start hot cool end2", {"temperature": 20}),
        Line([{"temperature": 60}, "charge"], "start charge end", {"temperature": 20}),
    ],
    "link-event": [Line(["check", "deliver"], "start check go come deliver end")],
    "compensation": [
        Line(
            ["agree"],
            "start reserve book agree agreed cancel_bay free undo end2",
            {"ok": False},
            gives={"log": ["cancel G-2", "free P-1"]},
        )
    ],
    "terminate-event": [Line(["ask"], "start fork ask stop")],
    "multiple-event": [
        Line(["any", "all-timer", "all-message"], "start any all end", {"plate": "京A12345"}),
    ],
    "loop": [
        Line([("call", {"reached": False}), ("call", {"reached": True})], "start call call call end"),
    ],
    "multi-instance": [
        Line(
            [("check", {"depth": 3}), ("check", {"depth": 5})],
            "start check check check end",
            {"tyres": ["左前", "右前"]},
            gives={"results": [3, 5]},
        )
    ],
    "data-objects": [
        Line(
            [("quote", {"offer": 980, "note": "急"})],
            "start quote end",
            {"work_order": {"plate": "京A12345"}},
            gives={"quotation": 980, "note": None},
        )
    ],
    "correlation": [
        Line(
            [("parts", {"delivery": {"order_no": "WO-1"}})],
            "start parts end",
            {"order_no": "WO-1"},
            at="start",
        ),
    ],
    "data-stores": [
        Line(["take", ("take", {"remaining": 7}), "take"], "start take end", gives={"remaining": None}),
    ],
    "pools-and-lanes": [
        Line(["need", "offer_in", "order"], "start need ask offer_in order end", {"case": "C-1"}),
    ],
    "variables": [
        Line(
            [],
            "start begin rate tell done repair end",
            {"order": {"price": 50}, "hours": 3},
            gives={"total": 150, "summary": "共150", "cost": None, "price": None},
        )
    ],
}


def lead(run: Run, action: Any) -> None:
    """Do one thing of a :class:`Line`."""
    if isinstance(action, dict):
        run.set(**action)
        return
    node, given = action if isinstance(action, tuple) else (action, {})
    node, _, part = node.partition("-")
    wanted = {"timer": (Timer,), "message": (Subscription,)}.get(
        part, (Job, UserTask, Subscription, Timer, Call, Request, DataRequest)
    )
    wait = next(
        w for w in run.instance.waits.values() if getattr(w, "node", "") == node and isinstance(w, wanted)
    )
    if given is p.ThrowBpmnError:
        run.throw(node, "DAMAGE")
    elif isinstance(wait, Job | UserTask):
        run.complete(node, **given)
    elif isinstance(wait, Timer):
        run.fire(node)
    elif isinstance(wait, Call):
        run.do(p.CompleteCall(wait.key, given))
    elif isinstance(wait, DataRequest):
        run.do(p.CompleteData(wait.key, given))
    elif isinstance(wait, Request):
        run.do(p.CompleteDecision(wait.key, given))
    elif isinstance(wait, Subscription) and wait.kind == "signal":
        run.broadcast(wait.name, **given)
    else:
        run.do(p.DeliverMessage(wait.key, given))


@pytest.mark.parametrize(
    ("name", "line"),
    [pytest.param(name, line, id=f"{name}-{i}") for name in LINES for i, line in enumerate(LINES[name])],
)
def test_the_diagram_runs_as_told(name: str, line: Line) -> None:
    definitions = parse((DIAGRAMS / f"{name}.bpmn").read_bytes())
    run = Run(compile_process(definitions, name.replace("-", "_")), begin=False)
    run.do(p.Start({"log": [], **line.variables}, start_event=line.at))
    for action in line.do:
        lead(run, action)
    assert " ".join(run.trail) == line.trail
    assert run.status in ("completed", "terminated")
    assert {name: run.variables.get(name) for name in line.gives} == line.gives


@pytest.mark.parametrize("name", NAMES)
def test_the_diagram_passes_every_check(name: str) -> None:
    assert lint(parse((DIAGRAMS / f"{name}.bpmn").read_bytes())) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_drawing_is_that_of_the_diagram(name: str) -> None:
    drawn = (DIAGRAMS / f"{name}.svg").read_text(encoding="utf-8")
    assert drawn == draw((DIAGRAMS / f"{name}.bpmn").read_bytes()), "run python -m tests.docs.draw_elements"


def text(page: str) -> str:
    return (FOLDER / f"{page}.md").read_text(encoding="utf-8")


def test_every_page_has_its_diagram_and_its_line() -> None:
    assert PAGES == NAMES == sorted(LINES)
    assert [page for page in PAGES if f"](diagrams/{page}.svg)" not in text(page)] == []


def test_every_element_that_is_executed_has_one_page() -> None:
    told = [tag for page in PAGES for tag in re.findall(r"`bpmn:(\w+)`", text(page).split("\n\n")[1])]
    tags = [kind.__name__[0].lower() + kind.__name__[1:] for kind in BEHAVIOURS]
    assert [tag for tag in tags if told.count(tag) != 1] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_page_names_the_clause_of_the_standard(page: str) -> None:
    assert re.search(r"BPMN 2\.0\.2, \d", text(page))


@pytest.mark.parametrize("page", [*PAGES, "README"])
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(page)):
        assert (FOLDER / target).exists(), f"{page} links to {target}"


def test_the_list_names_every_page() -> None:
    assert sorted(set(re.findall(r"\]\(([\w-]+)\.md\)", text("README")))) == PAGES
