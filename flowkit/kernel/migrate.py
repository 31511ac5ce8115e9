"""Migration: a running instance goes on with another version of its process.

``check_migration`` is the dry run: it names, element by element, what stands in the way.
``migrate`` does it: what waits keeps waiting under its new id; boundary events and event
subprocesses that are new are armed, those that are gone are disarmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flowkit.errors import Rejected, WrongState
from flowkit.kernel import protocol as p
from flowkit.kernel.behaviours.scopes import arm_event_subprocesses
from flowkit.kernel.catching import catches_of, install, prepare
from flowkit.kernel.formula import Trouble
from flowkit.kernel.frame import Frame
from flowkit.kernel.lifecycle import release
from flowkit.kernel.program import Program
from flowkit.kernel.state import Condition, Instance, Subscription, Timer

__all__ = ["Obstacle", "check_migration", "migrate"]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an instance can't be migrated: ``element`` is the id in its present version."""

    element: str
    message: str


def check_migration(
    old: Program, new: Program, instance: Instance, mapping: Mapping[str, str] | None = None
) -> list[Obstacle]:
    """What forbids moving ``instance`` from ``old`` to ``new``; empty when nothing does.

    ``mapping`` gives the new id of elements whose id changed (flows included); the others keep theirs.
    """
    ids = dict(mapping or {})
    obstacles = [
        Obstacle(source, f"The present version has no element '{source}'.")
        for source in ids
        if source not in old.nodes and source not in old.flows and source != old.process_id
    ]
    if instance.status not in ("active", "suspended"):
        return [*obstacles, Obstacle("", f"The instance is {instance.status}, not running.")]
    for token in instance.tokens.values():
        _check_node(old, new, ids, token.node, obstacles)
        if token.flow is not None:
            target = new.nodes.get(ids.get(token.node, token.node))
            if target is None or ids.get(token.flow, token.flow) not in target.incoming:
                message = f"A token waits on flow '{token.flow}', which does not lead there any more."
                obstacles.append(Obstacle(token.flow, message))
    for scope in instance.scopes.values():
        if scope.kind in ("process", "subprocess") and ids.get(scope.node, scope.node) not in (
            new.containers
        ):
            obstacles.append(Obstacle(scope.node, f"'{scope.node}' is no subprocess any more."))
        for record in scope.records.values():
            _check_record(new, ids, record, obstacles)
    return list(dict.fromkeys(obstacles))


def _check_node(
    old: Program, new: Program, ids: Mapping[str, str], node_id: str, found: list[Obstacle]
) -> None:
    target = ids.get(node_id, node_id)
    before, after = old.nodes[node_id], new.nodes.get(target)
    label = old.label(node_id)
    if after is None:
        found.append(
            Obstacle(node_id, f"'{label}' is active, but the new version has no '{target}': map it.")
        )
        return
    if (before.kind, before.event_subprocess) != (after.kind, after.event_subprocess):
        found.append(Obstacle(node_id, f"'{label}' is a {before.kind}, but '{target}' is a {after.kind}."))
    container = ids.get(before.container, before.container)
    root = before.container == old.process_id and after.container == new.process_id
    if container != after.container and not root:
        found.append(
            Obstacle(node_id, f"'{label}' is in '{before.container}', '{target}' in '{after.container}'.")
        )
    looped = (before.multi is None, before.loop is None) == (after.multi is None, after.loop is None)
    if not looped or (before.multi and after.multi and before.multi.sequential != after.multi.sequential):
        found.append(Obstacle(node_id, f"'{label}' and '{target}' repeat in different ways."))
    if bool(before.behaviour.waits) != bool(after.behaviour.waits):
        found.append(Obstacle(node_id, f"'{label}' waits, but '{target}' does not do so the same way."))


def _check_record(new: Program, ids: Mapping[str, str], record: p.Compensable, found: list[Obstacle]) -> None:
    if record.program:  # of another program, which stays as it is
        return
    target = ids.get(record.node, record.node)
    if target not in new.nodes:
        message = f"'{record.node}' has completed and can be compensated; map it to an element."
        found.append(Obstacle(record.node, message))
    for child in record.children:
        _check_record(new, ids, child, found)


def migrate(
    old: Program,
    new: Program,
    instance: Instance,
    mapping: Mapping[str, str] | None = None,
    *,
    now: datetime,
) -> list[p.Event]:
    """Move the instance to ``new`` in place and return the events; raises Rejected, with every
    obstacle, when it can't go. Migrating to the identical version changes nothing."""
    if instance.program != old.digest:
        raise WrongState(f"Instance {instance.id} does not run on {old.digest[:12]}.")
    obstacles = check_migration(old, new, instance, mapping)
    if obstacles:
        raise Rejected("\n".join(f"{one.element}: {one.message}" for one in obstacles))
    ids = dict(mapping or {})
    if old.digest == new.digest and not ids:
        return []
    if old.process_id != new.process_id:
        ids.setdefault(old.process_id, new.process_id)
    frame = Frame(new, instance, now)
    frame.emit(p.InstanceMigrated(new.digest, ids))
    try:
        _rearm(frame)
    except Trouble as trouble:
        raise Rejected(f"A new event can't be armed: {trouble}") from None
    return frame.events


def _rearm(frame: Frame) -> None:
    """Disarm events that are gone, arm those that are new."""
    instance, nodes = frame.instance, frame.program.nodes
    for wait in list(instance.waits.values()):
        if isinstance(wait, Timer | Subscription | Condition):
            node = nodes.get(wait.node)
            if node is None or wait.part >= len(node.catches):
                release(frame, wait.key)
    for token in list(instance.tokens.values()):
        node = nodes[token.node]
        scope = instance.scopes[token.scope]
        if not token.active or scope.node == token.node:  # the latter: one instance of a loop
            continue
        held = {instance.waits[key].node for key in token.holds}
        for event in node.boundary:
            if event not in held and catches_of(nodes[event]):
                install(frame, prepare(frame, nodes[event], token.key, token.scope))
    for scope in list(instance.scopes.values()):
        container = frame.program.containers.get(scope.node)
        if container is None or scope.kind not in ("process", "subprocess"):
            continue
        held = {instance.waits[key].node for key in scope.holds}
        for start in container.event_subprocesses:
            if start not in held and catches_of(nodes[start]):
                arm_event_subprocesses(frame, prepare(frame, nodes[start], 0, scope.key), scope.key)
