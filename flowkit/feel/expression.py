"""Compiled expressions and unary tests: what the rest of flowkit uses of FEEL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from flowkit.errors import EvaluationLimit
from flowkit.feel.builtins import BUILTINS
from flowkit.feel.codegen import Program, assemble
from flowkit.feel.properties import PROPERTIES
from flowkit.feel.syntax import NameTable, parse_expression, parse_unary_tests
from flowkit.feel.types import FeelType
from flowkit.feel.values import Diagnostic, Externals, Function, HostFunction, Run, host_function, normalize

__all__ = ["Expression", "UnaryTests", "compile_expression", "compile_unary_tests"]

_CACHE_SIZE = 4096


def _too_deep(text: str) -> EvaluationLimit:
    return EvaluationLimit(f"the evaluation goes too deep: {text[:200]!r}")


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled FEEL expression. ``reads`` are the variables that an evaluation may read."""

    text: str
    reads: frozenset[str]
    _call: Callable[[Mapping[str, Any], Run], Any] = field(repr=False, compare=False)
    source: str = field(repr=False, compare=False, default="")

    def evaluate(
        self,
        scope: Mapping[str, Any],
        *,
        now: datetime | None = None,
        diagnostics: list[Diagnostic] | None = None,
    ) -> Any:
        """The FEEL value in ``scope``; null, and the reason in ``diagnostics``, where the standard says null.

        ``now`` is what ``now()`` and ``today()`` give. Raises EvaluationLimit, and nothing else.
        """
        try:
            return self._call(scope, Run(self.text, now, diagnostics))
        except RecursionError:
            raise _too_deep(self.text) from None

    def run(self, scope: Mapping[str, Any], run: Run) -> Any:
        """The same inside another evaluation, whose clock, diagnostics and limits it shares."""
        caller, run.text = run.text, self.text
        run.enter()
        try:
            return self._call(scope, run)
        except RecursionError:
            raise _too_deep(self.text) from None
        finally:
            run.text = caller
            run.calls -= 1


@dataclass(frozen=True, slots=True)
class UnaryTests:
    """Compiled unary tests, such as a cell of a decision table."""

    text: str
    reads: frozenset[str]
    _call: Callable[[Any, Mapping[str, Any], Run], bool | None] = field(repr=False, compare=False)
    source: str = field(repr=False, compare=False, default="")

    def matches(
        self,
        value: Any,
        scope: Mapping[str, Any],
        *,
        now: datetime | None = None,
        diagnostics: list[Diagnostic] | None = None,
    ) -> bool | None:
        """Whether ``value`` passes; null if that is unknown. Raises EvaluationLimit, and nothing else."""
        try:
            return self._call(normalize(value), scope, Run(self.text, now, diagnostics))
        except RecursionError:
            raise _too_deep(self.text) from None

    def run(self, value: Any, scope: Mapping[str, Any], run: Run) -> bool | None:
        """The same for a FEEL value inside another evaluation, whose clock and limits it shares."""
        caller, run.text = run.text, self.text
        try:
            return self._call(value, scope, run)
        except RecursionError:
            raise _too_deep(self.text) from None
        finally:
            run.text = caller


class _Environment:
    """What a text is compiled against, hashed by identity of the mappings: they must not change later."""

    __slots__ = ("_key", "externals", "functions", "members", "names", "types")

    def __init__(
        self,
        names: Iterable[str],
        members: Iterable[str],
        functions: Mapping[str, HostFunction] | None,
        types: Mapping[str, FeelType] | None,
        externals: Externals | None,
    ) -> None:
        self.names = frozenset(names)
        self.members = frozenset(members)
        self.functions = functions
        self.types = types
        self.externals = externals
        self._key = (self.names, self.members, id(functions), id(types), id(externals))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Environment) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def known_functions(self) -> Mapping[str, Function]:
        if not self.functions:
            return BUILTINS
        return {**BUILTINS, **{name: host_function(function) for name, function in self.functions.items()}}

    def assemble(self, text: str, parse: Callable[..., Any]) -> Program:
        functions = self.known_functions()
        own = _table(self.names | frozenset(self.functions or ()))
        node = parse(text, (own, _BUILTIN_NAMES), (_table(self.names | self.members), _PROPERTY_NAMES))
        return assemble(node, text, functions, self.names, self.types or {}, self.externals)


_BUILTIN_NAMES = NameTable(BUILTINS)
_PROPERTY_NAMES = NameTable(name for properties in PROPERTIES.values() for name in properties)


@lru_cache(maxsize=64)
def _table(names: frozenset[str]) -> NameTable:
    return NameTable(names)


@lru_cache(maxsize=_CACHE_SIZE)
def _expression(text: str, environment: _Environment) -> Expression:
    program = environment.assemble(text, parse_expression)
    return Expression(text, program.reads, program.call, program.source)


@lru_cache(maxsize=_CACHE_SIZE)
def _unary_tests(text: str, environment: _Environment) -> UnaryTests:
    program = environment.assemble(text, parse_unary_tests)
    return UnaryTests(text, program.reads, program.call, program.source)


def compile_expression(
    text: str,
    *,
    names: Iterable[str] = (),
    functions: Mapping[str, HostFunction] | None = None,
    members: Iterable[str] = (),
    types: Mapping[str, FeelType] | None = None,
    externals: Externals | None = None,
) -> Expression:
    """Compile a FEEL expression; the same text in the same environment is compiled once.

    ``names`` are the variables in scope: needed for names that contain operators or keywords, and for
    variables that hide a built-in function. ``members`` are names of context entries with operators in them.
    ``functions`` are the host's additions, ``types`` the named types for ``instance of`` and parameters; both
    mappings must not change afterwards. ``externals`` gives functions for ``external`` bodies. Raises
    InvalidExpression.
    """
    return _expression(text, _Environment(names, members, functions, types, externals))


def compile_unary_tests(
    text: str,
    *,
    names: Iterable[str] = (),
    functions: Mapping[str, HostFunction] | None = None,
    members: Iterable[str] = (),
    types: Mapping[str, FeelType] | None = None,
    externals: Externals | None = None,
) -> UnaryTests:
    """Compile unary tests such as ``< 5, [7..9]``; parameters as for :func:`compile_expression`."""
    return _unary_tests(text, _Environment(names, members, functions, types, externals))
