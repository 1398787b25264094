"""How far an execution engine has numbered positions, where the venue gives them no ids, and how a new one gets there.

The number can only be taken, never set; so the engine takes numbers for fills of which nothing comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderType
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    StrategyId,
    TradeId,
    TraderId,
    VenueOrderId,
)
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.model.orders import MarketOrder

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["count_positions", "take_numbers"]

_NOBODY = TraderId("SEATRIAL-COUNTER")
_NOTHING = InstrumentId.from_str("SEATRIAL.COUNTER")
_ORDER = ClientOrderId("SEATRIAL-COUNTER")


def count_positions(engine: Any, cache: Any) -> dict[str, int]:
    """Return how many positions `engine`, whose cache it is, has numbered, by strategy."""
    counts = {one.value: engine.position_id_count(one) for one in cache.strategy_ids()}
    return {name: counts[name] for name in sorted(counts) if counts[name]}


def take_numbers(engine: Any, counts: Mapping[str, int]) -> None:
    """Let `engine` have numbered at least as many positions as `counts` says."""
    for name, count in counts.items():
        strategy_id = StrategyId(name)
        fill, order = _fill(strategy_id), _order(strategy_id)
        for _ in range(count - engine.position_id_count(strategy_id)):
            engine._determine_hedging_position_id(fill, order)


def _order(strategy_id: Any) -> Any:
    return MarketOrder(_NOBODY, strategy_id, _NOTHING, _ORDER, OrderSide.BUY, Quantity.from_int(1), UUID4(), 0)


def _fill(strategy_id: Any) -> Any:
    return OrderFilled(
        _NOBODY,
        strategy_id,
        _NOTHING,
        _ORDER,
        VenueOrderId("0"),
        AccountId("SEATRIAL-COUNTER"),
        TradeId("0"),
        None,
        OrderSide.BUY,
        OrderType.MARKET,
        Quantity.from_int(1),
        Price.from_int(1),
        USD,
        Money(0, USD),
        LiquiditySide.TAKER,
        UUID4(),
        0,
        0,
    )
