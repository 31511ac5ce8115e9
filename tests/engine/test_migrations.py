"""Databases of every schema version open with this one, and what is in them goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flowkit.engine import Engine, VirtualClock
from flowkit.engine.sql import migrations
from flowkit.engine.sql.schema import SCHEMA_VERSION, ddl
from flowkit.engine.store import Session
from flowkit.errors import StoreUnavailable
from tests.engine import recorded

DIALECTS = ["sqlite", "postgresql"]
HOW = "Record it (python -m tests.engine.recorded); if the version was released, raise SCHEMA_VERSION first."


@pytest.fixture
def empty(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if dialect == "sqlite":
        return f"sqlite:///{tmp_path}/flowkit.db"
    url: str = request.getfixturevalue("cluster").new_database()
    return url


@pytest.fixture
def working() -> Iterator[None]:
    """What was recorded as undeliverable can be delivered."""
    recorded.BROKEN["wires"] = False
    yield
    recorded.BROKEN["wires"] = True


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_present_schema_is_recorded(dialect: str) -> None:
    path = recorded.recordings(dialect).get(SCHEMA_VERSION)
    assert path is not None, f"There is no recording of schema version {SCHEMA_VERSION}. {HOW}"
    present = ddl(dialect)
    assert recorded.statements(path)[: len(present)] == present, f"The schema has changed. {HOW}"


@pytest.mark.parametrize(
    ("dialect", "version"), [(dialect, v) for dialect in DIALECTS for v in recorded.recordings(dialect)]
)
@pytest.mark.usefixtures("working")
def test_an_old_database_goes_on(dialect: str, version: int, empty: str) -> None:
    recorded.load(recorded.recordings(dialect)[version], empty)
    clock = VirtualClock()
    with Engine(empty, tasks=recorded.HANDLERS, clock=clock) as engine:
        with engine.store.reader() as session:
            assert migrations.schema_version(session) == SCHEMA_VERSION
        [case] = engine.instances("main", business_key="WO-1")
        assert sorted(case.active_elements) == sorted(["nobody", "fail", "ask", "wait", "paid", "c"])
        assert sorted(one.kind for one in engine.incidents()) == ["job", "outbox"]
        for incident in engine.incidents():
            engine.resolve(incident)
        engine.run_until_idle()
        assert engine.incidents() == engine.outbox() == []
        assert engine.publish("paid", "WO-1") == [case.id]
        assert engine.publish("paid", "WO-1", message_id="m-1") == []
        engine.complete_job(engine.jobs(case.id, type="nobody")[0])
        [suspended] = engine.instances(status="suspended")
        assert len(suspended.variables["text"]) == 4200
        engine.resume(suspended.id)
        for todo in [*engine.tasks(group="客服"), *engine.tasks(element="inside")]:
            engine.complete(todo)
        engine.advance(timedelta(hours=1))
        assert {view.status for view in engine.instances()} == {"completed"}
        assert engine.instance(case.id).variables == {"order": "WO-1", "n": 1}
        assert engine.history(case.id)[0].seq == 0
        early = engine.start("main", {"order": "WO-2"})
        assert "paid" not in engine.instance(early).active_elements  # its message had been kept
        engine.advance(timedelta(days=7))
        assert len(engine.instances("clock")) == 1


def to_two(session: Session) -> None:
    session.run("CREATE TABLE flowkit_new (name TEXT)")
    session.run("INSERT INTO flowkit_new SELECT business_key FROM flowkit_instance WHERE process='main'")


def broken(session: Session) -> None:
    to_two(session)
    raise StoreUnavailable("the disk is full")


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Session], None]], None]:
    """Makes this flowkit one of the next schema version, with a step that leads there."""

    def raised(step: Callable[[Session], None]) -> None:
        monkeypatch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        monkeypatch.setattr(migrations, "MIGRATIONS", {**migrations.MIGRATIONS, SCHEMA_VERSION: step})

    return raised


def version_of(url: str, monkeypatch: pytest.MonkeyPatch) -> int:
    from flowkit.engine.store import open_store  # noqa: PLC0415

    monkeypatch.undo()
    store = open_store(url)
    with store.reader() as session:
        found = migrations.schema_version(session)
    store.close()
    return found


NextVersion = Callable[[Callable[[Session], None]], None]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_migration_that_fails_has_changed_nothing(
    dialect: str, empty: str, next_version: NextVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.load(recorded.recordings(dialect)[SCHEMA_VERSION], empty)
    next_version(broken)
    with pytest.raises(StoreUnavailable, match="disk is full"):
        Engine(empty)
    assert version_of(empty, monkeypatch) == SCHEMA_VERSION
    next_version(to_two)  # the table of the failed attempt is not in the way
    with Engine(empty) as engine, engine.store.reader() as session:
        assert session.query("SELECT name FROM flowkit_new") == [("WO-1",)]
    monkeypatch.undo()
    with pytest.raises(StoreUnavailable, match=f"knows up to {SCHEMA_VERSION}"):
        Engine(empty)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("fresh", [True, False])
def test_engines_that_open_at_once_migrate_once(
    dialect: str, fresh: bool, empty: str, next_version: NextVersion
) -> None:
    if not fresh:
        recorded.load(recorded.recordings(dialect)[SCHEMA_VERSION], empty)
    runs: list[int] = []

    def step(session: Session) -> None:
        runs.append(1)
        to_two(session)

    next_version(step)
    begin = threading.Barrier(4)
    errors: list[BaseException] = []

    def work() -> None:
        begin.wait()
        try:
            with Engine(empty) as engine:
                assert len(engine.instances()) == (0 if fresh else 4)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(runs) == (0 if fresh else 1)
