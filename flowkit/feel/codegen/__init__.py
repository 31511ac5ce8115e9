"""Syntax trees to Python functions: generated source, compiled once.

The source never contains text of the expression: names and literals are constants by number (``K3``), so an
expression can't smuggle Python in.
"""

from __future__ import annotations

from flowkit.feel.codegen.program import Program, assemble

__all__ = ["Program", "assemble"]
