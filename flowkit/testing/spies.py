"""Stubs and spies: handlers for tests, which answer as they are told and remember their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from flowkit.tasks import Handler, InvalidHandler, TaskContext, task

__all__ = ["SpiedCall", "Spy"]

Answer = Callable[[TaskContext, Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class SpiedCall:
    """One job that came: its variables, and the context that says for which element and instance."""

    variables: Mapping[str, Any]
    context: TaskContext


@dataclass
class Spy:
    """Stands in for the handler of ``job_type``.

    Told nothing, it calls the handler that it stands in for, or returns nothing where there is none.
    Answers are given in the order in which they were told, the last one again and again:

    >>> spy.raises(Retry("the bank is closed")).returns({"receipt": "R-1"})
    """

    job_type: str
    original: Handler | None = None
    calls: list[SpiedCall] = field(default_factory=list)
    _answers: list[Answer] = field(default_factory=list)

    def returns(self, *results: Mapping[str, Any] | None) -> Self:
        """Give these variables, one result a call."""
        for result in results:
            self._answers.append(_giving(result))
        return self

    def raises(self, *errors: BaseException) -> Self:
        """Raise these, one a call: a BpmnError for the diagram, a Retry, or any failure."""
        for error in errors:
            self._answers.append(_raising(error))
        return self

    def does(self, function: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]) -> Self:
        """Work the variables out from those of the job."""
        self._answers.append(lambda context, variables: function(variables))
        return self

    @property
    def arguments(self) -> list[dict[str, Any]]:
        """The variables of each call."""
        return [dict(call.variables) for call in self.calls]

    def handler(self) -> Callable[..., Any]:
        """The function that does the jobs."""

        @task(self.job_type)
        def spied(context: TaskContext, **variables: Any) -> Any:
            return self._answer(context, variables)

        return spied

    def _answer(self, context: TaskContext, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append(SpiedCall(dict(variables), context))
        if self._answers:
            answer = self._answers[min(len(self.calls), len(self._answers)) - 1]
            return answer(context, variables) or {}
        if self.original is None:
            return {}
        if self.original.transactional:
            raise InvalidHandler(
                f"{self.original!r} takes part in the transaction of its step, so a spy can't call it:"
                " tell the spy what it returns."
            )
        return self.original.call(context, variables)


def _giving(result: Mapping[str, Any] | None) -> Answer:
    if result is not None and not isinstance(result, Mapping):
        raise TypeError(f"expected the variables that the handler gives, by name; found {result!r}")
    return lambda context, variables: result


def _raising(error: BaseException) -> Answer:
    def answer(context: TaskContext, variables: Mapping[str, Any]) -> Mapping[str, Any] | None:
        raise error

    return answer
