"""Without delays and rules the gate is not there, with deep books, two venues, and strategies that answer fills.

All cases run in one process, with a fixed hash seed, since NautilusTrader orders some of its events by hash.
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

from seatrial_nautilus.v1.options import iterates_after_commands

PROGRAM = Path(__file__).parent / "rig" / "parity.py"
CASES = [
    "margin-netting-changes",
    "cash-hedging-orders",
    "answers:margin-hedging-depths",
    "answers:margin-netting-quotes",
    "answers:margin-hedging-changes",
    "two:margin-netting-depths",
    "answers:two:cash-netting-trades",
]
if iterates_after_commands():  # before, the stock engine lets such an order wait for the next datum
    CASES.append("answers:abroad:two:margin-hedging-quotes")


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    """What every case came to."""
    command = [sys.executable, str(PROGRAM), ",".join(CASES), "200", "3"]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    result = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return dict(zip(CASES, map(json.loads, result.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_nothing_differs_from_the_stock_venue(case: str, found: dict[str, dict[str, Any]]) -> None:
    """Random orders: events in their order, balances, margins and positions of every venue agree."""
    assert found[case]["differing"] == [], found[case]["first"]
    assert found[case]["orders"] > 150
    assert found[case]["kinds"]["OrderFilled"] > 80


def test_traders_that_answer_send_more(found: dict[str, dict[str, Any]]) -> None:
    """The comparison is of what it is called."""
    assert found["answers:margin-hedging-changes"]["orders"] > found["margin-netting-changes"]["orders"] * 1.2
