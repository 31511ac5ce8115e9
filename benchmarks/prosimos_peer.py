"""Runs Prosimos; called by benchmarks/simulation.py in an interpreter that has it.

``python prosimos_peer.py model.bpmn model.json CASES [log.csv]`` prints JSON: seconds, activity events,
and peak memory over that after the imports (MB).
"""

from __future__ import annotations

import json
import resource
import sys
from time import perf_counter


def main() -> None:
    from prosimos.simulation_engine import run_simulation  # noqa: PLC0415 - a peer, not a dependency

    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bpmn, parameters, cases, *log = sys.argv[1:]
    began = perf_counter()
    kpis = run_simulation(
        bpmn,
        parameters,
        int(cases),
        log_out_path=log[0] if log else None,
        starting_at="2026-01-05T00:00:00+00:00",
    )
    seconds = perf_counter() - began
    events = None
    if kpis is not None:
        events = sum(kpi.count for kpi in kpis[0][1].values()) if isinstance(kpis[0], tuple) else None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "events": events, "mb": (peak - base) / 1024}))


if __name__ == "__main__":
    main()
