"""Replications over a cluster: the same numbers as at home."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowkit.simulation import simulate
from flowkit.simulation.cluster import connect

SHARED = Path(__file__).parent / "models" / "shared.yaml"


@pytest.mark.parametrize("address", ["host:1", "ftp://x", ""])
def test_an_address_that_is_no_cluster_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address of a cluster"), connect(address):
        pass


def test_a_dask_cluster_gives_what_one_process_gives() -> None:
    distributed = pytest.importorskip("distributed", reason="pip install 'flowkit[dask]'")
    alone = simulate(SHARED, replications=3, cases=100)
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        host="127.0.0.1",
        protocol="tcp",
        dashboard_address=None,
    ) as cluster:
        address = cluster.scheduler_address.replace("tcp://", "dask://")
        together = simulate(SHARED, replications=3, cases=100, cluster=address)
    assert [str(one.measures) for one in together.outcomes] == [str(one.measures) for one in alone.outcomes]


@pytest.mark.nightly
@pytest.mark.skipif(not os.environ.get("FLOWKIT_NIGHTLY"), reason="long: set FLOWKIT_NIGHTLY=1")
def test_a_ray_cluster_gives_what_one_process_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="pip install 'flowkit[ray]'")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    alone = simulate(SHARED, replications=3, cases=100)
    together = simulate(SHARED, replications=3, cases=100, cluster="ray://")
    assert [str(one.measures) for one in together.outcomes] == [str(one.measures) for one in alone.outcomes]
