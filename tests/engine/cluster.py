"""A private PostgreSQL server for tests: made in a temporary folder, on loopback, stopped by its pid.

It does not wait for the disk (``fsync=off``): tests kill processes, never the machine.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

__all__ = ["Cluster", "find_binaries"]


def find_binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, the newest version first; None when there is none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return folders[-1].parent if folders else None


class Cluster:
    """``with Cluster(binaries, folder) as cluster: cluster.new_database()`` gives a URL."""

    def __init__(self, binaries: Path, folder: Path, *, fsync: bool = False) -> None:
        self._fsync = "on" if fsync else "off"
        self._binaries = binaries
        self._user = _unprivileged_user()
        self._folder = _folder_of(self._user) if self._user else folder
        self._count = 0
        self._server: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def __enter__(self) -> Self:
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-U", "flowkit", "--auth=trust", "--no-sync", "-E", "UTF8")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(immediately=True)
        if self._user:
            shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._server = subprocess.Popen(
            [
                str(self._binaries / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port),
                "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}",
                "-c", "log_min_messages=fatal", "-c", f"fsync={self._fsync}",
                "-c", f"full_page_writes={self._fsync}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._user,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self._url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._server.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self, *, immediately: bool = False) -> None:
        """Stop the server; ``immediately`` as a crash of it would."""
        if self._server is not None:
            self._server.send_signal(3 if immediately else 2)
            self._server.wait(30)
            self._server = None

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._count += 1
        name = f"flowkit_{self._count}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql://flowkit@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._binaries / program), *arguments],
            check=True,
            capture_output=True,
            **self._user,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unprivileged_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as *nobody*."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _folder_of(user: dict[str, Any]) -> Path:
    """A folder that the user can reach: pytest closes its own to everybody but root."""
    folder = Path(tempfile.mkdtemp(prefix="flowkit-postgresql-"))
    os.chown(folder, user["user"], user["group"])
    return folder
