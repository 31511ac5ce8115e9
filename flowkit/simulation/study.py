"""What is simulated: a scenario with the files it needs, read once and sent to every process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from flowkit.bpmn import model as m
from flowkit.bpmn import parse
from flowkit.errors import FlowkitError, InvalidModel, InvalidPayload
from flowkit.simulation.scenario import Scenario, scenario_from
from flowkit.simulation.scenario_file import load_scenario

__all__ = ["Study", "open_study"]

MAX_FILE = 20_000_000


@dataclass(frozen=True)
class Study:
    """``files`` are the BPMN files by name, the simulated one first; ``decisions`` the DMN files."""

    scenario: Scenario
    files: tuple[tuple[str, bytes], ...]
    decisions: tuple[tuple[str, bytes], ...] = ()
    notes: tuple[str, ...] = ()

    def with_changes(self, changes: Mapping[str, Any]) -> Study:
        """The same files under a changed scenario."""
        return replace(self, scenario=self.scenario.with_changes(changes))

    def definitions(self) -> list[m.Definitions]:
        """The files, parsed. Raises InvalidModel."""
        return [_parsed(name, data) for name, data in self.files]


@lru_cache(maxsize=64)
def _parsed(name: str, data: bytes) -> m.Definitions:
    """Definitions are frozen, and a folder of diagrams that call each other is looked at many times."""
    return parse(data, file=name)


def open_study(source: str | Path | Scenario | Study | Mapping[str, Any]) -> Study:
    """A study from a BPMN file, a scenario file, a scenario, or plain data.

    A diagram's neighbours (``*.bpmn``, ``*.dmn`` and ``decisions/*.dmn`` in its folder) are used where it
    calls them. Raises InvalidPayload when a file is missing or not what it should be.
    """
    if isinstance(source, Study):
        return source
    if isinstance(source, Mapping):
        source = scenario_from(source)
    if isinstance(source, str | Path):
        path = Path(source)
        if path.suffix.lower() in {".bpmn", ".xml"}:
            scenario = Scenario.model_validate({"model": {"bpmn": [path.name]}})
            scenario._directory = path.parent
            source = scenario
        elif path.suffix.lower() in {".yaml", ".yml", ".json"}:
            source = load_scenario(path)
        else:
            raise InvalidPayload(f"{path}: a .bpmn diagram or a .yaml scenario was expected")
    return _collect(source)


def _collect(scenario: Scenario) -> Study:
    if not scenario.model.bpmn:
        raise InvalidPayload("the scenario names no diagram: add model: {bpmn: file.bpmn}")
    given = [scenario.directory / name for name in scenario.model.bpmn]
    files = [(path.name, _read(path)) for path in given]
    called, wanted = _called_from(files)
    notes: list[str] = []
    neighbours = _neighbours(given, "*.bpmn")
    while called:
        found = _find_process(called, neighbours, files, notes)
        if found is None:
            break
        files.append(found)
        called, wanted = _called_from(files)
    decisions = [
        (path.name, _read(path)) for path in (scenario.directory / n for n in scenario.model.decisions)
    ]
    if wanted and not decisions:
        folders = [*given, *(path.parent / "decisions" / "x" for path in given)]
        decisions = [(path.name, _read(path)) for path in _neighbours(folders, "*.dmn")]
    return Study(scenario, tuple(files), tuple(decisions), tuple(notes))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE:
            raise InvalidPayload(f"{path} is larger than {MAX_FILE:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise InvalidPayload(f"{path} can't be read: {error.strerror}") from None


def _neighbours(files: Iterable[Path], pattern: str) -> list[Path]:
    seen = {path.resolve() for path in files}
    folders = dict.fromkeys(path.parent for path in files)
    return [
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.glob(pattern))
        if path.resolve() not in seen
    ]


def _called_from(files: list[tuple[str, bytes]]) -> tuple[set[str], bool]:
    """The processes that are called and not there, and whether decisions are called."""
    there: set[str] = set()
    called: set[str] = set()
    decisions = False
    for name, data in files:
        for process in _parsed(name, data).processes:
            there.add(process.id)
            for node in nodes_of(process):
                if node.extensions.called_decision is not None:
                    decisions = True
                if isinstance(node, m.CallActivity):
                    called.add(called_process(node))
    return {name for name in called - there if name and not name.startswith("=")}, decisions


def nodes_of(container: m.FlowElementsContainer) -> Iterable[m.FlowNode]:
    """Every flow node in the container, those of subprocesses included."""
    for node in container.nodes:
        yield node
        if isinstance(node, m.SubProcess):
            yield from nodes_of(node)


def called_process(node: m.CallActivity) -> str:
    """The id of the process that is called, or a FEEL text that gives it."""
    extension = node.extensions.called_element
    return extension.process_id if extension is not None else node.called_element


def _find_process(
    called: set[str], neighbours: list[Path], files: list[tuple[str, bytes]], notes: list[str]
) -> tuple[str, bytes] | None:
    """A neighbour that holds one of the called processes."""
    known = {name for name, _ in files}
    for path in neighbours:
        if path.name in known:
            continue
        data = _read(path)
        try:
            there = {process.id for process in _parsed(path.name, data).processes}
        except (InvalidModel, FlowkitError):
            continue
        if there & called:
            notes.append(f"{path.name} is used for the called process {', '.join(sorted(there & called))}.")
            return path.name, data
    return None
