"""The examples of the ready-made handlers give what docs/tasks.md says, one after the other."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from flowkit.engine.payload import json_copy
from flowkit.tasks import BpmnError, TaskContext
from flowkit.tasks.library import standard_tasks

PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
NOW = datetime(2025, 1, 27, 2, 0, tzinfo=UTC)


def test_the_examples_of_the_handlers() -> None:
    (block,) = re.findall(r"(?s)```yaml\n(- form\.complete.*?)```", PAGE)
    tasks = standard_tasks()
    tasks.stock.fill({"P-1": 5})
    for number, example in enumerate(yaml.safe_load(block)):
        job_type, variables = next(iter(example.items()))
        handler = tasks.registry.get(job_type)
        assert handler is not None, job_type
        context = TaskContext(instance_id="1", job_id=f"1:{number}", job_type=job_type, now=NOW)
        found: dict[str, Any]
        try:
            found = {"gives": json_copy(handler.call(context, json.loads(json.dumps(variables))))}
        except BpmnError as error:
            found = {"throws": error.code}
        assert found == {key: example[key] for key in found}, example
