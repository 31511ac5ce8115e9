"""Log records on standard error: for people, or one JSON object a line for machines.

Records of the engine carry the ids of what they are about; both forms show them.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

__all__ = ["JsonLines", "Text", "write_logs"]

IDS = ("instance_id", "process_id", "element_id", "job_id")
"""What a record may be about."""


def _ids(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in IDS if hasattr(record, name)}


class JsonLines(logging.Formatter):
    """``{"at", "level", "logger", "message", "instance_id", …, "exception"}``; times are UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_ids(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


class Text(logging.Formatter):
    """Time, level, message, and the ids in brackets."""

    def format(self, record: logging.LogRecord) -> str:
        """A line, and those of a traceback."""
        text = super().format(record)
        first, *trace = text.split("\n", 1)
        ids = " ".join(f"{name.removesuffix('_id')}={value}" for name, value in _ids(record).items())
        return "\n".join([f"{first} [{ids}]" if ids else first, *trace])


class _ToStandardError(logging.Handler):
    """Wherever standard error goes at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def write_logs(as_json: bool) -> None:
    """Write flowkit's records, from INFO, on standard error."""
    logger = logging.getLogger("flowkit")
    for old in [one for one in logger.handlers if isinstance(one, _ToStandardError)]:
        logger.removeHandler(old)
    handler = _ToStandardError()
    handler.setFormatter(JsonLines() if as_json else Text("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
