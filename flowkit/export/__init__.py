"""What leaves an engine for analysis: event logs (XES, OCEL 2.0, CSV) and the indicators of a process.

>>> from flowkit.export import write_log
>>> write_log("log.xes", cases)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from flowkit.export.csv_log import CsvLog, read_csv
from flowkit.export.history import case_of
from flowkit.export.indicators import EndedCase, Indicator, Measured, indicators, measure
from flowkit.export.ocel import OcelLog
from flowkit.export.records import LogCase, LogWriter, WorkRecord
from flowkit.export.xes import XesLog, read_xes

__all__ = [
    "CsvLog",
    "EndedCase",
    "Indicator",
    "LogCase",
    "LogWriter",
    "Measured",
    "OcelLog",
    "WorkRecord",
    "XesLog",
    "case_of",
    "indicators",
    "measure",
    "open_log",
    "read_csv",
    "read_log",
    "read_xes",
    "write_log",
]


def open_log(path: str | Path) -> LogWriter:
    """A writer by the file's ending: .csv, .xes, or .json/.jsonocel for OCEL 2.0. Raises ValueError."""
    match Path(path).suffix.lower():
        case ".csv":
            return CsvLog(path)
        case ".xes":
            return XesLog(path)
        case ".json" | ".jsonocel":
            return OcelLog(path)
        case other:
            raise ValueError(f"'{other}' is not the ending of a log; use .csv, .xes or .jsonocel")


def write_log(path: str | Path, cases: Iterable[LogCase]) -> int:
    """Write the cases; gives their number."""
    writer = open_log(path)
    count = 0
    try:
        for case in cases:
            writer.case(case.name, case.attributes, case.work)
            count += 1
    finally:
        writer.close()
    return count


def read_log(path: str | Path) -> Iterator[LogCase]:
    """The cases of a .csv or .xes log.

    Raises ValueError for another ending, InvalidPayload for bad content.
    """
    match Path(path).suffix.lower():
        case ".csv":
            return read_csv(path)
        case ".xes":
            return read_xes(path)
        case other:
            raise ValueError(f"'{other}' can't be read as a log; use .csv or .xes")
