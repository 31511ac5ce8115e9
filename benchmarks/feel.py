"""FEEL: a typical gateway condition, against Python's own ``eval`` and against other Python FEELs."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.rows import Row
from flowkit.feel import compile_expression, compile_unary_tests

ROUNDS = 9
CONDITION = 'amount > 1000 and status = "open" and level in ["A","B"]'
PYTHON = 'amount > 1000 and status == "open" and level in ["A", "B"]'
CASE: dict[str, Any] = {"amount": 1200, "status": "open", "level": "B", "plate": "京A12345", "visits": 3}


def _seconds(function: Callable[[], object], times: int) -> float:
    start = perf_counter()
    for _ in range(times):
        function()
    return (perf_counter() - start) / times


def _interleaved(functions: dict[str, tuple[Callable[[], object], int]]) -> dict[str, float]:
    """The median time of each function, measured in turns so that all see the same load."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, (function, count) in functions.items():
            times[name].append(_seconds(function, count))
    return {name: median(values) for name, values in times.items()}


def _pysfeel() -> Callable[[], object] | None:
    """pySFeel takes variables by assignment; the condition is written in what it can parse."""
    try:
        parser = import_module("pySFeel").SFeelParser()
    except ImportError:
        return None
    for name, value in CASE.items():
        parser.sFeelParse(f"{name} <- {value!r}".replace("'", '"'))
    answer = parser.sFeelParse('(amount > 1000) and (status = "open") and (level in ["A","B"])')
    assert answer == ({}, True) or answer[-1] is True, f"pySFeel gave {answer!r}"
    return lambda: parser.sFeelParse('(amount > 1000) and (status = "open") and (level in ["A","B"])')


def _bkflow() -> Callable[[], object] | None:
    try:
        parse = import_module("bkflow_feel.api").parse_expression
    except ImportError:
        return None
    text = 'amount > 1000 and status = "open" and list contains(["A","B"], level)'
    assert parse(text, CASE) is True, "bkflow-feel gave another answer"
    return lambda: parse(text, CASE)


def measure() -> Iterable[Row]:
    """Figures per evaluation of a compiled condition; the others parse at every evaluation."""
    expression = compile_expression(CONDITION)
    code = compile(PYTHON, "<condition>", "eval")
    assert expression.evaluate(CASE) is True is eval(code, {}, CASE)
    test = compile_unary_tests("[18..65], > 100")
    functions: dict[str, tuple[Callable[[], object], int]] = {
        "feel": (lambda: expression.evaluate(CASE), 20_000),
        "python": (lambda: eval(code, {}, CASE), 20_000),
        "test": (lambda: test.matches(42, CASE), 20_000),
        "cached": (lambda: compile_expression(CONDITION), 20_000),
    }
    with contextlib.redirect_stdout(io.StringIO()):
        peers = {"pysfeel": _pysfeel(), "bkflow": _bkflow()}
        functions |= {name: (function, 20) for name, function in peers.items() if function is not None}
        times = _interleaved(functions)
    feel = times["feel"]
    yield Row("feel.condition_us", feel * 1e6, "µs", note=CONDITION)
    yield Row(
        "feel.condition_vs_python", feel / times["python"], "times", "<= 6", "compiled eval of the same"
    )
    for name in peers:
        if name in times:
            yield Row(f"feel.condition_vs_{name}", times[name] / feel, "times", ">= 50", "their time ÷ ours")
    yield Row("feel.unary_test_us", times["test"] * 1e6, "µs", note="[18..65], > 100")
    yield Row("feel.cached_compile_us", times["cached"] * 1e6, "µs", note="a text seen before")
    fresh = [f'amount > {number} and status = "open" and level in ["A","B"]' for number in range(300)]
    start = perf_counter()
    for text in fresh:
        compile_expression(text)
    yield Row("feel.compile_us", (perf_counter() - start) / len(fresh) * 1e6, "µs", note="a new text")
