"""The laws of the house: which layer may import which, what is pure, and that the tables are complete."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import flowkit
from flowkit import errors
from flowkit.bpmn import model
from flowkit.engine.effects import REACTIONS
from flowkit.engine.projections import PROJECTIONS
from flowkit.kernel import protocol
from flowkit.kernel.behaviours import BEHAVIOURS
from flowkit.kernel.commands import COMMAND_TABLE
from flowkit.kernel.effects import EFFECTS
from flowkit.kernel.evolve import EVOLVE

ROOT = Path(__file__).parent.parent / "flowkit"

LAYERS: dict[str, float] = {
    "findings": 0,
    "errors": 0.5,
    "values": 0,
    "feel": 1,
    "timers": 2,
    "bpmn": 3,
    "dmn": 3,
    "kernel": 4,
    "tasks": 4,
    "engine": 5,
    "simulation": 6,
    "testing": 6.5,
    "export": 5.5,
    "adapters": 6,
    "soundness": 5.5,
    "web": 6,
    "cli": 7,
}
"""A module may import its own package and those with a smaller number."""

PURE = ("errors", "findings", "values", "feel", "timers", "bpmn", "dmn", "kernel")

IMPURE_MODULES = frozenset(
    [
        "asyncio",
        "ctypes",
        "http",
        "importlib",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    ]
)
IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "breakpoint"})


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT.parent).with_suffix("").as_posix().replace("/", ".")


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def imports_of(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_left_only(path: Path) -> None:
    """A layer never imports one to its right, nor its neighbour."""
    here = package_of(path)
    if here in ("__init__", "__main__"):
        pytest.skip("the package's own door may open every room")
    assert here in LAYERS, f"give flowkit/{here} its place in LAYERS"
    for name, line in imports_of(ast.parse(path.read_text("utf-8"))):
        parts = name.split(".")
        if parts[0] != "flowkit" or len(parts) < 2 or parts[1] == here:
            continue
        there = parts[1]
        assert there in LAYERS, f"{path}:{line}: unknown package flowkit.{there}"
        assert LAYERS[there] < LAYERS[here], f"{path}:{line}: {here} may not import {there}"


@pytest.mark.parametrize("path", [m for m in modules() if package_of(m) in PURE], ids=name_of)
def test_pure_layers_reach_nothing_outside(path: Path) -> None:
    """No file, socket, thread, logger, clock, randomness or environment up to the kernel."""
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    prints = 'if __name__ == "__main__":' in source
    for name, line in imports_of(tree):
        if name.split(".")[0] == "sys" and prints:
            continue  # a table that prints its own documentation page when run as a script
        assert name.split(".")[0] not in IMPURE_MODULES, f"{path}:{line}: imports {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            generator = node.func.id == "exec" and package_of(path) == "feel"
            assert generator or node.func.id not in IMPURE_CALLS, (
                f"{path}:{node.lineno}: calls {node.func.id}"
            )
        if isinstance(node, ast.Attribute) and node.attr in ("utcnow", "today"):
            assert not isinstance(node.value, ast.Name) or node.value.id not in ("datetime", "date"), (
                f"{path}:{node.lineno}: asks the clock"
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "now":
            owner = node.func.value
            assert not (isinstance(owner, ast.Name) and owner.id == "datetime"), (
                f"{path}:{node.lineno}: asks the clock"
            )


def test_every_event_has_exactly_one_way_to_change_state() -> None:
    assert set(EVOLVE) == set(protocol.EVENTS)


def test_every_command_is_carried_out() -> None:
    assert set(COMMAND_TABLE) == set(protocol.COMMANDS)


def test_every_effect_is_acted_on_by_the_engine_and_nothing_else_is() -> None:
    """An effect has rows that follow from it, or an answer; what only is history has neither."""
    assert set(PROJECTIONS) | set(REACTIONS) == EFFECTS
    assert set(protocol.EVENTS) >= EFFECTS


def test_every_flow_node_of_the_model_has_one_behaviour() -> None:
    """The concrete flow nodes of BPMN are exactly the keys of the table of behaviours."""
    abstract = {
        model.FlowNode,
        model.Gateway,
        model.Event,
        model.CatchEvent,
        model.ThrowEvent,
        model.Activity,
    }
    concrete = {
        value
        for value in vars(model).values()
        if isinstance(value, type) and issubclass(value, model.FlowNode) and value not in abstract
    }
    assert concrete == set(BEHAVIOURS)


def test_only_evolve_writes_state() -> None:
    """No kernel module but ``evolve`` assigns to an attribute of tokens, scopes, waits or instances."""
    allowed = {"evolve.py", "frame.py"}
    for path in (ROOT / "kernel").rglob("*.py"):
        if path.name in allowed or path.name.startswith("compile"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            targets = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AugAssign | ast.AnnAssign):
                targets = [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute):
                    owner = target.value
                    own = isinstance(owner, ast.Name) and owner.id == "self"
                    assert own, f"{path}:{node.lineno}: only evolve writes state"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_rooms_stay_small(path: Path) -> None:
    """A module of more than 900 lines is certainly two ideas (the vocabularies are the longest)."""
    assert len(path.read_text("utf-8").splitlines()) <= 900


def test_a_first_step_needs_no_network_library_and_no_large_package() -> None:
    heavy = ("urllib.request", "ssl", "asyncio", "pydantic", "lxml", "yaml", "jsonschema", "sqlalchemy")
    program = f"import sys, flowkit.bpmn, flowkit.kernel; print(*(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_the_module_itself_has_what_its_users_name_and_costs_nothing() -> None:
    """Every error that flowkit raises on purpose can be caught by its name in ``flowkit``, and importing
    ``flowkit`` imports nothing of it."""
    assert set(errors.__all__) <= set(flowkit.__all__)
    assert set(flowkit.__all__) == {*flowkit._HOMES, "__version__"}
    for name in flowkit.__all__:
        assert getattr(flowkit, name) is not None
    loaded = "import sys, flowkit; print(*(m for m in sys.modules if m.startswith('flowkit.')))"
    done = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
