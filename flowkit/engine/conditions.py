"""The conditions by which the engine finds things, each documented once: here.

They are the keywords of :meth:`Engine.tasks <flowkit.engine.Engine.tasks>` and its like. All that are given
must hold; None is as good as not given. A type checker finds a misspelt one, or one of the wrong type; so
does :func:`checked` when the program runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Any, TypedDict, get_args, get_origin, get_type_hints

from flowkit.engine.border import known

__all__ = [
    "IncidentConditions",
    "InstanceConditions",
    "JobConditions",
    "OutboxConditions",
    "Page",
    "PageOfInstances",
    "TaskConditions",
    "checked",
]


class Page(TypedDict, total=False):
    """A part of what is found."""

    limit: int | None
    """At most so many; all by default."""
    offset: int
    """After the first so many."""


class InstanceConditions(TypedDict, total=False):
    """Of :meth:`Engine.select`."""

    version: int | None
    """Of the process."""
    business_key: str | None
    """The case's key, as it was given at the start."""
    status: str | None
    """active, suspended, completed, terminated, error or cancelled."""
    running: bool | None
    """Not over: active or suspended."""
    parent: str | None
    """The id of the instance that called it."""
    element: str | None
    """The id of an element at which a token stands."""
    variables: Mapping[str, Any] | None
    """Values in the process scope; of an instance that is over, those at its end."""
    started_after: datetime | None
    """Started at that time or later."""
    started_before: datetime | None
    """Started before that time."""
    with_incidents: bool | None
    """It has open incidents."""
    origin: str | None
    """The id of the instance that it is a restart of."""
    restarted: bool | None
    """Another instance is a restart of it."""
    is_restart: bool | None
    """It is a restart itself."""


class PageOfInstances(InstanceConditions, Page, total=False):
    """Of :meth:`Engine.instances`."""


class TaskConditions(Page, total=False):
    """Of :meth:`Engine.tasks`."""

    group: str | None
    """A group that may claim it."""
    user: str | None
    """Who has it, or may claim it by name."""
    assignee: str | None
    """Who has it."""
    assigned: bool | None
    """Somebody has it."""
    process: str | None
    """The id of its process."""
    element: str | None
    """The id of its element."""
    business_key: str | None
    """Of its instance."""
    due_before: datetime | None
    """It has a due date, which is before that time."""


class JobConditions(Page, total=False):
    """Of :meth:`Engine.jobs`."""

    type: str | None
    """What its handler is registered for."""
    state: str | None
    """ready, leased, waiting or failed."""
    process: str | None
    """The id of its process."""
    element: str | None
    """The id of its element."""


class IncidentConditions(Page, total=False):
    """Of :meth:`Engine.incidents`."""

    process: str | None
    """The id of its process."""
    element: str | None
    """The id of its element."""
    kind: str | None
    """Such as job or expression; outbox for what could not be delivered."""


class OutboxConditions(Page, total=False):
    """Of :meth:`Engine.outbox`."""

    kind: str | None
    """What its deliverer is registered for."""
    state: str | None
    """waiting or failed."""
    instance: str | None
    """The id of the instance that sent it."""
    process: str | None
    """The id of its process."""


def checked(method: str, kind: type, given: Mapping[str, Any], **places: str | None) -> None:
    """Raise TypeError for a condition that ``method`` does not have, or of the wrong type, NotFound for a
    name that nothing can have. ``places`` are what is given by position."""
    for name, value in places.items():
        if value is not None:
            _text(method, name, value)
    if not given:
        return
    types = _types(kind)
    for name, value in given.items():
        wanted = types.get(name)
        if wanted is None:
            raise TypeError(
                f"{method}() has no condition {name!r}{_meant(name, types)}: it has {', '.join(types)}."
            )
        if value is None and NoneType in wanted:
            continue
        if str in wanted:
            _text(method, name, value)
        elif not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise _wrong(method, name, wanted, value)


def _text(method: str, name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _wrong(method, name, (str,), value)
    known(value, name.replace("_", " "))


def _wrong(method: str, name: str, wanted: tuple[type, ...], value: Any) -> TypeError:
    kinds = " or ".join(kind.__name__ for kind in wanted if kind is not NoneType)
    return TypeError(f"{method}({name}=…) takes {kinds}, found {type(value).__name__} {value!r:.80}.")


@cache
def _types(kind: type) -> dict[str, tuple[type, ...]]:
    """The classes that a condition takes, by its name."""
    hints = get_type_hints(kind)
    return {
        name: tuple(get_origin(one) or one for one in get_args(hint) or (hint,))
        for name, hint in hints.items()
    }


def _meant(name: str, types: Mapping[str, object]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 only for an error's text

    near = get_close_matches(name, types, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""
