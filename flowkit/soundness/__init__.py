"""Soundness: what is wrong with a diagram whatever its data, found before it runs.

>>> from flowkit.soundness import check_soundness
>>> result = check_soundness(definitions, "Process_1")
>>> [str(finding) for finding in result.findings]
"""

from flowkit.soundness.callers import without_caught
from flowkit.soundness.exploration import Exploration
from flowkit.soundness.explore import explore
from flowkit.soundness.report import Soundness, check_soundness
from flowkit.soundness.undoing import calls_elsewhere

__all__ = ["Exploration", "Soundness", "calls_elsewhere", "check_soundness", "explore", "without_caught"]
