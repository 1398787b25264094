"""A venue's private world: NautilusTrader's own exchange on a clock, a bus and a cache that no trader sees.

The stock exchange reads and fills the very order objects that the strategy holds, so what it matched is known at once.
Here the exchange gets copies, made when the orders arrive; what the venue knows and what the trader was told
share nothing. Every event the exchange makes goes to the `sink`, once the venue's own orders and positions are up to
date; what becomes of it is not the venue's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.accounting.accounts.cash import CashAccount
from nautilus_trader.accounting.accounts.margin import MarginAccount
from nautilus_trader.backtest.engine import SimulatedExchange
from nautilus_trader.backtest.execution_client import BacktestExecClient
from nautilus_trader.common.component import MessageBus, TestClock
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.engine import ExecutionEngine
from nautilus_trader.execution.messages import CancelOrder, ModifyOrder, SubmitOrderList
from nautilus_trader.model.data import (
    Bar,
    InstrumentClose,
    InstrumentStatus,
    OrderBookDelta,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import AccountType, BookType, InstrumentCloseType, OmsType
from nautilus_trader.model.events import AccountState, OrderFilled, OrderSubmitted, OrderUpdated
from nautilus_trader.model.identifiers import OrderListId, VenueOrderId
from nautilus_trader.model.objects import AccountBalance, Money, Quantity
from nautilus_trader.model.orders import OrderList
from nautilus_trader.portfolio.portfolio import Portfolio

from seatrial_nautilus.v1.backlog import MANY, Backlog
from seatrial_nautilus.v1.copying import copy_of, linked_to
from seatrial_nautilus.v1.instruments import expired
from seatrial_nautilus.v1.trade_numbers import TradeNumbers
from seatrial_nautilus.v1.venue_cache import VenueCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["VenueWorld"]

_ENDPOINT = "ExecEngine.process"
_ACCOUNTING = ("Portfolio.update_account", "Portfolio.update_order", "Portfolio.update_position")
_FEEDS: dict[Any, str] = {
    QuoteTick: "process_quote_tick",
    TradeTick: "process_trade_tick",
    Bar: "process_bar",
    OrderBookDelta: "process_order_book_delta",
    OrderBookDeltas: "process_order_book_deltas",
    OrderBookDepth10: "process_order_book_depth10",
    InstrumentStatus: "process_instrument_status",
}


class VenueWorld:
    """One simulated exchange with everything it needs, apart from any trader.

    Orders come in as the trader's own objects and are copied at arrival. Times are UNIX ns UTC.
    """

    def __init__(self, trader_id: Any, options: dict[str, Any]) -> None:
        """Open a venue with `options`, the keyword arguments of NautilusTrader's `SimulatedExchange`.

        The clock, bus, cache and portfolio among them are the world's own.
        """
        self.venue = options["venue"]
        self.options = options
        self.clock = TestClock()
        self.cache = VenueCache()
        self.bus = MessageBus(trader_id=trader_id, clock=self.clock, name="VENUE")
        self.sink: Callable[[Any], None] = _ignore
        """Takes every event of the exchange but that an order was sent."""
        for endpoint in _ACCOUNTING:  # the trader's portfolio counts the money, by the reports it gets
            self.bus.register(endpoint, _ignore)
        aside = MessageBus(trader_id=trader_id, clock=self.clock, name="ASIDE")
        portfolio = Portfolio(msgbus=aside, cache=self.cache, clock=self.clock)
        self.engine = ExecutionEngine(msgbus=self.bus, cache=self.cache, clock=self.clock)
        """What keeps the venue's own orders and positions."""
        self.bus.deregister(_ENDPOINT, self.engine.process)
        self.bus.register(_ENDPOINT, self._process)
        self.exchange = SimulatedExchange(
            **options,
            modules=[],
            portfolio=portfolio,
            msgbus=self.bus,
            cache=self.cache,
            clock=self.clock,
            use_message_queue=False,
        )
        # a frozen account, because any other registers itself for the whole process
        self._client = BacktestExecClient(
            exchange=self.exchange, msgbus=self.bus, cache=self.cache, clock=self.clock, frozen_account=True
        )
        self.exchange.register_client(self._client)
        self.engine.register_client(self._client)
        self._client._set_connected(True)  # noqa: FBT003 - the stock client offers no other way
        self._open_account()
        self.names_positions: bool = options["oms_type"] == OmsType.HEDGING and options.get("use_position_ids", True)
        """Whether the venue gives positions their ids; otherwise each trader does."""
        self.cache.counting = self.names_positions
        self.live: Mapping[str, object] = {}
        """The orders at the venue, by id; while there are none, data can wait."""
        self.backlog = Backlog(has_depth=options.get("book_type", BookType.L1_MBP) != BookType.L1_MBP)
        """What the market was not shown yet."""
        self.muted = False
        """Whether events of the exchange are dropped: while it is set up, not while it trades."""
        self.orders_numbered = 0
        self._latest: dict[Any, Any] = {}
        self._last: Any = None  # the latest of all
        self.trade_numbers = TradeNumbers(options)
        """How far the trades of each market are numbered."""
        self._feeds = {kind: getattr(self.exchange, method) for kind, method in _FEEDS.items()}
        self._shows = {**self._feeds, InstrumentClose: self._close}
        self.is_held_elsewhere: Callable[[Any], bool] = _nowhere
        """Returns whether the trader has a position in an instrument, or is about to be told of one."""
        self._expired: set[Any] = set()

    @property
    def account_id(self) -> Any:
        """The id of the account the venue keeps."""
        return self._client.account_id

    @property
    def client_id(self) -> Any:
        """The id of the venue's own client."""
        return self._client.id

    def add_instrument(self, instrument: Any) -> None:
        """Make a market; one that is there already is left as it is."""
        if self.cache.instrument(instrument.id) is None:
            self.cache.add_instrument(instrument)
            self.exchange.add_instrument(instrument)

    # -- what comes in ---------------------------------------------------------------------------------------------

    def feed(self, data: Any) -> None:
        """Show the market `data`, or keep it until somebody trades; what is none is passed over."""
        feed = self._feeds.get(type(data))
        if feed is None:
            if type(data) is InstrumentClose:  # rare, and never put off: what it ends may be at stake
                self.catch_up()
                self._show(self._close, data)
            return
        backlog = self.backlog.data
        if self.live:
            if backlog:
                self.catch_up()
            self._show(feed, data)
        else:
            backlog.append(data)
            if len(backlog) > MANY:
                self.catch_up()

    def catch_up(self) -> None:
        """Show the market what came while nobody was there to trade on it."""
        if self.backlog.data:
            for one in self.backlog.take(len(self.exchange.instruments)):
                self._show(self._shows[type(one)], one)

    def _close(self, data: Any) -> None:
        """End trading in an instrument whose contract expires.

        :raises InvalidConfigError: when somebody holds it.
        """
        instrument_id = data.instrument_id
        if data.close_type == InstrumentCloseType.CONTRACT_EXPIRED:
            self._expired.add(instrument_id)
            if self.is_held(instrument_id):
                raise expired(instrument_id, "while a position in it is open")
        self.exchange.process_instrument_close(data)

    def is_held(self, instrument_id: Any) -> bool:
        """Return whether there is a position in an instrument, here or as the trader knows or will know it."""
        return bool(self.cache.positions_open(instrument_id=instrument_id)) or self.is_held_elsewhere(instrument_id)

    def _show(self, feed: Callable[[Any], None], data: Any) -> None:
        self.set_time(data.ts_init)
        feed(data)
        if type(data) is Bar:
            self.trade_numbers.bar(data)
            self._keep_last()
        elif type(data) is not type(self._last) or data.instrument_id != self._last.instrument_id:
            self._keep_last()
        self._last = data

    @property
    def latest(self) -> dict[Any, Any]:
        """The latest data by kind and instrument, the latest of all last."""
        self._keep_last()
        return self._latest

    def _keep_last(self) -> None:
        """Keep the latest datum under its name, which takes longer to find out than whether the next has the same."""
        data = self._last
        if data is not None:
            key = type(data), data.bar_type if type(data) is Bar else data.instrument_id
            self._latest.pop(key, None)  # so that the latest comes last
            self._latest[key] = data

    def set_time(self, now: int) -> None:
        """Let the venue's clock show `now`, or leave it where it is later."""
        if now > self.clock.timestamp_ns():
            self.clock.set_time(now)

    def place(
        self, orders: Iterable[Any], position_ids: Iterable[Any], now: int, find: Callable[[Any], Any] | None = None
    ) -> None:
        """Take the trader's orders, one or a whole list at once; `find` looks up what they are linked to."""
        self.catch_up()
        self.set_time(now)
        orders = tuple(orders)
        for order in orders if self._expired else ():
            if order.instrument_id in self._expired:
                raise expired(order.instrument_id, f"before order {order.client_order_id} arrives")
        pairs = list(zip(orders, position_ids, strict=True))
        copies = [self._copy(order, position_id) for order, position_id in pairs]
        if find is not None:
            for copy in copies:
                self._add_linked(copy, find)
        first = copies[0]
        if len(copies) == 1:
            self._submit(first)
            return
        common = {
            "trader_id": first.trader_id,
            "strategy_id": first.strategy_id,
            "command_id": UUID4(),
            "ts_init": self.clock.timestamp_ns(),
        }
        group = OrderList(first.order_list_id or OrderListId(f"OL-{first.client_order_id}"), copies)
        if not self.cache.order_list_exists(group.id):
            self.cache.add_order_list(group)
        self._client.submit_order_list(SubmitOrderList(order_list=group, position_id=pairs[0][1], **common))

    def cancel(self, client_order_id: Any, now: int) -> None:
        """End an order, or say that there is none."""
        self.set_time(now)
        order = self.cache.order(client_order_id)
        self._client.cancel_order(
            CancelOrder(
                trader_id=order.trader_id,
                strategy_id=order.strategy_id,
                instrument_id=order.instrument_id,
                client_order_id=client_order_id,
                venue_order_id=order.venue_order_id,
                command_id=UUID4(),
                ts_init=self.clock.timestamp_ns(),
            )
        )

    def modify(self, client_order_id: Any, now: int, *, quantity: Any, price: Any, trigger_price: Any) -> None:
        """Change an order, or say why not; `None` leaves a term as it is."""
        self.set_time(now)
        order = self.cache.order(client_order_id)
        self._client.modify_order(
            ModifyOrder(
                trader_id=order.trader_id,
                strategy_id=order.strategy_id,
                instrument_id=order.instrument_id,
                client_order_id=client_order_id,
                venue_order_id=order.venue_order_id,
                quantity=quantity,
                price=price,
                trigger_price=trigger_price,
                command_id=UUID4(),
                ts_init=self.clock.timestamp_ns(),
            )
        )

    def settle(self, now: int) -> None:
        """Let the markets look at their orders once more."""
        self.set_time(now)
        for engine in self.exchange.get_matching_engines().values():
            engine.iterate(now)

    def _submit(self, order: Any) -> None:
        """Hand an order to its market, as the venue's client and its exchange would."""
        now = self.clock.timestamp_ns()
        head = (order.trader_id, order.strategy_id, order.instrument_id, order.client_order_id)
        order.apply(OrderSubmitted(*head, self.account_id, UUID4(), now, now))
        self.cache.update_order(order)
        self.exchange.get_matching_engine(order.instrument_id).process_order(order, self.account_id)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _process(self, event: Any) -> None:
        if self.muted:
            return
        if type(event) is OrderFilled:
            self.trade_numbers.fill(event.instrument_id)
        elif type(event) is OrderUpdated:
            if event.quantity < self.cache.order(event.client_order_id).filled_qty:
                return  # cut below what was filled, which no order survives: NautilusTrader aborts the process
            event = _frozen(event)
        self.cache.counting = False
        self.engine.process(event)
        self.cache.counting = self.names_positions
        # the exchange sometimes contradicts itself (an order accepted after its end); then nothing was applied
        if type(event) is not OrderSubmitted and self.cache.order(event.client_order_id).last_event is event:
            self.sink(event)

    def _copy(self, order: Any, position_id: Any) -> Any:
        copy = copy_of(order)
        known = self.cache.order(copy.client_order_id)
        self.cache.add_order(copy, position_id, self._client.id, overwrite=known is not None)
        self.orders_numbered += 1
        self.cache.add_venue_order_id(copy.client_order_id, VenueOrderId(f"{self.venue}-{self.orders_numbered}"))
        return copy

    def _add_linked(self, order: Any, find: Callable[[Any], Any]) -> None:
        """Let the exchange find what an order is linked to, also where that has not been sent to the venue."""
        for client_order_id in linked_to(order):
            if self.cache.order(client_order_id) is None and (other := find(client_order_id)) is not None:
                self.cache.add_order(copy_of(other), None, None)

    def _open_account(self) -> None:
        """Open the account that the exchange wants to see; nothing is booked on it."""
        balances = [
            AccountBalance(money, Money(0, money.currency), money) for money in self.options["starting_balances"]
        ]
        opened = AccountState(
            account_id=self.account_id,
            account_type=self.options["account_type"],
            base_currency=self.options["base_currency"],
            reported=True,
            balances=balances,
            margins=[],
            info={},
            event_id=UUID4(),
            ts_event=0,
            ts_init=0,
        )
        account = MarginAccount if self.options["account_type"] == AccountType.MARGIN else CashAccount
        self.cache.add_account(account(opened, False))  # noqa: FBT003 - the engine's signature


def _ignore(message: Any) -> None:
    """Take what nobody here needs."""


def _frozen(event: Any) -> Any:
    """Return a change with a quantity of its own; the exchange may have put another order's count of fills there."""
    quantity = event.quantity
    return OrderUpdated(
        event.trader_id,
        event.strategy_id,
        event.instrument_id,
        event.client_order_id,
        event.venue_order_id,
        event.account_id,
        Quantity(quantity.as_decimal(), quantity.precision),
        event.price,
        event.trigger_price,
        event.id,
        event.ts_event,
        event.ts_init,
    )


def _nowhere(instrument_id: Any) -> bool:  # noqa: ARG001 - the signature of one who knows
    """Know of nobody."""
    return False
