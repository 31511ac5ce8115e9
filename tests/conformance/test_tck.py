"""The public DMN Technology Compatibility Kit, levels 2 and 3: every case passes, none is excused.

The kit is not part of the repository: FLOWKIT_TCK names its folder, ``../shared/tck`` by default.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXCUSED: frozenset[str] = frozenset()
"""Cases that may fail, each with its reason; the ones that call ``java.lang`` are emulated and pass."""


def kit() -> Path:
    """The folder of the kit, whether it is there or not."""
    named = os.environ.get("FLOWKIT_TCK")
    if named:
        return Path(named)
    return next(
        (path for path in (ROOT.parent / "shared/tck", ROOT.parent.parent / "shared/tck") if path.is_dir()),
        ROOT.parent / "shared/tck",
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the kit's own runner says about flowkit."""
    runner = kit() / "runner.py"
    if not runner.is_file():
        pytest.skip(f"the DMN TCK is not at {kit()}; set FLOWKIT_TCK to its folder")
    target = tmp_path_factory.mktemp("tck") / "report.json"
    subprocess.run(
        [sys.executable, str(runner), "tests.conformance.tck_adapter", "--summary", "--json", str(target)],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=600,
    )
    found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return found


def test_every_case_of_levels_2_and_3_passes(report: dict[str, Any]) -> None:
    failing = {case["id"]: case["nodes"] for case in report["failing"] if case["id"] not in EXCUSED}
    assert failing == {}


def test_the_kit_was_really_run(report: dict[str, Any]) -> None:
    totals = report["totals"]
    assert totals["compliance-level-2"]["vcases"] > 80
    assert totals["compliance-level-3"]["vcases"] > 1500
