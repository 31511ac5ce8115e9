"""YAML of users: plain values, and no surprise of YAML 1.1."""

from __future__ import annotations

import pytest
import yaml

from flowkit.errors import InvalidModel
from flowkit.tasks.yaml_file import MAX_BYTES, parse_yaml


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


def test_a_large_file_is_read_by_libyaml_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's own scanner takes half a minute for a megabyte."""
    if not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")

    def scan(*_: object) -> None:
        pytest.fail("read by the slow scanner")

    monkeypatch.setattr(yaml.scanner.Scanner, "fetch_more_tokens", scan)
    assert parse_yaml(b"- {a: 1}\n- [x, 10:30]\n") == [{"a": 1}, ["x", "10:30"]]


def test_a_file_that_is_too_large_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidModel, match=r"big\.yaml.*1,000,001 bytes, at most 1,000,000.*[Ss]plit"):
        parse_yaml(b"#" * (MAX_BYTES + 1), file="big.yaml")
    assert parse_yaml(b"#" * MAX_BYTES) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [1, 2\nc: 3", 3),
        ("a: 1\n  b: 2", 2),
        ("a: [", 1),
        ("a: [\n", 1),
        ("a: 1\n\tb", 2),
        ("a: \0", 0),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(InvalidModel) as raised:
        parse_yaml(text.encode(), file="x.yaml")
    [finding] = raised.value.findings
    assert "this is no YAML" in finding.message
    assert finding.location.line == line  # 0: not told
