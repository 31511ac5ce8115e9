"""The pytest plugin: scripts beside diagrams are tests, with the coverage of the diagrams at the end.

``pytest --flowkit processes/`` collects every YAML file in ``scripts`` and ``scenarios`` of a folder of
diagrams; ``--flowkit-cover 100`` fails when some sequence flow or end event was never reached. The ini
option ``flowkit_tasks`` lists modules with handlers, which go before the ready-made ones. The fixture
``play`` plays a script inside a test of your own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flowkit.tasks.library import StandardTasks
    from flowkit.testing.player import Player
    from flowkit.testing.suite import Coverage, Suite

__all__ = ["play"]

FOLDERS = frozenset({"scripts", "scenarios"})
_suites: pytest.StashKey[dict[Path, Suite]] = pytest.StashKey()
_scratch: pytest.StashKey[Any] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("flowkit", "flowkit: scripts beside BPMN diagrams")
    group.addoption("--flowkit", action="store_true", help="collect the scripts of folders of diagrams")
    group.addoption(
        "--flowkit-cover", type=float, default=0.0, metavar="PERCENT",
        help="fail when less of a diagram's flows and ends was reached",
    )  # fmt: skip
    parser.addini("flowkit_tasks", "modules with task handlers", type="linelist", default=[])


def _diagrams_of(script: Path) -> Path | None:
    """The folder of diagrams that a script belongs to."""
    for parent in script.parents:
        if parent.name in FOLDERS and any(parent.parent.glob("*.bpmn")):
            return parent.parent
    return None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Scripts are collected where ``--flowkit`` asks for it."""
    if not parent.config.getoption("--flowkit") or file_path.suffix not in (".yaml", ".yml"):
        return None
    if _diagrams_of(file_path) is None:
        return None
    found: pytest.Collector = _ScriptFile.from_parent(parent, path=file_path)
    return found


class _ScriptFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        yield _ScriptItem.from_parent(self, name=self.path.stem)


class _Unexpected(Exception):
    """A script did not go as it says; the message tells how."""


class _ScriptItem(pytest.Item):
    def runtest(self) -> None:
        suite = _suite(self.config, _diagrams_of(self.path) or self.path.parent)
        (played,) = suite.play([self.path])
        told = {name: _told(part) for name, part in suite.coverage.items()}
        self.user_properties.append(("flowkit", told))  # travels to the controller of pytest-xdist too
        if played.problem:
            raise _Unexpected(played.problem)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A script's failure needs no traceback."""
        if isinstance(excinfo.value, _Unexpected):
            return f"{self.path}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test is."""
        return self.path, None, f"script: {self.name}"


def _told(part: Coverage) -> dict[str, Any]:
    return {
        "names": {key: part.names[key] for key in part.flows | part.ends},
        "reached": sorted((part.taken & part.flows) | (part.reached & part.ends)),
    }


def _handlers(config: pytest.Config, url: str, folder: Path) -> StandardTasks:
    from flowkit.tasks.library import standard_tasks  # noqa: PLC0415 heavy

    templates = folder / "templates"
    books = None if url.startswith("memory") else url
    handlers = standard_tasks(books=books, templates=templates if templates.is_dir() else None)
    for module in config.getini("flowkit_tasks"):
        handlers.registry.replace(import_module(module))
    return handlers


def _suite(config: pytest.Config, folder: Path) -> Suite:
    from flowkit.testing.suite import Suite  # noqa: PLC0415 heavy

    suites = config.stash.setdefault(_suites, {})
    if folder not in suites:
        if _scratch not in config.stash:
            config.stash[_scratch] = tempfile.TemporaryDirectory(prefix="flowkit-test-")
        scratch = Path(config.stash[_scratch].name) / str(len(suites))
        scratch.mkdir()
        suites[folder] = Suite(folder, scratch, lambda url: _handlers(config, url, folder))
    return suites[folder]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Throw the databases away."""
    if _scratch in config.stash:
        config.stash[_scratch].cleanup()


# ---- coverage -------------------------------------------------------------------------------


class _Coverage:
    """Gathers what the scripts reached, also from the workers of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._names: dict[str, Mapping[str, str]] = {}
        self._reached: dict[str, set[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a script's report brings."""
        if report.when != "call":
            return
        for key, told in report.user_properties:
            if key != "flowkit" or not isinstance(told, Mapping):
                continue
            for process, part in told.items():
                self._names[process] = part["names"]
                self._reached.setdefault(process, set()).update(part["reached"])

    def missing(self, process: str) -> list[str]:
        """What no script reached."""
        reached = self._reached[process]
        return sorted(name for key, name in self._names[process].items() if key not in reached)

    def percent(self, process: str) -> float:
        """How much of a process was reached."""
        total = len(self._names[process])
        return 100.0 * len(self._reached[process]) / total if total else 100.0

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run when too little was reached."""
        wanted = self._config.getoption("--flowkit-cover")
        if session.exitstatus == 0 and any(self.percent(process) < wanted for process in self._names):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tell the coverage."""
        if not self._names:
            return
        terminalreporter.section("coverage of the diagrams")
        for process in sorted(self._names):
            missing = self.missing(process)
            terminalreporter.line(f"{process:24} {self.percent(process):6.1f} % of its flows and ends")
            for name in missing[:10]:
                terminalreporter.line(f"    never: {name}")
            if len(missing) > 10:
                terminalreporter.line(f"    … and {len(missing) - 10} more")


def pytest_configure(config: pytest.Config) -> None:
    """Gather coverage in the process that reports."""
    if config.getoption("--flowkit") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Coverage(config), "flowkit-coverage")


# ---- the fixture ----------------------------------------------------------------------------


@pytest.fixture
def play(request: pytest.FixtureRequest) -> Iterator[Callable[..., Player]]:
    """``play(folder, script)``: deploy a folder of diagrams into an engine in memory, play a script (a
    path, or its content) on a virtual clock, and give the player: its ``engine``, ``root`` instance,
    ``observer`` and ``handlers``. Raises ScriptFailed where the script's expectations don't hold."""
    from flowkit.engine import Engine, VirtualClock  # noqa: PLC0415 heavy
    from flowkit.testing.player import Player  # noqa: PLC0415 heavy
    from flowkit.testing.script import Script, parse_script, read_script  # noqa: PLC0415 heavy

    engines: list[Engine] = []

    def run(folder: Path | str, script: Path | str | bytes | Mapping[str, Any]) -> Player:
        if isinstance(script, Mapping):
            plan = Script.model_validate(script)
        else:
            plan = parse_script(script) if isinstance(script, bytes) else read_script(script)
        handlers = _handlers(request.config, "memory:", Path(folder))
        engine = Engine(tasks=handlers.registry, clock=VirtualClock(plan.now))
        engines.append(engine)
        engine.deploy(folder)
        player = Player(engine, plan, handlers=handlers)
        player.play()
        return player

    yield run
    for engine in engines:
        engine.close()
