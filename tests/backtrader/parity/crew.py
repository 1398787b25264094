"""The strategy that the scripts share: what it does at each bar is a function."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import backtrader as bt
from tests.backtrader.parity.feeds import daily
from tests.backtrader.parity.recorder import Script

__all__ = ["Act", "Acting", "acting", "at", "close", "each", "every", "order", "trade"]

Act = Callable[[Any, int], object]
"""What a strategy does: it is given itself and the number of the bar, from 1."""


class Acting(bt.Strategy):
    """Calls `act` with itself and the number of the bar, from 1; what it `remarks` becomes part of the trace."""

    params = (("act", None), ("early", False), ("open", None))

    def __init__(self) -> None:
        self.remarks: list[object] = []
        self.sent: list[Any] = []

    def prenext(self) -> None:
        if self.p.early:
            self.next()

    def next(self) -> None:
        self.p.act(self, len(self))

    def next_open(self) -> None:
        if self.p.open:
            self.p.open(self, len(self))

    def notify_timer(self, timer: Any, when: Any, *args: Any, **kwargs: Any) -> None:
        self.remarks.append(f"timer at {when}")
        self.buy(**kwargs) if kwargs else self.close()

    def attempt(self, call: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        """Call, remark what the call raises or returns if that is a plain value, and return its result."""
        try:
            result = call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - what the stock broker raises is part of the trace
            self.remarks.append(f"{type(error).__name__}: {error}")
            return None
        if isinstance(result, (bool, int, float, str)):
            self.remarks.append(result)
        return result

    def cancel_it(self, number: int = -1) -> None:
        """Cancel one of the orders in `sent`, by its place in there, and remark the broker's answer."""
        if self.sent:
            self.attempt(self.broker.cancel, self.sent[number])


def order(
    side: str, exectype: int | None = None, at: float | None = None, limit: float | None = None, **more: Any
) -> Any:
    """Return an act that sends an order at the close times `at`, with a price limit of the close times `limit`.

    A further argument may be a function of the strategy.
    """

    def act(strategy: Any, _bar: int) -> None:
        close = strategy.data.close[0]
        prices = {name: round(close * ratio, 2) for name, ratio in (("price", at), ("plimit", limit)) if ratio}
        arguments = {name: value(strategy) if callable(value) else value for name, value in more.items()}
        strategy.sent.append(getattr(strategy, side)(exectype=exectype, **prices, **arguments))

    return act


def close(strategy: Any, _bar: int) -> None:
    """Close the position in every feed."""
    for data in strategy.datas:
        strategy.close(data=data)


def every(period: int, *acts: Any) -> Any:
    """Return an act that does one of `acts` every so many bars, in turn."""

    def act(strategy: Any, bar: int) -> None:
        turn, rest = divmod(bar, period)
        if not rest:
            acts[(turn - 1) % len(acts)](strategy, bar)

    return act


def each(*acts: Any) -> Any:
    """Return an act that does all of `acts`."""

    def act(strategy: Any, bar: int) -> None:
        for one in acts:
            one(strategy, bar)

    return act


def at(*bars: int, do: Any) -> Any:
    """Return an act that does `do` at some bars only."""
    return lambda strategy, bar: do(strategy, bar) if bar in bars else None


_TRADES: tuple[Callable[[Any, Any, float], object], ...] = (
    lambda strategy, data, _price: strategy.close(data=data),
    lambda strategy, data, _price: strategy.buy(data=data, size=7),
    lambda strategy, data, price: strategy.buy(data=data, size=3, exectype=bt.Order.Limit, price=price * 0.995),
    lambda strategy, data, price: strategy.sell(data=data, size=12, exectype=bt.Order.Stop, price=price * 0.995),
    lambda strategy, data, _price: strategy.sell(data=data, exectype=bt.Order.StopTrail, trailpercent=0.01),
    lambda strategy, data, price: strategy.buy_bracket(
        data=data, size=4, limitprice=price * 1.01, stopprice=price * 0.99, price=price
    ),
    lambda strategy, data, _price: strategy.order_target_size(data=data, target=-6),
    lambda strategy, data, _price: strategy.buy(data=data, size=2, exectype=bt.Order.Close),
    lambda strategy, data, _price: strategy.order_target_percent(data=data, target=0.2),
    lambda strategy, _data, _price: [strategy.cancel(one) for one in strategy.broker.get_orders_open()[::2]],
)


def trade(strategy: Any, bar: int) -> None:
    """Trade in every feed in turn, with all common kinds of orders."""
    data = strategy.datas[bar // 3 % len(strategy.datas)]
    if len(data):
        _TRADES[bar % len(_TRADES)](strategy, data, data.close[0])


def _build(act: Any, feeds: Any, broker: Any, setup: Any, params: dict[str, Any], cerebro: Any) -> None:
    for feed in feeds or (partial(daily, 1),):
        cerebro.adddata(feed())
    if broker:
        broker(cerebro.broker)
    if setup:
        setup(cerebro)
    if act:
        cerebro.addstrategy(Acting, act=act, **params)


def acting(
    act: Any,
    *feeds: Any,
    broker: Any = None,
    setup: Any = None,
    params: dict[str, Any] | None = None,
    runs: int = 1,
    **options: Any,
) -> Script:
    """Return a script of one acting strategy; `options` are those of the run."""
    return Script(partial(_build, act, feeds, broker, setup, params or {}), options, runs)
