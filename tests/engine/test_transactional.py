"""The application's rows and the process in one transaction: handlers inside the step's, and commands
inside the application's own."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import orm

from flowkit.engine import Engine, SystemClock, Worker
from flowkit.errors import WrongState
from flowkit.tasks import BpmnError, Connection, InvalidHandler, Registry, TaskContext, task
from tests.engine.diagrams import catch, element, file, message, on_message, process, row, service, user
from tests.engine.steps import LONG

Make = Callable[..., Engine]


class Base(orm.DeclarativeBase):
    pass


class Booking(Base):
    __tablename__ = "booking"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)


def with_bookings(engine: Engine, *nodes: str) -> Engine:
    """Deploys a row of nodes, in a database that has a table of bookings."""
    with engine.store.transaction() as session:
        session.run("CREATE TABLE IF NOT EXISTS booking (id INTEGER PRIMARY KEY)")
    engine.deploy({"p.bpmn": row("p", *nodes)})
    return engine


def bookings(engine: Engine) -> list[int]:
    with engine.store.reader() as session:
        return [found[0] for found in session.query("SELECT id FROM booking ORDER BY id")]


def insert(connection: Any, number: int) -> None:
    connection.execute(f"INSERT INTO booking VALUES ({int(number)})")


@task("book")
def by_driver(id: int, connection: Connection) -> dict[str, bool]:  # noqa: A002 the column's name
    insert(connection, id)
    return {"booked": True}


@task("book")
def by_connection(id: int, connection: sqlalchemy.Connection) -> dict[str, bool]:  # noqa: A002
    connection.execute(sqlalchemy.insert(Booking).values(id=id))
    return {"booked": True}


@task("book")
def by_session(id: int, session: orm.Session) -> dict[str, bool]:  # noqa: A002
    session.add(Booking(id=id))
    return {"booked": True}


@task("book")
def by_committing_session(id: int, session: orm.Session) -> dict[str, bool]:  # noqa: A002
    with session.begin_nested():
        session.add(Booking(id=id))
    session.commit()
    return {"booked": True}


EVERY_WAY = [by_driver, by_connection, by_session, by_committing_session]


@pytest.mark.parametrize("handler", EVERY_WAY, ids=lambda handler: handler.__name__)
def test_rows_and_completion_are_stored_together(make: Make, handler: Any) -> None:
    engine = with_bookings(make(handler), service("s", "book"), user("u"))
    case = engine.start("p", {"id": 7})
    assert engine.run_until_idle() == 1
    assert bookings(engine) == [7]
    assert engine.instance(case).variables == {"id": 7, "booked": True}
    engine.complete(engine.tasks(case)[0])
    assert engine.instance(case).status == "completed"


@pytest.mark.parametrize("handler", EVERY_WAY, ids=lambda handler: handler.__name__)
def test_a_failed_statement_counts_as_an_attempt_and_leaves_others_alone(make: Make, handler: Any) -> None:
    engine = with_bookings(make(handler), service("s", "book", retries=1))
    cases = [engine.start("p", {"id": number}) for number in (1, 2, 2, 3)]
    engine.run_until_idle()
    assert bookings(engine) == [1, 2, 3]
    assert [engine.instance(case).status for case in cases].count("completed") == 3
    [incident] = engine.incidents()
    assert "IntegrityError" in incident.message or "UniqueViolation" in incident.message


def test_what_a_handler_wrote_before_it_failed_is_gone(make: Make) -> None:
    attempts: list[int] = []

    @task("book")
    def book(context: TaskContext, connection: Connection) -> None:
        insert(connection, context.attempt)
        attempts.append(context.attempt)
        if context.attempt == 1:
            raise OSError("no line")

    engine = with_bookings(make(book), service("s", "book"))
    case = engine.start("p")
    engine.run_until_idle()
    assert bookings(engine) == []
    due = engine.next_due()
    assert due is not None
    engine.run_until(due)
    assert (attempts, bookings(engine)) == ([1, 2], [2])
    assert engine.instance(case).status == "completed"


def test_a_bpmn_error_takes_the_rows_back_and_goes_on_in_the_diagram(make: Make) -> None:
    @task("book")
    def book(connection: Connection) -> None:
        insert(connection, 1)
        raise BpmnError("FULL")

    engine = make(book)
    with engine.store.transaction() as session:
        session.run("CREATE TABLE booking (id INTEGER PRIMARY KEY)")
    caught = (
        '<bpmn:boundaryEvent id="full" attachedToRef="s">'
        '<bpmn:errorEventDefinition errorRef="e"/></bpmn:boundaryEvent>'
    )
    nodes = [
        element("startEvent", "start"), service("s", "book"), caught, user("u"),
        element("endEvent", "end"), element("endEvent", "end2"),
    ]  # fmt: skip
    flows = [("start", "s"), ("s", "end"), ("full", "u"), ("u", "end2")]
    error = '<bpmn:error id="e" name="full" errorCode="FULL"/>'
    engine.deploy({"p.bpmn": file(error, process("p", *nodes, flows=flows))})
    case = engine.start("p")
    engine.run_until_idle()
    assert [todo.element_id for todo in engine.tasks(case)] == ["u"]
    assert bookings(engine) == []


def test_a_job_that_was_withdrawn_meanwhile_takes_the_rows_with_it(make: Make) -> None:
    @task("book")
    def book(context: TaskContext, connection: Connection) -> None:
        insert(connection, 1)
        engine.publish("stop", context.business_key or "", connection=connection)

    engine = make(book)
    with engine.store.transaction() as session:
        session.run("CREATE TABLE booking (id INTEGER PRIMARY KEY)")
    stop = f'<bpmn:boundaryEvent id="stop" attachedToRef="s">{on_message("stop")}</bpmn:boundaryEvent>'
    nodes = [
        element("startEvent", "start"), service("s", "book", retries=1), stop,
        element("endEvent", "end"), element("endEvent", "end2"),
    ]  # fmt: skip
    flows = [("start", "s"), ("s", "end"), ("stop", "end2")]
    key = message("stop", "order")
    engine.deploy({"p.bpmn": file(key, process("p", *nodes, flows=flows))})
    case = engine.start("p", {"order": "7"}, business_key="7")
    engine.run_until_idle()
    assert bookings(engine) == []
    assert engine.instance(case).active_elements == ("s",)
    assert [incident.kind for incident in engine.incidents(case)] == ["job"]


def test_a_suspended_instance_gets_its_job_back_and_keeps_no_rows(make: Make) -> None:
    @task("book")
    def book(context: TaskContext, connection: Connection) -> None:
        insert(connection, context.attempt)

    engine = with_bookings(make(book), service("s", "book"))
    case = engine.start("p")
    [job] = engine.claim_jobs("book", worker="w")
    engine.suspend(case)
    from flowkit.engine.jobs import settle  # noqa: PLC0415
    from flowkit.engine.runner import context_of  # noqa: PLC0415
    from flowkit.engine.transactional import perform_lent  # noqa: PLC0415

    handler = engine.registry.get("book")
    assert handler is not None
    command = perform_lent(engine.committer, handler, job, context_of(job, engine.committer))
    assert command is not None
    engine.committer.run(lambda unit: settle(unit, job, command))
    assert bookings(engine) == []
    engine.resume(case)
    engine.run_until_idle()
    assert bookings(engine) == [1]


def test_a_handler_starts_another_process_in_the_same_transaction(make: Make) -> None:
    @task("book")
    def book(fail: bool, connection: Connection) -> dict[str, str]:
        other = engine.start("q", {"n": 1}, connection=connection)
        if fail:
            raise OSError("no line")
        return {"other": other}

    engine = make(book)
    engine.deploy({"p.bpmn": row("p", service("s", "book", retries=1)), "q.bpmn": row("q", user("u"))})
    engine.start("p", {"fail": True})
    good = engine.start("p", {"fail": False})
    engine.run_until_idle()
    assert [view.id for view in engine.instances("q")] == [engine.instance(good).variables["other"]]


def test_a_handler_changes_its_own_instance_on_the_way(make: Make) -> None:
    """What is kept in memory of an instance is never older than what a handler stored."""

    @task("book")
    def book(context: TaskContext, connection: Connection) -> dict[str, int]:
        todo = next(todo for todo in engine.tasks(context.instance_id))
        engine.complete(todo, {"early": 1}, connection=connection)
        return {"late": 2}

    engine = make(book)
    nodes = [
        element("startEvent", "start"), element("parallelGateway", "fork"), service("s", "book"), user("u"),
        user("v"), element("endEvent", "end"), element("endEvent", "end2"),
    ]  # fmt: skip
    flows = [("start", "fork"), ("fork", "s"), ("fork", "u"), ("s", "v"), ("v", "end"), ("u", "end2")]
    engine.deploy({"p.bpmn": file(process("p", *nodes, flows=flows))})
    case = engine.start("p")
    engine.run_until_idle()
    engine.set_variables(case, {"last": 3})
    assert engine.instance(case).variables == {"early": 1, "late": 2, "last": 3}
    assert engine.instance(case).active_elements == ("v",)


def test_a_handler_changes_an_instance_that_is_kept_in_memory(make: Make) -> None:
    @task("book")
    def book(other: str, connection: Connection) -> None:
        engine.complete(engine.tasks(other)[0], {"by": "handler"}, connection=connection)

    engine = make(book)
    engine.deploy({"p.bpmn": row("p", service("s", "book")), "q.bpmn": row("q", user("u"), user("v"))})
    other = engine.start("q")
    engine.start("p", {"other": other})
    engine.run_until_idle()
    engine.complete(engine.tasks(other)[0])
    assert engine.instance(other).variables == {"by": "handler"}
    assert engine.instance(other).status == "completed"


def test_a_handler_cannot_end_the_transaction(make: Make, url: str) -> None:
    @task("book")
    def book(connection: Connection) -> None:
        insert(connection, 1)
        connection.commit()  # type: ignore[attr-defined]  # the driver's

    engine = with_bookings(make(book), service("s", "book", retries=1))
    engine.start("p")
    engine.run_until_idle()
    assert bookings(engine) == []
    [incident] = engine.incidents()
    expected = "Explicit commit() forbidden" if url.startswith("postgresql") else "leave its end to flowkit"
    assert expected in incident.message


def test_sql_that_ends_the_transaction_is_found_out(make: Make) -> None:
    @task("book")
    def book(connection: Connection) -> None:
        connection.execute("ROLLBACK")

    engine = with_bookings(make(book), service("s", "book", retries=1))
    case = engine.start("p")
    engine.run_until_idle()
    [incident] = engine.incidents(case)
    assert "leave COMMIT and ROLLBACK to flowkit" in incident.message


def test_a_block_of_a_handler_may_fail_on_its_own(make: Make) -> None:
    """``with connection:`` of sqlite3, ``with connection.transaction():`` of psycopg: a savepoint."""

    @task("book")
    def book(connection: Connection) -> None:
        raw: Any = connection
        for number in (1, 1, 2):
            try:
                with raw if isinstance(raw, sqlite3.Connection) else raw.transaction():
                    insert(connection, number)
            except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation):
                continue

    engine = with_bookings(make(book), service("s", "book", retries=1))
    case = engine.start("p")
    engine.run_until_idle()
    assert bookings(engine) == [1, 2]
    assert engine.instance(case).status == "completed"


def test_a_rollback_of_sqlalchemy_undoes_the_handlers_part(make: Make) -> None:
    @task("book")
    def book(connection: sqlalchemy.Connection) -> None:
        connection.execute(sqlalchemy.insert(Booking).values(id=1))
        connection.rollback()
        connection.execute(sqlalchemy.insert(Booking).values(id=2))
        connection.commit()
        connection.execute(sqlalchemy.insert(Booking).values(id=3))
        connection.rollback()

    engine = with_bookings(make(book), service("s", "book", retries=1))
    case = engine.start("p")
    engine.run_until_idle()
    assert bookings(engine) == [2]
    assert engine.instance(case).status == "completed"


def test_the_wrong_driver_is_an_incident_at_once(make: Make, url: str) -> None:
    @task("lite")
    def lite(connection: sqlite3.Connection) -> None:
        insert(connection, 1)

    @task("post")
    def post(connection: psycopg.Connection[Any]) -> None:
        insert(connection, 1)

    wrong = "lite" if url.startswith("postgresql") else "post"
    right = "post" if wrong == "lite" else "lite"
    engine = with_bookings(make(lite, post), service("a", right), service("b", wrong))
    engine.start("p")
    engine.run_until_idle()
    assert bookings(engine) == [1]
    [incident] = engine.incidents()
    assert "flowkit.tasks.Connection stands for either" in incident.message


def test_a_handler_of_one_writer_does_not_wait_for_itself(make: Make, url: str) -> None:
    @task("again")
    def again(connection: Connection) -> None:
        insert(connection, 1)
        engine.start("p", {"second": True})

    engine = with_bookings(make(again), service("s", "again", retries=1))
    engine.start("p", {"second": False})
    engine.run_until_idle()
    if url.startswith("postgresql"):  # rows are locked, not the database
        assert len(engine.instances()) == 2
    else:
        assert "connection=…" in engine.incidents()[0].message
        assert (bookings(engine), len(engine.instances())) == ([], 1)


def test_workers_threads_share_the_writer(make: Make) -> None:
    @task("book")
    def book(id: int, connection: Connection) -> None:  # noqa: A002
        insert(connection, id)
        done.append(id)
        if len(set(done)) == 20:
            over.set()

    done: list[int] = []
    over = threading.Event()
    engine = with_bookings(make(book, clock=SystemClock()), service("s", "book"))
    cases = [engine.start("p", {"id": number}) for number in range(20)]
    with Worker(engine, concurrency=4):
        assert over.wait(LONG)
    assert bookings(engine) == list(range(20))
    assert {engine.instance(case).status for case in cases} == {"completed"}


def test_handlers_that_can_not_take_part_are_refused() -> None:
    @task("book")
    async def book(connection: Connection) -> None: ...

    @task("twice")
    def twice(one: Connection, two: sqlite3.Connection) -> None: ...

    with pytest.raises(InvalidHandler, match="async"):
        Registry(book)
    with pytest.raises(InvalidHandler, match="one transaction"):
        Registry(twice)


# ---- commands inside the application's transaction ---------------------------------------------


def outside(url: str) -> sqlalchemy.Engine:
    if url == "memory:":
        pytest.skip("a database in memory can't be shared")
    return sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def raw_connection(url: str) -> Any:
    if url == "memory:":
        pytest.skip("a database in memory can't be shared")
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"))
    return psycopg.connect(url)


def waiting(engine: Engine) -> Engine:
    diagram = process(
        "m", element("startEvent", "start"), catch("wait", on_message("paid")), element("endEvent", "end"),
        flows=[("start", "wait"), ("wait", "end")],
    )  # fmt: skip
    engine.deploy({"m.bpmn": file(message("paid", "order"), diagram)})
    return with_bookings(engine, user("u"))


def all_commands(engine: Engine, connection: Any) -> None:
    """One of each command that takes a connection, on cases that wait for it."""
    engine.start("p", {"inside": True}, connection=connection)
    engine.complete(engine.tasks()[0], {"done": True}, connection=connection)
    engine.publish("paid", "7", connection=connection)
    engine.broadcast("nobody", connection=connection)


def statuses(engine: Engine) -> list[str]:
    return sorted(f"{view.process_id} {view.status}" for view in engine.instances())


BEFORE = ["m active", "p active"]
AFTER = ["m completed", "p active", "p completed"]


def test_commands_join_a_drivers_transaction(make: Make, url: str) -> None:
    connection = raw_connection(url)
    engine = waiting(make())
    engine.start("p")
    engine.start("m", {"order": "7"})
    insert(connection, 1)
    all_commands(engine, connection)
    connection.rollback()
    assert (bookings(engine), statuses(engine)) == ([], BEFORE)
    insert(connection, 2)
    all_commands(engine, connection)
    connection.commit()
    assert (bookings(engine), statuses(engine)) == ([2], AFTER)
    connection.close()


def test_commands_join_a_session_of_sqlalchemy(make: Make, url: str) -> None:
    application = outside(url)
    engine = waiting(make())
    engine.start("p")
    engine.start("m", {"order": "7"})
    with orm.Session(application) as session:
        session.add(Booking(id=1))
        session.flush()
        all_commands(engine, session)
        session.rollback()
        assert (bookings(engine), statuses(engine)) == ([], BEFORE)
        session.add(Booking(id=2))
        session.flush()
        all_commands(engine, session)
        session.commit()
    assert (bookings(engine), statuses(engine)) == ([2], AFTER)
    application.dispose()


def test_a_connection_without_a_transaction_is_refused(make: Make, url: str) -> None:
    connection = raw_connection(url)
    if isinstance(connection, sqlite3.Connection):
        connection.close()
        pytest.skip("flowkit begins a transaction on sqlite3's connections")
    connection.autocommit = True
    engine = waiting(make())
    with pytest.raises(TypeError, match="autocommit"):
        engine.start("p", connection=connection)
    with connection.transaction():
        engine.start("p", connection=connection)
    assert statuses(engine) == ["p active"]
    connection.close()


def test_a_refused_command_leaves_the_applications_transaction_usable(make: Make, url: str) -> None:
    connection = raw_connection(url)
    engine = waiting(make())
    case = engine.start("p")
    [todo] = engine.tasks(case)
    engine.assign(todo, "张三")
    insert(connection, 1)
    with pytest.raises(WrongState):
        engine.complete(todo, user="李四", connection=connection)
    connection.commit()
    connection.close()
    assert bookings(engine) == [1]
