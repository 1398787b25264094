"""A backtest that is cut and gone on with in a new process hears what the one heard that never stopped.

NautilusTrader walks through the exits of one position in the order of a set, which no checkpoint can bring back: what
is heard at one and the same instant is compared without its order.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from pathlib import Path

from seatrial import CheckpointManager, ExecutionCheckpoint

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = Path(__file__).parent / "rig" / "resume.py"
CUTS: dict[str, int] = {case: random.Random(case).randrange(5, 395) for case in ("netting", "hedging", "books")}


def _run(step: str, case: str, cut: int, folder: Path) -> dict[str, Any]:
    command = [sys.executable, str(PROGRAM), step, case, str(cut), str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    result = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _by_instant(lines: list[str], instant: Callable[[str], str]) -> list[list[str]]:
    return [sorted(group) for _, group in groupby(lines, key=instant)]


@pytest.mark.parametrize("case", CUTS)
def test_a_cut_backtest_goes_on_in_a_new_process_as_if_nothing_had_been(case: str, tmp_path: Path) -> None:
    """Wherever it is cut, with orders and reports under way: events, orders, positions, balances and margins agree."""
    expected = _run("first", case, CUTS[case], tmp_path)
    found = _run("second", case, CUTS[case], tmp_path)

    lines = [_by_instant(one.pop("lines"), lambda line: line.split()[0]) for one in (found, expected)]
    log = [sorted(one.pop("log")) for one in (found, expected)]
    assert lines[0] == lines[1]
    assert log[0] == log[1]
    assert found == expected
    assert len(lines[0]) > 50


def test_a_checkpoint_holds_what_is_under_way(tmp_path: Path) -> None:
    """At the cut orders and reports travel, orders rest and a position is open; the file is the core's own format."""
    _run("first", "netting", 201, tmp_path)

    checkpoint = CheckpointManager(tmp_path).load_checkpoint("sim")

    assert isinstance(checkpoint, ExecutionCheckpoint)
    gate, engine = json.loads(bytes(checkpoint.gate)), json.loads(bytes(checkpoint.engine))
    assert gate["wire"]["requests"]
    assert gate["wire"]["reports"]
    assert sum(len(orders) for orders in engine["venue"]["resting"].values()) > 3
    assert engine["venue"]["positions"]
    assert checkpoint.account.equity != checkpoint.account.initial_cash
