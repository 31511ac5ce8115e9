"""The table of built-in functions as a page of documentation."""

from __future__ import annotations

from flowkit.feel.builtins import TABLES
from flowkit.feel.builtins.registry import Signature

__all__ = ["reference"]

_HEAD = """# Built-in functions

Every function takes its arguments by position or by name: `substring(string: "foobar", start position: 3)`.
`?` marks a parameter that may be left out, `...` one that takes any number of arguments, `|` an alternative
type; a parameter without type takes any value. An argument of another type gives null and a diagnostic,
except that a list of one item stands for the item, and a single value for a list of one.
"""


def reference() -> str:
    """The page in Markdown: a table for each theme, a row for each way to call a function."""
    parts = [_HEAD]
    for table in TABLES:
        parts.append(f"\n## {table.title}\n\n| call | gives |\n|---|---|\n")
        for name, signatures in table.signatures.items():
            if name != "@":
                parts += dict.fromkeys(_row(name, signature) for signature in signatures)
    return "".join(parts)


def _row(name: str, signature: Signature) -> str:
    text = " ".join((signature.implementation.__doc__ or "").split()).replace("``", "`")
    call = f"{name}({signature.text})".replace("|", "\\|")
    return f"| `{call}` | {text} |\n"
