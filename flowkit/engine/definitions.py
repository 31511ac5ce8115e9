"""Deployed definitions: processes, decisions and forms, versioned by content.

A version never changes and is never reused; what is deployed again unchanged keeps its version.
Instances run on the version that they were started with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from flowkit.bpmn.references import Reference, missing_definitions
from flowkit.engine.border import MOST
from flowkit.engine.clock import micros
from flowkit.engine.reading import Prepared, digest_of, prepare, read_bundle, read_one
from flowkit.engine.sql.schema import DEFINITION, DEPLOYMENT, MEMBER, RESOURCE
from flowkit.engine.store import Session
from flowkit.engine.triggers import arm_triggers
from flowkit.engine.views import DefinitionView, Deployment
from flowkit.errors import NotFound
from flowkit.findings import Finding
from flowkit.kernel import Program

if TYPE_CHECKING:
    from flowkit.engine.unit import Unit

__all__ = ["Definitions", "Version"]

BUNDLE = "files"
"""The name under which the list of the files of a decision with imports is stored."""

_COLUMNS = "kind, id, version, name, digest, version_tag, deployment, resource, at"
_SELECT = f"SELECT {_COLUMNS} FROM {DEFINITION.name} "


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a definition. ``kind``: process, decision or form."""

    kind: str
    id: str
    number: int
    name: str
    digest: str
    version_tag: str
    deployment: str
    resource: str
    at: int


