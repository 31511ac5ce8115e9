"""Databases as they were written by each schema version, recorded as SQL.

``python -m tests.engine.recorded`` records the present version again (PostgreSQL's server binaries are
needed). Do that when the schema of an unreleased version changes; never for a released one.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from flowkit.engine import Engine, VirtualClock
from flowkit.engine.sql.schema import SCHEMA_VERSION, TABLES, ddl
from flowkit.tasks import TaskContext, Undeliverable, deliver, task
from tests.engine.cluster import Cluster, find_binaries
from tests.engine.diagrams import (
    call,
    catch,
    element,
    file,
    message,
    on_message,
    process,
    service,
    timer,
    user,
)

__all__ = ["DIRECTORY", "HANDLERS", "load", "recordings"]

DIRECTORY = Path(__file__).parent / "schemas"
DIALECTS = ("sqlite", "postgresql")
BROKEN = {"wires": True}
"""Whether nothing is delivered."""


@task("send")
def send(context: TaskContext) -> None:
    context.send("letter", {"text": "您好"})


@task("fail")
def fail() -> None: ...


@deliver("letter")
def letter(item: Any) -> None:
    if BROKEN["wires"]:
        raise Undeliverable("no address")


HANDLERS = [send, fail, letter]


def diagram() -> bytes:
    """Everything that waits, side by side: a job, a failed one, a task, a timer, a message, a call."""
    branches = [
        service("nobody", "nobody"), service("fail", "fail", retries=1), user("ask", groups="客服"),
        catch("wait", timer("timeDuration", "PT1H")), catch("paid", on_message("paid")), call("c", "called"),
    ]  # fmt: skip
    names = ["nobody", "fail", "ask", "wait", "paid", "c"]
    nodes = [element("startEvent", "start"), service("post", "send"), element("parallelGateway", "fork")]
    nodes += [*branches, element("parallelGateway", "join"), element("endEvent", "end")]
    flows = [("start", "post"), ("post", "fork"), ("join", "end")]
    flows += [pair for name in names for pair in (("fork", name), (name, "join"))]
    inside = [element("startEvent", "begin"), user("inside"), element("endEvent", "finish")]
    weekly = [element("startEvent", "weekly", timer("timeCycle", "R/P7D")), element("endEvent", "over")]
    return file(
        message("paid", "order"),
        process("main", *nodes, flows=flows),
        process("called", *inside, flows=[("begin", "inside"), ("inside", "finish")]),
        process("clock", *weekly, flows=[("weekly", "over")]),
    )


def write(url: str) -> None:
    """Fill an empty database."""
    clock = VirtualClock()
    with Engine(url, tasks=[send, letter], clock=clock) as engine:
        engine.deploy({"main.bpmn": diagram()})
        engine.start("main", {"order": "WO-1", "n": 1}, business_key="WO-1")
        engine.run_until_idle()
        engine.fail_job(engine.jobs(type="fail")[0], "no line", retries=0)  # a traceback would hold paths
        over = engine.start("called")
        engine.complete(engine.tasks(over)[0], user="张三")
        engine.suspend(engine.start("called", {"text": "x" * 4200}))  # large enough for a snapshot
        engine.publish("paid", "WO-2", {"sum": 7}, ttl=timedelta(days=365), message_id="m-1")


def literal(value: object, dialect: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    digits = bytes(value).hex()  # type: ignore[call-overload]  # bytes, or a view of them
    return f"X'{digits}'" if dialect == "sqlite" else f"'\\x{digits}'"


def dump(url: str, dialect: str) -> str:
    """The database as SQL, a statement a line."""
    lines = ddl(dialect)
    with Engine(url) as engine, engine.store.reader() as session:
        for table in TABLES:
            order = ", ".join(table.key)
            for row in session.query(f"SELECT {', '.join(table.names)} FROM {table.name} ORDER BY {order}"):
                values = ", ".join(literal(value, dialect) for value in row)
                lines.append(f"INSERT INTO {table.name} ({', '.join(table.names)}) VALUES ({values})")
    return "".join(f"{line};\n" for line in lines)


def recordings(dialect: str) -> dict[int, Path]:
    """The recorded databases, by schema version."""
    found = DIRECTORY.glob(f"v*.{dialect}.sql")
    return {int(path.name.partition(".")[0].removeprefix("v")): path for path in found}


def statements(path: Path) -> list[str]:
    """The statements of a recording."""
    return [line.removesuffix(";") for line in path.read_text("utf-8").splitlines()]


def load(path: Path, url: str) -> None:
    """Bring a recorded database into an empty one, without flowkit."""
    if url.startswith("sqlite"):
        import sqlite3  # noqa: PLC0415

        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        import psycopg  # noqa: PLC0415

        connection = psycopg.connect(url)
    for statement in statements(path):
        connection.execute(statement)
    connection.commit()
    connection.close()


def main() -> None:
    binaries = find_binaries()
    if binaries is None:
        sys.exit("PostgreSQL's server binaries are not installed")
    DIRECTORY.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Cluster(binaries, Path(folder)) as cluster:
        for dialect in DIALECTS:
            url = cluster.new_database() if dialect == "postgresql" else f"sqlite:///{folder}/recorded.db"
            write(url)
            path = DIRECTORY / f"v{SCHEMA_VERSION}.{dialect}.sql"
            path.write_text(dump(url, dialect), encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()
