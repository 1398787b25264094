"""The execution simulator: the gate before the simulated venue, driven by market data."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from seatrial.clock import to_ns
from seatrial.contracts.events import Event, OrderChange, OrderExecution
from seatrial.contracts.latency import LATENCY_INSTANT, LatencyConfig
from seatrial.contracts.market import Bar, Quote, Trade, check_price
from seatrial.contracts.venue import FeeSchedule, VenueConfig
from seatrial.errors import ClockError, InvalidConfigError, InvalidMarketDataError, ReentrantCallError
from seatrial.gate.account import Account
from seatrial.gate.client import Listener
from seatrial.gate.gate import ExecutionGate
from seatrial.gate.instruments import Instruments
from seatrial.gate.observers import Observers
from seatrial.gate.reports import Outbox
from seatrial.venue.settings import as_amount, check_settings, open_observer
from seatrial.venue.simulated import SimulatedVenue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from seatrial.clock import Timestamp
    from seatrial.contracts.account import AccountView
    from seatrial.contracts.market import Instrument, MarketEvent
    from seatrial.contracts.orders import Order
    from seatrial.contracts.plugin import Observer
    from seatrial.contracts.terms import TradingState
    from seatrial.plugins import Plugins

__all__ = ["ExecutionSimulator"]

_TWO = Decimal(2)


class ExecutionSimulator:
    """Orders in, market data in, executions out, each when it would have been known.

    What can be read here is the client's view: it changes when a report arrives, not when the venue matches. Times are
    aware datetimes or int UNIX ns UTC and never go backwards. Whatever is due before a call's time happens first, in
    time order, each at its own time.
    """

    def __init__(
        self,
        *,
        initial_cash: Decimal | int,
        slippage_bps: Decimal | int | None = None,
        commission_per_share: Decimal | int | None = None,
        latency_config: LatencyConfig = LATENCY_INSTANT,
        simulator_id: str = "sim",
        seed: int = 0,
        instruments: Iterable[Instrument] = (),
        venue_config: VenueConfig | None = None,
        observers: Iterable[str | Observer] = (),
        plugins: Plugins | None = None,
    ) -> None:
        """Open an account.

        `initial_cash` is in currency, `slippage_bps` in basis points, `commission_per_share` in currency per unit; the
        latter two override `venue_config`. Without `instruments` any symbol trades, on a free price grid.
        `observers` are names that plugins offer, or objects with a `notify` of their own; they hear everything. What is
        named is looked up in `plugins`, the installed ones unless given.

        :raises InvalidConfigError: naming the setting that cannot be used.
        """
        check_settings(latency_config, venue_config, seed, simulator_id)
        config = VenueConfig() if venue_config is None else venue_config
        if slippage_bps is not None:
            config = replace(config, slippage_bps=as_amount("slippage_bps", slippage_bps))
        if commission_per_share is not None:
            per_share = as_amount("commission_per_share", commission_per_share)
            if not isinstance(config.fees, FeeSchedule):
                raise InvalidConfigError("commission_per_share", per_share, "venue_config names a fee model; give one")
            config = replace(config, fees=replace(config.fees, per_share=per_share))
        cash = as_amount("initial_cash", initial_cash)
        known = Instruments(instruments)
        self.simulator_id = simulator_id
        self.seed = seed
        self.latency_config = latency_config
        self.venue_config = config
        self.initial_cash = cash
        self.venue = SimulatedVenue(cash, config, known, plugins)
        self._instruments = known
        self._account = Account(cash, known)
        self.gate = ExecutionGate(
            self.venue,
            latency=latency_config,
            seed=seed,
            simulator_id=simulator_id,
            instruments=known,
            account=self._account,
            plugins=plugins,
        )
        self.gate.client.reported = []
        self.venue.connect(self.gate)
        self._observers = Observers(open_observer(one, plugins) for one in observers)
        if self._observers:
            self.gate.add_listener(self._observers)

    # -- what can be read ------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The time reached, UNIX ns UTC."""
        return self.gate.now

    @property
    def account(self) -> AccountView:
        """The account as reported: what strategies and rules read."""
        return self._account

    @property
    def cash(self) -> Decimal:
        """Cash as reported, in currency."""
        return self._account.cash

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """Signed units by symbol, as reported; a flat symbol is absent. A live, read-only view."""
        return self._account.positions

    @property
    def pending_orders(self) -> Mapping[str, Order]:
        """Orders that have not ended, in flight ones included, by id. A live, read-only view."""
        return self.gate.pending_orders

    @property
    def completed_orders(self) -> Mapping[str, Order]:
        """Orders that have ended, by id. A live, read-only view."""
        return self.gate.completed_orders

    @property
    def events(self) -> Sequence[Event]:
        """Everything the client did or was told, in order."""
        return self.gate.events

    @property
    def dropped_observers(self) -> Mapping[str, Exception]:
        """The observers that failed in this run, and with what. A live, read-only view."""
        return self._observers.dropped

    @property
    def trading_state(self) -> TradingState:
        """What the gate lets out at present."""
        return self.gate.trading_state

    def get_order(self, order_id: str) -> Order:
        """Return an order as the client knows it.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        return self.gate.get_order(order_id)

    def get_account_value(self) -> Decimal:
        """Return reported cash plus reported positions at their marks, in currency."""
        return self._account.equity

    def add_listener(self, listener: Listener) -> None:
        """Let `listener(event, order)` hear every event from now on; it may submit, modify and cancel."""
        self.gate.add_listener(listener)

    # -- orders ----------------------------------------------------------------------------------------------------

    def submit_order(self, order: Order, timestamp: Timestamp) -> Order:
        """Send a new order at `timestamp`; return it as it then stands. A refusal comes back on the order."""
        gate = self.gate
        now = timestamp if timestamp == gate.now and type(timestamp) is int else to_ns(timestamp)
        if now > gate.now and not gate.running:
            self._run(now)
        return gate.submit(order, now)

    def submit_bracket(self, entry: Order, *exits: Order, timestamp: Timestamp) -> tuple[Order, ...]:
        """Send an entry and its exits as one message; the exits wait until the entry completes."""
        return self.gate.submit_bracket(entry, *exits, now=self._reach(timestamp))

    def cancel_order(self, order_id: str, timestamp: Timestamp) -> Order:
        """Ask to end an order; it may still fill until the venue has the cancel.

        :raises UnknownOrderError: for an id that was never submitted.
        """
        return self.gate.cancel(order_id, self._reach(timestamp))

    def modify_order(
        self,
        order_id: str,
        timestamp: Timestamp,
        *,
        quantity: Decimal | None = None,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
        trail_amount: Decimal | None = None,
        trail_percent: Decimal | None = None,
    ) -> Order:
        """Ask to change a working order; the old terms hold until the new ones are reported.

        :raises UnknownOrderError: for an id that was never submitted.
        :raises InvalidOrderError: when the new terms contradict each other, or nothing changes.
        """
        change = OrderChange(
            quantity=quantity,
            limit_price=limit_price,
            stop_price=stop_price,
            trail_amount=trail_amount,
            trail_percent=trail_percent,
        )
        return self.gate.modify(order_id, change, self._reach(timestamp))

    def disable_trading(
        self, by: str, reason: str, timestamp: Timestamp | None = None, *, cancel_working: bool = True
    ) -> None:
        """Halt at `timestamp` (now unless given): nothing leaves but cancels, and working orders are cancelled."""
        now = self.now if timestamp is None else self._reach(timestamp)
        self.gate.disable_trading(by, reason, now, cancel_working=cancel_working)

    def enable_trading(self, by: str, reason: str, timestamp: Timestamp | None = None) -> None:
        """Let orders out again from `timestamp` (now unless given) on."""
        self.gate.enable_trading(by, reason, self.now if timestamp is None else self._reach(timestamp))

    # -- market data and time --------------------------------------------------------------------------------------

    def process_quote(self, quote: Quote) -> tuple[OrderExecution, ...]:
        """Take a quote; return the executions reported since the last such call."""
        now = self._begin(quote, Quote, "process_quote")
        self.venue.market.quote(quote)
        self.gate.mark(quote.symbol, (quote.bid + quote.ask) / _TWO, now)
        return self._end(now)

    def process_trade(self, trade: Trade) -> tuple[OrderExecution, ...]:
        """Take a print; return the executions reported since the last such call."""
        now = self._begin(trade, Trade, "process_trade")
        self.venue.market.trade(trade)
        if not self.venue.market.has_quote(trade.symbol):
            self.gate.mark(trade.symbol, trade.price, now)
        return self._end(now)

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
        self._run(now)
        for symbol, price in prices.items():
            self.venue.market.price(symbol, price, now)
            self.gate.mark(symbol, price, now)
        return self._end(now)

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
        venue, gate, market = self.venue, self.gate, self.venue.market
        starts = [market.bar_start(bar, self.now) for bar in bars]
        first = min(starts)
        if first > self.now:
            self._run(first)
        outbox = Outbox()
        venue.connect(outbox)
        try:
            gate.release(max(market.bar_cut(start, end) for start in starts))
            market.bars(bars, starts)
        finally:
            venue.connect(gate)
            outbox.flush(gate)
        try:
            self._run(end)
        finally:  # also when a listener fails on the way
            for bar in bars:
                gate.mark(bar.symbol, bar.close, end)
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
        self._run(now)
        return self.gate.client.take_reported()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _begin(self, event: Quote | Trade, kind: type, what: str) -> int:
        if type(event) is not kind:
            raise _no_data(event, kind.__name__)
        self._check_symbol(event.symbol)
        now = event.ts
        self._check_time(now, what)
        self._run(now)
        return now

    def _end(self, now: int) -> tuple[OrderExecution, ...]:
        self._run(now)
        return self.gate.client.take_reported()

    def _check_symbol(self, symbol: str) -> None:
        if self._instruments.closed and not self._instruments.knows(symbol):
            raise InvalidMarketDataError(symbol, "symbol", "no such instrument is declared; add it or drop the row")

    def _check_time(self, now: int, what: str) -> None:
        if self.gate.running:
            raise ReentrantCallError(what)
        if now < self.gate.now:
            raise ClockError(now, self.gate.now, what)

    def _reach(self, timestamp: Timestamp) -> int:
        """Return the time of a request, after everything due before it has happened."""
        now = to_ns(timestamp)
        if now > self.gate.now and not self.gate.running:
            self._run(now)
        return now

    def _run(self, until: int) -> None:
        """Let everything due by `until` happen in time order: the venue's own clock first, then the wire."""
        gate, timers = self.gate, self.venue.timers
        wire = gate.wire
        if wire.requests.head > until and wire.reports.head > until and timers.head > until:
            gate.now = until
            return
        while True:
            due = wire.next_due()
            if timers.head <= due:
                if timers.head > until:
                    break
                self.venue.advance(timers.head)
            elif due <= until:
                gate.step()
            else:
                break
        gate.now = until


def _no_data(given: object, wanted: str) -> InvalidMarketDataError:
    return InvalidMarketDataError(getattr(given, "symbol", None), "type", f"{type(given).__name__} is no {wanted}")
