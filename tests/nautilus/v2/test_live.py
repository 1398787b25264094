"""Live paper trading on NautilusTrader 2.0 with real nodes: a first process is killed, a second one goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")
if find_spec("nautilus_trader.live.clients") is None:
    pytest.skip("NautilusTrader 2.0 is not installed", allow_module_level=True)

from seatrial import CheckpointManager

PROGRAM = Path(__file__).parent / "rig" / "live.py"
MS = 1_000_000


def _run(step: str, folder: Path, code: int) -> dict[str, Any]:
    command = [sys.executable, str(PROGRAM), step, str(folder)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert result.returncode == code, result.stdout + result.stderr
    found: dict[str, Any] = json.loads([line for line in result.stdout.splitlines() if line.startswith("{")][-1])
    return found


def test_a_killed_session_comes_back_with_what_was_told_and_what_was_under_way(tmp_path: Path) -> None:
    """A position with a realised loss, two resting limits, and behind a cancel two orders that had only left.

    After SIGKILL position, profit, balance and resting orders are back; then the cancel and both orders arrive, and
    everything can be ended.
    """
    before = _run("first", tmp_path, -signal.SIGKILL)["end"]
    after = _run("second", tmp_path, 0)

    assert before["positions"] == [["EUR/USD.SIM", "LONG", "9000", "1.1001", "-0.34 USD"]]
    assert after["start"]["positions"] == before["positions"]
    assert after["start"]["owners"] == ["ALPHA-001"]
    assert after["start"]["balance"] == before["balance"] == ["99999.66 USD"]
    assert [order[:3] for order in before["orders"]][2:] == [
        ["3", "PENDING_CANCEL", "0"],
        ["4", "DENIED", "0"],
        ["5", "ACCEPTED", "0"],
        ["6", "SUBMITTED", "0"],
        ["7", "SUBMITTED", "0"],
    ]
    assert [order[:3] for order in after["start"]["orders"]] == [
        ["1", "FILLED", "10000"],
        ["2", "FILLED", "1000"],
        ["3", "ACCEPTED", "0"],
        ["5", "ACCEPTED", "0"],
    ]
    came = [[order[0], order[1]] for order in after["before"]["orders"]]
    assert came[2:] == [["3", "CANCELED"], ["5", "ACCEPTED"], ["6", "ACCEPTED"], ["7", "FILLED"]]
    assert after["before"]["positions"][0][2] == "8500"
    assert {status for _, status, *_ in after["end"]["orders"]} == {"FILLED", "CANCELED"}


def test_a_rule_denies_and_every_delay_is_the_configured_one(tmp_path: Path) -> None:
    """Between what left and what arrived lies the leg to the nanosecond; the trader hears no sooner than that."""
    heard = _run("first", tmp_path, -signal.SIGKILL)["heard"]
    completed = {one.order_id[-1:]: one for one in CheckpointManager(tmp_path).load_checkpoint("paper").completed}

    denied = next(json.loads(reason) for name, *_, reason in heard if name == "OrderDenied")
    assert (denied["reason"], denied["limit"]) == ("risk_position_limit", "500000")
    assert denied["value"] in {"912000", "911000"}  # the sale of 1000 may have been reported by then
    bought = completed["1"]
    sent, accepted, filled = (event for event in bought.events)
    assert accepted.timestamp - sent.timestamp == filled.timestamp - sent.timestamp == 30 * MS
    assert (accepted.reported_at - accepted.timestamp, filled.reported_at - filled.timestamp) == (5 * MS, 10 * MS)
    told = {name: (ts_event, ts_init) for name, order, ts_event, ts_init, _ in heard if order == "1"}
    assert told["OrderAccepted"][0] == told["OrderFilled"][0] == filled.timestamp
    assert told["OrderAccepted"][1] >= accepted.reported_at
    assert told["OrderFilled"][1] >= filled.reported_at


def test_brackets_changes_and_refusals_reach_the_trader(tmp_path: Path) -> None:
    """The exits of a bracket work once it has filled; a hidden quantity is denied; what is changed says so."""
    found = _run("alone", tmp_path, 0)

    assert [order[:2] for order in found["end"]["orders"]] == [
        ["1", "FILLED"],
        ["2", "CANCELED"],
        ["3", "CANCELED"],
        ["4", "DENIED"],
        ["5", "CANCELED"],
    ]
    assert next(json.loads(line[4])["reason"] for line in found["heard"] if line[0] == "OrderDenied") == "unsupported"
    assert ["OrderUpdated", "5"] in [line[:2] for line in found["heard"]]
