"""The source under construction: lines, temporaries, constants, and where names come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flowkit.errors import InvalidExpression
from flowkit.feel.limits import MAX_FUNCTIONS, MAX_PARTS
from flowkit.feel.syntax.nodes import Node
from flowkit.feel.types import FeelType
from flowkit.feel.values import Externals, Function

__all__ = ["Emit", "Emitter"]

Emit = Callable[["Emitter", Any], str]


class _Locals:
    """Names bound in the text: variables of iterations, parameters, entries of a context."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names


class _Item:
    """The item of a filter, whose entries are in scope if it is a context."""

    def __init__(self, variable: str) -> None:
        self.variable = variable


class Emitter:
    """Collects the body of one generated function. Node handlers return the name that holds the value."""

    def __init__(
        self,
        handlers: Mapping[type, Emit],
        functions: Mapping[str, Function],
        names: frozenset[str],
        types: Mapping[str, FeelType],
        externals: Externals | None,
        text: str,
    ) -> None:
        self.functions = functions
        self.declared = names
        self.types = types
        self.externals = externals
        self.text = text
        self.constants: dict[str, Any] = {}
        self.reads: set[str] = set()
        self.prologue: list[str] = []
        self.lines: list[str] = []
        self._handlers = handlers
        self._constant_names: dict[Any, str] = {}
        self._indent = 1
        self._counter = 0
        self._frames: list[_Locals | _Item] = []
        self._loaded: list[dict[str, str]] = [{}]
        self._quiet: dict[str, str] = {}
        self._functions = 0  # bodies around the present place
        self._bodies = 0  # bodies altogether

    # -- source

    def line(self, source: str) -> None:
        """Append a line at the current depth."""
        self.lines.append(" " * self._indent + source)

    def temporary(self) -> str:
        """A fresh name. Raises InvalidExpression when there are too many."""
        self._counter += 1
        if self._counter > MAX_PARTS:
            raise InvalidExpression(
                f"the expression has more than {MAX_PARTS} operations; split it", text=self.text
            )
        return f"t{self._counter}"

    def assign(self, source: str) -> str:
        """A fresh name that holds the value of ``source``."""
        name = self.temporary()
        self.line(f"{name} = {source}")
        return name

    def constant(self, value: Any) -> str:
        """The source of a constant: small whole numbers, booleans and null stand for themselves."""
        if value is None or value is True or value is False:
            return str(value)
        if type(value) is int and abs(value) < 10**15:
            return str(value) if value >= 0 else f"({value})"
        key = (type(value), value) if type(value) is str else id(value)
        if key not in self._constant_names:
            name = f"K{len(self._constant_names)}"
            self._constant_names[key] = name
            self.constants[name] = value
        return self._constant_names[key]

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """An indented block; what is read inside is not known to be read after it."""
        self.line(header)
        self._indent += 1
        self._loaded.append({})
        yield
        self._loaded.pop()
        self._indent -= 1

    def value(self, node: Node) -> str:
        """Emit the evaluation of ``node``; the source of its value, free of side effects."""
        return self._handlers[type(node)](self, node)

    def function(self, parameters: list[str], node: Node, header: str = "") -> str:
        """Emit a nested function that returns the value of ``node``."""
        name = self.temporary()
        with self.body(f"def {name}({header}{', '.join(parameters)}):"):
            self.line(f"return {self.value(node)}")
        return name

    @contextmanager
    def body(self, header: str) -> Iterator[None]:
        """The body of a nested function, where variables of the scope are not read again and again."""
        self._functions += 1
        self._bodies += 1
        if self._bodies > MAX_FUNCTIONS:
            raise InvalidExpression(
                f"the expression has more than {MAX_FUNCTIONS} filters, iterations and functions; split it",
                text=self.text,
            )
        with self.block(header):
            yield
        self._functions -= 1

    # -- names

    @contextmanager
    def locals(self, names: dict[str, str]) -> Iterator[dict[str, str]]:
        """Names that are bound to Python variables for a while; more may be added meanwhile."""
        self._frames.append(_Locals(names))
        yield names
        self._frames.pop()

    @contextmanager
    def item(self, variable: str) -> Iterator[None]:
        """The scope of a filter over ``variable``."""
        self._frames.append(_Locals({"item": variable}))
        self._frames.append(_Item(variable))
        yield
        self._frames.pop()
        self._frames.pop()

    def binds(self, name: str) -> bool:
        """Whether the text binds ``name``."""
        return any(isinstance(frame, _Locals) and name in frame.names for frame in self._frames)

    def name(self, name: str, position: int, *, raw: bool = False) -> str:
        """The value of a variable. ``raw`` leaves lists and contexts of the scope unconverted."""
        items: list[str] = []
        bound: str | None = None
        for frame in reversed(self._frames):
            if isinstance(frame, _Item):
                items.append(frame.variable)
            elif name in frame.names:
                bound = frame.names[name]
                break
        if not items and bound is not None:
            return bound
        if not items and not self._functions:
            return self._read(name, position, raw=raw)
        if not items and (known := self._loaded_before(name)):
            return known
        key = self.constant(name)
        outer = bound if bound is not None else self._read_quietly(name, position)
        for item in reversed(items):
            outer = f"({item}[{key}] if type({item}) is dict and {key} in {item} else {outer})"
        return self.assign(outer)

    def _loaded_before(self, slot: str) -> str | None:
        return next((block[slot] for block in self._loaded if slot in block), None)

    def _read(self, name: str, position: int, *, raw: bool) -> str:
        slot = f"{name}\0raw" if raw else name
        known = self._loaded_before(name) or self._loaded_before(slot)
        if known:
            return known
        self.reads.add(name)
        key = self.constant(name)
        default = self.constant(self.functions[name]) if name in self.functions else "MISSING"
        variable = self.assign(f"g({key}, {default})")
        if raw:
            self.line(f"if {variable} is MISSING: {variable} = missing({key}, R, {position})")
        else:
            self.line(
                f"if type({variable}) not in PLAIN: {variable} = read({variable}, {key}, R, {position})"
            )
        self._loaded[-1][slot] = variable
        return variable

    def _read_quietly(self, name: str, position: int) -> str:
        """A variable that a filter's item may hide: read once, at the start, and missed only when used."""
        key = self.constant(name)
        if name not in self._quiet:
            self.reads.add(name)
            variable = f"q{len(self._quiet)}"
            default = self.constant(self.functions[name]) if name in self.functions else "MISSING"
            self.prologue.append(f" {variable} = g({key}, {default})")
            unread = f"type({variable}) not in PLAIN and {variable} is not MISSING"
            self.prologue.append(f" if {unread}: {variable} = R.fetch({variable})")
            self._quiet[name] = variable
        variable = self._quiet[name]
        return f"({variable} if {variable} is not MISSING else missing({key}, R, {position}))"
