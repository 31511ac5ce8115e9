"""Comparing scenarios: with common random numbers, pair by pair, and saying which differences are real."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flowkit.errors import InvalidPayload
from flowkit.simulation.experiment import Progress, Source, simulate
from flowkit.simulation.results import Result, is_span
from flowkit.simulation.statistics import Difference, holm, paired_difference
from flowkit.simulation.study import Study, open_study
from flowkit.simulation.timespans import show_span

__all__ = ["Comparison", "compare", "compare_results"]

OTHER_SEED = 1_000_003
"""Added to the variant's seed when common random numbers are not wanted."""


@dataclass(frozen=True)
class Comparison:
    """``differences`` are variant minus baseline, by measure, adjusted for their number (Holm)."""

    baseline: Result
    variant: Result
    differences: tuple[Difference, ...]
    common_random_numbers: bool = True

    def __getitem__(self, measure: str) -> Difference:
        for difference in self.differences:
            if difference.measure == measure:
                return difference
        raise KeyError(
            f"'{measure}' was not compared; compared: {', '.join(d.measure for d in self.differences)}"
        )

    @property
    def real(self) -> tuple[Difference, ...]:
        """The differences that chance does not explain."""
        return tuple(difference for difference in self.differences if difference.real)

    def rows(self) -> list[dict[str, Any]]:
        """One row a measure."""
        return [
            {
                "measure": d.measure,
                "baseline": d.baseline.value,
                "variant": d.variant.value,
                "difference": d.difference.value,
                "low": d.difference.low,
                "high": d.difference.high,
                "relative": d.relative,
                "p_adjusted": d.adjusted,
                "real": d.real,
            }
            for d in self.differences
        ]

    def to_json(self) -> str:
        """The comparison as JSON."""
        rows = [
            {
                key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in row.items()
            }
            for row in self.rows()
        ]
        return json.dumps(
            {"common_random_numbers": self.common_random_numbers, "differences": rows},
            ensure_ascii=False,
            indent=2,
        )

    def write(self, path: str | Path) -> Path:
        """Write as .json or .html."""
        target = Path(path)
        if target.suffix.lower() == ".html":
            from flowkit.simulation.report import html_comparison  # noqa: PLC0415 - the report imports comparisons

            target.write_text(html_comparison(self), encoding="utf-8")
        elif target.suffix.lower() == ".json":
            target.write_text(self.to_json(), encoding="utf-8")
        else:
            raise ValueError(f"'{target.suffix}' is not a known ending; use .json or .html")
        return target

    def __str__(self) -> str:
        lines = []
        for d in self.differences:
            show = show_span if is_span(d.measure) else (lambda value: f"{value:,.4g}")
            verdict = "real" if d.real else "not shown"
            lines.append(
                f"{d.measure:<40} {show(d.baseline.value):>12} → {show(d.variant.value):>12}"
                f"  {d.difference.show(span=is_span(d.measure)):>20}  {verdict}"
            )
        return "\n".join(lines)


def compare(  # noqa: PLR0913 - options, by keyword only
    baseline: Source,
    variant: Source | None = None,
    *,
    replications: int | None = None,
    cases: int | None = None,
    seed: int | None = None,
    processes: int = 1,
    measures: Sequence[str] | None = None,
    progress: Progress | None = None,
    confidence: float = 0.95,
) -> Comparison:
    """Simulate two scenarios with common random numbers and compare them, replication by replication.

    With one scenario that says ``compare: {baseline: …}`` that baseline is used. The variant runs with
    the baseline's seed, length and number of replications, so that the pairs fit. Raises InvalidPayload.
    """
    first, second, common = _pair(baseline, variant)
    result = simulate(
        first, replications=replications, cases=cases, seed=seed, processes=processes,
        progress=progress, confidence=confidence,
    )  # fmt: skip
    run = result.study.scenario.run
    changes: dict[str, Any] = {
        "run.seed": run.seed if common else run.seed + OTHER_SEED,
        "run.replications": {"min": result.replications, "max": result.replications},
    }
    if cases is not None:
        changes["run.stop.cases"] = cases
    other = simulate(
        second.with_changes(changes), processes=processes, progress=progress, confidence=confidence
    )
    count = min(result.replications, other.replications)
    return compare_results(
        replace(result, outcomes=result.outcomes[:count]),
        replace(other, outcomes=other.outcomes[:count]),
        measures,
        common_random_numbers=common,
    )


def _pair(baseline: Source, variant: Source | None) -> tuple[Study, Study, bool]:
    first = open_study(baseline)
    if variant is not None:
        second = open_study(variant)
        asked = second.scenario.compare
        return first, second, asked is None or asked.common_random_numbers
    asked = first.scenario.compare
    if asked is None:
        raise InvalidPayload("compare needs two scenarios, or one that says compare: {baseline: other.yaml}")
    return open_study(first.scenario.directory / asked.baseline), first, asked.common_random_numbers


STANDARD = (
    "cycle_time.mean", "cycle_time.p50", "cycle_time.p95", "waiting_time.mean", "processing_time.mean",
    "cost.mean", "throughput.per_hour", "wip.mean",
)  # fmt: skip


def compare_results(
    baseline: Result,
    variant: Result,
    measures: Sequence[str] | None = None,
    *,
    common_random_numbers: bool = True,
) -> Comparison:
    """Compare two results with the same number of replications."""
    if measures is None:
        both = [name for name in baseline.names if name in variant.names]
        measures = [name for name in STANDARD if name in both]
        named = {*baseline.study.scenario.pools, *variant.study.scenario.pools}
        for name in both:
            pool = name.removeprefix("pool.").removesuffix(".utilisation")
            if name == f"pool.{pool}.utilisation" and (not named or pool in named):
                measures.append(name)  # pools that nobody named would only weaken the test of the others
        measures += [n for n in both if n.startswith("service_level.")]
        measures += [n for n in both if n.startswith("end.") and n.endswith(".share")]
    found = [
        paired_difference(name, baseline.values(name), variant.values(name), baseline.confidence)
        for name in measures
    ]
    adjusted = holm([difference.p for difference in found])
    return Comparison(
        baseline,
        variant,
        tuple(replace(d, adjusted=p) for d, p in zip(found, adjusted, strict=True)),
        common_random_numbers,
    )
