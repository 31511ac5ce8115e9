"""Playing every script of a folder, and telling what of the diagrams they covered.

The folder is deployed once, into a SQLite file that each script gets a copy of: every script begins
with an empty engine, and diagrams are not checked again for each of them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flowkit.engine import Engine, VirtualClock
from flowkit.errors import FlowkitError
from flowkit.kernel import Flow, Program
from flowkit.tasks.library import StandardTasks
from flowkit.testing.player import Player
from flowkit.testing.script import read_script

__all__ = ["Coverage", "Played", "Suite", "find_scripts"]


@dataclass(frozen=True, slots=True)
class Played:
    """How one script went; ``problem`` is empty if all was as expected."""

    script: Path
    title: str
    problem: str
    seconds: float


@dataclass(slots=True)
class Coverage:
    """The sequence flows and end events of one process, and those that some script went along."""

    process: str
    flows: frozenset[str]
    ends: frozenset[str]
    names: dict[str, str]
    taken: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)

    @property
    def missing(self) -> list[str]:
        """What no script covered, by name where there is one."""
        return [self.names[key] for key in sorted((self.flows - self.taken) | (self.ends - self.reached))]

    @property
    def share(self) -> float:
        """The covered part, from 0 to 1."""
        total = len(self.flows) + len(self.ends)
        return (len(self.taken & self.flows) + len(self.reached & self.ends)) / total if total else 1.0


def find_scripts(paths: list[Path]) -> list[Path]:
    """The YAML files among ``paths`` and in folders, those in ``scripts`` and ``scenarios`` of a folder
    of diagrams."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inner = [path / name for name in ("scripts", "scenarios") if (path / name).is_dir()]
            for folder in inner or [path]:
                found += sorted({*folder.rglob("*.yaml"), *folder.rglob("*.yml")})
        else:
            found.append(path)
    return found


class Suite:
    """Scripts for the diagrams of ``folder``. ``handlers`` makes the handlers over books at a URL;
    ``scratch`` is a folder for the databases."""

    def __init__(self, folder: Path, scratch: Path, handlers: Callable[[str], StandardTasks]) -> None:
        self._scratch, self._handlers = scratch, handlers
        self._template = scratch / "deployed.db"
        self.coverage: dict[str, Coverage] = {}
        with Engine(f"sqlite:///{self._template}", clock=VirtualClock()) as engine:
            for process in engine.deploy(folder).processes:
                program: Program = engine.program(process)
                nodes = program.nodes.values()
                ends = {node.id: node.name or node.id for node in nodes if node.kind == "endEvent"}
                names = {flow.id: _flow_name(program, flow) for flow in program.flows.values()}
                flows = frozenset(program.flows)
                self.coverage[process] = Coverage(process, flows, frozenset(ends), names | ends)

    def play(self, scripts: list[Path]) -> Iterator[Played]:
        """Play them one after the other."""
        for number, script in enumerate(scripts):
            begun = time.perf_counter()
            title, problem = script.stem, ""
            try:
                title = self._play(script, self._scratch / f"{number}.db") or title
            except FlowkitError as error:
                problem = str(error)
            yield Played(script, title, problem, time.perf_counter() - begun)

    def _play(self, script: Path, file: Path) -> str:
        plan = read_script(script)
        shutil.copyfile(self._template, file)
        url = f"sqlite:///{file}"
        handlers = self._handlers(url)
        try:
            with Engine(
                url, tasks=handlers.registry, clock=VirtualClock(plan.now), durability="normal"
            ) as engine:
                player = Player(engine, plan, handlers=handlers)
                try:
                    player.play()
                finally:
                    self._cover(engine, player)
        finally:
            handlers.close()
            for leftover in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
                leftover.unlink(missing_ok=True)
        return plan.title

    def _cover(self, engine: Engine, player: Player) -> None:
        for process, flow in player.observer.taken:
            self.coverage[process].taken.add(flow)
        for instance, element, _ in player.observer.entered:
            self.coverage[engine.instance(instance).process_id].reached.add(element)


def _flow_name(program: Program, flow: Flow) -> str:
    source, target = (program.nodes[key].name or key for key in (flow.source, flow.target))
    label = f" [{flow.name}]" if flow.name else ""
    return f"{source} →{label} {target}"