class Definitions:
    """Looks definitions up and keeps what was compiled; safe for many threads."""

    def __init__(self, functions: Mapping[str, Any] | None = None) -> None:
        self._functions = functions
        self._compiled: dict[tuple[str, str], Any] = {}

    # ---- looking up -------------------------------------------------------------------------

    def latest(self, session: Session, kind: str, definition_id: str) -> Version:
        """The newest version; raises NotFound."""
        sql = _SELECT + "WHERE kind=? AND id=? ORDER BY version DESC LIMIT 1"
        return self._one(session, sql, (kind, definition_id), f"{kind} {definition_id!r}")

    def numbered(self, session: Session, kind: str, definition_id: str, number: int) -> Version:
        """The version with this number; raises NotFound."""
        sql = _SELECT + "WHERE kind=? AND id=? AND version=?"
        if not 0 < number <= MOST:
            raise NotFound(f"{kind} {definition_id!r} has no version of that number: versions begin at 1.")
        what = f"version {number} of {kind} {definition_id!r}"
        return self._one(session, sql, (kind, definition_id, number), what)

    def with_digest(self, session: Session, kind: str, digest: str) -> Version:
        """The newest version with this content; raises NotFound."""
        sql = _SELECT + "WHERE kind=? AND digest=? ORDER BY version DESC LIMIT 1"
        return self._one(session, sql, (kind, digest), f"{kind} with digest {digest}")

    def bound(
        self, session: Session, kind: str, definition_id: str, binding: str, version_tag: str, deployment: str
    ) -> Version:
        """What a reference means: *latest*, the one of the same *deployment*, or the newest with the
        *versionTag*. Raises NotFound."""
        if binding == "deployment":
            sql = (
                f"SELECT {', '.join(f'd.{name.strip()}' for name in _COLUMNS.split(','))} "
                f"FROM {DEFINITION.name} d JOIN {MEMBER.name} m "
                "ON d.kind=m.kind AND d.id=m.id AND d.version=m.version "
                "WHERE m.deployment=? AND m.kind=? AND m.id=?"
            )
            what = f"{kind} {definition_id!r} in the caller's deployment"
            return self._one(session, sql, (deployment, kind, definition_id), what)
        if binding == "versionTag":
            sql = _SELECT + "WHERE kind=? AND id=? AND version_tag=? ORDER BY version DESC LIMIT 1"
            what = f"{kind} {definition_id!r} with version tag {version_tag!r}"
            return self._one(session, sql, (kind, definition_id, version_tag), what)
        return self.latest(session, kind, definition_id)

    def _one(self, session: Session, sql: str, parameters: tuple[Any, ...], what: str) -> Version:
        rows = session.query(sql, parameters)
        if not rows:
            raise NotFound(f"There is no {what}; deploy it first.")
        return Version(*rows[0])

    def all(self, session: Session, kind: str | None = None) -> list[DefinitionView]:
        """Every version, oldest first."""
        where, parameters = ("WHERE kind=? ", (kind,)) if kind else ("", ())
        rows = session.query(_SELECT + where + "ORDER BY kind, id, version", parameters)
        return [_view(Version(*row)) for row in rows]

    # ---- compiled things --------------------------------------------------------------------

    def program(self, session: Session, digest: str) -> Program:
        """The program with this digest; raises NotFound."""
        found: Program = self._get(session, "process", digest)
        return found

    def decisions(self, session: Session, version: Version) -> Any:
        """The DMN model that a decision version is in."""
        return self._get(session, "decision", version.digest)

    def form(self, session: Session, version: Version) -> Any:
        """The form of a form version."""
        return self._get(session, "form", version.digest)

    def _get(self, session: Session, kind: str, digest: str) -> Any:
        found = self._compiled.get((kind, digest))
        if found is None:
            sql = (
                f"SELECT r.name, r.content FROM {DEFINITION.name} d JOIN {RESOURCE.name} r "
                "ON r.digest=d.resource WHERE d.kind=? AND d.digest=? LIMIT 1"
            )
            rows = session.query(sql, (kind, digest))
            if not rows:
                raise NotFound(f"There is no {kind} with digest {digest}.")
            name, content = rows[0]
            bundle = _contents(session, [digest])
            if bundle and digest != digest_of(bytes(content)):
                read = read_bundle(bundle[digest], partial(_contents, session), self._functions)
            else:
                read = read_one(name, bytes(content), self._functions)
            for prepared in read:
                self._compiled[kind, prepared.digest] = prepared.compiled
            found = self._compiled[kind, digest]
        return found

    # ---- deployment -------------------------------------------------------------------------

    def check(self, files: Mapping[str, bytes]) -> list[Prepared]:
        """Read, check and compile ``files``; raises InvalidModel with the findings of all of them."""
        return prepare(files, self._functions)

    def deploy(self, unit: Unit, files: Mapping[str, bytes], prepared: list[Prepared]) -> Deployment:
        """Store what :meth:`check` gave; new content becomes a new version."""
        session = unit.read()
        self._lock(unit, session)
        unit.batch.newest.clear()
        deployment = unit.parts.new_id(unit.now)
        session = unit.write()
        session.run(DEPLOYMENT.insert, (deployment, unit.at))
        stored = {digest_of(content): (name, content) for name, content in reversed(list(files.items()))}
        stored |= {item.digest: (BUNDLE, item.bundle) for item in prepared if item.bundle}
        for digest, (name, content) in stored.items():
            if not session.query(f"SELECT 1 FROM {RESOURCE.name} WHERE digest=?", (digest,)):
                session.run(RESOURCE.insert, (digest, name, content))
        versions = [self._version(unit, session, deployment, item) for item in prepared]
        for item, (version, new) in zip(prepared, versions, strict=True):
            session.run(MEMBER.insert, (deployment, version.kind, version.id, version.number))
            if new and item.kind == "process":
                arm_triggers(unit, session, item.compiled)
        views = tuple(_view(version) for version, _new in versions)
        warnings = self._unanswered(session, deployment, prepared)
        return Deployment(deployment, unit.now, views, tuple(warnings))

    def _unanswered(self, session: Session, deployment: str, prepared: list[Prepared]) -> list[Finding]:
        """What the diagrams call that is neither in this deployment nor in an earlier one."""

        def exists(kind: str, wanted: Reference) -> bool:
            try:
                self.bound(session, kind, wanted.id, wanted.binding, wanted.version_tag, deployment)
            except NotFound:
                return False
            return True

        files = {item.resource: item.compiled.definitions for item in prepared if item.kind == "process"}
        return missing_definitions(files.values(), exists)

    def _lock(self, unit: Unit, session: Session) -> None:
        unit.parts.store.serialise(session, "flowkit:deploy")

    def _version(self, unit: Unit, session: Session, deployment: str, item: Prepared) -> tuple[Version, bool]:
        """The version of ``item``, and whether it is new. The newest with equal content is kept."""
        rows = session.query(
            _SELECT + "WHERE kind=? AND id=? ORDER BY version DESC LIMIT 1", (item.kind, item.id)
        )
        newest = Version(*rows[0]) if rows else None
        self._compiled[item.kind, item.digest] = item.compiled
        if newest is not None and newest.digest == item.digest and newest.resource == item.resource:
            return newest, False
        number = newest.number + 1 if newest else 1
        version = Version(
            item.kind, item.id, number, item.name, item.digest, item.version_tag, deployment,
            item.resource, micros(unit.now),
        )  # fmt: skip
        session.run(
            DEFINITION.insert,
            (
                version.kind, version.id, version.number, version.name, version.digest,
                version.version_tag, version.deployment, version.resource, version.at,
            ),
        )  # fmt: skip
        return version, True


def _contents(session: Session, digests: Iterable[str]) -> dict[str, bytes]:
    """The stored contents by digest; those that are not there are left out."""
    found = {}
    for digest in digests:
        for (content,) in session.query(f"SELECT content FROM {RESOURCE.name} WHERE digest=?", (digest,)):
            found[digest] = bytes(content)
    return found


def _view(version: Version) -> DefinitionView:
    return DefinitionView(
        version.kind, version.id, version.number, version.name, version.version_tag, version.digest
    )
