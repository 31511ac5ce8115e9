"""Everything that is not an operator: values, names, lists, contexts, branches, iterations, functions."""

from __future__ import annotations

from flowkit.feel.codegen.emitter import Emit, Emitter
from flowkit.feel.syntax.nodes import (
    Call,
    ContextLiteral,
    Filter,
    For,
    FunctionLiteral,
    If,
    Iteration,
    ListLiteral,
    Literal,
    Name,
    Negation,
    Node,
    Path,
    Quantified,
    children,
)
from flowkit.feel.types import ANY, resolve_type

__all__ = ["HANDLERS"]


def cost(node: Node) -> int:
    """The price of evaluating ``node`` once, in steps, what it calls and iterates aside."""
    return 2 + _size(node) // 2


def _size(node: Node) -> int:
    return 1 + sum(_size(child) for child in children(node))


def _tuple(values: list[str]) -> str:
    return f"({', '.join(values)}{',' if len(values) == 1 else ''})"


def _literal(emitter: Emitter, node: Literal) -> str:
    return emitter.constant(node.value)


def _name(emitter: Emitter, node: Name) -> str:
    return emitter.name(node.name, node.position)


def _list(emitter: Emitter, node: ListLiteral) -> str:
    if all(isinstance(item, Literal) for item in node.items):
        constants = [item.value for item in node.items if isinstance(item, Literal)]
        return emitter.assign(f"{emitter.constant(constants)}[:]")
    return emitter.assign(f"[{', '.join([emitter.value(item) for item in node.items])}]")


def _context(emitter: Emitter, node: ContextLiteral) -> str:
    seen: set[str] = set()
    for name, _ in node.entries:
        if name in seen:
            return emitter.assign(f"duplicate_key({emitter.constant(name)}, R, {node.position})")
        seen.add(name)
    parts = []
    with emitter.locals({}) as known:
        for name, value in node.entries:
            variable = emitter.temporary()
            if (
                isinstance(value, FunctionLiteral)
                and name not in emitter.functions
                and not emitter.binds(name)
            ):
                known[name] = variable  # so that it can call itself, where the name means nothing else
            emitter.line(f"{variable} = {emitter.value(value)}")
            known[name] = variable
            parts.append(f"{emitter.constant(name)}: {variable}")
    return emitter.assign(f"{{{', '.join(parts)}}}")


def _if(emitter: Emitter, node: If) -> str:
    """A chain of branches stays flat, so that its length is not limited by Python's indentation."""
    result = emitter.temporary()
    condition = emitter.assign(emitter.value(node.branches[0][0]))
    with emitter.block(f"if {condition} is True:"):
        emitter.line(f"{result} = {emitter.value(node.branches[0][1])}")
    if len(node.branches) == 1:
        with emitter.block("else:"):
            emitter.line(f"{result} = {emitter.value(node.otherwise)}")
        return result
    open_ = emitter.assign(f"{condition} is not True")
    for condition_node, then in node.branches[1:]:
        with emitter.block(f"if {open_}:"):
            condition = emitter.assign(emitter.value(condition_node))
            with emitter.block(f"if {condition} is True:"):
                emitter.line(f"{result} = {emitter.value(then)}")
                emitter.line(f"{open_} = False")
    with emitter.block(f"if {open_}:"):
        emitter.line(f"{result} = {emitter.value(node.otherwise)}")
    return result


# -- iterations


def _sources(
    emitter: Emitter, iterations: tuple[Iteration, ...], names: dict[str, str]
) -> tuple[str, list[str]]:
    """Functions that give what each iteration goes through, from the values of the earlier ones; and the
    variables of all. A later iteration may hide the name of an earlier one."""
    sources: list[str] = []
    variables: list[str] = []
    for iteration in iterations:
        source = emitter.temporary()
        with emitter.body(f"def {source}({', '.join(variables)}):"):
            low = emitter.value(iteration.source)
            if iteration.end is None:
                emitter.line(f"return iterate({low}, R, {iteration.position})")
            else:
                high = emitter.value(iteration.end)
                emitter.line(f"return iterate_range({low}, {high}, R, {iteration.position})")
        sources.append(source)
        variables.append(emitter.temporary())
        names[iteration.name] = variables[-1]
    return _tuple(sources), variables


def _mentions(node: Node, name: str) -> bool:
    return (isinstance(node, Name) and node.name == name) or any(
        _mentions(child, name) for child in children(node)
    )


def _for(emitter: Emitter, node: For) -> str:
    with emitter.locals({}) as names:
        sources, variables = _sources(emitter, node.iterations, names)
        partial = "partial" not in names and _mentions(node.body, "partial")
        if partial:
            names["partial"] = emitter.temporary()
            variables.append(names["partial"])
        body = emitter.function(variables, node.body)
    return emitter.assign(f"for_each({sources}, {body}, {partial}, {cost(node.body)}, R)")


def _quantified(emitter: Emitter, node: Quantified) -> str:
    with emitter.locals({}) as names:
        sources, variables = _sources(emitter, node.iterations, names)
        condition = emitter.function(variables, node.condition)
    some = node.quantifier == "some"
    return emitter.assign(f"quantify({some}, {sources}, {condition}, {cost(node.condition)}, R)")


