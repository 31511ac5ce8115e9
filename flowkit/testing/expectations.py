"""Checking what a script expects: each check gives the expectations that are not met, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flowkit.testing.script import Expectation

if TYPE_CHECKING:
    from flowkit.testing.player import Player

__all__ = ["unmet"]


def unmet(player: Player, wanted: Expectation) -> list[str]:
    """Everything that ``wanted`` asks for and that does not hold now."""
    return [text for check in _CHECKS for text in check(player, wanted)]


def _expect_ended(player: Player, wanted: Expectation) -> Iterable[str]:
    view = player.engine.instance(player.root)
    if wanted.ended is not None and view.is_over != wanted.ended:
        standing = ", ".join(dict.fromkeys(token.name or token.element for token in view.tokens))
        state = f"{view.status}" + (f" at {standing}" if standing else "")
        yield f"expected the process to {'have ended' if wanted.ended else 'go on'}, it is {state}"
    if wanted.incidents is not None:
        ours = player.observer.instances()
        found = [it for it in player.engine.incidents() if it.instance_id in ours]
        if len(found) != wanted.incidents:
            texts = "; ".join(f"{it.element_id}: {it.message}" for it in found)
            yield f"expected {wanted.incidents} incidents, found {len(found)} {texts}"


def _expect_open(player: Player, wanted: Expectation) -> Iterable[str]:
    if wanted.open is None:
        return
    tasks = player.open_tasks()
    for name in wanted.open:
        if not any(name in (task.element_id, task.name) for task in tasks):
            there = ", ".join(task.name or task.element_id for task in tasks) or "none"
            yield f"expected the task {name!r} to be open; open are: {there}"
    if not wanted.open and tasks:
        yield f"expected no open task, found {', '.join(task.name or task.element_id for task in tasks)}"


def _expect_ends(player: Player, wanted: Expectation) -> Iterable[str]:
    if wanted.end is None:
        return
    reached = player.ends()
    missing = [end for end in wanted.end if not any(end in pair for pair in reached)]
    extra = [name for element, name in reached if not {element, name} & set(wanted.end)]
    if missing or extra:
        found = ", ".join(name for _, name in reached) or "none"
        inner = [end for end in missing if any(end in part[1:] for part in player.observer.entered)]
        hint = f"; {', '.join(inner)} ends a subprocess: say passed" if inner else ""
        yield f"expected the ends {', '.join(wanted.end) or 'none'}, reached {found}{hint}"


def _expect_passed(player: Player, wanted: Expectation) -> Iterable[str]:
    entered = player.observer.entered
    names = {part for _, element, name in entered for part in (element, name)}
    missing = [name for name in wanted.passed if name not in names]
    if missing:
        yield f"expected to pass {', '.join(missing)}"
    wrong = [name for name in wanted.not_passed if name in names]
    if wrong:
        yield f"expected not to pass {', '.join(wrong)}"
    rest = iter(entered)
    for name in wanted.trail:
        if not any(name in (element, label) for _, element, label in rest):
            yield f"expected {name!r} in the trail after the ones named before it"
            return


def _expect_variables(player: Player, wanted: Expectation) -> Iterable[str]:
    if not wanted.variables:
        return
    found = player.engine.instance(player.root).variables
    for name, value in wanted.variables.items():
        if name not in found:
            yield f"expected the variable {name} = {value!r}, found none"
        elif found[name] != value:
            yield f"expected the variable {name} = {value!r}, found {found[name]!r}"


def _expect_notices(player: Player, wanted: Expectation) -> Iterable[str]:
    if not wanted.notices:
        return
    ours = set(player.observer.instances())
    sent = [notice for notice in player.handlers.notifier.notices() if notice["instance"] in ours]
    for expected in wanted.notices:
        fields: Mapping[str, Any] = expected.model_dump(exclude_none=True)
        if not any(all(notice[name] == value for name, value in fields.items()) for notice in sent):
            texts = [f"{notice['template']} to {notice['to']} by {notice['channel']}" for notice in sent]
            listing = ", ".join(dict.fromkeys(texts)) or "none"
            yield f"expected the notice {dict(fields)}, sent were: {listing}"


_CHECKS = (_expect_ended, _expect_open, _expect_ends, _expect_passed, _expect_variables, _expect_notices)
