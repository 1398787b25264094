"""Without delays and rules the gate is not there: the trader hears what it would hear from the stock venue alone.

Each case runs in a process of its own, since NautilusTrader orders some of its events by hash.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

PROGRAM = Path(__file__).parent / "rig" / "parity.py"
CASES = (
    "margin-netting-quotes",
    "margin-hedging-quotes",
    "cash-netting-quotes",
    "cash-hedging-quotes",
    "margin-netting-trades",
    "margin-netting-bars",
    "margin-netting-books",
)
EVERYTHING = {
    "OrderSubmitted",
    "OrderAccepted",
    "OrderFilled",
    "OrderUpdated",
    "OrderTriggered",
    "OrderCanceled",
    "OrderExpired",
    "OrderRejected",
    "OrderPendingUpdate",
    "OrderPendingCancel",
    "PositionOpened",
    "PositionChanged",
    "PositionClosed",
}


def _compared(case: str, rows: int, seed: int) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    command = [sys.executable, str(PROGRAM), case, str(rows), str(seed)]
    result = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("case", CASES)
def test_without_delays_and_rules_nothing_differs_from_the_stock_venue(case: str) -> None:
    """Hundreds of random orders of every type, by two strategies: events, balances, margins and positions agree."""
    found = _compared(case, 600, 1)

    assert found["differing"] == [], found["first"]
    assert found["orders"] > 300


def test_the_random_orders_meet_everything_that_can_happen() -> None:
    """The comparison is of streams in which each kind of event occurs, so that it can fail."""
    found = _compared("margin-netting-quotes", 600, 3)

    assert found["differing"] == []
    assert set(found["kinds"]) >= EVERYTHING


def test_the_comparison_notices_a_delay_of_a_single_nanosecond() -> None:
    """The same comparison, with one leg that takes a nanosecond, fails."""
    found = _compared("late:margin-netting-quotes", 60, 1)

    assert "lines" in found["differing"]
