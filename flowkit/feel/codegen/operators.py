"""Operators: the common types are handled in place, the rest by :mod:`flowkit.feel.operators`."""

from __future__ import annotations

from decimal import Decimal

from flowkit.feel.codegen.emitter import Emit, Emitter
from flowkit.feel.numbers import BIG
from flowkit.feel.syntax.nodes import (
    Arithmetic,
    Between,
    Comparison,
    In,
    InstanceOf,
    ListLiteral,
    Literal,
    Logic,
    Name,
    Negation,
    Node,
    NotEqual,
    RangeLiteral,
    UnaryTestsNode,
    children,
)
from flowkit.feel.types import resolve_type
from flowkit.feel.values import Range

__all__ = ["HANDLERS", "any_test"]

_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power"}
_IN_PLACE = frozenset({"+", "-", "*"})
_ORDER = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
_EQUALITY = {"=": "equal", "!=": "unequal"}
_NUMBERS = (int, Decimal)


def _literal_type(node: Node) -> type | None:
    return type(node.value) if isinstance(node, Literal) else None


def _arithmetic(emitter: Emitter, node: Arithmetic) -> str:
    left = emitter.value(node.first)
    for operator, operand, position in node.rest:
        right = emitter.value(operand)
        call = f"{_ARITHMETIC[operator]}({left}, {right}, R, {position})"
        if operator in _IN_PLACE:
            sum_ = emitter.temporary()
            types = f"type({left}) is int" + (
                "" if _literal_type(operand) is int else f" and type({right}) is int"
            )
            left = emitter.assign(
                f"{sum_} if {types} and -{BIG} < ({sum_} := {left} {operator} {right}) < {BIG} else {call}"
            )
        else:
            left = emitter.assign(call)
    return left


def _negation(emitter: Emitter, node: Negation) -> str:
    if isinstance(node.operand, Literal) and type(node.operand.value) in _NUMBERS:
        return emitter.constant(-node.operand.value)
    return emitter.assign(f"negate({emitter.value(node.operand)}, R, {node.position})")


def _comparison(emitter: Emitter, node: Comparison) -> str:
    left, right = emitter.value(node.left), emitter.value(node.right)
    if isinstance(node.left, Literal):  # no use for a fast path, and Python warns about `1 is None`
        name = {**_ORDER, **_EQUALITY}[node.operator]
        return emitter.assign(f"{name}({left}, {right}, R, {node.position})")
    if node.operator in _ORDER:
        return emitter.assign(_ordered(node.operator, left, right, _literal_type(node.right), node.position))
    return emitter.assign(_equality(node.operator, left, right, _literal_type(node.right), node.position))


def _ordered(operator: str, left: str, right: str, literal: type | None, position: int) -> str:
    call = f"{_ORDER[operator]}({left}, {right}, R, {position})"
    if literal in _NUMBERS:
        return f"{left} {operator} {right} if type({left}) is int or type({left}) is Decimal else {call}"
    return f"{left} {operator} {right} if type({left}) is type({right}) is int else {call}"


def _equality(operator: str, left: str, right: str, literal: type | None, position: int) -> str:
    sign, name = ("==", "equal") if operator == "=" else ("!=", "unequal")
    if literal is type(None):
        return f"{left} {'is' if operator == '=' else 'is not'} None"
    call = f"{name}({left}, {right}, R, {position})"
    if literal in (str, bool, int):
        return f"{left} {sign} {right} if type({left}) is {literal.__name__} else {call}"
    return f"{left} {sign} {right} if type({left}) is type({right}) is str else {call}"


def _logic(emitter: Emitter, node: Logic) -> str:
    """Three-valued: false decides an ``and``, true an ``or``; null is unknown (10.3.2.10)."""
    decisive = "False" if node.operator == "and" else "True"
    neutral = "True" if node.operator == "and" else "False"
    result = emitter.temporary()
    first = emitter.value(node.operands[0])
    emitter.line(f"{result} = {_boolean(emitter, node.operands[0], first)}")
    for operand in node.operands[1:]:
        with emitter.block(f"if {result} is not {decisive}:"):
            value = _boolean(emitter, operand, emitter.value(operand))
            answer = emitter.assign(value)
            emitter.line(f"if {result} is {neutral} or {answer} is {decisive}: {result} = {answer}")
    return result


def _boolean(emitter: Emitter, node: Node, value: str) -> str:
    if isinstance(node, Comparison | Logic | In | Between):
        return value
    return f"{value} if type({value}) is bool else check_boolean({value}, R, {node.position})"


def _between(emitter: Emitter, node: Between) -> str:
    value, low, high = (emitter.value(part) for part in (node.operand, node.low, node.high))
    if _literal_type(node.low) in _NUMBERS and _literal_type(node.high) in _NUMBERS:
        fast = f"{low} <= {value} <= {high} if type({value}) is int or type({value}) is Decimal else "
    else:
        fast = f"{low} <= {value} <= {high} if type({value}) is type({low}) is type({high}) is int else "
    return emitter.assign(f"{fast}between({value}, {low}, {high}, R, {node.position})")


def _instance_of(emitter: Emitter, node: InstanceOf) -> str:
    value = emitter.value(node.operand)
    kind = resolve_type(node.type, emitter.types)
    return emitter.assign(f"instance_of({value}, {emitter.constant(kind)}, R, {node.position})")


# -- membership


def _in(emitter: Emitter, node: In) -> str:
    return any_test(emitter, emitter.value(node.operand), node.tests)


