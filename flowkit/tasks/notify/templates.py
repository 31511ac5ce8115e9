"""Message templates: ``<id>.txt`` and ``<id>.<language>.txt``; the first line is the subject.

A template is written by whoever draws the process, so it is treated as hostile: a small part of
Jinja2 (values, ``if``, ``for``, a few filters), sandboxed, without calls, arithmetic, macros or
includes; loops nest twice at most over at most five hundred items; the text has a maximal length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowkit.errors import InvalidPayload, NotFound

__all__ = ["Message", "Templates"]

MAX_SOURCE = 20_000
MAX_TEXT = 20_000
MAX_ITEMS = 500
MAX_LOOPS = 2
_FILTERS = "default first float int join last length lower round trim upper"
FILTERS = frozenset(_FILTERS.split())
NAME = re.compile(r"\w[\w.-]{0,99}")
VALUE = re.compile(r"\{\{\s*([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*\}\}")
MISSING = "—"
"""What stands in the message for a value that nobody gave."""

_missing: ContextVar[list[str]] = ContextVar("missing")


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered template; ``missing`` names the values that it asked for in vain."""

    subject: str
    text: str
    missing: tuple[str, ...] = ()


class Templates:
    """The templates of a directory, or of a mapping from file name to text."""

    def __init__(self, source: Path | Mapping[str, str]) -> None:
        self._source = source

    def _text(self, name: str) -> str | None:
        if isinstance(self._source, Mapping):
            return self._source.get(name)
        path = self._source / name
        if not path.is_file():
            return None
        if path.stat().st_size > MAX_SOURCE * 4:
            raise InvalidPayload(f"template {name}: at most {MAX_SOURCE:,} characters are read")
        return path.read_text(encoding="utf-8")

    def names(self) -> list[str]:
        """The ids of all templates."""
        files = (
            self._source
            if isinstance(self._source, Mapping)
            else [p.name for p in self._source.glob("*.txt")]
        )
        return sorted({re.sub(r"(\.[a-z]{2})?\.txt$", "", name) for name in files if name.endswith(".txt")})

    def find(self, template: str, language: str) -> str:
        """The source of a template in ``language``, or in the language of the file without one."""
        if NAME.fullmatch(template):
            for name in (f"{template}.{language}.txt", f"{template}.txt"):
                text = self._text(name)
                if text is not None:
                    return text
        known = ", ".join(self.names()) or "none"
        raise NotFound(f"expected the id of a template, found {template!r}; there are: {known}")

    def render(self, template: str, data: Mapping[str, Any], language: str = "zh") -> Message:
        """Fill the template with ``data``.

        Raises NotFound for an unknown template, InvalidPayload for one that is not allowed or for data
        that make the text too long.
        """
        return render(self.find(template, language), data, name=template)


def _shown(value: Any) -> Any:
    """A value as it reads in a message."""
    if isinstance(value, bool):
        return "是" if value else "否"
    return MISSING if value is None else value


def _environment() -> Any:
    from jinja2 import ChainableUndefined  # noqa: PLC0415 extra "notify"
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    class Missing(ChainableUndefined):
        """Remembers what was asked for, and shows a dash."""

        def __str__(self) -> str:
            _missing.get().append(str(self._undefined_name))
            return MISSING

    environment = ImmutableSandboxedEnvironment(undefined=Missing, finalize=_shown, autoescape=False)
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


_NODES = """
Template Output TemplateData Name Const Getattr Getitem Filter If For Compare Operand And Or Not CondExpr
"""


def _check(tree: Any, name: str) -> None:
    allowed = frozenset(_NODES.split())

    def walk(node: Any, loops: int) -> Iterator[str]:
        kind = type(node).__name__
        if kind not in allowed:
            yield f"line {node.lineno}: {kind} is not allowed in a template"
        if kind == "Filter" and node.name not in FILTERS:
            yield f"line {node.lineno}: there is no filter {node.name!r}, only {', '.join(sorted(FILTERS))}"
        if kind == "For":
            loops += 1
            if node.recursive or loops > MAX_LOOPS:
                yield f"line {node.lineno}: loops may nest {MAX_LOOPS} times and not recur"
        for child in node.iter_child_nodes():
            yield from walk(child, loops)

    problem = next(walk(tree, 0), None)
    if problem:
        raise InvalidPayload(f"template {name}: {problem}")


def _bounded(value: Any, path: str = "") -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _bounded(item, f"{path}/{key}")
    elif isinstance(value, list | tuple):
        if len(value) > MAX_ITEMS:
            text = f"{len(value)} items were given, at most {MAX_ITEMS} go into a message"
            raise InvalidPayload(f"{path}: {text}", [(path, text)])
        for index, item in enumerate(value):
            _bounded(item, f"{path}/{index}")


def _joined(pieces: Iterable[Any], name: str) -> str:
    text, size = [], 0
    for piece in pieces:
        text.append(str(piece))
        size += len(text[-1])
        if size > MAX_TEXT:
            raise InvalidPayload(f"template {name}: the message is longer than {MAX_TEXT:,} characters")
    return "".join(text)


def _plain(source: str, data: Mapping[str, Any], collected: list[str]) -> Iterator[Any]:
    """The common case, values only: needs no template engine."""
    end = 0
    for found in VALUE.finditer(source):
        yield source[end : found.start()]
        end = found.end()
        value: Any = data
        for part in found[1].split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None:
            collected.append(found[1])
        yield _shown(value)
    yield source[end:]


def _jinja(source: str, data: Mapping[str, Any], collected: list[str], name: str) -> str:
    try:
        from jinja2 import TemplateError  # noqa: PLC0415 extra "notify"
    except ImportError:
        text = "uses more than {{ values }}; install flowkit[notify] for the template language"
        raise InvalidPayload(f"template {name}: {text}") from None
    token = _missing.set(collected)
    try:
        environment = _environment()
        _check(environment.parse(source), name)
        return _joined(environment.from_string(source).generate(dict(data)), name)
    except (TemplateError, TypeError, ValueError, RecursionError) as error:
        raise InvalidPayload(f"template {name}: {error}") from None
    finally:
        _missing.reset(token)


def render(source: str, data: Mapping[str, Any], *, name: str = "template") -> Message:
    """Render the text of a template (see :meth:`Templates.render`)."""
    if len(source) > MAX_SOURCE:
        text = f"has {len(source):,} characters, at most {MAX_SOURCE:,} are read"
        raise InvalidPayload(f"template {name}: {text}")
    _bounded(data)
    collected: list[str] = []
    rest = VALUE.sub("", source)
    if "{{" in rest or "{%" in rest or "{#" in rest:
        text = _jinja(source, data, collected, name)
    else:
        text = _joined(_plain(source, data, collected), name)
    subject, _, body = text.partition("\n")
    return Message(subject.strip(), body.strip() or subject.strip(), tuple(dict.fromkeys(collected)))
