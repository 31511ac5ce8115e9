"""The pytest plugin: scripts beside diagrams are tests, with the coverage of the diagrams at the end.

``pytest --flowkit processes/`` collects every YAML file in ``scripts`` and ``scenarios`` of a folder of
diagrams; ``--flowkit-cover 100`` fails when some sequence flow or end event was never reached, and
``--flowkit-cover-rules`` when some rule of a decision table never matched; ``--flowkit-html`` and
``--flowkit-data`` write what was covered as web pages and as data. The ini option ``flowkit_tasks`` lists
modules with handlers, which go before the ready-made ones. The fixture ``play`` plays a script inside a
test of your own.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flowkit.tasks.library import StandardTasks
    from flowkit.testing.bench import Bench
    from flowkit.testing.coverage import Coverage
    from flowkit.testing.player import Player
    from flowkit.testing.suite import Suite
    from flowkit.testing.trail import Used

__all__ = ["bench", "play"]

FOLDERS = frozenset({"scripts", "scenarios"})
_suites: pytest.StashKey[dict[Path, Suite]] = pytest.StashKey()
_scratch: pytest.StashKey[Any] = pytest.StashKey()
_tellings: pytest.StashKey[set[int]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("flowkit", "flowkit: scripts beside BPMN diagrams")
    group.addoption("--flowkit", action="store_true", help="collect the scripts of folders of diagrams")
    group.addoption(
        "--flowkit-cover", type=float, default=0.0, metavar="PERCENT",
        help="fail when less of a diagram's flows and ends was reached",
    )  # fmt: skip
    group.addoption(
        "--flowkit-cover-rules", type=float, default=0.0, metavar="PERCENT",
        help="fail when fewer of a decision table's rules matched",
    )  # fmt: skip
    group.addoption("--flowkit-html", metavar="FOLDER", help="write the coverage as web pages")
    group.addoption(
        "--flowkit-data", metavar="FILE", help="write the coverage as JSON, for flowkit coverage to merge"
    )
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
        self.user_properties.append(("flowkit", _told(self.config, suite.coverage, played.used)))
        if played.problem:
            raise _Unexpected("\n".join(filter(None, (played.problem, played.details))))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A script's failure needs no traceback."""
        if isinstance(excinfo.value, _Unexpected):
            return f"{self.path}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test is."""
        return self.path, None, f"script: {self.name}"


def _told(config: pytest.Config, coverage: Coverage, used: Used) -> dict[str, Any]:
    """What a test's report brings to the process that gathers, which may be another one (pytest-xdist):
    what was used, and with the first report of a folder all that there is to use."""
    told = config.stash.setdefault(_tellings, set())
    known = {}
    if id(coverage) not in told:
        told.add(id(coverage))
        known = _empty(coverage).model_dump()
    return {"known": known, "used": used}


def _empty(coverage: Coverage) -> Coverage:
    copy = coverage.model_copy(deep=True)
    for part in (*copy.processes.values(), *copy.tables.values()):
        part.counts.clear()
    return copy


