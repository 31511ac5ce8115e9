"""Replications over a cluster: Dask or Ray, whichever the address names; neither is a dependency."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

__all__ = ["connect"]


def _load(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ImportError(
            f"simulating on this cluster needs the package '{package}': pip install {package}"
        ) from None


@contextmanager
def connect(address: str) -> Iterator[Executor]:
    """An executor on the cluster at ``dask://host:port`` or ``ray://host:port`` (``ray://`` alone: local).

    The cluster's workers need flowkit installed. Raises ValueError for another address, ImportError when
    the client is not installed.
    """
    scheme, separator, place = address.partition("://")
    if not separator or scheme not in {"dask", "ray"}:
        raise ValueError(
            f"'{address}' is not the address of a cluster; write dask://host:8786 or ray://host:10001"
        )
    if scheme == "dask":
        distributed = _load("distributed", "distributed")
        with distributed.Client(f"tcp://{place}") as client:
            yield client.get_executor()
    else:
        ray = _load("ray", "ray")
        ray.init(address=address if place else None)
        try:
            yield _RayExecutor(ray)
        finally:
            ray.shutdown()


class _RayExecutor(Executor):
    """Ray's remote functions as futures."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = self._ray.remote(fn).remote(*args, **kwargs).future()
        return future
