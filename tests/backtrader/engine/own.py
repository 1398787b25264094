"""Backtrader strategies as their authors write them."""

from __future__ import annotations

from typing import Any

import backtrader

bt: Any = backtrader  # whose modules hide what they hold from a type checker

__all__ = ["Bracketed", "Crossing", "Failing", "Shorting", "Skipping", "Spendthrift", "Timed", "Trailing", "Waving"]


class Crossing(bt.Strategy):
    """Holds while a fast mean is above a slow one."""

    params: Any = (("fast", 20), ("slow", 100), ("size", 500))

    def __init__(self) -> None:
        fast, slow = bt.ind.SMA(period=self.p.fast), bt.ind.SMA(period=self.p.slow)
        self.cross = bt.ind.CrossOver(fast, slow)

    def next(self) -> None:
        """Act on a cross."""
        if self.cross[0] > 0 and not self.position:
            self.buy(size=self.p.size)
        elif self.cross[0] < 0 and self.position:
            self.close()


class Waving(bt.Strategy):
    """Buys and sells in turn, every so many rows."""

    params: Any = (("every", 25), ("size", 3))

    def next(self) -> None:
        """Act by the count of rows."""
        if len(self) % self.p.every == 0:
            if self.position:
                self.close()
            else:
                self.buy(size=self.p.size)


class Shorting(bt.Strategy):
    """Sells what it does not have."""

    def next(self) -> None:
        """Sell once."""
        if len(self) == 3:
            self.sell(size=5)


class Bracketed(bt.Strategy):
    """Buys with a profit and a loss in sight, again and again."""

    def next(self) -> None:
        """Send a bracket where there is none."""
        if not self.position and not self.broker.get_orders_open():
            close = self.data.close[0]
            self.buy_bracket(
                size=10, exectype=bt.Order.Market, limitprice=round(close * 1.03, 2), stopprice=round(close * 0.97, 2)
            )


class Failing(bt.Strategy):
    """Breaks down on its way."""

    def next(self) -> None:
        """Fail on the fifth row."""
        if len(self) == 5:
            raise ValueError("no idea")


class Timed(bt.Strategy):
    """Turns its position around on the first session of each month."""

    def __init__(self) -> None:
        self.add_timer(when=bt.Timer.SESSION_START, monthdays=[1], monthcarry=True)

    def notify_timer(self, timer: Any, when: Any, *args: Any, **kwargs: Any) -> None:
        """Act by the timer."""
        self.order_target_size(target=0 if self.position else 10)


class Trailing(bt.Strategy):
    """Buys, and follows the price with a stop; on either side."""

    params: Any = (("side", 1),)

    def next(self) -> None:
        """Send both where nothing is held."""
        if not self.position and len(self) % 10 == 1:
            enter, leave = (self.buy, self.sell) if self.p.side > 0 else (self.sell, self.buy)
            enter(size=3)
            leave(size=3, exectype=bt.Order.StopTrail, trailpercent=0.05)


class Skipping(bt.Strategy):
    """Wants not to run."""

    def __init__(self) -> None:
        raise bt.errors.StrategySkipError


class Spendthrift(Waving):
    """Sets what is the session's to set."""

    params: Any = (("act", ""),)

    def next(self) -> None:
        """Set it on the fifth row."""
        if len(self) == 5:
            _SETTERS[self.p.act](self.broker)
        super().next()


_SETTERS: Any = {
    "set_cash": lambda broker: broker.set_cash(5_000.0),
    "grow": lambda broker: broker.set_cash(1_000_000.0),
    "add_cash": lambda broker: broker.add_cash(-5_000.0),
    "add_cash and value": lambda broker: (broker.add_cash(-5_000.0), broker.get_value(broker.cerebro.datas[:1])),
    "set_slippage_perc": lambda broker: broker.set_slippage_perc(0.05),
    "set_slippage_fixed": lambda broker: broker.set_slippage_fixed(1.0),
    "setcommission": lambda broker: broker.setcommission(commission=0.1),
    "addcommissioninfo": lambda broker: broker.addcommissioninfo(bt.CommissionInfo(commission=0.1)),
    "set_filler": lambda broker: broker.set_filler(bt.broker.fillers.FixedSize(size=1)),
}
