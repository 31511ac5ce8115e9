"""Expressions of other languages are taken where they say what FEEL says, and only there."""

from __future__ import annotations

import pytest

from flowkit.bpmn.languages import to_feel

XPATH = "http://www.w3.org/1999/XPath"
MVEL = "http://www.mvel.org/2.0"
DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
FEEL = "https://www.omg.org/spec/DMN/20191111/FEEL/"


def boxed(text: str, language: str = FEEL) -> str:
    return (
        f'<d:literalExpression xmlns:d="{DMN}" id="x" expressionLanguage="{language}"><d:text>{text}</d:text>'
        "</d:literalExpression>"
    )


@pytest.mark.parametrize(
    ("text", "language", "stated", "feel"),
    [
        ("bpmn:getDataObject('approved')", XPATH, True, "approved"),
        ("not(bpmn:getDataObject('approved'))", XPATH, True, "not ( approved )"),
        ("getDataObject('p', 'n') + 1 > 3 or true()", XPATH, True, "n + 1 > 3 or true"),
        ("bpmn:getDataObject('kind') = 'yes'", XPATH, True, 'kind = "yes"'),
        ("amount > 100 and kind != 'a=b'", XPATH, False, 'amount > 100 and kind != "a=b"'),
        ("x == 1 && y < 2", MVEL, False, "x = 1 and y < 2"),
        (boxed("a &lt; b"), DMN, True, "a < b"),
        ("true", XPATH, False, "true"),
    ],
)
def test_what_says_the_same_is_taken_as_feel(text: str, language: str, stated: bool, feel: str) -> None:
    found = to_feel(text, language, stated)
    assert found is not None
    assert found[0] == feel


@pytest.mark.parametrize(
    ("text", "language", "stated"),
    [
        ("amount > 100", XPATH, True),  # the child element 'amount'
        ("bpmn:getDataObject('a') = b", XPATH, True),
        ("a", XPATH, False),
        ("true", XPATH, True),
        ("= x > 1", XPATH, False),
        ("a == 1", XPATH, False),
        ("a.b > 1", XPATH, False),
        ("a-b > 1", XPATH, False),
        ("a/b > 1", XPATH, False),
        ("count(a) > 1", XPATH, False),
        ("a mod 2 = 1", XPATH, False),
        ("x = 1", "http://www.java.com/java", False),
        ("x == 1", MVEL, True),
        ("return x > 1;", "javascript", False),
        ("x > 1", "python", False),
        ("a < b", DMN, True),
    ],
)
def test_what_may_mean_something_else_is_left_alone(text: str, language: str, stated: bool) -> None:
    assert to_feel(text, language, stated) is None


def test_a_boxed_expression_keeps_its_language() -> None:
    assert to_feel(boxed("a", "http://www.w3.org/1999/XPath"), DMN, True) == ("a", XPATH)
