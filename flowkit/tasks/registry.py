"""Which Python function does the jobs of which type.

``@task`` only marks a function; nothing is registered when a module is imported. A :class:`Registry`
is built explicitly and handed to the engine, so two engines in one process never share handlers by
accident and tests leave nothing behind.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from flowkit.errors import InvalidPayload
from flowkit.tasks.calls import Signature, arguments_error, read_signature
from flowkit.tasks.context import TaskContext
from flowkit.tasks.jsonable import NotJson, to_json_value
from flowkit.tasks.outcomes import InvalidHandler
from flowkit.tasks.outgoing import DELIVERS, Deliverer, Delivers

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["Handler", "Header", "Registry", "Source", "task"]

Function = TypeVar("Function", bound=Callable[..., Any])
MARK = "__flowkit_task__"


@dataclass(frozen=True, slots=True)
class Header:
    """A task header that a handler reads, as modelers offer it."""

    name: str
    label: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What ``@task`` says about a function."""

    type: str
    result: str | None
    title: str
    headers: tuple[Header, ...] = ()


def task(
    job_type: str, *, result: str | None = None, title: str = "", headers: Iterable[Header] = ()
) -> Callable[[Function], Function]:
    """Mark a function, plain or ``async``, as the handler of jobs of ``job_type``.

    Arguments are read by name from the job's variables and validated by pydantic against their
    annotations; ``Annotated[str, Field(alias="车牌")]`` reads a variable by another name. An argument
    annotated :class:`TaskContext` gets the context; ``**variables`` takes every variable left over.
    One annotated with a connection (:class:`~flowkit.tasks.Connection`, ``sqlite3.Connection``,
    ``psycopg.Connection``, SQLAlchemy's ``Connection`` or ``Session``) gets the transaction that
    stores the job's completion: what the handler writes there is stored with it, or not at all.

    What the function returns becomes variables: a mapping, pydantic model or dataclass gives one
    variable a field; None gives none; any other value is stored under ``result``, or under the
    function's name. With ``result`` given, every value but None is stored whole under that name.

    ``title`` is how modelers call the task (element templates); the default is the docstring's first line.
    ``headers`` are the task headers that the function reads, for modelers too.
    """
    if not job_type or not isinstance(job_type, str):
        raise InvalidHandler(
            f"@task expects the job type as text, as in @task('check_stock'), found {job_type!r}"
        )

    def mark(function: Function) -> Function:
        setattr(function, MARK, Mark(job_type, result, title, tuple(headers)))
        return function

    return mark


