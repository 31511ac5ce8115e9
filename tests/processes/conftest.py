"""The shipped processes, deployed once for all tests of a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.tasks.library.standard import StandardTasks, standard_tasks
from flowkit.testing.player import Player
from flowkit.testing.script import Script
from flowkit.testing.suite import Suite

PROCESSES = Path(__file__).parents[2] / "processes"


@pytest.fixture(scope="session")
def processes() -> Path:
    return PROCESSES


@pytest.fixture(scope="session")
def handlers() -> Callable[[str | None], StandardTasks]:
    """Makes the ready-made handlers, with the processes' own message templates."""
    return lambda url: standard_tasks(books=url, templates=PROCESSES / "templates")


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory, handlers: Callable[[str | None], StandardTasks]) -> Suite:
    return Suite(PROCESSES, tmp_path_factory.mktemp("suite"), handlers)


Play = Callable[..., Player]


@pytest.fixture
def play(handlers: Callable[[str | None], StandardTasks]) -> Play:
    """Plays a script on the shipped processes, some of whose files are replaced by ``changed``."""

    def run(script: Script, changed: dict[str, bytes] | None = None) -> Player:
        files = {
            str(path.relative_to(PROCESSES)): path.read_bytes()
            for pattern in ("*.bpmn", "decisions/*.dmn", "forms/*.json")
            for path in PROCESSES.glob(pattern)
        }
        unknown = set(changed or {}) - set(files)
        assert not unknown, f"no such files: {unknown}"
        ready = handlers(None)
        with Engine(tasks=ready.registry, clock=VirtualClock(script.now)) as engine:
            engine.deploy(files | (changed or {}))
            player = Player(engine, script, handlers=ready)
            player.play()
        return player

    return run
