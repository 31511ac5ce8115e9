"""The indicators that a diagram states: FEEL over the variables of a case, where its owner changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import yaml
from lxml import etree

from flowkit.engine import Engine, VirtualClock
from flowkit.feel import compile_expression, to_json
from flowkit.tasks.library.standard import standard_tasks
from flowkit.testing.player import Player
from flowkit.testing.script import Script, parse_script

from .conftest import PROCESSES

Play = Callable[[Script], Player]
PROPERTY = "{http://camunda.org/schema/zeebe/1.0}property"


@pytest.fixture
def play() -> Iterator[Play]:
    """Plays a script and leaves its engine open."""
    with ExitStack() as stack:

        def run(script: Script) -> Player:
            ready = standard_tasks(templates=PROCESSES / "templates")
            engine = stack.enter_context(Engine(tasks=ready.registry, clock=VirtualClock(script.now)))
            engine.deploy(str(PROCESSES))
            player = Player(engine, script, handlers=ready)
            player.play()
            return player

        yield run


@pytest.mark.parametrize(
    ("scenario", "found"),
    [
        ("ecommerce_return/in_trade_agreed_return", {"share.自主协商解决率": True, "share.介入率": False}),
        ("ecommerce_return/window_14d23h59m", {"share.自主协商解决率": False, "share.介入率": True}),
        ("onsite_repair/install_done", {"share.准时到达率": True, "share.一次修复率": True}),
        ("lamp_return/inspection_late_chased_fails", {"share.24小时检验率": False}),
        ("appointment/booked_and_arrives", {"share.预约成功率": True, "share.到店率": True}),
        (
            "proactive_appointment/accepts_and_arrives",
            {"mean.预约成功率": 1, "sum.邀约客户数": 1, "sum.进站台次": 1},
        ),
    ],
)
def test_indicators_of_a_case(play: Play, scenario: str, found: dict[str, Any]) -> None:
    file = PROCESSES / f"{scenario.partition('/')[0]}.bpmn"
    script: Script = parse_script((PROCESSES / "scenarios" / f"{scenario}.yaml").read_bytes())
    player = play(script)
    variables = player.engine.instance(player.root).variables
    formulas = {
        str(it.get("name")).removeprefix("flowkit.kpi."): str(it.get("value"))
        for it in etree.parse(file).iter(PROPERTY)
        if str(it.get("name")).startswith("flowkit.kpi.")
    }
    values = {
        name: to_json(compile_expression(formula[1:], names=tuple(variables)).evaluate(variables))
        for name, formula in formulas.items()
        if formula.startswith("=")
    }
    assert values == found


def test_a_message_without_a_key_starts_every_order(play: Play) -> None:
    content = yaml.safe_load(
        (PROCESSES / "scenarios/ecommerce_return/in_trade_agreed_return.yaml").read_text("utf-8")
    )
    start = content["start"]["variables"]
    content["steps"].insert(0, {"message": "买家提出售后", "set": start | {"order_no": "TB-2"}})
    content["steps"][1]["nth"] = 1
    content["expect"]["ended"] = True
    player = play(parse_script(yaml.safe_dump(content, allow_unicode=True).encode()))
    orders = {it.id: it for it in player.engine.instances(process="ecommerce_return")}
    assert len(orders) == 2
    assert sorted(it.status for it in orders.values()) == ["active", "completed"]
    assert orders[player.root].status == "completed"
