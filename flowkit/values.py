"""The values that processes carry: JSON, and nothing else.

Variables are JSON so that any store, form or other program can hold them. FEEL's richer values
(decimals, dates, durations) live inside an evaluation and become JSON when they leave it.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Json", "Variables"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A JSON value. Numbers are ``int`` or finite ``float``; keys are strings."""

Variables = Mapping[str, Json]
"""Process variables by name."""
