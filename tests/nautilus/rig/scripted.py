"""A strategy that does what a test says, at given quotes, and writes down what it hears, in ms since the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.events import OrderEvent, OrderInitialized
from nautilus_trader.trading.strategy import Strategy
from tests.nautilus.rig.market import MS, T0

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Scripted"]


class Scripted(Strategy):
    """Calls `script[n](strategy)` at the quote n, counted from zero."""

    def __init__(self, instrument: Any, script: Mapping[int, Callable[[Any], None]], name: str = "ST-001") -> None:
        """Trade `instrument`."""
        super().__init__(StrategyConfig(strategy_id=name, order_id_tag=name.rsplit("-", maxsplit=1)[-1]))
        self.instrument = instrument
        self.script = script
        self.seen = 0
        self.heard: list[tuple[str, float, float, float]] = []
        """(event, when it was heard, ts_event, ts_init), in ms."""
        self.events: list[Any] = []
        self.on_fill: Callable[[Any, Any], None] | None = None

    def on_start(self) -> None:
        """Begin."""
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick: Any) -> None:
        """Do what is due at this quote."""
        act = self.script.get(self.seen)
        self.seen += 1
        if act is not None:
            act(self)

    def on_order_event(self, event: Any) -> None:
        """Write down what was heard."""
        if isinstance(event, OrderEvent) and not isinstance(event, OrderInitialized):
            times = [(ts - T0) / MS for ts in (self.clock.timestamp_ns(), event.ts_event, event.ts_init)]
            self.heard.append((type(event).__name__, *times))
            self.events.append(event)
            if self.on_fill is not None and type(event).__name__ == "OrderFilled":
                self.on_fill(self, event)