class Handler:
    """One function, ready to be called with a job's variables."""

    def __init__(self, function: Callable[..., Any], mark: Mark) -> None:
        self.function = function
        self.type = mark.type
        self.result = mark.result
        self.headers = mark.headers
        self.name: str = getattr(function, "__qualname__", repr(function))
        self.is_async: bool = inspect.iscoroutinefunction(function)
        self.signature: Signature = read_signature(function, f"{self.name} ({mark.type})")
        doc = inspect.getdoc(function) or ""
        self.title = mark.title or doc.partition("\n")[0].rstrip(".")
        self.description = doc

    def __repr__(self) -> str:
        return f"<Handler {self.type!r}: {self.name}>"

    @property
    def reads(self) -> frozenset[str] | None:
        """The variables that the handler reads; None where it takes all of them."""
        if self.signature.takes_all:
            return None
        return frozenset(parameter.variable for parameter in self.signature.parameters)

    @property
    def transactional(self) -> bool:
        """Whether the handler takes part in the transaction of its step."""
        return self.signature.connection is not None

    @cached_property
    def _inputs(self) -> Any:
        from pydantic.errors import PydanticUserError  # noqa: PLC0415 heavy

        try:
            return self.signature.adapter()
        except PydanticUserError as error:
            text = f"handler {self.name} ({self.type}) has an argument that pydantic can't check"
            raise InvalidHandler(f"{text}: {error.message}") from None

    @cached_property
    def _output(self) -> Any:
        from pydantic import ConfigDict, TypeAdapter  # noqa: PLC0415 heavy
        from pydantic.errors import PydanticUserError  # noqa: PLC0415 heavy

        try:
            return TypeAdapter(self.signature.returns, config=ConfigDict(arbitrary_types_allowed=True))
        except PydanticUserError:  # models bring their own configuration
            return TypeAdapter(self.signature.returns)

    def arguments(
        self, context: TaskContext, variables: Mapping[str, Any], connection: Any = None
    ) -> dict[str, Any]:
        """The keyword arguments for a call; raises InvalidPayload naming every argument at fault."""
        signature = self.signature
        arguments: dict[str, Any] = {}
        if signature.parameters:
            try:
                checked = self._inputs.validate_python(signature.inputs(variables))
            except ValueError as error:
                raise arguments_error(self.type, signature, _faulty(error), variables) from None
            for parameter in signature.parameters:
                if parameter.variable in checked:
                    arguments[parameter.name] = checked[parameter.variable]
        if signature.takes_all:
            known = {parameter.variable for parameter in signature.parameters} | {signature.context}
            if signature.connection is not None:
                known.add(signature.connection.argument)
            arguments.update({name: value for name, value in variables.items() if name not in known})
        if signature.context:
            arguments[signature.context] = context
        if signature.connection is not None:
            arguments[signature.connection.argument] = connection
        return arguments

    def variables_of(self, value: Any) -> dict[str, Any]:
        """The variables that the returned ``value`` stands for; raises InvalidPayload for a wrong one."""
        if self.signature.returns is not None:
            try:
                value = self._output.validate_python(value)
            except ValueError as error:
                found = _faulty(error).errors(include_url=False, include_context=False, include_input=False)
                faults = [
                    ("".join(f"/{part}" for part in fault["loc"]), str(fault["msg"])) for fault in found
                ]
                text = "; ".join(f"{path or 'the value'}: {message}" for path, message in faults)
                message = f"handler {self.type} returned what its annotation does not allow: {text}"
                raise InvalidPayload(message, faults) from None
        if value is None:
            return {}
        try:
            plain = to_json_value(value)
        except NotJson as error:
            raise InvalidPayload(
                f"handler {self.type} returned no JSON: {error}", [(error.path, str(error))]
            ) from None
        if self.result is None and isinstance(plain, dict):
            return plain
        return {self.result or self.function.__name__: plain}

    def call(
        self, context: TaskContext, variables: Mapping[str, Any], connection: Any = None
    ) -> dict[str, Any]:
        """Call the function and give its result as variables; runs an ``async`` one to its end.

        ``connection`` is for a handler that takes part in its step's transaction.

        Raises InvalidPayload for wrong arguments or a wrong result (trying again would not help),
        and whatever the function raises, :class:`BpmnError` and :class:`Retry` among it.
        """
        if self.is_async:
            import asyncio  # noqa: PLC0415 heavy, and only some handlers are async

            return asyncio.run(self.call_async(context, variables))
        return self.variables_of(self.function(**self.arguments(context, variables, connection)))

    async def call_async(self, context: TaskContext, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Like :meth:`call`, inside a running event loop; a plain function runs in a thread."""
        arguments = self.arguments(context, variables)
        if self.is_async:
            return self.variables_of(await self.function(**arguments))
        import asyncio  # noqa: PLC0415 heavy

        return self.variables_of(await asyncio.to_thread(self.function, **arguments))


def _faulty(error: ValueError) -> ValidationError:
    """The error as pydantic's, which it is unless pydantic is at fault."""
    from pydantic import ValidationError  # noqa: PLC0415 heavy

    if not isinstance(error, ValidationError):
        raise error
    return error


Source = Any
"""A marked function, a module or object with marked functions, a Registry, or an iterable of these."""


class Registry:
    """The handlers of one engine, by job type.

    >>> registry = Registry(check_stock, my_project.handlers)
    """

    def __init__(self, *sources: Source) -> None:
        self._handlers: dict[str, Handler] = {}
        self._deliverers: dict[str, Deliverer] = {}
        for source in sources:
            self.add(source)

    def add(self, source: Source) -> None:
        """Add handlers and deliverers; raises InvalidHandler for what is none, and for a job type or
        kind taken already."""
        for function in _functions(source):
            if hasattr(function, MARK):
                self._add(function)
            if hasattr(function, DELIVERS):
                self._add_deliverer(function)

    def _add(self, function: Callable[..., Any]) -> None:
        mark: Mark = getattr(function, MARK)
        known = self._handlers.get(mark.type)
        if known is not None and known.function == function:
            return
        if known is not None:
            raise InvalidHandler(
                f"job type {mark.type!r} has two handlers, {known.name} and "
                f"{getattr(function, '__qualname__', function)}; a job type has exactly one. "
                "Use replace() to take the place of a handler on purpose."
            )
        self._handlers[mark.type] = Handler(function, mark)

    def _add_deliverer(self, function: Callable[..., Any]) -> None:
        mark: Delivers = getattr(function, DELIVERS)
        known = self._deliverers.get(mark.kind)
        if known is not None and known.function != function:
            raise InvalidHandler(
                f"two functions deliver {mark.kind!r}, {known.function.__qualname__} and "
                f"{function.__qualname__}; a kind has exactly one. "
                "Use replace() to take its place on purpose."
            )
        if inspect.iscoroutinefunction(function):
            raise InvalidHandler(
                f"{function.__qualname__} delivers {mark.kind!r}: expected a plain function, found an async"
            )
        self._deliverers[mark.kind] = Deliverer(mark.kind, mark.attempts, function)

    def replace(self, source: Source) -> None:
        """Like :meth:`add`, taking the place of those of the same type or kind: for tests and for
        adaptation."""
        for function in _functions(source):
            if hasattr(function, MARK):
                self._handlers.pop(getattr(function, MARK).type, None)
            if hasattr(function, DELIVERS):
                self._deliverers.pop(getattr(function, DELIVERS).kind, None)
            self.add(function)

    def get(self, job_type: str) -> Handler | None:
        """The handler of ``job_type``, or None."""
        return self._handlers.get(job_type)

    @property
    def deliverers(self) -> Mapping[str, Deliverer]:
        """Who delivers what, by kind."""
        return self._deliverers

    @property
    def types(self) -> frozenset[str]:
        """Every job type that has a handler."""
        return frozenset(self._handlers)

    def __contains__(self, job_type: object) -> bool:
        return job_type in self._handlers

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._handlers.values())

    def __len__(self) -> int:
        return len(self._handlers)

    def __repr__(self) -> str:
        return f"Registry({', '.join(sorted(self._handlers))})"


