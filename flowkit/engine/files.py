"""What can be deployed: files, folders of files, or contents by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flowkit.errors import NotFound

__all__ = ["IN_FOLDERS", "collect", "models_in"]

IN_FOLDERS = (".bpmn", ".bpmn2", ".dmn", ".form")
"""What a folder is searched for; a JSON Schema counts as a form when it lies in a folder *forms*."""


def collect(sources: tuple[str | os.PathLike[str] | Mapping[str, bytes], ...]) -> dict[str, bytes]:
    """The contents by name; raises NotFound for a path that is not there, or a folder without
    any, TypeError for a content that is not bytes."""
    files: dict[str, bytes] = {}
    for source in sources:
        if isinstance(source, Mapping):
            files.update(_contents(source))
            continue
        path = Path(source)
        if path.is_dir():
            found = models_in(path)
            if not found:
                raise NotFound(f"Nothing to deploy in {path}: expected files {', '.join(IN_FOLDERS)}.")
            files.update({str(file): file.read_bytes() for file in found})
        elif path.is_file():
            files[str(path)] = path.read_bytes()
        else:
            raise NotFound(f"There is no file or folder {path}.")
    if not files:
        raise NotFound("Nothing to deploy: name a file, a folder, or a mapping of names to contents.")
    return files


def _contents(given: Mapping[str, bytes]) -> Mapping[str, bytes]:
    found = {}
    for name, content in given.items():
        if not isinstance(name, str) or not isinstance(content, bytes | bytearray | memoryview):
            raise TypeError(
                f"Expected contents as bytes by name, found {type(content).__name__} for {name!r:.80}: a text"
                " declares its own encoding, so read the file as bytes, or encode() it as it declares."
            )
        found[name] = bytes(content)
    return found


def models_in(folder: Path) -> list[Path]:
    """The files of a folder, and of those below it, that are deployed with it; in order."""
    return sorted(file for file in folder.rglob("*") if _belongs(file))


def _belongs(file: Path) -> bool:
    suffix = file.suffix.lower()
    return file.is_file() and (suffix in IN_FOLDERS or (suffix == ".json" and file.parent.name == "forms"))
