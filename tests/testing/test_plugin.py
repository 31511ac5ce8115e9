"""The pytest plugin, run by pytest itself on a small folder of diagrams."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.cli.test_commands import PARTS
from tests.testing.test_coverage import FREIGHT

pytest_plugins = ["pytester"]
BEGIN = "title: 领料\nstart: {process: parts, variables: {parts: [], order: T-1}}\n"
STEPS = "steps: [{task: 确认, set: {ok: true}}, {message: 已签字, key: T-1}, {signal: 打烊}]\n"
WHOLE = STEPS + "expect: {end: [完成]}\n"


@pytest.fixture
def shop(pytester: pytest.Pytester) -> Path:
    folder = pytester.mkdir("shop")
    (folder / "scripts").mkdir()
    (folder / "parts.bpmn").write_text(PARTS.replace('<zeebe:formDefinition formId="confirm"/>', ""), "utf-8")
    (folder / "scripts" / "whole.yaml").write_text(BEGIN + WHOLE, "utf-8")
    return folder


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    installed = any(it.value == "flowkit.testing.plugin" for it in entry_points(group="pytest11"))
    load = () if installed else ("-p", "flowkit.testing.plugin")
    return pytester.runpytest_subprocess(*load, "-p", "no:cacheprovider", *options)


@pytest.fixture(autouse=True)
def _findable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))


def test_scripts_are_tests_and_coverage_is_told(pytester: pytest.Pytester, shop: Path) -> None:
    result = run(pytester, "--flowkit", "--flowkit-cover", "100", "shop")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*coverage of the diagrams*", "parts*100.0 % of its flows and ends"])
    assert result.ret == 0


def test_a_script_that_fails_tells_its_step_without_a_traceback(
    pytester: pytest.Pytester, shop: Path
) -> None:
    (shop / "scripts" / "whole.yaml").write_text(BEGIN + "steps: [{task: 喝茶}]\n", "utf-8")
    result = run(pytester, "--flowkit", "shop")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*step 1: expected the task '喝茶' open*", "    never: 等签字 → 等打烊"])
    assert "Traceback" not in result.stdout.str()


def test_too_little_coverage_fails_the_run(pytester: pytest.Pytester, shop: Path) -> None:
    (shop / "scripts" / "whole.yaml").write_text(BEGIN, "utf-8")
    result = run(pytester, "--flowkit", "--flowkit-cover", "100", "shop")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_workers_are_added_up_and_written(pytester: pytest.Pytester, shop: Path) -> None:
    (shop / "scripts" / "begin.yaml").write_text(BEGIN, "utf-8")
    options = ("--flowkit-cover", "100", "--flowkit-data", "c.json", "--flowkit-html", "pages")
    result = run(pytester, "--flowkit", "-n", "2", *options, "shop")
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    data = json.loads((pytester.path / "c.json").read_text("utf-8"))
    assert data["processes"]["parts"]["counts"]["f0"] == 2
    assert data["processes"]["parts"]["counts"]["f4"] == 1
    assert "parts" in (pytester.path / "pages" / "index.html").read_text("utf-8")


def test_rules_that_never_matched_fail_the_run_if_asked_for(pytester: pytest.Pytester, shop: Path) -> None:
    (shop / "freight.dmn").write_text(FREIGHT, "utf-8")
    assert run(pytester, "--flowkit", "shop").ret == 0
    result = run(pytester, "--flowkit", "--flowkit-cover-rules", "50", "shop")
    result.stdout.fnmatch_lines(["freight*0.0 % of its rules", "    never: rule 1: < 5*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_nothing_is_collected_unless_asked_for(pytester: pytest.Pytester, shop: Path) -> None:
    assert run(pytester, "shop").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_the_fixture_plays_a_script(pytester: pytest.Pytester, shop: Path) -> None:
    pytester.makepyfile(
        """
        def test_it(play):
            start = {"process": "parts", "variables": {"parts": [], "order": "T-1"}}
            player = play("shop", {"start": start, "expect": {"open": ["确认"]}})
            assert player.engine.instance(player.root).status == "active"
        """
    )
    run(pytester).assert_outcomes(passed=1)
