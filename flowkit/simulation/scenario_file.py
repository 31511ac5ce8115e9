"""Reading scenario files: YAML, and what they extend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from flowkit.errors import InvalidPayload
from flowkit.simulation.scenario import Scenario, scenario_from

__all__ = ["load_scenario"]

MAX_FILE = 4_000_000
MAX_EXTENDS = 8


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario file (YAML), with what it ``extends``. Raises InvalidPayload."""
    file = Path(path)
    data = _read(file, ())
    scenario = scenario_from(data, file=str(file))
    scenario._directory = file.parent
    return scenario


def _read(file: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if file.resolve() in seen or len(seen) >= MAX_EXTENDS:
        raise InvalidPayload(f"{file}: 'extends' goes in circles or is deeper than {MAX_EXTENDS}")
    try:
        if file.stat().st_size > MAX_FILE:
            raise InvalidPayload(f"{file} is larger than {MAX_FILE:,} bytes; a scenario is smaller")
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidPayload(f"{file} can't be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidPayload(f"{file} is not YAML: {error}") from None
    if not isinstance(data, dict):
        raise InvalidPayload(f"{file} is not a scenario: a mapping was expected, found {type(data).__name__}")
    about = data.get("scenario")
    parent = about.get("extends") if isinstance(about, dict) else None
    if not parent:
        return data
    base_file = file.parent / str(parent)
    base = _read(base_file, (*seen, file.resolve()))
    return _merge(_rebase(base, base_file.parent, file.parent), data)


def _rebase(base: dict[str, Any], origin: Path, target: Path) -> dict[str, Any]:
    """Paths of an extended file stay relative to that file."""
    if origin.resolve() == target.resolve() or not isinstance(base.get("model"), dict):
        return base
    model = dict(base["model"])
    for key in ("bpmn", "decisions"):
        if key in model:
            files = [model[key]] if isinstance(model[key], str) else model[key]
            model[key] = [str((origin / name).resolve()) for name in files]
    return {**base, "model": model}


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged, everything else is replaced; a distribution is replaced as a whole."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping) and key not in _WHOLE:
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


_WHOLE = {
    "interarrival",
    "processing_time",
    "delay",
    "patience",
    "every",
    "repair",
    "resources",
    "probabilities",
    "stop",
}
