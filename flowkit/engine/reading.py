"""From files to what can be deployed: processes, decisions and forms, checked and compiled.

The DMN files of one deployment are read together, since they may import one another. A decision
whose file imports others is kept with them: its digest is that of all these files, and under that
digest the list of them is stored, so that it can be read again on its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from flowkit.bpmn import check_deployable
from flowkit.bpmn import parse as parse_bpmn
from flowkit.bpmn.references import uncallable
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity
from flowkit.kernel import compile_process

__all__ = ["Prepared", "digest_of", "prepare", "read_bundle", "read_one"]

Functions = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A definition found in a file, checked and compiled, not yet deployed.

    ``digest`` tells its content apart, ``resource`` is the digest of its file; ``bundle`` is not empty
    where the two differ because other files belong to it.
    """

    kind: str
    id: str
    name: str
    digest: str
    version_tag: str
    resource: str
    compiled: Any
    bundle: bytes = b""


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# ---- one file -------------------------------------------------------------------------------


def _read_bpmn(name: str, content: bytes, functions: Functions) -> list[Prepared]:
    definitions = parse_bpmn(content, file=name)
    check_deployable(definitions)
    resource = digest_of(content)
    found = []
    # A global task is called like a process, and compiled as one (BPMN 2.0.2, 10.3.3).
    runnable = [process.id for process in definitions.processes if process.is_executable]
    for identifier in (*runnable, *(task.id for task in definitions.global_tasks)):
        program = compile_process(definitions, identifier, functions=functions)
        tag = program.version_tag
        found.append(Prepared("process", identifier, program.name, program.digest, tag, resource, program))
    return found


def _read_dmn(name: str, content: bytes, functions: Functions) -> list[Prepared]:
    return _read_decisions({name: content}, functions)


def _read_form(name: str, content: bytes, functions: Functions) -> list[Prepared]:
    from flowkit.tasks.forms import read_form  # noqa: PLC0415 only where there are forms

    form = read_form(content, file=name)
    digest = digest_of(content)
    return [Prepared("form", form.id, form.title or form.id, digest, "", digest, form)]


_READERS: dict[str, Callable[[str, bytes, Functions], list[Prepared]]] = {
    ".bpmn": _read_bpmn,
    ".bpmn2": _read_bpmn,
    ".xml": _read_bpmn,
    ".dmn": _read_dmn,
    ".form": _read_form,
    ".json": _read_form,
}


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2].lower()


def read_one(name: str, content: bytes, functions: Functions) -> list[Prepared]:
    """What is in a file of a known kind; raises InvalidModel."""
    return _READERS[_suffix(name)](name, content, functions)


# ---- decisions ------------------------------------------------------------------------------


def _read_decisions(files: Mapping[str, bytes], functions: Functions) -> list[Prepared]:
    from flowkit import dmn  # noqa: PLC0415 only where there are decisions

    models = dmn.parse_files(files, functions=functions)
    problems = [
        finding
        for model in models.values()
        for finding in dmn.check(model)
        if finding.severity is Severity.ERROR
    ]
    if problems:
        raise InvalidModel(problems)
    names = {id(model): name for name, model in models.items()}
    found = []
    for name, model in models.items():
        resource = digest = digest_of(files[name])
        bundle = b""
        others = sorted(names[imported] for imported in _imported(model))
        if others:
            members = [(one, digest_of(files[one])) for one in (name, *others)]
            bundle = msgspec.json.encode(members)
            digest = digest_of(" ".join([members[0][1], *sorted(d for _, d in members[1:])]).encode())
        found += [
            Prepared(
                "decision", one.id, one.name, digest, one.version_tag, resource, model, bundle
            )
            for one in model.decisions.values()
        ]  # fmt: skip
    return found


def _imported(model: Any) -> set[int]:
    """The identities of the models that ``model`` imports, directly or through others."""
    seen: dict[int, Any] = {}
    waiting = list(model.imports.values())
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen[id(one)] = one
            waiting.extend(one.imports.values())
    return set(seen)


def read_bundle(
    bundle: bytes, content_of: Callable[[Iterable[str]], Mapping[str, bytes]], functions: Functions
) -> list[Prepared]:
    """The decisions of stored files that belong together; ``content_of`` gives contents by digest."""
    members = msgspec.json.decode(bundle, type=list[tuple[str, str]])
    contents = content_of(digest for _, digest in members)
    return _read_decisions({name: contents[digest] for name, digest in members}, functions)


# ---- all files ------------------------------------------------------------------------------


def prepare(files: Mapping[str, bytes], functions: Functions = None) -> list[Prepared]:
    """Read, check and compile ``files``; raises InvalidModel with the findings of all of them."""
    found: list[Prepared] = []
    problems: list[Finding] = []
    decisions = {name: content for name, content in sorted(files.items()) if _suffix(name) == ".dmn"}
    readings = [partial(_read_decisions, decisions, functions)] if decisions else []
    for name, content in sorted(files.items()):
        if _suffix(name) not in _READERS:
            text = f"expected a file ending in {', '.join(sorted(_READERS))}."
            problems.append(_refusal(name, "file-type", text, "Rename it, or leave it out."))
        elif name not in decisions:
            readings.append(partial(read_one, name, content, functions))
    for read in readings:
        try:
            found.extend(read())
        except InvalidModel as error:
            problems.extend(error.findings)
    problems.extend(_duplicates(found, files))
    problems.extend(uncallable(one.compiled.definitions for one in found if one.kind == "process"))
    if problems:
        raise InvalidModel(problems)
    return found


def _duplicates(found: list[Prepared], files: Mapping[str, bytes]) -> list[Finding]:
    names = {digest_of(content): name for name, content in files.items()}
    seen: dict[tuple[str, str], Prepared] = {}
    problems = []
    for item in found:
        other = seen.setdefault((item.kind, item.id), item)
        if other is not item:
            text = f"the {item.kind} {item.id!r} is also in {names[other.resource]}."
            problems.append(_refusal(names[item.resource], "duplicate-definition", text, "Keep one of them."))
    return problems


def _refusal(file: str, rule: str, message: str, hint: str) -> Finding:
    return Finding(rule, Severity.ERROR, Location(file), message, hint)
