"""What drives gate and venue: market data and the passing of time.

Whatever is due before a call's time happens first, in time order. While it does, listeners may take a checkpoint, so
the driver keeps what the call under way has still to do: a restored simulator finishes it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from seatrial.clock import to_ns
from seatrial.contracts.events import OrderChange, OrderExecution
from seatrial.contracts.market import Bar, MarketEvent, Quote, Trade, check_price
from seatrial.contracts.orders import Order
from seatrial.contracts.terms import TradingState
from seatrial.errors import ClockError, InvalidMarketDataError, ReentrantCallError
from seatrial.gate.reports import Outbox

if TYPE_CHECKING:
    from seatrial.clock import Timestamp
    from seatrial.gate.gate import ExecutionGate
    from seatrial.gate.instruments import Instruments
    from seatrial.venue.simulated import SimulatedVenue

__all__ = ["Bars", "Cancel", "Closes", "Driver", "Modify", "Pass", "Prices", "Step", "Submit", "Switch", "Unfinished"]

_TWO = Decimal(2)


class Prices(msgspec.Struct, frozen=True, tag_field="data", tag="prices"):
    """One price per symbol, good for both sides."""

    ts: int
    prices: dict[str, Decimal]


class Bars(msgspec.Struct, frozen=True, tag_field="data", tag="bars"):
    """Bars of several symbols that end together, and where each begins."""

    bars: tuple[Bar, ...]
    starts: tuple[int, ...]


class Closes(msgspec.Struct, frozen=True, tag_field="data", tag="closes"):
    """The closes of bars that were matched already: only the marks are to come."""

    bars: tuple[Bar, ...]


class Pass(msgspec.Struct, frozen=True, tag_field="data", tag="pass"):
    """Time alone."""

    ts: int


class Submit(msgspec.Struct, frozen=True, tag_field="data", tag="submit"):
    """One order, or a bracket with its entry first."""

    orders: tuple[Order, ...]
    now: int


class Cancel(msgspec.Struct, frozen=True, tag_field="data", tag="cancel"):
    """A cancel."""

    order_id: str
    now: int


class Modify(msgspec.Struct, frozen=True, tag_field="data", tag="modify"):
    """A modify."""

    order_id: str
    change: OrderChange
    now: int


class Switch(msgspec.Struct, frozen=True, tag_field="data", tag="switch"):
    """An operator's word."""

    state: TradingState
    by: str
    reason: str
    now: int
    cancel_working: bool


Step: TypeAlias = Quote | Trade | Prices | Bars | Closes | Pass | Submit | Cancel | Modify | Switch
"""What a call still does once everything due before its time has happened."""


class Unfinished(msgspec.Struct, frozen=True):
    """A call under way: how far time is to run, and what then."""

    until: int
    then: Step | None