# -- access


def _base(emitter: Emitter, node: Node) -> tuple[str, bool]:
    """What a path goes into, and whether that is data of the scope, which is converted only at the end."""
    if isinstance(node, Name):
        return emitter.name(node.name, node.position, raw=True), not emitter.binds(node.name)
    if isinstance(node, Path):
        return _link(emitter, node, last=False)
    value = emitter.value(node)
    return (value if value.isidentifier() else emitter.assign(value)), False  # `1.get` is no Python


def _path(emitter: Emitter, node: Path) -> str:
    return _link(emitter, node, last=True)[0]


def _link(emitter: Emitter, node: Path, *, last: bool) -> tuple[str, bool]:
    (base, raw), key = _base(emitter, node.base), emitter.constant(node.name)
    value = emitter.assign(f"{base}.get({key}) if type({base}) is dict else None")
    helper = "scope_path" if raw else "path"
    unfit = f"type({value}) not in PLAIN" + ("" if raw and last else f" and type({value}) is not dict")
    emitter.line(f"if {unfit}: {value} = {helper}({base}, {key}, R, {node.position})")
    return value, raw


def _filter(emitter: Emitter, node: Filter) -> str:
    base = emitter.value(node.base)
    index = _fixed_index(node.condition)
    if index is not None:
        return emitter.assign(f"indexed({base}, {emitter.constant(index)}, R, {node.position})")
    item = emitter.temporary()
    with emitter.item(item):
        condition = emitter.function([item], node.condition)
    return emitter.assign(f"filtered({base}, {condition}, {cost(node.condition)}, R, {node.position})")


def _fixed_index(node: Node) -> int | None:
    if isinstance(node, Negation) and isinstance(node.operand, Literal):
        index = _fixed_index(node.operand)
        return None if index is None else -index
    return node.value if isinstance(node, Literal) and type(node.value) is int else None


# -- functions


def _function(emitter: Emitter, node: FunctionLiteral) -> str:
    parameters = [name for name, _ in node.parameters]
    types = tuple(resolve_type(kind, emitter.types) for _, kind in node.parameters)
    if all(kind == ANY for kind in types):
        types = ()
    if node.external:
        body = emitter.value(node.body)
        mapping = f"{emitter.constant(tuple(parameters))}, {emitter.constant(types)}, {body}"
        return emitter.assign(
            f"external_function({mapping}, {emitter.constant(emitter.externals)}, R, {node.position})"
        )
    variables = {name: emitter.temporary() for name in parameters}
    with emitter.locals(variables):
        body = emitter.function(list(variables.values()), node.body, "R, ")
    names = emitter.constant(tuple(parameters))
    rest = f"{body}, {emitter.constant(emitter.text)}, {cost(node.body)}"
    return emitter.assign(f"make_function({names}, {emitter.constant(types)}, {rest})")


def _call(emitter: Emitter, node: Call) -> str:
    if isinstance(node.function, Name):
        name = node.function.name
        if name == "is defined" and len(node.positional) == 1:
            return _is_defined(emitter, node.positional[0])
        function = _called(emitter, name, node.function.position)
    else:
        function = emitter.value(node.function)
    position = node.function.position
    if node.named:
        names = [name for name, _ in node.named]
        if len(set(names)) < len(names):
            return emitter.assign(f"duplicate_argument({emitter.constant(names[-1])}, R, {position})")
        pairs = [f"{emitter.constant(name)}: {emitter.value(value)}" for name, value in node.named]
        return emitter.assign(f"invoke_named({function}, {{{', '.join(pairs)}}}, R, {position})")
    arguments = [emitter.value(argument) for argument in node.positional]
    return emitter.assign(f"invoke({function}, {_tuple(arguments)}, R, {position})")


def _called(emitter: Emitter, name: str, position: int) -> str:
    """The function that ``name`` calls: one of the text, then a declared variable, then a built-in one."""
    builtin = emitter.functions.get(name)
    if builtin is None or emitter.binds(name):
        return emitter.name(name, position)
    if name in emitter.declared:
        fallback = emitter.constant(builtin)
        variable = emitter.name(name, position)
        return emitter.assign(f"{variable} if type({variable}) is Function else {fallback}")
    return emitter.constant(builtin)


def _is_defined(emitter: Emitter, node: Node) -> str:
    if isinstance(node, Name):
        if emitter.binds(node.name):
            return "True"
        emitter.reads.add(node.name)
        return emitter.assign(f"g({emitter.constant(node.name)}, MISSING) is not MISSING")
    if isinstance(node, Path):
        base, _ = _base(emitter, node.base)
        return emitter.assign(f"type({base}) is dict and {emitter.constant(node.name)} in {base}")
    return emitter.assign(f"{emitter.value(node)} is not None")


HANDLERS: dict[type, Emit] = {
    Call: _call,
    ContextLiteral: _context,
    Filter: _filter,
    For: _for,
    FunctionLiteral: _function,
    If: _if,
    ListLiteral: _list,
    Literal: _literal,
    Name: _name,
    Path: _path,
    Quantified: _quantified,
}
