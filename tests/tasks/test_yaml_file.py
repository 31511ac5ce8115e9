"""YAML of users: plain values, and no surprise of YAML 1.1."""

from __future__ import annotations

import pytest

from flowkit.errors import InvalidModel
from flowkit.tasks.yaml_file import parse_yaml


def test_a_time_of_day_is_a_text_and_numbers_are_numbers() -> None:
    found = parse_yaml(b"{a: 10:30, b: 1_000, c: 1.5, d: 10:30.5, e: -7, f: 17:00:00}")
    assert found == {"a": "10:30", "b": 1000, "c": 1.5, "d": "10:30.5", "e": -7, "f": "17:00:00"}


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3", "x: {k: 1, k: 2}", "- {k: 1, 'k': 2}"])
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    with pytest.raises(InvalidModel, match="occurs twice"):
        parse_yaml(text.encode(), file="x.yaml")


def test_what_grows_or_runs_is_refused() -> None:
    for text in ("[" * 200, "a: !!python/object/apply:os.system [id]", f"a: {'9' * 5000}"):
        with pytest.raises(InvalidModel):
            parse_yaml(text.encode())
