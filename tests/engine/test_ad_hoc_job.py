"""A handler directs an ad-hoc subprocess."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowkit.engine import Engine
from flowkit.tasks import task
from tests.engine.diagrams import element, extended, row, service, user

Make = Callable[..., Engine]


def test_a_handler_starts_activities_until_it_is_enough(make: Make) -> None:
    @task("advisor")
    def advisor(readings: list[int], adHocSubProcessElements: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        if len(readings) == 3:
            return {"isCompletionConditionFulfilled": True}
        [tool] = [one["elementId"] for one in adHocSubProcessElements if one["elementName"] == "measure"]
        return {"activateElements": [{"elementId": tool, "variables": {"n": len(readings)}}]}

    @task("measure")
    def measure(n: int) -> dict[str, int]:
        return {"reading": n * 10}

    inner = extended(
        '<zeebe:taskDefinition type="advisor"/>',
        '<zeebe:adHoc outputCollection="readings" outputElement="=reading"/>',
    ) + service("measure", "measure") + user("ask")  # fmt: skip
    engine = make(advisor, measure)
    engine.deploy({"p.bpmn": row("p", element("adHocSubProcess", "u", inner), user("after"))})
    case = engine.start("p")
    engine.run_until_idle()
    view = engine.instance(case)
    assert view.active_elements == ("after",)
    assert view.variables["readings"] == [0, 10, 20]
