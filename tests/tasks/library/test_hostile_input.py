"""Whatever a process hands them, the ready-made handlers answer or refuse; they never break."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowkit.errors import FlowkitError
from flowkit.tasks import BpmnError, Retry, TaskContext
from flowkit.tasks.library import standard_tasks

NOW = datetime(2025, 3, 3, tzinfo=UTC)
TYPES = sorted(standard_tasks().registry.types)
VALUES: list[object] = [
    None, True, -1, 0, 10**30, 1.5, float("nan"), float("inf"), "", "x" * 100_000, "\ud800", "\0", "NaN",
    "1e400",
    "P1D", "PT0S", "P99999999D", "-P400000D", "9999-12-31T23:59:59+00:00",
    "0001-01-01T00:00:00+14:00", "2025-03-03",
    [], [None], ["a"] * 1_000, {}, {"a": {"b": 1}}, {"name": "x", "phone": None},
    [{"part_no": "x", "quantity": 10**25}], [{"part_no": "x", "quantity": -1}],
    [{"role": "a", "above": "NaN"}], {"kind": "k", "fields": {}, "signatures": []},
]  # fmt: skip
HEADERS: list[dict[str, str]] = [
    {},
    {"kind": "k", "prefix": "P", "template": "x"},
    {"kind": "k" * 100_000, "calendar": "?", "prefix": "\0"},
]


@pytest.mark.parametrize("job_type", TYPES)
def test_a_handler_answers_or_refuses(job_type: str, tmp_path: Path) -> None:
    draw = random.Random(job_type)
    for books in (None, f"sqlite:///{tmp_path / 'books.db'}"):
        tasks = standard_tasks(books=books, templates={"x.txt": "subject\n{{ a }}"})
        handler = tasks.registry.get(job_type)
        assert handler is not None
        names = [it.variable for it in handler.signature.parameters]
        answered = 0
        for number in range(60):
            variables = {name: draw.choice(VALUES) for name in names if draw.random() < 0.9}
            context = TaskContext(
                instance_id="1",
                job_id=f"1:{number}",
                job_type=job_type,
                headers=draw.choice(HEADERS),
                now=NOW,
            )
            try:
                handler.call(context, variables)
                answered += 1
            except (FlowkitError, BpmnError, Retry):
                pass
        tasks.close()
        assert answered < 60, "nothing of all this was refused"