def any_test(emitter: Emitter, value: str, tests: tuple[Node, ...]) -> str:
    """True if ``value`` passes one of ``tests``, null if that is unknown."""
    if len(tests) == 1:
        return _test(emitter, value, tests[0])
    result = emitter.assign(_test(emitter, value, tests[0]))
    for test in tests[1:]:
        with emitter.block(f"if {result} is not True:"):
            answer = _test(emitter, value, test)
            emitter.line(f"if {result} is False or {answer} is True: {result} = {answer}")
    return result


def _test(emitter: Emitter, value: str, test: Node) -> str:
    if isinstance(test, RangeLiteral) and test.low is test.high and test.low is not None:
        operand = emitter.value(test.low)
        return emitter.assign(_equality("=", value, operand, _literal_type(test.low), test.position))
    if isinstance(test, RangeLiteral):
        return emitter.assign(_range_test(emitter, value, test))
    if isinstance(test, NotEqual):
        operand = emitter.value(test.operand)
        return emitter.assign(_equality("!=", value, operand, _literal_type(test.operand), test.position))
    if isinstance(test, Literal) and test.value is not None:
        return emitter.assign(_equality("=", value, emitter.value(test), type(test.value), test.position))
    constants = _constant_list(test)
    if constants is not None:
        kind, members = constants
        types = f"type({value}) is {kind}" + (f" or type({value}) is Decimal" if kind == "int" else "")
        call = f"matches_test({value}, {emitter.constant(list(members))}, R, {test.position})"
        return emitter.assign(f"{value} in {emitter.constant(members)} if {types} else {call}")
    with emitter.locals({"?": value}):
        result = emitter.value(test)
    if _mentions_input(test):
        return emitter.assign(
            f"{result} if type({result}) is bool else matches_test({value}, {result}, R, {test.position})"
        )
    helper = "matches_test" if isinstance(test, Literal | Name | ListLiteral) else "test_outcome"
    return emitter.assign(f"{helper}({value}, {result}, R, {test.position})")


def _mentions_input(node: Node) -> bool:
    return (isinstance(node, Name) and node.name == "?") or any(
        _mentions_input(child) for child in children(node)
    )


def _constant_list(node: Node) -> tuple[str, frozenset[object]] | None:
    """The members of a list of literal strings or of literal numbers, as a set."""
    if not isinstance(node, ListLiteral) or not node.items:
        return None
    kinds = {_literal_type(item) for item in node.items}
    members = frozenset(item.value for item in node.items if isinstance(item, Literal))
    if kinds == {str}:
        return "str", members
    return ("int", members) if kinds <= {int, Decimal} else None


def _range_test(emitter: Emitter, value: str, node: RangeLiteral) -> str:
    low = emitter.value(node.low) if node.low is not None else ""
    high = emitter.value(node.high) if node.high is not None else ""
    ends = [end for end in (node.low, node.high) if end is not None]
    bounds = range_source(emitter, node, low, high)
    call = f"matches_test({value}, {bounds}, R, {node.position})"
    if not all(_literal_type(end) in _NUMBERS for end in ends):
        return call
    chain = value
    if low:
        chain = f"{low} {'<=' if node.low_included else '<'} {chain}"
    if high:
        chain = f"{chain} {'<=' if node.high_included else '<'} {high}"
    return f"{chain} if type({value}) is int or type({value}) is Decimal else {call}"


def range_source(emitter: Emitter, node: RangeLiteral, low: str, high: str) -> str:
    """The source of the range value whose ends ``low`` and ``high`` are emitted already."""
    if node.low is node.high:  # (= 5)
        return f"Range({low}, {low}, True, True, True, True, True)"
    if node.low is None or node.high is None:
        flags = f"{node.low_included}, {node.high_included}, {node.low is not None}, {node.high is not None}"
        return f"Range({low or None}, {high or None}, {flags})"
    return f"make_range({low}, {high}, {node.low_included}, {node.high_included}, R, {node.position})"


def _range(emitter: Emitter, node: RangeLiteral) -> str:
    low = emitter.value(node.low) if node.low is not None else ""
    high = low if node.high is node.low else emitter.value(node.high) if node.high is not None else ""
    if (
        isinstance(node.low, Literal | None)
        and isinstance(node.high, Literal | None)
        and not (node.low and node.high)
    ):
        ends = (node.low.value if node.low else None, node.high.value if node.high else None)
        bounds = Range(
            *ends, node.low_included, node.high_included, node.low is not None, node.high is not None
        )
        return emitter.constant(bounds)
    return emitter.assign(range_source(emitter, node, low, high))


def _not_equal(emitter: Emitter, node: NotEqual) -> str:
    emitter.value(node.operand)
    return emitter.assign(f"missing_test(R, {node.position})")


def _unary_tests(emitter: Emitter, node: UnaryTestsNode) -> str:
    if not node.tests:
        return "True"
    result = any_test(emitter, "V", node.tests)
    return emitter.assign(f"(not {result}) if {result} is not None else None") if node.negated else result


HANDLERS: dict[type, Emit] = {
    Arithmetic: _arithmetic,
    Between: _between,
    Comparison: _comparison,
    In: _in,
    InstanceOf: _instance_of,
    Logic: _logic,
    Negation: _negation,
    NotEqual: _not_equal,
    RangeLiteral: _range,
    UnaryTestsNode: _unary_tests,
}
