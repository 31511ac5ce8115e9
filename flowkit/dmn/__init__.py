"""DMN 1.1-1.5: models, decision tables and boxed expressions.

>>> model = parse(data, file="approval.dmn")
>>> result = model.evaluate("Approval", {"amount": 1200})
>>> result.output, explain(result)
"""

from __future__ import annotations

from flowkit.dmn.check import check
from flowkit.dmn.decide import DecisionModel
from flowkit.dmn.load import Imports, parse, parse_files
from flowkit.dmn.result import DecisionEvaluation, DecisionResult, MatchedRule, explain

__all__ = [
    "DecisionEvaluation",
    "DecisionModel",
    "DecisionResult",
    "Imports",
    "MatchedRule",
    "check",
    "explain",
    "parse",
    "parse_files",
]
