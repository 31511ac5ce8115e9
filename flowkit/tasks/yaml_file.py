"""YAML files of users (settings, scripts): read safely, bounded, with errors that show the line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity

if TYPE_CHECKING:
    from yaml import SafeLoader as _SafeLoader
else:  # libyaml, where PyYAML was built with it, is some twenty times faster
    _SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

__all__ = ["MAX_BYTES", "parse_yaml", "read_yaml"]

MAX_BYTES = 1_000_000
MAX_ALIASES = 20
MAX_DEPTH = 100


def _refuse(file: str, message: str, mark: Any = None, hint: str = "", text: str = "") -> InvalidModel:
    place = Location(file, mark.line + 1, mark.column + 1) if mark is not None else Location(file)
    lines = text.splitlines()
    if lines and place.line > len(lines):  # libyaml tells the line behind the last one for the end
        place = Location(file, len(lines), len(lines[-1]) + 1)
    return InvalidModel([Finding("yaml", Severity.ERROR, place, message, hint)])


class _Loader(_SafeLoader):
    """Plain values; a key stands once; 10:30 is a text, and no number of minutes (as in YAML 1.1)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping; raises for a key that occurs twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} occurs twice", key.start_mark
                )
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _number(loader: _Loader, node: yaml.ScalarNode) -> Any:
    if ":" in str(node.value):
        return loader.construct_yaml_str(node)
    whole = node.tag.endswith(":int")
    return loader.construct_yaml_int(node) if whole else loader.construct_yaml_float(node)


for _tag in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _number)


def _check_events(text: str, file: str) -> None:
    """Refuse what grows when it is built: many aliases (a few of them can stand for billions of values)
    and deep nesting."""
    aliases = depth = 0
    for event in yaml.parse(text, Loader=_SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if aliases > MAX_ALIASES:
            raise _refuse(
                file, f"more than {MAX_ALIASES} YAML aliases", event.start_mark, "Write values out."
            )
        if depth > MAX_DEPTH:
            raise _refuse(file, f"nested deeper than {MAX_DEPTH} levels", event.start_mark)


def parse_yaml(data: bytes, *, file: str = "") -> Any:
    """The content of a YAML document, plain values only; raises InvalidModel for anything else."""
    if len(data) > MAX_BYTES:
        size = f"has {len(data):,} bytes, at most {MAX_BYTES:,} are read"
        raise _refuse(file, size, hint="Split the file.")
    try:
        text = data.decode("utf-8-sig")
        _check_events(text, file)
        return yaml.load(text, _Loader)
    except UnicodeDecodeError:
        raise _refuse(file, "this is not UTF-8 text") from None
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "unreadable"
        mark = getattr(error, "problem_mark", None)
        raise _refuse(file, f"this is no YAML: {problem}", mark, text=text) from None
    except (ValueError, RecursionError) as error:  # a date or number that does not exist
        raise _refuse(file, f"this is no YAML: {error}") from None


def read_yaml(path: Path) -> Any:
    """Like :func:`parse_yaml`, from a file."""
    return parse_yaml(path.read_bytes(), file=str(path))
