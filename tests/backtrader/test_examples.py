"""The programs of Backtrader's page print what the page shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("backtrader", reason="Backtrader is not installed")

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _run(folder: Path, name: str, *arguments: str) -> str:
    """Return what a program prints, run from a folder."""
    command = [sys.executable, "-I", "-W", "ignore", str(DOCS / "examples" / "backtrader" / name), *arguments]
    result = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def _shown(after: str) -> str:
    """Return the first block of text on the page after some words."""
    page = (DOCS / "backtrader.md").read_text("utf-8")
    return page.partition(after)[2].partition("```text\n")[2].partition("```")[0]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what the program with the one line prints."""
    return _run(tmp_path_factory.mktemp("empty"), "one_line.py")


def test_the_page_shows_what_its_program_prints(printed: str) -> None:
    """The table on the page is the program's output, to the character."""
    assert _shown("\nIt prints:\n") == printed


def test_one_line_changes_nothing_and_the_rest_does(printed: str) -> None:
    """With nothing given the line is the stock broker's; fees, a delay and a limit each change it."""
    stock, same, *others = [line[19:].split() for line in printed.splitlines()[1:-1]]

    assert same == stock
    assert len({stock[-1], *(other[-1] for other in others)}) == 4
    assert [int(other[2]) > 0 for other in others] == [False, True, True]


def test_the_page_shows_what_a_run_cost(tmp_path: Path) -> None:
    """The summary on the page is the program's output, to the character."""
    assert _shown("\nThe program, `docs/examples/backtrader/cost.py`") == _run(tmp_path, "cost.py")


def test_the_stopped_program_goes_on(tmp_path: Path) -> None:
    """Started again, it has counted every day once, and holds what it held, as the page shows."""
    first = _run(tmp_path, "restart.py", "10")
    second = _run(tmp_path, "restart.py")

    assert _shown("\nThe program, `docs/examples/backtrader/restart.py`") == first + second