def _handlers(config: pytest.Config, url: str, templates: Path | None) -> StandardTasks:
    from flowkit.tasks.library import standard_tasks  # noqa: PLC0415 heavy

    books = None if url.startswith("memory") else url
    texts = templates if templates is not None and templates.is_dir() else None
    handlers = standard_tasks(books=books, templates=texts)
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
        suites[folder] = Suite(folder, scratch, lambda url: _handlers(config, url, folder / "templates"))
    return suites[folder]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Throw the databases away."""
    if _scratch in config.stash:
        config.stash[_scratch].cleanup()


# ---- coverage -------------------------------------------------------------------------------


class _Gatherer:
    """Adds up what the scripts used, also in the workers of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._total: Coverage | None = None
        self._waiting: list[Used] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a script's report brings."""
        if report.when != "call":
            return
        for key, told in report.user_properties:
            if key == "flowkit" and isinstance(told, Mapping):
                self._take(told)

    def _take(self, told: Mapping[str, Any]) -> None:
        from flowkit.testing.coverage import Coverage  # noqa: PLC0415 heavy

        if self._total is None:
            self._total = Coverage()
        if told["known"]:
            self._total.merge(Coverage.model_validate(told["known"]))
        self._waiting.append(told["used"])

    @property
    def coverage(self) -> Coverage | None:
        """The sum so far; None where no script was played."""
        if self._total is not None:
            while self._waiting:
                self._total.add(self._waiting.pop())
        return self._total

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what was asked for; fail the run when too little was covered."""
        coverage = self.coverage
        if coverage is None:
            return
        data, html = (self._config.getoption(name) for name in ("--flowkit-data", "--flowkit-html"))
        if data:
            coverage.write(Path(data))
        if html:
            from flowkit.testing.coverage_page import write_pages  # noqa: PLC0415 heavy

            write_pages(coverage, Path(html))
        flows, rules = (self._config.getoption(name) for name in ("--flowkit-cover", "--flowkit-cover-rules"))
        little = any(100 * part.share < flows for part in coverage.processes.values()) or any(
            100 * part.share < rules for part in coverage.tables.values()
        )
        if session.exitstatus == 0 and little:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tell the coverage."""
        coverage = self.coverage
        if coverage is None:
            return
        terminalreporter.section("coverage of the diagrams")
        for key, part in sorted(coverage.processes.items()):
            terminalreporter.line(f"{key:24} {100 * part.share:6.1f} % of its flows and ends")
            _tell_missing(terminalreporter, part.missing)
        for key, table in sorted(coverage.tables.items()):
            terminalreporter.line(f"{key:24} {100 * table.share:6.1f} % of its rules")
            _tell_missing(terminalreporter, table.missing)


def _tell_missing(terminalreporter: Any, missing: list[str]) -> None:
    for name in missing[:10]:
        terminalreporter.line(f"    never: {name}")
    if len(missing) > 10:
        terminalreporter.line(f"    … and {len(missing) - 10} more")


def pytest_configure(config: pytest.Config) -> None:
    """Gather coverage in the process that reports."""
    if config.getoption("--flowkit") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Gatherer(config), "flowkit-coverage")


# ---- the fixture ----------------------------------------------------------------------------


@pytest.fixture
def play(request: pytest.FixtureRequest) -> Iterator[Callable[..., Player]]:
    """``play(folder, script)``: deploy a folder of diagrams into an engine in memory, play a script (a
    path, or its content) on a virtual clock, and give the player: its ``engine``, ``root`` instance,
    ``observer`` and ``handlers``. Raises ScriptFailed where the script's expectations don't hold."""
    from flowkit.engine import Engine, VirtualClock  # noqa: PLC0415 heavy
    from flowkit.tasks.library.deadlines import default_calendars  # noqa: PLC0415 heavy
    from flowkit.testing.player import Player  # noqa: PLC0415 heavy
    from flowkit.testing.script import Script, parse_script, read_script  # noqa: PLC0415 heavy

    engines: list[Engine] = []

    def run(folder: Path | str, script: Path | str | bytes | Mapping[str, Any]) -> Player:
        if isinstance(script, Mapping):
            plan = Script.model_validate(script)
        else:
            plan = parse_script(script) if isinstance(script, bytes) else read_script(script)
        handlers = _handlers(request.config, "memory:", Path(folder) / "templates")
        engine = Engine(tasks=handlers.registry, clock=VirtualClock(plan.now), calendars=default_calendars())
        engines.append(engine)
        engine.deploy(folder)
        player = Player(engine, plan, handlers=handlers)
        player.play()
        return player

    yield run
    for engine in engines:
        engine.close()


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """An engine in memory on a virtual clock, with ``deploy``, ``spy``, ``given``, ``when`` and ``then``:
    see :mod:`flowkit.testing.bench`. A failure draws the diagram into the test's ``tmp_path``."""
    from flowkit.testing.bench import Bench  # noqa: PLC0415 heavy

    made = Bench(lambda texts: _handlers(request.config, "memory:", texts), tmp_path)
    yield made
    made.close()


# ---- simulation -----------------------------------------------------------------------------


def pytest_assertrepr_compare(op: str, left: Any, right: Any) -> list[str] | None:
    """Tell a failed comparison of a simulated measure with its confidence."""
    if "flowkit.simulation.statistics" not in sys.modules:
        return None
    from flowkit.testing.estimates import explained  # noqa: PLC0415 heavy

    return explained(op, left, right)
