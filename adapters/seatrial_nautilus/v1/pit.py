"""One market of NautilusTrader's: its matching engine says which order trades, and nothing else.

The engine is the one inside NautilusTrader's simulated exchange, matching rule for matching rule. Only what it does
once an order trades is replaced: instead of filling the order it tells the referee, who knows what can be paid.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from nautilus_trader.backtest.engine import OrderMatchingEngine
from nautilus_trader.backtest.models import FillModel, MakerTakerFeeModel
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import MessageBus, TestClock
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, BookType, LiquiditySide, OmsType
from nautilus_trader.model.events import OrderCanceled, OrderRejected, OrderTriggered
from nautilus_trader.model.identifiers import AccountId
from nautilus_trader.model.objects import FIXED_PRECISION, Quantity

from seatrial.venue.working import Phase
from seatrial_nautilus.v1.exact import VENUE, listed
from seatrial_nautilus.v1.pit_orders import TRADER, order_for

if TYPE_CHECKING:
    from seatrial.contracts.market import Instrument
    from seatrial.venue.working import Working
    from seatrial_nautilus.v1.exact import Grid

__all__ = ["Pit", "Referee"]

_ACCOUNT = AccountId(f"{VENUE}-1")
_MAKER = LiquiditySide.MAKER
_ZERO, _HALF, _ONE, _TWO = Decimal(0), Decimal("0.5"), Decimal(1), Decimal(2)


class Referee(Protocol):
    """Who settles what a pit says."""

    def trades(self, working: Working, *, maker: bool) -> None:
        """Hear that an order trades now."""
        ...

    def triggers(self, working: Working) -> None:
        """Hear that an order has met its trigger, and is a limit order from now on."""
        ...

    def ends(self, working: Working, reason: str, *, post_only: bool) -> None:
        """Hear that an order is not taken, or not kept; without a `reason` because it could not trade at once."""
        ...

    def trails(self, working: Working) -> None:
        """Let a trailing order's trigger follow the market."""
        ...


class Pit(OrderMatchingEngine):
    """The matching engine of one instrument."""

    def __init__(
        self, instrument: Instrument, grid: Grid, number: int, referee: Referee, *, rejects_stops: bool
    ) -> None:
        """Open a market without prices; `rejects_stops` refuses stops that the market has passed on arrival."""
        clock = TestClock()
        bus = MessageBus(trader_id=TRADER, clock=clock, name="PIT")
        self.symbol = instrument.symbol
        self.grid = grid
        self.held: dict[str, Any] = {}
        """NautilusTrader's orders, by the core's order ids."""
        self.bid: Decimal | None = None
        """What sells meet at present; `None` before any price."""
        self.ask: Decimal | None = None
        """What buys meet."""
        self._referee = referee
        self._workings: dict[Any, Working] = {}
        self._entered = 0
        self.quiet = False
        """Whether the market is set up: nobody trades, triggers or trails then."""
        self._ts = 0
        one = Quantity.from_raw(10**FIXED_PRECISION, self.grid.size_digits)
        self._sizes = (one, one)
        super().__init__(
            instrument=listed(instrument, self.grid, number),
            raw_id=number,
            fill_model=FillModel(),
            fee_model=MakerTakerFeeModel(),
            book_type=BookType.L1_MBP,
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            msgbus=bus,
            cache=Cache(),
            clock=clock,
            reject_stop_orders=rejects_stops,
            support_gtd_orders=False,
            support_contingent_orders=False,
            use_reduce_only=False,
        )
        bus.register("ExecEngine.process", self._hear)

    # -- what comes in ---------------------------------------------------------------------------------------------

    def show(self, bid: Decimal, ask: Decimal, ts: int) -> bool:
        """Let the market move, and say who trades; return whether its prices could be written."""
        shown = self.grid.price(bid), self.grid.price(ask)
        if shown[0] is None or shown[1] is None:
            return False
        self.bid, self.ask = bid, ask
        self._ts = max(ts, self._ts)
        self.process_quote_tick(QuoteTick(self.instrument.id, *shown, *self._sizes, self._ts, self._ts))
        return True

    def show_away(self, working: Working) -> None:
        """Let the market stand where an order does not trade."""
        at = working.limit if working.phase is Phase.LIMIT else working.trigger
        below = working.is_buy is (working.phase is Phase.STOP)
        price = self.grid.nearest((_ONE if at is None else at) * (_HALF if below else _TWO))
        self.bid = self.ask = price.as_decimal()
        self.process_quote_tick(QuoteTick(self.instrument.id, price, price, *self._sizes, self._ts, self._ts))

    def enter(self, working: Working) -> bool:
        """Take an order in, and say whether it trades; return whether its numbers could be written."""
        self._entered += 1
        follows = not self._has_passed(working)
        order = order_for(working, self.instrument.id, self.grid, self._entered, follows=follows)
        if order is None:
            return False
        self.held[working.order_id] = order
        self._workings[order.client_order_id] = working
        self.process_order(order, _ACCOUNT)
        return True

    def _has_passed(self, working: Working) -> bool:
        """Return whether the market is beyond a trigger already, where NautilusTrader would refuse to trail."""
        price, trigger = self.side(is_buy=working.is_buy), working.trigger
        return trigger is not None and (price >= trigger if working.is_buy else price <= trigger)

    def side(self, *, is_buy: bool) -> Decimal:
        """Return the price that a side was shown last."""
        price = self.ask if is_buy else self.bid
        return _ZERO if price is None else price

    def drop(self, order_id: str) -> None:
        """Forget an order, if it is here."""
        order = self.held.pop(order_id, None)
        if order is not None:
            del self._workings[order.client_order_id]
            if order.is_open:
                self.cancel_order(order)

    # -- what the engine does --------------------------------------------------------------------------------------

    def fill_market_order(self, order: Any) -> None:
        """Say that an order trades."""
        self._trades(order, maker=False)

    def fill_limit_order(self, order: Any) -> None:
        """Say that a limit order trades."""
        self._trades(order, maker=order.liquidity_side == _MAKER)

    def _trades(self, order: Any, *, maker: bool) -> None:
        working = self._workings.get(order.client_order_id)
        if working is not None and not self.quiet:
            self._referee.trades(working, maker=maker)

    def _generate_order_updated(self, order: Any, quantity: Any, price: Any, trigger_price: Any) -> None:  # noqa: ARG002 - NautilusTrader's signature
        """Follow the market exactly; NautilusTrader would in floats."""
        working = self._workings.get(order.client_order_id)
        if working is None or self.quiet:
            return
        before = working.trigger
        self._referee.trails(working)
        if working.trigger is not None and working.trigger != before:
            limit = None if working.limit is None else self.grid.nearest(working.limit)
            super()._generate_order_updated(order, quantity, limit, self.grid.nearest(working.trigger))

    def _hear(self, event: Any) -> None:
        """Take an event of the engine's; the order follows, so that the engine knows it again."""
        working, kind = self._workings.get(event.client_order_id), type(event)
        if working is None or (self.quiet and kind is OrderTriggered):
            return
        self.held[working.order_id].apply(event)
        if kind is OrderTriggered:
            self._referee.triggers(working)
        elif kind is OrderCanceled:
            self._referee.ends(working, "", post_only=False)
        elif kind is OrderRejected:
            self._referee.ends(working, event.reason, post_only=bool(event.due_post_only))
