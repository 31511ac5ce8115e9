"""What every store promises: isolation between commands, between engines, and with the application."""

from __future__ import annotations

import select
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy

from flowkit.engine import Engine, VirtualClock, Worker
from flowkit.engine.sql.postgresql import PostgreSQLStore
from flowkit.engine.sql.schema import SCHEMA_VERSION
from flowkit.engine.store import WriteConflict, open_store
from flowkit.errors import Conflict, NotFound, StoreUnavailable
from flowkit.tasks import task
from tests.engine.diagrams import (
    catch,
    element,
    file,
    message,
    on_message,
    process,
    row,
    service,
    user,
)
from tests.engine.steps import Held

Make = Callable[..., Engine]


def in_threads(count: int, action: Callable[[int], None]) -> None:
    """Run ``action`` in threads that begin together; raises what one of them raised."""
    begin = threading.Barrier(count)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        begin.wait()
        try:
            action(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_share_an_engine(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    cases: list[str] = []

    def work(number: int) -> None:
        case = engine.start("p", {"number": number})
        engine.complete(engine.tasks(case)[0], {"done": number})
        cases.append(case)

    in_threads(8, work)
    found = [engine.instance(case).variables for case in cases]
    assert sorted(view["number"] for view in found) == list(range(8))
    assert all(view["done"] == view["number"] for view in found)


def test_one_failing_unit_of_a_group_undoes_only_itself(make: Make) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    case = engine.start("p")

    def spoil(unit: Any) -> None:
        unit.load(case)
        unit.start(unit.parts.definitions.latest(unit.read(), "process", "p"), _start())
        unit.write()
        raise NotFound("on purpose")

    works = [engine.starting("p", {"n": 1}), spoil, engine.starting("p", {"n": 2})]
    first, failed, second = engine.committer.run_all(works)
    assert isinstance(failed.error, NotFound)
    assert engine.instance(first.get()).variables == {"n": 1}
    assert engine.instance(second.get()).variables == {"n": 2}
    assert len(engine.instances()) == 3
    engine.complete(engine.tasks(case)[0])
    assert engine.instance(case).status == "completed"


def _start() -> Any:
    from flowkit.kernel.protocol import Start  # noqa: PLC0415

    return Start()


def test_two_engines_see_each_other(make: Make) -> None:
    one, two = make(), make()
    one.deploy({"p.bpmn": row("p", user("a"), user("b"), user("c"))})
    case = two.start("p")
    one.complete(one.tasks(case)[0], {"a": 1})
    two.complete(two.tasks(case)[0], {"b": 2})
    one.complete(one.tasks(case)[0], {"c": 3})
    assert two.instance(case).variables == {"a": 1, "b": 2, "c": 3}
    assert two.instance(case).status == "completed"


def test_a_claim_gives_the_variables_that_another_engine_has_set(make: Make) -> None:
    one, two = make(), make()
    one.deploy({"p.bpmn": row("p", service("s", "work"))})
    cases = [one.start("p", {"n": 1}) for _ in range(3)]  # which it has in memory now
    two.set_variables(cases[1], {"n": 2})
    claimed = {job.instance: job.inputs() for job in one.claim_jobs("work", worker="w", limit=3)}
    assert [claimed[case] for case in cases] == [{"n": 1}, {"n": 2}, {"n": 1}]


def test_two_engines_change_one_instance_at_the_same_time(make: Make) -> None:
    engines = [make(), make()]
    engines[0].deploy({"p.bpmn": row("p", user("u"))})
    case = engines[0].start("p")

    def work(number: int) -> None:
        for count in range(20):
            engines[number].set_variables(case, {f"v{number}_{count}": count})

    in_threads(2, work)
    assert len(engines[0].instance(case).variables) == 40
    entries = engines[1].history(case)
    assert [entry.seq for entry in entries] == list(range(len(entries)))


def test_a_job_is_claimed_once(make: Make) -> None:
    engines = [make(), make()]
    engines[0].deploy({"p.bpmn": row("p", service("s", "work"))})
    for _ in range(40):
        engines[0].start("p")
    claimed: list[str] = []

    def work(number: int) -> None:
        while jobs := engines[number].claim_jobs("work", worker=f"w{number}", limit=3):
            claimed.extend(job.id for job in jobs)

    in_threads(2, work)
    assert len(claimed) == len(set(claimed)) == 40


def test_a_message_and_its_receiver_cannot_miss_each_other(make: Make) -> None:
    nodes = [element("startEvent", "start"), catch("wait", on_message("paid")), element("endEvent", "end")]
    diagram = process("p", *nodes, flows=[("start", "wait"), ("wait", "end")])
    engines = [make(), make()]
    engines[0].deploy({"p.bpmn": file(message("paid", "order"), diagram)})

    def work(number: int) -> None:
        for order in range(15):
            if number:
                engines[1].publish("paid", f"{order}")
            else:
                engines[0].start("p", {"order": f"{order}"})

    in_threads(2, work)
    assert {view.status for view in engines[0].instances()} == {"completed"}


def test_workers_of_two_engines_share_the_work(make: Make) -> None:
    done: list[int] = []

    @task("work")
    def work(n: int) -> None:
        done.append(n)

    engines = [make(work), make(work)]
    engines[0].deploy({"p.bpmn": row("p", service("s", "work"))})
    cases = [engines[0].start("p", {"n": n}) for n in range(60)]
    hands = [Held(), Held()]
    workers = [Worker(engine, handlers=held) for engine, held in zip(engines, hands, strict=True)]
    while len(done) < 60:
        for worker in workers:
            worker.turn()
        shares = [held.run() for held in hands]
        assert min(shares) > 0, shares
    for worker in workers:
        worker.turn()
    assert sorted(done) == list(range(60))
    assert all(engines[0].instance(case).status == "completed" for case in cases)


# ---- with the application's own rows ----------------------------------------------------------


def application(url: str) -> sqlalchemy.Engine:
    if url == "memory:":
        pytest.skip("a database in memory can't be shared")
    return sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def test_a_start_joins_the_applications_transaction(make: Make, url: str) -> None:
    outside = application(url)
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    with outside.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (number TEXT)")
    with outside.begin() as connection:
        connection.exec_driver_sql("INSERT INTO orders VALUES ('1')")
        kept = engine.start("p", {"n": 1}, connection=connection)
    with pytest.raises(ZeroDivisionError), outside.begin() as connection:  # noqa: PT012
        connection.exec_driver_sql("INSERT INTO orders VALUES ('2')")
        engine.start("p", {"n": 2}, connection=connection)
        1 / 0  # noqa: B018 the application fails
    assert [view.id for view in engine.instances()] == [kept]
    with outside.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM orders").scalar() == 1
    engine.complete(engine.tasks(kept)[0])
    assert engine.instance(kept).status == "completed"
    outside.dispose()


def test_a_foreign_connection_is_refused() -> None:
    with Engine() as engine, pytest.raises(TypeError, match="SQLAlchemy"):
        engine.start("p", connection=object())


# ---- opening ----------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["mysql://x/y", "flowkit.db", "sqlite:flowkit.db", ""])
def test_a_wrong_url_is_explained(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        Engine(url)


def test_a_wrong_durability_is_explained() -> None:
    with pytest.raises(ValueError, match="normal"):
        Engine(durability="perhaps")


def test_full_durability_is_the_default(tmp_path: Path) -> None:
    def synchronous(**options: Any) -> int:
        store = open_store(f"sqlite:///{tmp_path}/{len(options)}.db", **options)
        with store.transaction() as session:
            [(level,)] = session.query("PRAGMA synchronous")
        store.close()
        return int(level)

    assert synchronous() == 2
    assert synchronous(durability="normal") == 1


def test_a_database_of_a_newer_flowkit_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newer.db"
    Engine(url).close()
    with sqlite3.connect(tmp_path / "newer.db") as connection:
        connection.execute("UPDATE flowkit_meta SET value=? WHERE name='schema'", (str(SCHEMA_VERSION + 1),))
    with pytest.raises(StoreUnavailable, match="newer"):
        Engine(url)


def test_a_path_that_can_not_be_opened_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="path"):
        Engine(f"sqlite:///{tmp_path}/nowhere/flowkit.db")


def test_what_others_store_at_the_same_time_is_a_conflict(make: Make, clock: VirtualClock) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    case = engine.start("p")

    def twice(unit: Any) -> None:
        definition = unit.parts.definitions.latest(unit.read(), "process", "p")
        unit.start(definition, _start(), case)

    with pytest.raises(Conflict):
        engine.committer.run(twice)
    assert engine.instance(case).status == "active"


# ---- PostgreSQL's pipeline ---------------------------------------------------------------------


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_query_gives_its_own_rows_though_results_of_writes_come_in(make: Make) -> None:
    insert = "INSERT INTO flowkit_meta (name, value) SELECT ?, pg_sleep(?)::text"
    store = make().store
    assert isinstance(store, PostgreSQLStore)
    with store.transaction() as session:
        session.query("SELECT 1")
        session.run_many(insert, [(f"{number}", 0.0 if number else 0.2) for number in range(2000)])
        select.select([store._writer.connection], [], [], 60)  # the server begins to tell what it wrote
        assert session.query("SELECT 2") == [(2,)]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_statement_first_prepared_after_a_failure_works_in_the_next_transaction(make: Make) -> None:
    store = make().store
    insert = "INSERT INTO flowkit_meta (name, value) VALUES (?, ?)"
    change = "UPDATE flowkit_meta SET value=? WHERE name=?"

    def twice() -> None:
        with store.transaction() as session:
            session.run(insert, ("one", "1"))
            session.run(change, ("2", "one"))  # the third time it is prepared, which the server passes over

    for _ in range(2):
        with pytest.raises(ZeroDivisionError), store.transaction() as session:
            session.run(change, (str(1 / 0), ""))
    twice()
    with store.transaction() as session:
        session.run(change, ("2", "one"))
    with pytest.raises(WriteConflict):
        twice()
    with store.transaction() as session:
        session.run(change, ("4", "one"))
        assert session.query("SELECT value FROM flowkit_meta WHERE name=?", ("one",)) == [("4",)]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_value_larger_than_what_a_socket_takes_at_once_is_stored(make: Make, url: str) -> None:
    engine = make()
    engine.deploy({"p.bpmn": row("p", user("u"))})
    started: list[str] = []
    thread = threading.Thread(
        target=lambda: started.append(engine.start("p", {"scan": "x" * 20_000_000})), daemon=True
    )
    thread.start()
    thread.join(60)
    if not started:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname=current_database() AND pid<>pg_backend_pid()"
            )
        pytest.fail("the engine waits for PostgreSQL, and PostgreSQL for the engine")
    assert len(engine.instance(started[0]).variables["scan"]) == 20_000_000
