"""@task, Registry and typed calls."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, TypedDict

import pytest
from pydantic import BaseModel, Field

from flowkit.errors import InvalidPayload
from flowkit.tasks import BpmnError, InvalidHandler, Registry, Retry, TaskContext, task

CONTEXT = TaskContext(instance_id="7", job_id="7:3", headers={"渠道": "短信"})


class Part(BaseModel):
    part_no: str
    quantity: int = 1


@dataclass
class Level:
    free: int
    price: Decimal


class Person(TypedDict):
    name: str


@task("stock.level")
def stock_level(parts: list[Part], warehouse: str = "主仓", limit: int = 5) -> Level:
    """Look up the stock. More text."""
    return Level(len(parts) * limit, Decimal("12.50"))


def handler(function):
    return next(iter(Registry(function)))


def call(function, **variables):
    return handler(function).call(CONTEXT, variables)


def test_arguments_come_by_name_and_are_converted_to_their_types():
    result = call(
        stock_level, parts=[{"part_no": "A"}, {"part_no": "B", "quantity": "2"}], limit="7", other=1
    )
    assert result == {"free": 14, "price": 12.5}


def test_null_counts_as_absent_where_there_is_a_default_that_is_not_null():
    assert call(stock_level, parts=[], limit=None) == {"free": 0, "price": 12.5}


def test_null_is_passed_where_the_argument_admits_it():
    @task("t")
    def given(note: str | None = "nothing") -> dict[str, object]:
        return {"note": note}

    assert call(given, note=None) == {"note": None}
    assert call(given) == {"note": "nothing"}


def test_a_missing_argument_is_named_with_what_was_expected_and_what_there_is():
    with pytest.raises(InvalidPayload) as caught:
        call(stock_level, plate="京A")
    assert caught.value.problems[0][0] == "/parts"
    assert "argument 'parts': expected list[" in str(caught.value)
    assert "found no such variable (there are: plate)" in str(caught.value)


def test_every_wrong_argument_is_reported_with_path_and_found_value():
    with pytest.raises(InvalidPayload) as caught:
        call(stock_level, parts=[{"quantity": 1}], limit="many")
    assert [path for path, _ in caught.value.problems] == ["/parts/0/part_no", "/limit"]
    assert "expected int, found 'many'" in str(caught.value)


def test_constraints_of_annotated_arguments_hold_and_aliases_name_the_variable():
    @task("t")
    def positive(
        plate: Annotated[str, Field(alias="车牌", min_length=2)], amount: Annotated[float, Field(gt=0)]
    ):
        return {"seen": f"{plate} {amount}"}

    assert call(positive, 车牌="京A", amount=2) == {"seen": "京A 2.0"}
    with pytest.raises(InvalidPayload, match="greater than 0"):
        call(positive, 车牌="京A", amount=0)
    with pytest.raises(InvalidPayload, match="at least 2 characters"):
        call(positive, 车牌="京", amount=1)


def test_the_context_is_given_by_annotation_and_keyword_arguments_take_the_rest():
    @task("t")
    def everything(ctx: TaskContext, a: int, **variables: object) -> dict[str, object]:
        return {"job": ctx.job_id, "a": a, "rest": sorted(variables)}

    assert call(everything, a=1, b=2, c=3) == {"job": "7:3", "a": 1, "rest": ["b", "c"]}
    assert handler(everything).reads is None
    assert handler(stock_level).reads == {"parts", "warehouse", "limit"}


def test_an_async_function_is_called_to_its_end():
    @task("t")
    async def later(a: int) -> int:
        return a + 1

    assert handler(later).is_async
    assert call(later, a=1) == {"later": 2}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {}),
        ({"a": date(2026, 5, 1)}, {"a": "2026-05-01"}),
        (Part(part_no="A"), {"part_no": "A", "quantity": 1}),
        ([1, 2], {"give": [1, 2]}),
        (timedelta(days=1, hours=2, seconds=1.5), {"give": "P1DT2H1.5S"}),
        (timedelta(0), {"give": "PT0S"}),
    ],
)
def test_results_become_variables(value, expected):
    @task("t")
    def give():
        return value

    assert call(give) == expected


def test_result_names_the_variable_that_takes_the_whole_value():
    @task("t", result="level")
    def give() -> Level:
        return Level(1, Decimal(3))

    assert call(give) == {"level": {"free": 1, "price": 3}}


@pytest.mark.parametrize("value", [float("nan"), b"x", object(), {1: 2}])
def test_a_result_that_is_not_json_is_refused(value):
    @task("t")
    def give():
        return [value]

    with pytest.raises(InvalidPayload, match="at /0"):
        call(give)


def test_a_cyclic_result_is_refused():
    @task("t")
    def give():
        loop: list[object] = []
        loop.append(loop)
        return loop

    with pytest.raises(InvalidPayload, match="deeper than"):
        call(give)


def test_a_result_that_breaks_its_annotation_is_refused():
    @task("t")
    def give() -> dict[str, int]:
        return {"a": "x"}  # type: ignore[dict-item]  # the point of the test

    with pytest.raises(InvalidPayload, match="/a: Input should be a valid integer"):
        call(give)


def test_marking_registers_nothing():
    @task("only.marked")
    def marked() -> None: ...

    assert "only.marked" not in Registry()
    assert marked() is None


def test_registries_collect_functions_modules_objects_and_other_registries():
    module = types.ModuleType("handlers")
    module.first = stock_level  # type: ignore[attr-defined]
    module.again = stock_level  # type: ignore[attr-defined]

    class Shop:
        def __init__(self, name: str) -> None:
            self.name = name

        @task("shop.name")
        def tell(self) -> dict[str, str]:
            return {"shop": self.name}

    registry = Registry(module, [Shop("北店")])
    assert registry.types == {"stock.level", "shop.name"}
    assert Registry(registry).types == registry.types
    assert registry.get("shop.name").call(CONTEXT, {}) == {"shop": "北店"}
    assert registry.get("none") is None


def test_two_handlers_for_one_type_are_refused_unless_replaced():
    @task("stock.level")
    def other() -> None: ...

    registry = Registry(stock_level)
    registry.add(stock_level)
    with pytest.raises(InvalidHandler, match=r"two handlers, stock_level and .*other"):
        registry.add(other)
    registry.replace(other)
    assert registry.get("stock.level").function is other


@pytest.mark.parametrize("source", [len, 3, "text", {"a": 1}, types.ModuleType("empty"), object()])
def test_what_is_no_handler_is_refused(source):
    with pytest.raises(InvalidHandler):
        Registry(source)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic reads typing.TypedDict there")
def test_an_argument_that_pydantic_can_not_check_is_no_matter_of_trying_again():
    @task("t")
    def read(person: Person) -> None: ...

    with pytest.raises(InvalidHandler, match=r"read \(t\) has an argument .*typing_extensions"):
        call(read, person={})


def test_a_job_type_is_a_text():
    with pytest.raises(InvalidHandler, match="found 7"):
        task(7)


def test_functions_that_cannot_be_called_by_name_are_refused_when_registered():
    @task("t")
    def positional(a, /): ...

    @task("t")
    def many(*a): ...

    for function in (positional, many):
        with pytest.raises(InvalidHandler, match="positional"):
            Registry(function)


def test_annotations_that_cannot_be_resolved_are_refused_when_registered():
    @task("t")
    def unknown(a: Nowhere): ...  # type: ignore[name-defined]  # noqa: F821 the point of the test

    with pytest.raises(InvalidHandler, match="can't be resolved"):
        Registry(unknown)


def test_outcomes_check_their_arguments():
    assert Retry(after=timedelta(minutes=1)).after == timedelta(minutes=1)
    with pytest.raises(ValueError, match="zero or more"):
        Retry(after=timedelta(seconds=-1))
    with pytest.raises(ValueError, match="code"):
        BpmnError("")
    assert str(BpmnError("缺件", "no part")) == "缺件: no part"
    with pytest.raises(InvalidHandler):
        task("")


def test_the_title_is_the_docstrings_first_line():
    assert handler(stock_level).title == "Look up the stock. More text"
