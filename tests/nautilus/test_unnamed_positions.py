"""HEDGING venues that give positions no ids: the trader names them by itself, by the second and a count."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.model.enums import OrderSide
from tests.nautilus.rig.market import MS, PAIR, quotes
from tests.nautilus.rig.scripted import Scripted
from tests.nautilus.rig.voyage import engine, settings

from seatrial import Constant, LatencyConfig
from seatrial_nautilus.v1.checkpoint import snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PROGRAM = Path(__file__).parent / "rig" / "resume.py"
CASE, CUTS = "margin-hedging-unnamed", (40, 77, 130, 180)


def _run(step: str, folder: Path, hash_seed: str) -> Any:
    command = [sys.executable, str(PROGRAM), step, str(folder), f"{CASE}:{','.join(map(str, CUTS))}"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    result = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)[CASE]


def test_after_a_cut_positions_get_the_numbers_that_they_would_have_got(tmp_path: Path) -> None:
    """So no new position gets the id of an old one; everything heard after each cut is the same."""
    expected, found = _run("first", tmp_path, "0"), _run("second", tmp_path, "1")

    assert [cut for cut in map(str, CUTS) if found[cut] != expected[cut]] == []
    assert sum("PositionOpened" in line for line in expected[str(CUTS[0])]["lines"]) > 50


def _sailed(script: Mapping[int, Any]) -> tuple[Scripted, Any]:
    delays = LatencyConfig(submit=Constant(35 * MS), fill=Constant(12 * MS))
    made, session = engine([PAIR], settings("MARGIN", "HEDGING", use_position_ids=False), {"latency_config": delays})
    made.add_data(quotes(PAIR, 140, 1))
    trader = Scripted(PAIR, script)
    made.add_strategy(trader)
    made.run()
    return trader, session


def _buy(trader: Any) -> None:
    trader.submit_order(trader.order_factory.market(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000)))


def _close(trader: Any) -> None:
    [position] = trader.cache.positions_open()
    trader.close_position(position)


def test_a_position_that_was_told_a_second_later_than_it_was_opened_can_be_closed() -> None:
    """Matched at 995 ms and told at 1,007 ms, it has one name at the venue and another in the trader's books."""
    trader, _ = _sailed({96: _buy, 110: _close})

    assert [one[0] for one in trader.heard] == ["OrderSubmitted", "OrderFilled"] * 2
    opened, closed = [one.position_id for one in trader.events if hasattr(one, "position_id")]
    assert opened == closed
    assert trader.portfolio.is_flat(PAIR.id)


def test_the_checkpoint_counts_them_in_both_books() -> None:
    """The venue has numbered a position of which the trader has not been told."""
    _, session = _sailed({20: _buy, 60: _buy, 135: _buy})

    engine_state = json.loads(bytes(snapshot(session).engine))
    assert engine_state["trader"]["virtual"] == {"ST-001-001": 2}
    assert engine_state["venue"]["virtual"] == {"ST-001-001": 3}
