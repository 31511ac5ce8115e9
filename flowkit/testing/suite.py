"""Playing every script of a folder, and telling what of the diagrams they covered.

The folder is deployed once for each time at which scripts begin, into a SQLite file that each script
gets a copy of: every script begins with an empty engine, and diagrams are not checked again for each.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flowkit.dmn import parse_files
from flowkit.engine import Engine, VirtualClock
from flowkit.engine.files import collect
from flowkit.errors import FlowkitError
from flowkit.kernel import Program
from flowkit.tasks.library import StandardTasks
from flowkit.tasks.library.deadlines import default_calendars
from flowkit.testing.coverage import Coverage, digest
from flowkit.testing.player import Player, ScriptFailed
from flowkit.testing.script import START, read_script
from flowkit.testing.trail import Used

__all__ = ["Played", "Suite", "find_scripts"]


@dataclass(frozen=True, slots=True)
class Played:
    """How one script went; ``problem`` is empty if all was as expected, ``details`` tell how far it got."""

    script: Path
    title: str
    problem: str
    seconds: float
    used: Used = field(default_factory=dict)
    details: str = ""


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
    ``scratch`` is a folder for the databases. ``coverage`` adds up what the scripts used."""

    def __init__(self, folder: Path, scratch: Path, handlers: Callable[[str], StandardTasks]) -> None:
        self._scratch, self._handlers = scratch, handlers
        self._files = collect((folder,))
        self._deployed: dict[datetime, Path] = {}
        self.coverage = Coverage()
        self._known: dict[str, str] = {digest(data): name for name, data in self._files.items()}
        dmn = {name: data for name, data in self._files.items() if name.endswith(".dmn")}
        for name, model in parse_files(dmn).items() if dmn else ():
            self.coverage.know_decisions(model.definitions, name, dmn[name])
        self._template(START)

    def play(self, scripts: list[Path]) -> Iterator[Played]:
        """Play them one after the other."""
        for script in scripts:
            begun = time.perf_counter()
            title, problem, details = script.stem, "", ""
            used: Used = {}
            try:
                title = self._play(script, used) or title
            except FlowkitError as error:
                problem = str(error)
                details = error.details if isinstance(error, ScriptFailed) else ""
            self.coverage.add(used)
            yield Played(script, title, problem, time.perf_counter() - begun, used, details)

    def _template(self, now: datetime) -> Path:
        """A database into which the folder was deployed at this time, so that timers that start
        processes count from there."""
        if now not in self._deployed:
            file = self._scratch / f"deployed{len(self._deployed)}.db"
            with Engine(
                f"sqlite:///{file}", clock=VirtualClock(now), calendars=default_calendars()
            ) as engine:
                for process in engine.deploy(self._files).processes:
                    if process not in self.coverage.processes:
                        program: Program = engine.program(process)
                        name = self._known.get(digest(program.definitions.source), "")
                        self.coverage.know_process(program, name)
            self._deployed[now] = file
        return self._deployed[now]

    def _play(self, script: Path, used: Used) -> str:
        plan = read_script(script)
        file = self._scratch / "running.db"
        shutil.copyfile(self._template(plan.now), file)
        url = f"sqlite:///{file}"
        handlers = self._handlers(url)
        try:
            with Engine(
                url,
                tasks=handlers.registry,
                clock=VirtualClock(plan.now),
                calendars=default_calendars(),
                durability="normal",
            ) as engine:
                player = Player(engine, plan, handlers=handlers)
                try:
                    player.play()
                finally:
                    used.update(player.observer.used())
        finally:
            handlers.close()
            for leftover in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
                leftover.unlink(missing_ok=True)
        return plan.title
