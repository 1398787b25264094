"""A strategy as NautilusTrader's users write them; the session beside it runs it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.trading.strategy import Strategy


class CrossingConfig(StrategyConfig, frozen=True):  # type: ignore[call-arg]  # msgspec's
    """What the session's `params` may set."""

    bar_type: BarType
    fast: int = 10
    slow: int = 50
    size: Decimal = Decimal(100)


class Crossing(Strategy):
    """Holds shares while a fast average of closes is above a slow one."""

    def __init__(self, config: CrossingConfig) -> None:
        super().__init__(config)
        self.fast, self.slow = SimpleMovingAverage(config.fast), SimpleMovingAverage(config.slow)

    def on_start(self) -> None:
        for average in (self.fast, self.slow):
            self.register_indicator_for_bars(self.config.bar_type, average)
        self.subscribe_bars(self.config.bar_type)

    def on_bar(self, bar: Any) -> None:
        if not self.indicators_initialized():
            return
        instrument = self.cache.instrument(bar.bar_type.instrument_id)
        is_flat = self.portfolio.is_flat(instrument.id)
        if self.fast.value > self.slow.value and is_flat:
            order = self.order_factory.market(instrument.id, OrderSide.BUY, instrument.make_qty(self.config.size))
            self.submit_order(order)
        elif self.fast.value < self.slow.value and not is_flat:
            self.close_all_positions(instrument.id)

    def on_stop(self) -> None:
        self.close_all_positions(self.config.bar_type.instrument_id)
