"""Contracts that expire by an `InstrumentClose`: nothing is settled twice, or behind anybody's back."""

from __future__ import annotations

import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.model.data import InstrumentClose
from nautilus_trader.model.enums import InstrumentCloseType, OrderSide

from seatrial import LatencyConfig, PositionLimitRule, RiskConfig
from seatrial.errors import InvalidConfigError

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.nautilus.rig.market import EQUITY, MS, T0, quotes
from tests.nautilus.rig.scripted import Scripted
from tests.nautilus.rig.voyage import engine, settings

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

_CLOSE = 305
_RULES: dict[str, Any] = {"risk_config": RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(100)))}
_SLOW_FILLS: dict[str, Any] = {"latency_config": LatencyConfig(fill_latency_min=timedelta(milliseconds=300))}


def _buy(trader: Any) -> None:
    trader.submit_order(trader.order_factory.market(EQUITY.id, OrderSide.BUY, EQUITY.make_qty(10)))


def _sell(trader: Any) -> None:
    trader.submit_order(trader.order_factory.market(EQUITY.id, OrderSide.SELL, EQUITY.make_qty(10)))


def _rest(trader: Any) -> None:
    price = EQUITY.make_price(50)
    trader.submit_order(trader.order_factory.limit(EQUITY.id, OrderSide.BUY, EQUITY.make_qty(10), price))


def _sailed(script: dict[int, Any], kind: str, gate: dict[str, Any] | None) -> Any:
    """Return what a strategy heard over quotes every 10 ms, with a close of `kind` at 305 ms."""
    made, _ = engine([EQUITY], settings("MARGIN", "NETTING"), gate)
    at = T0 + _CLOSE * MS
    close = InstrumentClose(EQUITY.id, EQUITY.make_price(101), getattr(InstrumentCloseType, kind), at, at)
    made.add_data(quotes(EQUITY, 60, 1))
    made.add_data([close])
    trader = Scripted(EQUITY, script)
    made.add_strategy(trader)
    made.run()
    return trader.heard


@pytest.mark.parametrize(
    ("script", "gate"),
    [
        ({3: _buy}, {}),
        ({3: _buy, 5: _rest}, {}),
        ({3: _buy}, _RULES),
        ({3: _buy}, _SLOW_FILLS),
        ({3: _buy, 29: _sell}, _SLOW_FILLS),
        ({1: _buy, 28: _buy}, _SLOW_FILLS),
    ],
    ids=["nothing-else", "an-order-rests", "rules", "fill-told-later", "exit-told-later", "another-fill-told-later"],
)
def test_a_contract_that_expires_while_it_is_held_ends_the_run(script: dict[int, Any], gate: dict[str, Any]) -> None:
    """The error names the instrument and says what to do, where NautilusTrader would look up a trader in vain."""
    with pytest.raises(InvalidConfigError, match=r"ACME\.SIM.*expires while a position.*be out of it before"):
        _sailed(script, "CONTRACT_EXPIRED", gate)


def test_an_order_that_arrives_after_its_contract_ends_the_run() -> None:
    """Nothing is traded that would have to be settled."""
    with pytest.raises(InvalidConfigError, match=r"ACME\.SIM.*expires before order .* arrives"):
        _sailed({40: _buy}, "CONTRACT_EXPIRED", {})


@pytest.mark.parametrize(
    ("script", "kind"),
    [({3: _buy, 6: _sell, 9: _rest}, "CONTRACT_EXPIRED"), ({3: _buy, 5: _rest, 40: _sell}, "END_OF_SESSION")],
    ids=["nothing-is-held", "a-session-ends"],
)
def test_any_other_close_does_what_it_does_on_the_stock_venue(script: dict[int, Any], kind: str) -> None:
    """Orders of an expired contract end; a session's end is but news."""
    assert _sailed(script, kind, {}) == _sailed(script, kind, None)
