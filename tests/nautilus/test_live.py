"""Live paper trading with real nodes: a first process is killed in the middle, a second one goes on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.config import TradingNodeConfig

from seatrial import CheckpointManager, Constant, LatencyConfig
from seatrial_nautilus.v1.live import SeatrialExecClientConfig

PROGRAM = Path(__file__).parent / "rig" / "live.py"


def _run(code: int, *arguments: object) -> dict[str, Any]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert result.returncode == code, result.stdout + result.stderr
    found: dict[str, Any] = json.loads([line for line in result.stdout.splitlines() if line.startswith("{")][-1])
    return found


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What was known to a session that was killed, and the folder with what it left."""
    folder = tmp_path_factory.mktemp("killed")
    return _run(-signal.SIGKILL, "first", folder), folder


def test_a_killed_session_comes_back_with_everything_that_was_told(killed: Any, tmp_path: Path) -> None:
    """Two strategies on one instrument, each with a position, a resting limit, a bracket, and a cancel under way.

    After SIGKILL all of it is back with its strategy: statuses, average price, realised profit, balance. The cancel
    then arrives, the orders can be cancelled and the positions closed.
    """
    before, left = killed
    after = _run(0, "second", shutil.copytree(left, tmp_path / "left"), before["cancel_ms"])

    for name in ("ALPHA-001-001", "BETA-002-002"):
        first, second = before[name]["end"], after[name]
        assert [status for _, status, _ in first["orders"]] == [
            "FILLED",
            "PENDING_CANCEL",
            "FILLED",
            "ACCEPTED",
            "ACCEPTED",
            "FILLED",
        ]
        assert second["start"] == first
        assert len(first["positions"]) == 1
        assert second["heard"][0] == "OrderCanceled 2"
        assert {status for _, status, _ in second["end"]["orders"]} == {"FILLED", "CANCELED"}
    assert sum("OrderFilled" in line for line in after["BETA-002-002"]["heard"]) == 1


def test_every_step_of_a_live_session_is_in_a_checkpoint_of_the_common_format(killed: Any, tmp_path: Path) -> None:
    """The newest checkpoint after the kill has the cancel on its way; the core reads it as any other."""
    checkpoint = CheckpointManager(shutil.copytree(killed[1], tmp_path / "left")).load_checkpoint("paper")

    requests = json.loads(bytes(checkpoint.gate))["wire"]["requests"]
    assert [request["request"] for _, request, _ in requests] == ["cancel", "cancel"]
    assert len(checkpoint.pending) == 6
    assert len(checkpoint.completed) == 6


def test_the_configuration_of_a_node_can_be_written_and_read() -> None:
    """A node's own JSON holds the client's settings, delays included."""
    client = SeatrialExecClientConfig(
        venue="SIM", starting_balances=["1_000 USD"], latency=LatencyConfig(submit=Constant(5))
    )
    config: Any = TradingNodeConfig(exec_clients={"SIM": client})

    assert SeatrialExecClientConfig.parse(client.json()) == client
    assert config.exec_clients["SIM"].latency.leg("submit") == Constant(5)


def test_nautilustraders_own_acceptance_strategy_passes() -> None:
    """Its tester trades at the market, with limits, stops, brackets and post-only orders, changes, replaces, cancels.

    Under delays every way of trading comes to what it should, and leaves nothing when the node stops.
    """
    command = [sys.executable, str(PROGRAM.with_name("tester.py"))]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads([line for line in result.stdout.splitlines() if line.startswith("{")][-1])
    by_name = {name.rsplit("-", 1)[0]: one for name, one in found.items()}

    assert {name for name, one in by_name.items() if one["left"] or one["position"] not in {"0", "0E-9"}} == set()
    for name in ("market", "short", "ioc"):
        assert by_name[name]["orders"] == ["FILLED", "FILLED"]
    for name in ("limits", "post-only", "stops", "stop-limits", "touched", "one-by-one", "batch"):
        assert by_name[name]["midway"] == ["ACCEPTED", "ACCEPTED"], name
        assert by_name[name]["orders"] == ["CANCELED", "CANCELED"], name
    assert set(by_name["refused"]["orders"]) == {"REJECTED"}
    assert by_name["modified"]["updates"] > 2
    assert len(by_name["replaced"]["orders"]) > 4
    assert set(by_name["brackets"]["orders"]) == {"CANCELED"}
    assert "not implemented" not in result.stdout.lower()
