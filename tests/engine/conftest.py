"""Engines on every store. PostgreSQL runs where its server's binaries are: a private cluster on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flowkit.engine import Engine, VirtualClock
from tests.engine.cluster import Cluster, find_binaries

STORES = ["memory", "sqlite", "postgresql"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL server of our own, stopped at the end."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server binaries are not installed")
    with Cluster(binaries, tmp_path_factory.mktemp("postgresql")) as running:
        yield running


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on each store in turn."""
    if request.param == "memory":
        return "memory:"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/flowkit.db"
    running: Cluster = request.getfixturevalue("cluster")
    return running.new_database()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def make(url: str, clock: VirtualClock) -> Iterator[Callable[..., Engine]]:
    """Makes engines on one database, with one virtual clock; they are closed at the end."""
    made: list[Engine] = []

    def make_one(*tasks: Any, **options: Any) -> Engine:
        if url == "memory:" and made:
            pytest.skip("a database in memory has one engine")
        engine = Engine(url, tasks=tasks, **{"clock": clock, **options})
        made.append(engine)
        return engine

    yield make_one
    for engine in made:
        engine.close()
