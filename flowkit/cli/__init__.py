"""The command line: ``flowkit --help``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """The entry point of the ``flowkit`` command."""
    try:
        from flowkit.cli.app import app  # noqa: PLC0415 typer takes a while to import
        from flowkit.cli.output import tolerate_any_terminal  # noqa: PLC0415

        tolerate_any_terminal()
        app(prog_name="flowkit")
    except KeyboardInterrupt:  # before there was a command to tell it
        sys.exit(130)
