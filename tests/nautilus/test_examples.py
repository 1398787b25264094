"""The programs of the documentation do what the page says."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples" / "nautilus"


def _command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-W", "ignore", str(EXAMPLES / name), *arguments]


def test_the_backtest_is_cut_and_goes_on(tmp_path: Path) -> None:
    """It fills late, refuses the third order, and ends with the position of two."""
    result = subprocess.run(_command("backtest.py"), cwd=tmp_path, check=False, capture_output=True, text=True)

    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "100000 at 1.10002: matched at 250 ms, told at 376 ms"
    assert lines[1] == "cut with 1 order on its way"
    assert lines[2].startswith("100000 at 1.10014: matched at 1250 ms")
    assert lines[3].startswith('denied: {"reason":"risk_position_limit"')
    assert "'EUR/USD.SIM': Decimal('200000')" in lines[4]


def test_the_paper_session_survives_a_kill(tmp_path: Path) -> None:
    """The first run is killed once its limit works; the second finds the position and the limit."""
    with subprocess.Popen(
        _command("paper.py", "60"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as first:
        assert first.stdout is not None
        lines = []
        for line in first.stdout:
            lines.append(line)
            if sum(word in "".join(lines) for word in ("filled", "working")) == 2:
                break
        first.send_signal(signal.SIGKILL)
    second = subprocess.run(_command("paper.py", "4"), cwd=tmp_path, check=False, capture_output=True, text=True)

    assert lines[0] == "found [] []\n"
    assert second.returncode == 0, second.stderr
    assert "found ['10000.0'] ['1.05000']" in second.stdout


def test_the_guarded_account_is_limited_closed_and_stays_halted(tmp_path: Path) -> None:
    """The second order is over the limit; the fall of the market closes the position; the next run is halted too."""
    first, second = [
        subprocess.run(_command("guarded.py"), cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
        for _ in range(2)
    ]

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    lines = first.stdout.splitlines()
    assert lines[0] == "bought 40000"
    assert lines[1].startswith('denied: {"reason":"risk_position_limit"')
    assert lines[2] == "sold 40000"
    assert second.stdout.startswith('denied: {"reason":"risk_drawdown_limit"')
    assert second.stdout.endswith("trading is halted\n")
    assert '"event":"trading_state"' in (tmp_path / "guard" / "live-001" / "events.jsonl").read_text("utf-8")
