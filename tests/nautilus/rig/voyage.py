"""Runs of one backtest, with the gate or on the stock venue alone: everything the trader heard, and where it ended."""

from __future__ import annotations

from functools import partial
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AccountType, BookType, OmsType
from nautilus_trader.model.objects import Money
from tests.nautilus.rig import market
from tests.nautilus.rig.market import SIM

from seatrial_nautilus.v1.backtest import attach

__all__ = ["engine", "heard", "settings", "tape"]

_OPTIONS: dict[str, dict[str, Any]] = {
    "trades": {"trade_execution": True},
    "books": {"book_type": BookType.L2_MBP},
    "changes": {"book_type": BookType.L2_MBP},
    "orders": {"book_type": BookType.L3_MBO},
    "depths": {"book_type": BookType.L2_MBP},
    "unnamed": {"use_position_ids": False},
}
_MADE_OF = {"orders": "changes", "unnamed": "quotes"}


def tape(case: str) -> tuple[str, str, Any, Any, dict[str, Any]]:
    """Return account type, OMS, a maker of data, the instrument and the venue's options of `margin-hedging-quotes`."""
    account, oms, data = case.upper().split("-")
    kind = data.lower()
    instrument = market.EQUITY if account == "CASH" or kind == "bars" else market.PAIR
    rows = market.bars if kind == "bars" else partial(getattr(market, _MADE_OF.get(kind, kind)), instrument)
    return account, oms, rows, instrument, _OPTIONS.get(kind, {})


def settings(account: str, oms: str, **more: Any) -> dict[str, Any]:
    """Return how a venue is set up."""
    return {
        "oms_type": OmsType[oms],
        "account_type": AccountType[account],
        "starting_balances": [Money(1_000_000_000, USD)],
        "base_currency": USD,
        **more,
    }


def engine(instruments: list[Any], options: dict[str, Any], gate: dict[str, Any] | None) -> tuple[Any, Any]:
    """Return a backtest engine with a venue, and the session before it; `None` for the stock venue alone."""
    made = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(max_order_submit_rate="1000/00:00:01", max_order_modify_rate="1000/00:00:01"),
        )
    )
    session = None
    if gate is None:
        made.add_venue(venue=SIM, **options)
    else:
        session = attach(made, venue=SIM, **options, **gate)
    for instrument in instruments:
        made.add_instrument(instrument)
    return made, session


def heard(made: Any, traders: list[Any], after: int = 0) -> dict[str, Any]:
    """Return what the traders heard later than `after`, and what their account came to."""
    account = made.kernel.cache.account_for_venue(SIM)
    positions = made.kernel.cache.positions()
    return {
        "lines": [line for trader in traders for now, line in trader.lines if now > after],
        "balances": sorted(str(one) for one in account.balances().values()),
        "margins": sorted(str(one) for one in account.margins().values()) if account.is_margin_account else [],
        "positions": sorted(f"{one.id} {one.signed_qty} {one.avg_px_open} {one.realized_pnl}" for one in positions),
        "orders": sorted(f"{one.client_order_id} {one.status} {one.filled_qty}" for one in made.kernel.cache.orders()),
    }
