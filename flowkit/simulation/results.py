"""The result of an experiment: estimates over replications, by name."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flowkit.simulation.measures import Tally
from flowkit.simulation.outcome import Outcome
from flowkit.simulation.statistics import Estimate, estimate, mser5
from flowkit.simulation.study import Study

__all__ = ["Measures", "Result", "is_span"]


def is_span(measure: str) -> bool:
    """Whether a measure is a span of time in seconds."""
    return "_time." in measure or measure.endswith("_time")


@dataclass(frozen=True)
class Measures:
    """The measures whose names begin with a prefix: ``result.cycle_time.p90``."""

    _result: Result
    _prefix: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        return self._result.find(f"{self._prefix}.{name}")

    def __iter__(self) -> Iterator[str]:
        start = len(self._prefix) + 1
        return iter(key[start:] for key in self._result.names if key.startswith(self._prefix + "."))


@dataclass(frozen=True)
class Result:
    """What ``simulate`` found.

    ``result["cycle_time.mean"]`` or ``result.cycle_time.mean`` is an Estimate over replications;
    ``result.activity["Check"].waiting_time.p95``, ``result.pool["clerks"].utilisation``,
    ``result.service_level["on time"].share`` likewise. ``assumptions`` says what the scenario left open
    and how it was filled; ``warnings`` what an analyst should know before believing the numbers.
    """

    study: Study
    outcomes: tuple[Outcome, ...]
    assumptions: tuple[str, ...] = ()
    confidence: float = 0.95
    interrupted: bool = False
    seconds: float = field(default=0.0, compare=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every measure."""
        return tuple(dict.fromkeys(name for outcome in self.outcomes for name in outcome.measures))

    def values(self, name: str) -> list[float]:
        """One value per replication; nan where a replication has none."""
        missing = (
            0.0 if name.endswith((".share", ".count")) and not name.startswith("service_level") else math.nan
        )
        return [outcome.measures.get(name, missing) for outcome in self.outcomes]

    def __getitem__(self, name: str) -> Estimate:
        if name not in self._estimates:
            if name not in self.names:
                close = [known for known in self.names if name.rsplit(".", maxsplit=1)[-1] in known][:5]
                raise KeyError(f"there is no measure '{name}'; similar: {', '.join(close) or 'none'}")
            self._estimates[name] = estimate(self.values(name), self.confidence)
        return self._estimates[name]

    @cached_property
    def _estimates(self) -> dict[str, Estimate]:
        return {}

    def find(self, name: str) -> Any:
        """The estimate of that name, or the measures that begin with it. Raises KeyError."""
        if name in self.names:
            return self[name]
        if any(known.startswith(name + ".") for known in self.names):
            return Measures(self, name)
        return self[name]

    def __getattr__(self, name: str) -> Any:
        # reached only for names that are no attribute: the families of measures
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.find(name)
        except KeyError as error:
            raise AttributeError(str(error)) from None

    @property
    def replications(self) -> int:
        return len(self.outcomes)

    # ---- what to know -----------------------------------------------------------------------

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt the numbers."""
        found = []
        if self.interrupted:
            found.append(f"The study was interrupted: {self.replications} replications are all there is.")
        for name in self.names:
            if name.startswith("pool.") and name.endswith(".utilisation") and self[name].value >= 0.99:
                pool = name.removeprefix("pool.").removesuffix(".utilisation")
                found.append(
                    f"Pool '{pool}' is always busy: its queue grows without end, and every mean with it."
                )
        stuck, opened = self["cases.stuck"].value, self["cases.open"].value
        started = self["cases.started"].value
        if stuck:
            reasons: dict[str, int] = {}
            for outcome in self.outcomes:
                for reason, count in outcome.stuck.items():
                    reasons[reason] = reasons.get(reason, 0) + count
            worst = max(reasons, key=lambda reason: reasons[reason])
            found.append(
                f"{stuck / started:.1%} of the cases got stuck and are not in the means, most at {worst}"
            )
        if started and opened / started > 0.01:
            found.append(
                f"{opened / started:.1%} of the cases were still open at the end and are not in the means."
            )
        if self._grows():
            found.append("Work in progress kept growing: the process does not keep up with its arrivals.")
        if self.replications < 2:
            found.append("One replication has no confidence interval: use at least 10.")
        return tuple(found)

    def _grows(self) -> bool:
        series = self.wip_series()[1]
        quarter = len(series) // 4
        if quarter < 5:
            return False
        early = math.fsum(series[quarter : 2 * quarter]) / quarter
        late = math.fsum(series[-quarter:]) / quarter
        middle = math.fsum(series[2 * quarter : 3 * quarter]) / quarter
        return late > 1.5 * early + 1 and middle > 1.15 * early and late > 1.15 * middle

    def wip_series(self) -> tuple[float, list[float]]:
        """``(step in seconds, averages over replications)`` of work in progress."""
        return _average([outcome.wip for outcome in self.outcomes])

    def queue_series(self, pool: str) -> tuple[float, list[float]]:
        """The same of the length of a pool's queue."""
        return _average([outcome.queues[pool] for outcome in self.outcomes])

    @cached_property
    def suggested_warmup(self) -> float:
        """Seconds to delete at the start, by MSER-5 on work in progress averaged over replications."""
        step, series = self.wip_series()
        return step * mser5(series)

    def tally(self, name: str) -> Tally:
        """All observations of all replications, for charts: ``cycle_time``, ``activity.X.waiting_time``."""
        merged = Tally()
        for outcome in self.outcomes:
            merged.merge(outcome.tallies[name])
        return merged

    def node_counts(self, process: str | None = None) -> dict[str, float]:
        """How often each element was entered, per case."""
        return self._counts("nodes", process)

    def flow_counts(self, process: str | None = None) -> dict[str, float]:
        """How often each sequence flow was taken, per case."""
        return self._counts("flows", process)

    def _counts(self, kind: str, process: str | None) -> dict[str, float]:
        cases = math.fsum(outcome.measures["cases.counted"] for outcome in self.outcomes) or 1.0
        found: dict[str, float] = {}
        for outcome in self.outcomes:
            for (owner, name), count in getattr(outcome, kind).items():
                if process is None or owner == process:
                    found[name] = found.get(name, 0.0) + count / cases
        return found

    # ---- giving it away ---------------------------------------------------------------------

    def rows(self) -> list[dict[str, Any]]:
        """One row a measure: name, mean, interval, replications."""
        found = []
        for name in self.names:
            one = self[name]
            found.append(
                {
                    "measure": name,
                    "mean": one.value,
                    "low": one.low,
                    "high": one.high,
                    "half_width": one.half_width,
                    "sd": one.sd,
                    "replications": one.replications,
                    "unit": "s" if is_span(name) else "",
                }
            )
        return found

    def to_json(self) -> str:
        """The result as JSON; numbers that do not exist are null."""
        content = {
            "scenario": self.study.scenario.scenario.id,
            "seed": self.study.scenario.run.seed,
            "confidence": self.confidence,
            "replications": self.replications,
            "interrupted": self.interrupted,
            "measures": {row.pop("measure"): {k: _finite(v) for k, v in row.items()} for row in self.rows()},
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
            "suggested_warmup": self.suggested_warmup,
            "work_in_progress": _series(self.wip_series()),
            "queues": {
                name: _series(self.queue_series(name))
                for name in dict.fromkeys(name for outcome in self.outcomes for name in outcome.queues)
                if self[f"pool.{name}.queue_length.max"].value > 0
            },
        }
        return json.dumps(content, ensure_ascii=False, indent=2)

    def to_csv(self) -> str:
        """One line a measure."""
        return _csv(self.rows())

    def replications_to_csv(self) -> str:
        """One line a replication and measure, for other statistics packages."""
        return _csv(
            [
                {"replication": outcome.replication, "measure": name, "value": value}
                for outcome in self.outcomes
                for name, value in outcome.measures.items()
            ]
        )

    def write(self, path: str | Path) -> Path:
        """Write by the file's ending: .json, .csv, .parquet (needs pyarrow) or .html (the report)."""
        target = Path(path)
        match target.suffix.lower():
            case ".json":
                target.write_text(self.to_json(), encoding="utf-8")
            case ".csv":
                target.write_text(self.to_csv(), encoding="utf-8")
            case ".parquet":
                write_parquet(self.rows(), target)
            case ".html":
                from flowkit.simulation.report import html_report  # noqa: PLC0415 - the report imports results

                target.write_text(html_report(self), encoding="utf-8")
            case other:
                raise ValueError(f"'{other}' is not a known ending; use .json, .csv, .parquet or .html")
        return target

    def summary(self) -> list[tuple[str, str]]:
        """The measures that most people ask for first, as ``(name, text)``."""
        main = [
            "cycle_time.mean",
            "cycle_time.p50",
            "cycle_time.p95",
            "waiting_time.mean",
            "processing_time.mean",
        ]
        main += ["cost.mean", "throughput.per_hour", "wip.mean"]
        main += ["rework.share", "timeout.share"]
        named = self.study.scenario.pools
        main += [
            name
            for name in self.names
            if name.startswith("pool.") and name.endswith(".utilisation")
            and (not named or name[5:-12] in named)
        ]  # fmt: skip
        main += [n for n in self.names if n.startswith(("service_level.", "outcome."))]
        main += [n for n in self.names if n.startswith("end.") and n.endswith(".share")]
        return [(name, self[name].show(span=is_span(name))) for name in main if name in self.names]

    def __str__(self) -> str:
        width = max((len(name) for name, _ in self.summary()), default=0)
        lines = [f"{name:<{width}}  {text}" for name, text in self.summary()]
        lines.append(f"({self.replications} replications, {self.confidence:.0%} confidence)")
        return "\n".join(lines)


def _average(parts: Sequence[tuple[float, list[float]]]) -> tuple[float, list[float]]:
    """The average of several series; those with a finer step are made coarser first."""
    known = [(step, series) for step, series in parts if series and step]
    if not known:
        return 0.0, []
    step = max(width for width, _ in known)
    aligned = []
    for width, given in known:
        series = given
        factor = round(step / width)
        if factor > 1:
            series = [
                math.fsum(series[i : i + factor]) / factor for i in range(0, len(series) - factor + 1, factor)
            ]
        aligned.append(series)
    length = min(len(series) for series in aligned)
    return step, [math.fsum(series[i] for series in aligned) / len(aligned) for i in range(length)]


def _series(found: tuple[float, list[float]]) -> dict[str, Any]:
    step, values = found
    return {"step": step, "values": [round(value, 4) for value in values]}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def write_parquet(rows: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Write rows as Parquet; raises ImportError that says what to install."""
    try:
        import pyarrow  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 - optional
        from pyarrow import parquet  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415
    except ImportError:
        raise ImportError(
            "writing Parquet needs the package 'pyarrow': pip install 'flowkit[parquet]'"
        ) from None
    parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in rows]), target)
