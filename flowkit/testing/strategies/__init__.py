"""Hypothesis strategies: random processes, for testing engines, models' tools, or your own handlers.

>>> from hypothesis import given
>>> from flowkit.testing.strategies import processes
>>> @given(processes())
... def test_my_tool(process): my_tool(process.bpmn)

:func:`structured` gives processes built of nested blocks, which can always be completed;
:func:`unstructured` gives any graph of activities, gateways and events, which may well deadlock;
:func:`processes` gives either. None of them has a loop without a wait. ``kinds`` says what may occur
in them: :data:`KINDS` lists what there is, :data:`CORE` what most tools know.
"""

from __future__ import annotations

from flowkit.testing.strategies.files import processes, structured, unstructured
from flowkit.testing.strategies.sheet import CORE, FLAGS, KINDS, RandomProcess

__all__ = ["CORE", "FLAGS", "KINDS", "RandomProcess", "processes", "structured", "unstructured"]
