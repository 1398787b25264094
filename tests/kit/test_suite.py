"""The suite as an author meets it: a file of their own, their pytest settings, our report on request."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from seatrial.engine.claims import NATIVE
from seatrial.engine.native import NativeEngine
from seatrial.errors import InvalidConfigError
from seatrial.testing import EngineSuite, all_cases
from seatrial.testing.trial import Status, try_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.scenario import Scenario

AUTHOR = """
from msgspec.structs import replace

from seatrial.contracts.latency import Constant
from seatrial.engine.claims import NATIVE
from seatrial.engine.native import NativeEngine
from seatrial.testing import EngineSuite


class Hasty(NativeEngine):
    def run(self, scenario, **settings):
        execution = scenario.execution
        hasty = replace(execution, latency=replace(execution.latency, modify=Constant(0)))
        return replace(super().run(replace(scenario, execution=hasty), **settings), scenario=scenario)


class TestHasty(EngineSuite):
    capabilities = frozenset(NATIVE.capabilities)
    known_failures = {known}

    def make_engine(self):
        return Hasty()
"""
PLUGIN = ("-p", "seatrial.testing.plugin", "--seatrial-report=report.json", "--seatrial-html=report.html")


@pytest.fixture(name="author")
def _author(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def author(*options: str, known: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_hasty.py").write_text(AUTHOR.replace("{known}", repr(known or {})), "utf-8")
        command = [sys.executable, "-Im", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", "-W", "error"]
        return subprocess.run(
            [*command, *options, "test_hasty.py"], cwd=tmp_path, check=False, capture_output=True, text=True
        )

    return author


def report_of(folder: Path) -> dict[str, Any]:
    """Return the one engine's report, after checking that the file ends with its completeness."""
    text = (folder / "report.json").read_text("utf-8")
    found: dict[str, Any] = msgspec.json.decode(text)
    assert list(found)[-1] == "complete"
    [engine] = found["engines"]
    return {**engine, "complete": found["complete"]}