class Driver:
    """Feeds one gate and one venue."""

    def __init__(self, gate: ExecutionGate, venue: SimulatedVenue, instruments: Instruments) -> None:
        """Drive `gate` and `venue`."""
        self.gate = gate
        self.venue = venue
        self._instruments = instruments
        self._unfinished: Unfinished | None = None
        self._restored = False

    # -- market data and time --------------------------------------------------------------------------------------

    def process_quote(self, quote: Quote) -> tuple[OrderExecution, ...]:
        """Take a quote; return the executions reported since the last such call."""
        self._begin(quote, Quote, "process_quote")
        self._do_quote(quote)
        return self.gate.client.take_reported()

    def process_trade(self, trade: Trade) -> tuple[OrderExecution, ...]:
        """Take a print; return the executions reported since the last such call."""
        self._begin(trade, Trade, "process_trade")
        self._do_trade(trade)
        return self.gate.client.take_reported()

    def process_market_data(self, timestamp: Timestamp, prices: Mapping[str, Decimal]) -> tuple[OrderExecution, ...]:
        """Take one price per symbol, good for both sides; return the executions reported since the last such call.

        :raises InvalidMarketDataError: for what is no price; nothing of the call has happened then.
        """
        now = to_ns(timestamp)
        if not hasattr(prices, "items"):
            raise _no_data(prices, "mapping of symbols to prices")
        for symbol, price in prices.items():
            if type(symbol) is not str:
                raise InvalidMarketDataError(symbol, "symbol", "it is no name; give a str")
            check_price(symbol, "price", price)
            self._check_symbol(symbol)
        self._check_time(now, "process_market_data")
        if self._idle(now):
            self.gate.now = now
        else:
            self._run(now, Prices(now, dict(prices)))
        self._do_prices(now, prices)
        return self.gate.client.take_reported()

    def process_bar(self, bar: Bar) -> tuple[OrderExecution, ...]:
        """Take one bar; return the executions reported since the last such call, by the bar's end."""
        return self.process_bars((bar,))

    def process_bars(self, bars: Sequence[Bar]) -> tuple[OrderExecution, ...]:
        """Take the bars of several symbols that end together, as one step.

        What arrives by the start plus `bar_theta` of a bar may trade from its open; what arrives later, or answers to
        something inside the bar, waits for the next.

        :raises InvalidMarketDataError: when the bars do not end at the same time.
        """
        for bar in bars if isinstance(bars, list | tuple) else (bars,):
            if type(bar) is not Bar:
                raise _no_data(bar, "Bar in a list or tuple")
        if not bars:
            return self.gate.client.take_reported()
        end = bars[0].ts
        if len({bar.symbol for bar in bars}) < len(bars):
            raise InvalidMarketDataError(
                [bar.symbol for bar in bars], "symbol", "one symbol has two bars that end together"
            )
        for bar in bars:
            self._check_symbol(bar.symbol)
            if bar.ts != end:
                raise InvalidMarketDataError(bar.symbol, "ts", f"{bar.ts} differs from {end}; feed bars by their end")
        self._check_time(end, "process_bars")
        step = Bars(tuple(bars), tuple([self.venue.market.bar_start(bar, self.gate.now) for bar in bars]))
        first = min(step.starts)
        if first > self.gate.now:
            self._run(first, step)
        self._do_bars(step)
        return self.gate.client.take_reported()

    def process(self, event: MarketEvent) -> tuple[OrderExecution, ...]:
        """Take one row of a tape, whatever it is; return the executions reported since the last such call."""
        if type(event) is Quote:
            return self.process_quote(event)
        if type(event) is Trade:
            return self.process_trade(event)
        if type(event) is Bar:
            return self.process_bars((event,))
        raise _no_data(event, "Quote, Trade or Bar")

    def advance(self, timestamp: Timestamp) -> tuple[OrderExecution, ...]:
        """Let time pass without market data; return the executions reported since the last such call."""
        now = to_ns(timestamp)
        self._check_time(now, "advance")
        self._run(now, Pass(now))
        self.gate.assess()
        return self.gate.client.take_reported()

    def resume(self) -> None:
        """Finish the call within which the checkpoint was taken that this simulator was restored from.

        Whatever else is called first does so by itself; this is for who wants to hear of it before.
        """
        self._restored = False
        unfinished = self._unfinished
        try:
            self.gate.resume()
        finally:
            self._unfinished = None
        if unfinished is not None:
            self._run(unfinished.until, unfinished.then)
            self._do(unfinished.then)

    # -- steps -----------------------------------------------------------------------------------------------------

    def _do(self, step: Step | None) -> None:
        """Do what a call does once everything due before it has happened."""
        if isinstance(step, Quote):
            self._do_quote(step)
        elif isinstance(step, Trade):
            self._do_trade(step)
        elif isinstance(step, Prices):
            self._do_prices(step.ts, step.prices)
        elif isinstance(step, Bars):
            self._do_bars(step)
        elif isinstance(step, Closes):
            self._do_closes(step)
        elif isinstance(step, Pass):
            self.gate.assess()
        elif step is not None:
            self._do_command(step)

    def _do_quote(self, quote: Quote) -> None:
        self.venue.market.quote(quote)
        self.gate.mark(quote.symbol, (quote.bid + quote.ask) / _TWO, quote.ts)
        self.gate.assess()
        self._run(quote.ts, None)

    def _do_trade(self, trade: Trade) -> None:
        self.venue.market.trade(trade)
        if not self.venue.market.has_quote(trade.symbol):
            self.gate.mark(trade.symbol, trade.price, trade.ts)
            self.gate.assess()
        self._run(trade.ts, None)

    def _do_prices(self, now: int, prices: Mapping[str, Decimal]) -> None:
        for symbol, price in prices.items():
            self.venue.market.price(symbol, price, now)
            self.gate.mark(symbol, price, now)
        self.gate.assess()
        self._run(now, None)

    def _do_bars(self, step: Bars) -> None:
        venue, gate, market = self.venue, self.gate, self.venue.market
        bars, end = step.bars, step.bars[0].ts
        outbox = Outbox()
        venue.connect(outbox)
        try:
            gate.release(max(market.bar_cut(start, end) for start in step.starts))
            market.bars(bars, step.starts)
        finally:
            venue.connect(gate)
            outbox.flush(gate)
        closes = Closes(bars)
        gate.judging = False  # fills are told before the bar's own prices are: nobody can say yet what they are worth
        try:
            self._run(end, closes)
        except BaseException:  # a listener failed on the way; the market has moved all the same
            self._mark_closes(closes)
            raise
        self._do_closes(closes)

    def _do_closes(self, step: Closes) -> None:
        self._mark_closes(step)
        self.gate.assess()

    def _mark_closes(self, step: Closes) -> None:
        self.gate.judging = True
        for bar in step.bars:
            self.gate.mark(bar.symbol, bar.close, bar.ts)

    def _do_command(self, step: Submit | Cancel | Modify | Switch) -> None:
        gate = self.gate
        if isinstance(step, Submit):
            if len(step.orders) == 1:
                gate.submit(step.orders[0], step.now)
            else:
                gate.submit_bracket(*step.orders, now=step.now)
        elif isinstance(step, Cancel):
            gate.cancel(step.order_id, step.now)
        elif isinstance(step, Modify):
            gate.modify(step.order_id, step.change, step.now)
        else:
            gate.switch(step.state, step.by, step.reason, step.now, cancel_working=step.cancel_working)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _begin(self, event: Quote | Trade, kind: type, what: str) -> None:
        if type(event) is not kind:
            raise _no_data(event, kind.__name__)
        self._check_symbol(event.symbol)
        self._check_time(event.ts, what)
        self._run(event.ts, event)

    def _check_symbol(self, symbol: str) -> None:
        if self._instruments.closed and not self._instruments.knows(symbol):
            raise InvalidMarketDataError(symbol, "symbol", "no such instrument is declared; add it or drop the row")

    def _check_time(self, now: int, what: str) -> None:
        if self.gate.running:
            raise ReentrantCallError(what)
        if self._restored:
            self.resume()
        if now < self.gate.now:
            raise ClockError(now, self.gate.now, what)

    def _reach(self, now: int, then: Step) -> None:
        """Come to the time of a request, after everything due before it has happened."""
        if self.gate.running:
            return
        if self._restored:
            self.resume()
        if now > self.gate.now:
            self._run(now, then)

    def _idle(self, until: int) -> bool:
        """Return whether nothing happens by `until`, as before most market data."""
        gate = self.gate
        wire = gate.wire
        return (
            wire.requests.head > until
            and wire.reports.head > until
            and self.venue.timers.head > until
            and gate.boundary > until
        )

    def _run(self, until: int, then: Step | None) -> None:
        """Let everything due by `until` happen in time order: the venue's own clock first, then the gate."""
        gate, timers = self.gate, self.venue.timers
        if self._idle(until):
            gate.now = until
            return
        self._unfinished = Unfinished(until, then)
        try:
            while True:
                due, next_timer = gate.due(), timers.head
                if next_timer <= due:
                    if next_timer > until:
                        break
                    self.venue.advance(next_timer)
                elif due <= until:
                    gate.proceed(until if until < next_timer else next_timer - 1)
                else:
                    break
        finally:
            self._unfinished = None
        gate.now = until


def _no_data(given: object, wanted: str) -> InvalidMarketDataError:
    return InvalidMarketDataError(getattr(given, "symbol", None), "type", f"{type(given).__name__} is no {wanted}")
