"""Decision tables: how many evaluations a second, against Python's own ``if``, and in large tables."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

from benchmarks.rows import Row
from flowkit.dmn import DecisionModel, parse

NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"
REGIONS = ("north", "east", "south", "west")
GRADES = ("gold", "silver", "bronze", "none")
ROUNDS = 15
BATCH = 100


def table(columns: list[tuple[str, str]], rules: list[tuple[list[str], str]], policy: str = "FIRST") -> bytes:
    """A model with one decision ``d``: input columns with types, rules of cells and an output."""
    inputs = "".join(
        f'<input><inputExpression typeRef="{kind}"><text>{name}</text></inputExpression></input>'
        for name, kind in columns
    )
    rows = "".join(
        "<rule>"
        + "".join(f"<inputEntry><text><![CDATA[{cell}]]></text></inputEntry>" for cell in cells)
        + f"<outputEntry><text>{output}</text></outputEntry></rule>"
        for cells, output in rules
    )
    return (
        f'<definitions xmlns="{NAMESPACE}" namespace="bench" name="bench">'
        f'<decision id="d" name="d"><decisionTable hitPolicy="{policy}">{inputs}'
        f"<output/>{rows}</decisionTable></decision></definitions>"
    ).encode()


def discount_rules() -> list[tuple[list[str], str]]:
    """Twenty rules over amount, region, grade and age: comparisons, ranges, texts, lists, ``-``."""
    rules = []
    for number, region in enumerate(REGIONS):
        for step, grade in enumerate(GRADES):
            low = 100 * (step + 1)
            rules.append(
                ([f"[{low}..{low + 900}]", f'"{region}"', f'"{grade}"', ">= 18"], str(number * 4 + step))
            )
    rules.append(([">= 1000", '"north", "east"', "-", "[18..65]"], "16"))
    rules.append((["< 100", "-", '"gold", "silver"', "-"], "17"))
    rules.append((["-", "-", "-", "< 18"], "18"))
    rules.append((["-", "-", "-", "-"], "19"))
    return rules


def by_hand(case: dict[str, Any]) -> int:
    """The same twenty rules as a chain of ``if``."""
    amount, region, grade, age = case["amount"], case["region"], case["grade"], case["age"]
    for number, wanted in enumerate(REGIONS):
        if region == wanted and age >= 18:
            if grade == "gold" and 100 <= amount <= 1000:
                return number * 4
            if grade == "silver" and 200 <= amount <= 1100:
                return number * 4 + 1
            if grade == "bronze" and 300 <= amount <= 1200:
                return number * 4 + 2
            if grade == "none" and 400 <= amount <= 1300:
                return number * 4 + 3
    if amount >= 1000 and region in ("north", "east") and 18 <= age <= 65:
        return 16
    if amount < 100 and grade in ("gold", "silver"):
        return 17
    if age < 18:
        return 18
    return 19


COLUMNS = [("amount", "number"), ("region", "string"), ("grade", "string"), ("age", "number")]


def cases(count: int) -> list[dict[str, Any]]:
    """Inputs that reach every rule."""
    dice = random.Random(4)
    return [
        {
            "amount": dice.randrange(0, 1500),
            "region": dice.choice(REGIONS),
            "grade": dice.choice(GRADES),
            "age": dice.randrange(10, 80),
        }
        for _ in range(count)
    ]


def large_rules(count: int) -> list[tuple[list[str], str]]:
    """A tariff: each customer group, weight range and zone has its price."""
    rules = []
    for number in range(count):
        zone, weight = number % 10, number // 10
        rules.append(([f'"zone {zone}"', f"[{weight}..{weight + 1})", "-", ">= 0"], str(number)))
    return rules


LARGE = [("zone", "string"), ("weight", "number"), ("customer", "string"), ("volume", "number")]


def large_cases(rules: int, count: int) -> list[dict[str, Any]]:
    """Inputs spread over all rules of :func:`large_rules`."""
    dice = random.Random(5)
    return [
        {
            "zone": f"zone {dice.randrange(10)}",
            "weight": dice.randrange(rules // 10) + 0.5,
            "customer": "c",
            "volume": dice.randrange(9),
        }
        for _ in range(count)
    ]


def seconds_each(function: Callable[[dict[str, Any]], Any], inputs: list[dict[str, Any]]) -> float:
    """Time of one call: each batch of inputs at its best of many rounds."""
    total = 0.0
    for start in range(0, len(inputs), BATCH):
        batch = inputs[start : start + BATCH]
        best = float("inf")
        for _ in range(ROUNDS):
            begin = perf_counter()
            for case in batch:
                function(case)
            best = min(best, perf_counter() - begin)
        total += best
    return total / len(inputs)


def _evaluate(model: DecisionModel) -> Callable[[dict[str, Any]], Any]:
    return lambda case: model.evaluate("d", case)


def measure() -> Iterable[Row]:
    """The figures of this module."""
    small = parse(table(COLUMNS, discount_rules()))
    inputs = cases(2000)
    for case in inputs:
        assert small.evaluate("d", case).value == by_hand(case)
    ours, hand = seconds_each(_evaluate(small), inputs), seconds_each(by_hand, inputs)
    yield Row("dmn.table_20x4_per_s", 1 / ours, "evaluations/s", ">= 20000")
    yield Row("dmn.table_20x4_vs_python_if", ours / hand, "times", note="record of why included")

    start = perf_counter()
    large = parse(table(LARGE, large_rules(10_000), "UNIQUE"))
    compiled = perf_counter() - start
    few = parse(table(LARGE, large_rules(20), "UNIQUE"))
    many_each = seconds_each(_evaluate(large), large_cases(10_000, 1000))
    few_each = seconds_each(_evaluate(few), large_cases(20, 1000))
    yield Row("dmn.table_10000_vs_20", many_each / few_each, "times", "<= 5")
    yield Row("dmn.table_10000_compile", compiled, "s")
