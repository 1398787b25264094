"""Strategies as a user of NautilusTrader writes them, without a word of seatrial's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price
from nautilus_trader.trading.strategy import Strategy


class CrossingConfig(StrategyConfig, frozen=True):  # type: ignore[call-arg]  # msgspec's
    bar_type: BarType
    fast: int = 10
    slow: int = 50
    size: Decimal = Decimal(100)


class Crossing(Strategy):
    """Holds shares while a fast average is above a slow one."""

    def __init__(self, config: CrossingConfig) -> None:
        super().__init__(config)
        self.closes: list[float] = []

    def on_start(self) -> None:
        self.subscribe_bars(self.config.bar_type)

    def on_bar(self, bar: Any) -> None:
        self.closes = [*self.closes[1 - self.config.slow :], bar.close.as_double()]
        if len(self.closes) < self.config.slow:
            return
        fast, slow = sum(self.closes[-self.config.fast :]) / self.config.fast, sum(self.closes) / self.config.slow
        instrument = self.cache.instrument(bar.bar_type.instrument_id)
        is_flat = self.portfolio.is_flat(instrument.id)
        if fast > slow and is_flat:
            size = instrument.make_qty(self.config.size)
            self.submit_order(self.order_factory.market(instrument.id, OrderSide.BUY, size))
        elif fast < slow and not is_flat:
            self.close_all_positions(instrument.id)

    def on_stop(self) -> None:
        self.close_all_positions(self.config.bar_type.instrument_id)


class QuotingConfig(StrategyConfig, frozen=True):  # type: ignore[call-arg]  # msgspec's
    instrument_id: InstrumentId
    every: int = 50
    size: int = 300


class Quoting(Strategy):
    """Sends brackets and limits at some of the quotes, takes some back, and has a timer."""

    def __init__(self, config: QuotingConfig) -> None:
        super().__init__(config)
        self.seen = 0
        self.rung: list[int] = []

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.config.instrument_id)
        self.subscribe_trade_ticks(self.config.instrument_id)
        self.clock.set_timer("clock", timedelta(seconds=7), callback=self.on_clock)

    def on_clock(self, event: Any) -> None:
        self.rung.append(event.ts_event)
        self.cancel_all_orders(self.config.instrument_id)

    def on_trade_tick(self, tick: Any) -> None:
        self.seen += 1

    def on_quote_tick(self, tick: Any) -> None:
        self.seen += 1
        if self.seen % self.config.every:
            return
        instrument = self.cache.instrument(self.config.instrument_id)
        turn, size, factory = (
            self.seen // self.config.every % 3,
            instrument.make_qty(self.config.size),
            self.order_factory,
        )
        if turn == 0:
            bid, ask = tick.bid_price.as_double(), tick.ask_price.as_double()
            exits = {
                "sl_trigger_price": instrument.make_price(bid - 0.05),
                "tp_price": instrument.make_price(ask + 0.05),
            }
            self.submit_order_list(factory.bracket(instrument.id, OrderSide.BUY, size, **exits))
        elif turn == 1:
            self.submit_order(factory.limit(instrument.id, OrderSide.BUY, size, tick.bid_price))
        else:
            self.close_all_positions(instrument.id)


class FailingConfig(StrategyConfig, frozen=True):  # type: ignore[call-arg]  # msgspec's
    where: str


class Failing(Strategy):
    """Raises where it is told to."""

    def __init__(self, config: FailingConfig) -> None:
        super().__init__(config)
        self.reach("init")

    def reach(self, where: str) -> None:
        if self.config.where == where:
            raise ValueError("no idea")

    def on_start(self) -> None:
        self.reach("start")
        self.subscribe_bars(BarType.from_str("IBM.SIM-1-DAY-LAST-EXTERNAL"))
        self.clock.set_time_alert("alert", self.clock.utc_now() + timedelta(hours=30), lambda _: self.reach("alert"))

    def on_bar(self, bar: Any) -> None:
        self.reach("bar")
        if not self.cache.orders():
            instrument = self.cache.instrument(bar.bar_type.instrument_id)
            self.submit_order(self.order_factory.market(instrument.id, OrderSide.BUY, instrument.make_qty(1)))

    def on_order_filled(self, event: Any) -> None:
        self.reach("filled")

    def on_position_opened(self, event: Any) -> None:
        self.reach("position")

    def on_stop(self) -> None:
        self.reach("stop")

    def on_dispose(self) -> None:
        self.reach("dispose")


class OddConfig(StrategyConfig, frozen=True):  # type: ignore[call-arg]  # msgspec's
    what: str


class Odd(Strategy):
    """Sends one thing on the first bar."""

    def __init__(self, config: OddConfig) -> None:
        super().__init__(config)
        self.id_of_ibm = InstrumentId.from_str("IBM.SIM")

    def on_start(self) -> None:
        self.subscribe_bars(BarType.from_str("IBM.SIM-1-DAY-LAST-EXTERNAL"))

    def on_bar(self, bar: Any) -> None:
        if not self.cache.orders():
            getattr(self, self.config.what)(self.cache.instrument(self.id_of_ibm))

    def market(self, instrument: Any, side: Any, units: int) -> None:
        self.submit_order(self.order_factory.market(instrument.id, side, instrument.make_qty(units)))

    def many(self, instrument: Any) -> None:
        for _ in range(250):
            self.market(instrument, OrderSide.BUY, 1)

    def digits(self, instrument: Any) -> None:
        price = Price.from_str("90.1234")
        self.submit_order(self.order_factory.limit(instrument.id, OrderSide.BUY, instrument.make_qty(1), price))

    def large(self, instrument: Any) -> None:
        self.market(instrument, OrderSide.BUY, 10_000)

    def short(self, instrument: Any) -> None:
        self.market(instrument, OrderSide.SELL, 5)

    def end(self, instrument: Any) -> None:
        self.stop()

    def say(self, instrument: Any) -> None:
        self.log.info("a word of its own")
        self.market(instrument, OrderSide.BUY, 1)


class Bare(Strategy):
    """Takes no config."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="BARE-7"))

    def on_start(self) -> None:
        self.subscribe_bars(BarType.from_str("IBM.SIM-1-DAY-LAST-EXTERNAL"))
        self.subscribe_quote_ticks(InstrumentId.from_str("IBM.SIM"))


class Unsaid(Strategy):
    """Does not say what its config is."""

    def __init__(self, config) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - that is the point
        super().__init__(config)


class Waiting(Strategy):
    """Waits for what nobody has."""

    def on_start(self) -> None:
        self.subscribe_bars(BarType.from_str("IBM.SIM-1-HOUR-LAST-EXTERNAL"))
        self.subscribe_quote_ticks(InstrumentId.from_str("IBM.XNYS"))
