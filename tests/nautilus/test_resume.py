"""A backtest that is cut and gone on with in a new process hears what the one heard that never stopped."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from pathlib import Path

from seatrial import CheckpointManager, ExecutionCheckpoint

PROGRAM = Path(__file__).parent / "rig" / "resume.py"
CASES = {
    "margin-netting-quotes": 8,
    "margin-hedging-quotes": 8,
    "cash-netting-quotes": 8,
    "cash-hedging-quotes": 8,
    "margin-hedging-trades": 6,
    "margin-hedging-bars": 4,
    "cash-netting-bars": 4,
    "margin-hedging-books": 4,
}
"""How often each case is cut."""
CUTS = {case: sorted(random.Random(case).sample(range(3, 217), count)) for case, count in CASES.items()}


def _run(step: str, folder: Path, cuts: dict[str, list[int]], hash_seed: str) -> dict[str, Any]:
    cases = [f"{case}:{','.join(map(str, cuts[case]))}" for case in cuts]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, str(PROGRAM), step, str(folder), *cases]
    result = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was heard by those that never stopped, and after each cut by those that went on, in two processes."""
    folder = tmp_path_factory.mktemp("cuts")
    return _run("first", folder, CUTS, "0"), _run("second", folder, CUTS, "1")


@pytest.mark.parametrize("case", CUTS)
def test_a_cut_backtest_goes_on_in_a_new_process_as_if_nothing_had_been(case: str, runs: Any) -> None:
    """Wherever it is cut, with orders and reports under way: events, orders, positions, balances and margins agree."""
    expected, found = (run[case] for run in runs)

    assert [cut for cut in map(str, CUTS[case]) if found[cut] != expected[cut]] == []
    assert all(len(expected[str(cut)]["lines"]) > 10 for cut in CUTS[case][:-1])


@pytest.mark.parametrize("case", CUTS)
def test_a_checkpoint_leaves_no_trace(case: str, runs: Any) -> None:
    """A backtest that goes on after its checkpoints were written is the one of which none was taken."""
    expected, _ = runs

    assert expected[case]["parted"] == expected[case]["whole"]


def test_a_checkpoint_holds_what_is_under_way(tmp_path: Path) -> None:
    """At the cut orders and reports travel, orders rest and a position is open; the file is the core's own format."""
    _run("first", tmp_path, {"margin-netting-quotes": [201]}, "0")

    checkpoint = CheckpointManager(tmp_path / "margin-netting-quotes" / "201").load_checkpoint("sim")

    assert isinstance(checkpoint, ExecutionCheckpoint)
    gate, engine = json.loads(bytes(checkpoint.gate)), json.loads(bytes(checkpoint.engine))
    assert gate["wire"]["requests"]
    assert gate["wire"]["reports"]
    assert sum(len(orders) for orders in engine["venue"]["resting"].values()) > 3
    assert engine["venue"]["positions"]
    assert checkpoint.account.equity != checkpoint.account.initial_cash
