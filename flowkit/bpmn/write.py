"""Writing a model back."""

from __future__ import annotations

from flowkit.bpmn.model import Definitions
from flowkit.bpmn.parse import parse

__all__ = ["write"]


def write(definitions: Definitions) -> bytes:
    """The file that ``definitions`` was read from: model, diagram, comments and foreign extensions.

    Byte for byte, so nothing is lost that flowkit does not know. Raises ValueError for a model that
    was made or changed in Python and so says something else than its source: a process is changed in
    its file.
    """
    if not definitions.source or parse(definitions.source, file=definitions.location.file) != definitions:
        raise ValueError("The model differs from its source; change the file and read it again.")
    return definitions.source