def test_suite_runs_without_our_plugin(author: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Under strict markers, with warnings as errors, a flaw is told with the statement and the difference."""
    result = author("-k", "LAT-07 or LAT-08 or LAT-01")

    assert result.returncode == 1
    assert "2 failed, 1 passed" in result.stdout
    assert "LAT-08: Unless a delay is given for it, a modify travels as long as a submit." in result.stdout
    assert "events[3]: timestamp: expected 1700000000150000000, got 1700000000100000000 (as quotes)" in result.stdout


def test_report_of_all_cases_is_complete(
    author: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """Each case stands in it once; known failures are told with their link, and fail nothing."""
    result = author(*PLUGIN, known={"LAT-07": "link-7", "LAT-08": "link-8"})
    report = report_of(tmp_path)

    assert result.returncode == 0, result.stdout
    assert (report["suite"], report["engine"], report["complete"]) == ("TestHasty", "native", True)
    assert [case["case"] for case in report["cases"]] == [case.case for case in all_cases()]
    known = {case["case"]: case["link"] for case in report["cases"] if case["status"] == "known failure"}
    assert known == {"LAT-07": "link-7", "LAT-08": "link-8"}
    assert f"{len(all_cases()) - 3} passed, 2 known failure, 1 not claimed" in report["summary"]
    assert report["summary"] in result.stdout


def test_page_needs_no_other_file(author: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    """The HTML report names the failure, and loads nothing from anywhere."""
    author(*PLUGIN, "-k", "LAT-08")
    page = (tmp_path / "report.html").read_text("utf-8")

    assert "expected 1700000000150000000, got 1700000000100000000" in page
    assert not any(word in page for word in ("http:", "https:", "src=", "<link", "<script", "@import"))


def test_report_of_some_cases_is_not_complete(
    author: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """Who leaves cases out cannot show a complete report."""
    author(*PLUGIN, "-k", "LAT-08")
    report = report_of(tmp_path)

    assert report["complete"] is False
    assert report["summary"].endswith("1 failed (not all cases were tried)")


def test_known_failure_that_passes_is_an_error(
    author: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """It has to be taken out of the list, so that the list stays true."""
    result = author(*PLUGIN, "-k", "LAT-01", known={"LAT-01": "link"})
    [case] = report_of(tmp_path)["cases"]

    assert result.returncode == 1
    assert case["status"] == "failed"
    assert case["problems"] == ["it passes; take it out of known_failures (link)"]


@pytest.mark.parametrize(
    ("case", "answer", "problem"),
    [
        ("LIF-01", lambda record: None, "run() returned a NoneType (engine: None); return a RunRecord"),
        (
            "LIF-01",
            lambda record: replace(record, engine=None),
            "run() returned a RunRecord (engine: None)",
        ),
        ("LIF-01", lambda record: replace(record, events=None), "looked into, got one on which that ends in TypeError"),
        ("LIF-01", lambda record: sys.exit(3), "expected a record, got SystemExit: 3"),
        ("CKP-09", lambda record: replace(record, checkpoints=("/nowhere",)), "ends in FileNotFoundError"),
        ("DET-06", lambda record: replace(record, analyses={"x": object()}), "ends in TypeError"),
    ],
)
def test_engine_whose_answer_is_of_the_wrong_make_fails_the_case_and_no_more(
    case: str, answer: Callable[[RunRecord], Any], problem: str, tmp_path: Path
) -> None:
    """What comes of it is a failed case that says why; the one after it is tried all the same."""

    class Odd(NativeEngine):
        def run(self, scenario: Scenario, **settings: Any) -> RunRecord:
            return cast("RunRecord", answer(super().run(scenario, **settings)))

    one = next(one for one in all_cases() if one.case == case)
    outcome = try_case(one, Odd, frozenset(NATIVE.capabilities), tmp_path)

    assert outcome.status is Status.FAILED
    assert any(problem in line for line in outcome.problems), outcome.problems
    assert msgspec.json.encode(outcome)


def test_known_failure_that_is_no_case_is_refused() -> None:
    """A misspelled id would hide nothing and mean nothing."""
    with pytest.raises(InvalidConfigError, match="LAT-99"):
        type("TestWrong", (EngineSuite,), {"capabilities": frozenset(), "known_failures": {"LAT-99": "link"}})


def test_claim_that_is_no_capability_is_refused() -> None:
    """A name in place of a Capability would claim nothing."""
    with pytest.raises(InvalidConfigError, match="quotes"):
        type("TestWrong", (EngineSuite,), {"capabilities": frozenset({"quotes"})})


def test_suite_without_claims_is_refused() -> None:
    """Nothing would be tried, and all be green."""
    with pytest.raises(InvalidConfigError, match="TestSilent builds an engine; say what it claims"):
        type("TestSilent", (EngineSuite,), {"make_engine": NativeEngine})


def test_suite_without_engine_says_so() -> None:
    """An author who forgot make_engine is told."""
    suite = type("TestEmpty", (EngineSuite,), {"capabilities": frozenset(NATIVE.capabilities)})

    with pytest.raises(NotImplementedError, match="TestEmpty has to override make_engine"):
        suite().make_engine()


def test_missing_pytest_is_told_with_the_remedy() -> None:
    """The cases can be had without pytest, the suite cannot."""
    program = (
        "import sys; sys.modules['pytest'] = None; import seatrial.testing as kit; kit.all_cases(); kit.EngineSuite"
    )
    result = subprocess.run([sys.executable, "-Ic", program], check=False, capture_output=True, text=True)

    assert result.stderr.splitlines()[-1].endswith("install it with: pip install 'seatrial[testing]'")


def test_tutorial_runs_as_it_stands(tmp_path: Path) -> None:
    """The ten lines of docs/tutorial_conformance.md, saved as it says, pass as it says."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "tutorial_conformance.md").read_text("utf-8")
    [lines] = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "EngineSuite" in block]
    (tmp_path / "test_conformance.py").write_text(lines, "utf-8")

    command = [sys.executable, "-Im", "pytest", "-q", "-p", "no:cacheprovider", "test_conformance.py"]
    result = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)

    assert len(lines.strip().splitlines()) <= 10
    summary = f"{len(all_cases()) - 1} passed, 1 skipped in"
    assert summary in result.stdout
    assert f"\n{summary}" in text
