"""Where a session of NautilusTrader was cut, and what it may go on with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.model.currencies import EUR, USD
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.objects import Money

from seatrial.errors import CheckpointError, InvalidConfigError
from seatrial_nautilus.v1.checkpoint import snapshot

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.nautilus.rig.market import PAIR, quotes
from tests.nautilus.rig.scripted import Scripted
from tests.nautilus.rig.voyage import engine, settings

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROWS = quotes(PAIR, 80, 1)
CUT = 50


def _buy(trader: Any) -> None:
    trader.submit_order(trader.order_factory.market(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000)))


@pytest.fixture(scope="module")
def checkpoint() -> Any:
    """What a session left that did nothing for a long time before it was cut."""
    made, session = engine([PAIR], settings("MARGIN", "NETTING"), {})
    made.add_strategy(Scripted(PAIR, {3: _buy}))
    made.add_data(ROWS[:CUT])
    made.run(streaming=True)
    return snapshot(session)


def test_the_time_of_a_checkpoint_is_that_of_the_latest_datum(checkpoint: Any) -> None:
    """Also where no message has travelled since: what comes after it is what the session has not seen."""
    assert checkpoint.timestamp == ROWS[CUT - 1].ts_init


def test_a_session_does_not_see_again_what_it_has_seen(checkpoint: Any) -> None:
    """It says where it was, instead of trading on an old market."""
    made, _ = engine([PAIR], settings("MARGIN", "NETTING"), {"resume_from": checkpoint})
    made.add_data(ROWS)

    with pytest.raises(CheckpointError, match=rf"already; call engine.run\(start={checkpoint.timestamp}\)"):
        made.run()


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("oms_type", settings("MARGIN", "HEDGING")),
        ("use_position_ids", settings("MARGIN", "NETTING", use_position_ids=False)),
        ("base_currency", {**settings("MARGIN", "NETTING"), "base_currency": None}),
        (
            "starting_balances",
            {
                **settings("MARGIN", "NETTING"),
                "base_currency": None,
                "starting_balances": [Money(1_000_000_000, USD), Money(5, EUR)],
            },
        ),
    ],
)
def test_a_session_goes_on_at_no_other_venue(checkpoint: Any, name: str, changed: dict[str, Any]) -> None:
    """Positions and balances of one kind of venue are not those of another."""
    made, _ = engine([PAIR], changed, {"resume_from": checkpoint})
    made.add_data(ROWS[CUT:])

    with pytest.raises(CheckpointError, match=f"began with ({name}|base_currency)="):
        made.run(start=checkpoint.timestamp)


@pytest.mark.parametrize(("setting", "given"), [("latency_config", "fast"), ("risk_config", {"max_shares": 5})])
def test_a_setting_that_is_none_is_named(setting: str, given: Any) -> None:
    """In one line, where it is given."""
    with pytest.raises(InvalidConfigError, match=setting):
        engine([PAIR], settings("MARGIN", "NETTING"), {setting: given})