def _functions(source: Source) -> list[Callable[..., Any]]:
    """The marked functions that ``source`` stands for."""
    if isinstance(source, Registry):
        deliverers = [deliverer.function for deliverer in source.deliverers.values()]
        return [*(handler.function for handler in source), *deliverers]
    if callable(source) and (hasattr(source, MARK) or hasattr(source, DELIVERS)):
        return [source]
    if inspect.isfunction(source) or inspect.ismethod(source) or inspect.isclass(source):
        raise InvalidHandler(f"{source!r} is no handler: mark the function with @task('type')")
    if isinstance(source, Iterable) and not isinstance(source, str | bytes | Mapping):
        return [function for part in source for function in _functions(part)]
    found = _marked(source)
    if not found:
        raise InvalidHandler(
            "expected handlers (functions marked with @task or @deliver, a module or object that has some), "
            f"found {source!r}"
        )
    return found


def _marked(owner: Any) -> list[Callable[..., Any]]:
    names = vars(owner) if isinstance(owner, ModuleType) else dir(owner)
    found: dict[int, Callable[..., Any]] = {}
    for name in names:
        value = getattr(owner, name, None)
        marked = isinstance(getattr(value, MARK, None), Mark)
        if callable(value) and (marked or isinstance(getattr(value, DELIVERS, None), Delivers)):
            found[id(getattr(value, "__func__", value))] = value
    return list(found.values())
