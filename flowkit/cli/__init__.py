"""The command line: ``flowkit --help``."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """The entry point of the ``flowkit`` command."""
    from flowkit.cli.app import app  # noqa: PLC0415 typer takes a while to import
    from flowkit.cli.output import tolerate_any_terminal  # noqa: PLC0415

    tolerate_any_terminal()
    app(prog_name="flowkit")
