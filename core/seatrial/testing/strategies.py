"""Strategies that cases run: small, and only by what every engine offers them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from seatrial.contracts.events import OrderExecution
from seatrial.contracts.terms import OrderSide, OrderType
from seatrial.engine.strategy import Strategy

if TYPE_CHECKING:
    from seatrial.contracts.events import Event
    from seatrial.contracts.market import MarketEvent
    from seatrial.engine.context import Context

__all__ = ["Buyer", "Faulty", "Ladder"]


class Buyer(Strategy):
    """Buys ten at the market with each of its first `times` rows."""

    def __init__(self, symbol: str = "ACME", times: int = 1) -> None:
        """Buy `symbol`."""
        self.symbol = symbol
        self.times = times
        self.seen = 0

    def on_market(self, ctx: Context, event: MarketEvent) -> None:  # noqa: ARG002 - a strategy's signature
        """Buy, or have done."""
        if self.seen < self.times:
            ctx.buy(self.symbol, 10)
        self.seen += 1

    def save_state(self) -> Any:
        """Return how many rows were seen."""
        return self.seen

    def load_state(self, value: Any) -> None:
        """Go on counting."""
        self.seen = value


class Ladder(Strategy):
    """Answers each fill with a limit order: one step below the last, and larger by one."""

    def __init__(self, symbol: str = "ACME", top: str = "9.99", step: str = "0.01") -> None:
        """Begin with a limit at `top`."""
        self.symbol = symbol
        self.top = Decimal(top)
        self.step = Decimal(step)
        self.fills = 0

    def on_start(self, ctx: Context) -> None:
        """Send the first."""
        self._send(ctx)

    def on_order(self, ctx: Context, event: Event) -> None:
        """Send the next."""
        if isinstance(event, OrderExecution):
            self.fills += 1
            self._send(ctx)

    def _send(self, ctx: Context) -> None:
        price = self.top - self.fills * self.step
        ctx.submit(self.symbol, OrderSide.BUY, self.fills + 1, OrderType.LIMIT, limit_price=price)

    def save_state(self) -> Any:
        """Return how many fills were told."""
        return self.fills

    def load_state(self, value: Any) -> None:
        """Go on counting."""
        self.fills = value


class Faulty(Strategy):
    """Fails at its first row."""

    def on_market(self, ctx: Context, event: MarketEvent) -> None:
        """Fail."""
        raise RuntimeError(ctx.now, event.ts)
