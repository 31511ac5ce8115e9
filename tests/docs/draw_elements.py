"""Draws ``docs/elements/diagrams/*.svg`` again: ``python -m tests.docs.draw_elements``.

With ``--layout`` the diagrams are laid out again first, after their content was changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flowkit.bpmn.diagram import draw, layout

DIAGRAMS = Path(__file__).parents[2] / "docs" / "elements" / "diagrams"


def main(*arguments: str) -> None:
    for path in sorted(DIAGRAMS.glob("*.bpmn")):
        if "--layout" in arguments:
            path.write_bytes(layout(path.read_bytes(), subprocesses="expanded"))
        path.with_suffix(".svg").write_text(draw(path.read_bytes()), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
