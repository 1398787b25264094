"""The first example shows what it claims: latency changes nothing on daily bars, and much on ticks."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from seatrial import LATENCY_INSTANT, LATENCY_NORMAL, OrderExecution, OrderStatus, OrderType, RejectionReason
from seatrial.contracts.engine import RunRecord
from seatrial.contracts.events import encode_events
from seatrial.errors import EngineNotInstalledError
from seatrial.report.summary import summarize
from seatrial.report.why import why

PROFILES = (LATENCY_INSTANT, LATENCY_NORMAL)
SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "first_voyage.py"


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """Return what the script defines, without running it."""
    return runpy.run_path(str(SCRIPT), run_name="first_voyage")


def prices(record: RunRecord) -> list[tuple[object, ...]]:
    """Return what was filled, in order, without the times of report."""
    return [(e.order_id, e.price, e.quantity) for e in record.events if isinstance(e, OrderExecution)]


def test_output_is_short_and_always_the_same(tmp_path: Path) -> None:
    """Two processes with different hash seeds print the same, in fewer than 60 lines of at most 100 characters.

    They start in an empty folder, and find nothing beside the script.
    """
    outputs = [
        subprocess.run(
            [sys.executable, "-P", str(SCRIPT)],
            cwd=tmp_path,
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


def test_daily_bars_do_not_notice_50_ms(names: dict[str, Any], tmp_path: Path) -> None:
    """Every fill on the bars has the same price and quantity under both profiles, only the reports come later."""
    instant, normal = (names["sail"](names["bars"](latency), str(tmp_path)) for latency in PROFILES)

    assert len(prices(instant)) > 10
    assert prices(instant) == prices(normal)
    assert summarize(instant).delays.fill.p50 == 0
    assert (summarize(normal).delays.fill.p50 or 0) >= 100_000_000


def test_a_rule_refuses_and_why_says_so(names: dict[str, Any], tmp_path: Path) -> None:
    """The drawdown limit stops the crossing for good, and the story names the equity and the limit."""
    record = names["sail"](names["bars"](LATENCY_NORMAL), str(tmp_path))

    refused = [order for order in record.orders if order.status is OrderStatus.REJECTED]
    assert {order.rejection_reason for order in refused} == {RejectionReason.RISK_DRAWDOWN_LIMIT}
    assert any("20 % under its peak" in line for line in why(record, refused[0].order_id))


def test_every_engine_is_beside_and_each_difference_has_its_rule(names: dict[str, Any], tmp_path: Path) -> None:
    """NautilusTrader tells what native tells; Backtrader parts from it at a trailing stop, by a documented rule."""
    records, missing = names["everywhere"](str(tmp_path))
    native = records["native"]

    assert (list(records), missing) == (["native", "Backtrader", "NautilusTrader"], [])
    assert names["first_difference"](native, records["NautilusTrader"]) is None
    assert names["first_difference"](native, records["Backtrader"]).order_type is OrderType.TRAILING_STOP
    assert f"### {names['TRAILS']}\n" in (SCRIPT.parents[1] / "parity.md").read_text("utf-8")


def test_without_its_trailing_stop_the_crossing_is_the_same_everywhere(names: dict[str, Any], tmp_path: Path) -> None:
    """So the rule about trailing stops is the whole difference."""
    source = (SCRIPT.parent / "voyage" / "strategies.py").read_text("utf-8")
    untrailed = tmp_path / "untrailed.py"
    untrailed.write_text(source.replace("if not entry.is_complete:", "if False:"), "utf-8")
    scenario = names["bars"](LATENCY_NORMAL)
    execution = replace(scenario.execution, risk=None)  # without a stop its limit would end it at once
    strategy = replace(scenario.strategy, path=f"{untrailed}:Crossing")
    scenario = replace(scenario, strategy=strategy, execution=execution)

    native, *others = (names["sail"](scenario, str(tmp_path), engine=engine) for engine in names["ENGINES"])

    assert len(prices(native)) > 10
    for other in others:
        assert names["first_difference"](native, other) is None


def test_an_engine_that_is_missing_is_told_in_one_line(
    names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demonstration goes on without it."""

    def sail(scenario: object, directory: str, *, engine: str) -> RunRecord:
        if engine == "nautilus":
            raise EngineNotInstalledError(engine, "nautilus_trader", engine)
        return whole

    whole: RunRecord = names["sail"](names["bars"](LATENCY_NORMAL), str(tmp_path))
    monkeypatch.setitem(names["everywhere"].__globals__, "sail", sail)
    records, missing = names["everywhere"](str(tmp_path))

    assert list(records) == ["native", "Backtrader"]
    [line] = missing
    assert line.endswith("pip install 'seatrial[nautilus]')")


def test_ticks_do(names: dict[str, Any], tmp_path: Path) -> None:
    """On the ticks the delayed run pays more, misses orders and loses cancels that the other run does not."""
    instant, normal = (
        names["sail"](names["ticks"](latency), str(tmp_path / latency_name))
        for latency_name, latency in (("instant", LATENCY_INSTANT), ("normal", LATENCY_NORMAL))
    )
    compared = names["Comparison"](instant, normal)

    assert prices(instant) != prices(normal)
    assert compared.mean_cost > 0
    assert len(compared.missed) >= 2
    assert len(compared.raced) >= 2


def test_crash_costs_nothing(names: dict[str, Any], tmp_path: Path) -> None:
    """Killed in the middle and resumed, the run ends as if it had never stopped."""
    rows, resumed = names["crash_and_resume"](str(tmp_path / "crash"))
    whole = names["sail"](names["ticks"](LATENCY_NORMAL), str(tmp_path / "whole"))

    assert 10_000 < rows < names["CRASH_AT"]
    assert encode_events(resumed.events) == encode_events(whole.events)
    assert resumed.account == whole.account
    assert resumed.equity == whole.equity
