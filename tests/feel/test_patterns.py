"""Regular expressions are XPath's, no more and no less (XPath and XQuery Functions 3.1, 5.6)."""

from __future__ import annotations

import pytest

from flowkit.feel import compile_expression


def search(text: str, pattern: str, flags: str | None = None) -> bool | None:
    """FEEL's ``matches``."""
    scope = {"t": text, "p": pattern, "f": flags}
    return compile_expression("matches(t, p, f)").evaluate(scope)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("text", "pattern", "flags", "found"),
    [
        ("abracadabra", "bra", "", True),
        ("abracadabra", "^a.*a$", "", True),
        ("abracadabra", "^bra", "", False),
        ("a\nb", "a.b", "", False),
        ("a\nb", "a.b", "s", True),
        ("a\nb", "^b$", "", False),
        ("a\nb", "^b$", "m", True),
        ("b\n", "b$", "", False),
        ("helloworld", "hello world", "x", True),
        ("hello world", "hello[ ]world", "x", True),
        ("hello world", r"hello\ sworld", "x", True),
        ("a.b", "a.b", "q", True),
        ("axb", "a.b", "q", False),
        ("A.B", "a.b", "qi", True),
        ("Q", "[A-Z-[OI]]", "", True),
        ("O", "[A-Z-[OI]]", "", False),
        ("O", "[^A-Z-[OI]]", "", False),
        ("a", "[^A-Z-[OI]]", "", True),
        ("b", "[a-z-[aeiou-[e]]]", "", True),
        ("e", "[a-z-[aeiou-[e]]]", "", True),
        ("a", "[a-z-[aeiou-[e]]]", "", False),
        ("a", r"\p{IsBasicLatin}", "", True),
        ("é", r"\p{IsBasicLatin}", "", False),
        ("é", r"\P{IsBasicLatin}", "", True),
        ("中", r"\p{IsCJKUnifiedIdeographs}", "", True),
        ("中", r"\p{L}", "", True),
        ("A", r"\p{Lu}", "", True),
        ("a", r"[\p{Lu}\d]", "", False),
        ("1", r"\d", "", True),
        ("٣", r"\d", "", True),
        ("a", r"\D", "", True),
        (" ", r"\s", "", True),
        ("\u00a0", r"\s", "", False),
        ("a", r"\S", "", True),
        ("_", r"\w", "", False),
        ("a", r"\w", "", True),
        ("-", r"\W", "", True),
        ("x:y", r"^\i\c*$", "", True),
        ("1x", r"^\i", "", False),
        ("1", r"\I", "", True),
        (" ", r"\C", "", True),
        ("abab", r"^(ab)\1$", "", True),
        ("aba", r"^(a)(b)\1$", "", True),
        ("aa1", r"^(a)\11$", "", True),
        ("aab", "^a{2}b{1,}$", "", True),
        ("aab", "^a{1,3}?b$", "", True),
        ("a", "^a??$", "", True),
        ("ab", "(?:a)(b)", "", True),
        ("^", r"\^", "", True),
        ("a-b", "[a\\-z]-", "", True),
        ("-", "[-a]", "", True),
        ("-", "[a-]", "", True),
        ("^", "[a^]", "", True),
        ("&", "[&&]", "", True),
        ("|", "[|]", "", True),
        ("]", r"[\]]", "", True),
        ("\n", r"[\n]", "", True),
        ("a", "", "", True),
        ("K", "[a-z]", "i", True),
    ],
)
def test_matches(text: str, pattern: str, flags: str, found: bool | None) -> None:
    """Whether the pattern is found; null where it is no pattern."""
    assert search(text, pattern, flags) is found


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "(",
            ")",
            "[",
            "[a",
            "a)",
            "(?=a)",
            "(?<n>a)",
            "(?i)a",
            "*",
            "a**",
            "a+*",
            "a{2}{3}",
            "{",
            "a{",
            "a{x}",
        ),
        *(
            "a{3,2}",
            "a{100000}",
            "]",
            "}",
            r"\q",
            r"\1",
            r"(a\1)",
            "\\",
            r"\p{Xx}",
            r"\p{",
            r"\pL",
            r"\p{IsNowhere}",
        ),
        *(
            "[a[b]]",
            "[]",
            "[z-a]",
            r"[a-\d]",
            "[a-[b]c]",
            "(" * 60 + ")" * 60,
            "a" * 3000,
            "[a-" + "[a-" * 20,
            "[\\",
        ),
    ],
)
def test_what_is_no_pattern(pattern: str) -> None:
    """Null, never an exception."""
    assert search("a", pattern) is None


def test_flags_are_checked() -> None:
    """Unknown flags give null."""
    assert search("a", "a", "g") is None
    assert search("a", "a", None) is True
