"""Simulation of processes on the kernel that also runs them in production.

>>> from flowkit.simulation import simulate
>>> result = simulate("processes/auto_4s.bpmn", replications=10, seed=42)
>>> result.cycle_time.p90
>>> result.assumptions

Needs numpy and scipy: ``pip install 'flowkit[sim]'``. Times are in seconds.
"""

from flowkit.simulation.comparison import Comparison, compare
from flowkit.simulation.experiment import simulate
from flowkit.simulation.fit import fit
from flowkit.simulation.results import Result
from flowkit.simulation.scenario import Scenario
from flowkit.simulation.scenario_file import load_scenario
from flowkit.simulation.search import Goal, Optimum, Sweep, optimise, sweep
from flowkit.simulation.statistics import Difference, Estimate
from flowkit.simulation.study import Study, open_study
from flowkit.simulation.timespans import days, hours, minutes

__all__ = [
    "Comparison",
    "Difference",
    "Estimate",
    "Goal",
    "Optimum",
    "Result",
    "Scenario",
    "Study",
    "Sweep",
    "compare",
    "days",
    "fit",
    "hours",
    "load_scenario",
    "minutes",
    "open_study",
    "optimise",
    "simulate",
    "sweep",
]
