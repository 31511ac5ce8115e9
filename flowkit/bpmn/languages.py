"""Expressions of other languages, where they say what FEEL says.

XPath is the standard's own default (8.4.7), with functions that give a process's data (10.4.3); many
modelers write it, or MVEL, or Java, into the head of every file, whatever they write afterwards. DMN
modelers write FEEL inside a boxed literal expression.
"""

from __future__ import annotations

import re

from flowkit.bpmn.juel import juel_to_feel

__all__ = ["to_feel"]

_XPATH = re.compile(
    r"""\s*(?:
        (?:\w+:)?get(?:DataObject|DataInput|DataOutput|ProcessProperty)\(\s*
            (?:(?:'[^']*'|"[^"]*")\s*,\s*)?(?:'(?P<one>[A-Za-z_]\w*)'|"(?P<two>[A-Za-z_]\w*)")\s*\)
      | (?P<constant>true|false)\(\s*\)
      | (?P<not>not)(?=\s*\()
      | (?P<string>"[^"\\]*"|'[^'"\\]*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_]\w*)(?![\w.:(-]|\s*\()
      | (?P<operator>!=|<=|>=|(?<!=)=(?!=)|[<>()+])
    )\s*""",
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or"})
_NOT_NAMES = frozenset({"div", "mod", "not", "if", "then", "else", "for", "in", "some", "every", "between"})
_COMPARES = re.compile(r"[<>=]")
_ALIKE = ("juel", "jsr", "mvel", "java", "javascript", "ecmascript", "groovy")
_DMN = re.compile(r"https?://www\.omg\.org/spec/dmn/\d{8}/model/?\Z", re.IGNORECASE)
_LITERAL = re.compile(
    r"<(?:\w+:)?literalExpression\b(?P<head>[^<>]{0,500})>\s*<(?:\w+:)?text>(?P<text>[^<>]*)</(?:\w+:)?text>"
    r"\s*</(?:\w+:)?literalExpression>\Z"
)
_LANGUAGE = re.compile(r'\bexpressionLanguage="([^"]*)"')


def to_feel(text: str, language: str, stated: bool) -> tuple[str, str] | None:
    """``text`` in a language that may be FEEL, and that language; None where nothing is certain.

    ``stated``: the expression itself names its language, not only the head of the file. Then a plain
    name means what it means there, and is not taken for a variable.
    """
    lowered = language.lower()
    if not stated and text in ("true", "false"):
        return text, ""
    if "xpath" in lowered:
        feel = _xpath(text, names=not stated)
    elif _DMN.match(language):
        return _boxed(text)
    elif not stated and any(word in lowered for word in _ALIKE) and _COMPARES.search(text):
        feel = juel_to_feel("${" + text + "}")
    else:
        return None
    return None if feel is None else (feel, "")


def _xpath(text: str, names: bool) -> str | None:
    parts: list[str] = []
    certain = names and _COMPARES.search(text) is not None and not text.startswith("=")
    position = 0
    while position < len(text):
        token = _XPATH.match(text, position)
        if token is None:
            return None
        position = token.end()
        data = token["one"] or token["two"]
        certain = certain or data is not None or token["constant"] is not None
        word = token["word"]
        if word is not None and word not in _WORDS and (not names or word in _NOT_NAMES):
            return None
        string = token["string"]
        quoted = None if string is None else f'"{string[1:-1]}"'
        parts.append(data or token["constant"] or quoted or token[0].strip())
    return " ".join(parts) if certain else None


def _boxed(text: str) -> tuple[str, str] | None:
    found = _LITERAL.match(text)
    if found is None:
        return None
    from html import unescape  # noqa: PLC0415 rarely needed

    language = _LANGUAGE.search(found["head"])
    return unescape(found["text"]).strip(), language[1] if language else ""
