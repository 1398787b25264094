"""The first example shows what it claims: latency changes nothing on daily bars, and much on ticks."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seatrial import LATENCY_INSTANT, LATENCY_NORMAL, ExecutionSimulator, OrderExecution
from seatrial.report.summary import summarize

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "first_voyage.py"


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """Return what the script defines, without running it."""
    return runpy.run_path(str(SCRIPT), run_name="first_voyage")


def prices(simulator: ExecutionSimulator) -> list[tuple[object, ...]]:
    """Return what was filled, in order, without the times of report."""
    return [(e.order_id, e.price, e.quantity) for e in simulator.events if isinstance(e, OrderExecution)]


def test_output_is_short_and_always_the_same() -> None:
    """Two processes with different hash seeds print the same, in fewer than 60 lines of at most 100 characters."""
    outputs = [
        subprocess.run(
            [sys.executable, str(SCRIPT)],
            check=True,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8", "COLUMNS": columns},
        ).stdout
        for seed, columns in (("1", "40"), ("2", "200"))
    ]

    assert outputs[0] == outputs[1]
    lines = outputs[0].splitlines()
    assert 30 < len(lines) < 60
    assert max(map(len, lines)) <= 100


def test_daily_bars_do_not_notice_50_ms(names: dict[str, Any]) -> None:
    """Every fill on the bars has the same price and quantity under both profiles, only the reports come later."""
    instant, _ = names["sail_bars"]("INSTANT", LATENCY_INSTANT)
    normal, _ = names["sail_bars"]("NORMAL", LATENCY_NORMAL)

    assert len(prices(instant)) > 20
    assert prices(instant) == prices(normal)
    assert summarize(instant).wire_p50 == 0
    assert (summarize(normal).wire_p50 or 0) >= 150_000_000


def test_ticks_do(names: dict[str, Any]) -> None:
    """On the ticks the delayed run pays more, misses orders and loses cancels that the other run does not."""
    instant, _ = names["sail_ticks"]("INSTANT", LATENCY_INSTANT)
    normal, _ = names["sail_ticks"]("NORMAL", LATENCY_NORMAL)
    compared = names["Comparison"](instant, normal)

    assert prices(instant) != prices(normal)
    assert compared.mean_cost > 0
    assert len(compared.missed) >= 2
    assert len(compared.raced) >= 2
    assert compared.crossed
    assert not names["Comparison"](instant, instant).raced
    assert not names["Comparison"](instant, instant).moved
