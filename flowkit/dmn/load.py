"""From bytes to models: one file, or the files of a deployment that import one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flowkit.dmn.decide import DecisionModel
from flowkit.dmn.model import Definitions, Import
from flowkit.dmn.read import read_definitions
from flowkit.dmn.texts import Functions
from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity

__all__ = ["Imports", "parse", "parse_files"]

Imports = Mapping[str, DecisionModel] | Callable[[Import], DecisionModel | None]
"""Where imported models come from: by namespace, or a function of the import."""

Read = tuple[Definitions, tuple[Finding, ...]]


def parse(
    data: bytes,
    *,
    file: str = "",
    imports: Imports = MappingProxyType({}),
    functions: Functions = None,
) -> DecisionModel:
    """The model in ``data``, a DMN 1.1 to 1.5 file called ``file`` in messages.

    ``functions`` are the host's additions to FEEL. Raises :class:`~flowkit.errors.InvalidModel` for
    what can't be read at all: malformed or hostile XML, unknown elements, missing parts, missing
    imports. Use :func:`~flowkit.dmn.check` to learn whether what was read may be deployed.
    """
    try:
        return _build(read_definitions(data, file), imports, functions)
    except RecursionError:
        raise InvalidModel([_too_deep(file)]) from None


def parse_files(files: Mapping[str, bytes], *, functions: Functions = None) -> dict[str, DecisionModel]:
    """The models of several files by file name; they find the models that they import among themselves.

    An import is found by its namespace, or by its locationURI where several files share a
    namespace. Raises :class:`~flowkit.errors.InvalidModel` with what is wrong in all the files.
    """
    read: dict[str, Read] = {}
    problems: list[Finding] = []
    for file, data in files.items():
        try:
            read[file] = read_definitions(data, file)
        except InvalidModel as refused:
            problems.extend(refused.findings)
    built: dict[str, DecisionModel] = {}
    waiting = dict(read)
    while waiting:
        ready = [file for file in waiting if _sources(file, read).isdisjoint(waiting)]
        for file in ready:
            try:
                built[file] = _build(waiting.pop(file), _finder(file, read, built), functions)
            except InvalidModel as refused:
                problems.extend(refused.findings)
            except RecursionError:
                problems.append(_too_deep(file))
        if not ready:
            problems.extend(_circle(file, read, waiting) for file in waiting)
            break
    if problems:
        raise InvalidModel(problems)
    return {file: built[file] for file in files}


def _source(file: str, wanted: Import, read: Mapping[str, Read]) -> str | None:
    """The file that an import of ``file`` means, if there is exactly one."""
    found = [other for other in read if other != file and read[other][0].namespace == wanted.namespace]
    if len(found) > 1:
        name = wanted.location_uri.rpartition("/")[2]
        found = [other for other in found if other.rpartition("/")[2] == name]
    return found[0] if len(found) == 1 else None


def _sources(file: str, read: Mapping[str, Read]) -> set[str]:
    found = (_source(file, one, read) for one in read[file][0].imports)
    return {one for one in found if one is not None}


def _finder(
    file: str, read: Mapping[str, Read], built: Mapping[str, DecisionModel]
) -> Callable[[Import], DecisionModel | None]:
    def find(wanted: Import) -> DecisionModel | None:
        source = _source(file, wanted, read)
        return None if source is None else built.get(source)

    return find


def _circle(file: str, read: Mapping[str, Read], waiting: Mapping[str, Read]) -> Finding:
    others = ", ".join(sorted(_sources(file, read) & waiting.keys()))
    return Finding(
        "import-cycle",
        Severity.ERROR,
        Location(file),
        f"It imports {others}, and is imported in turn, so neither can be read first.",
        "Move what both need into a third file.",
    )


def _too_deep(file: str) -> Finding:
    message = "Types or expressions refer to one another in a chain that is too long."
    hint = "Shorten the chain of item definitions."
    return Finding("too-deep", Severity.ERROR, Location(file), message, hint)


def _build(read: Read, imports: Imports, functions: Functions) -> DecisionModel:
    definitions, warnings = read
    found: dict[str, DecisionModel] = {}
    problems: list[Finding] = []
    for one in definitions.imports:
        model = imports.get(one.namespace) if isinstance(imports, Mapping) else imports(one)
        if model is not None:
            found[one.namespace] = model
        else:
            problems.append(_missing(one))
    if problems:
        raise InvalidModel(problems)
    return DecisionModel(definitions, found, warnings, functions)


def _missing(one: Import) -> Finding:
    if one.import_type and "DMN" not in one.import_type.upper():
        return Finding(
            "import-type",
            Severity.ERROR,
            one.location,
            f"The import '{one.name}' is of type '{one.import_type}'; flowkit imports only DMN.",
            "Rewrite what it brings as item definitions or business knowledge models.",
        )
    return Finding(
        "missing-import",
        Severity.ERROR,
        one.location,
        f"The imported model '{one.name}' ({one.namespace}) is not there, or there are several.",
        "Deploy it together with this model; name its file as locationURI if several share the namespace.",
    )
