"""An order as the venue holds it: the terms in force, what is left, and where it waits."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from seatrial.contracts.terms import OrderSide, OrderType, TimeInForce
from seatrial.gate.queue import Token

if TYPE_CHECKING:
    from seatrial.contracts.orders import Order

__all__ = ["Conditional", "Phase", "Place", "Working", "at_work"]

_ZERO = Decimal(0)
_BUY = OrderSide.BUY
_MARKET = OrderType.MARKET
_LIMIT = OrderType.LIMIT
_GTC = TimeInForce.GTC

Place: TypeAlias = Literal["fresh", "waiting", "closing"]
"""The unsorted lists of a book."""


class Phase(Enum):
    """What a working order waits for."""

    MARKET = "market"
    """Any price."""
    LIMIT = "limit"
    """A price at or through its limit."""
    STOP = "stop"
    """The market moving against it to its trigger."""
    TOUCH = "touch"
    """The market moving in its favour to its trigger."""
    CLOSE = "close"
    """The session's close."""


_PHASES = {
    OrderType.MARKET: Phase.MARKET,
    OrderType.LIMIT: Phase.LIMIT,
    OrderType.STOP: Phase.STOP,
    OrderType.STOP_LIMIT: Phase.STOP,
    OrderType.TRAILING_STOP: Phase.STOP,
    OrderType.TRAILING_STOP_LIMIT: Phase.STOP,
    OrderType.MARKET_ON_CLOSE: Phase.CLOSE,
    OrderType.MARKET_IF_TOUCHED: Phase.TOUCH,
    OrderType.LIMIT_IF_TOUCHED: Phase.TOUCH,
}


class Working(msgspec.Struct, eq=False, gc=False):
    """A live order at the venue; where nothing is said of conditions, it has none, and keeps no room for them.

    `limit` is the price now in force. A `multiplier` of `None` is one, which spares the multiplication. `sequence` is
    its time priority. `since` is the first time it may trade. `met` says that it has met its first price, `placed` that
    a ladder holds it, `held` that the ledger has set something aside for it. `place` names the unsorted list of its
    book it is in, if any.

    It refers to no container, so the garbage collector need not look at it.
    """

    order_id: str
    symbol: str
    is_buy: bool
    kind: OrderType
    tif: TimeInForce
    quantity: Decimal
    remaining: Decimal
    limit: Decimal | None
    phase: Phase
    multiplier: Decimal | None
    sequence: int
    since: int
    filled: Decimal = _ZERO
    filled_value: Decimal = _ZERO
    charged: Decimal = _ZERO
    live: bool = True
    met: bool = False
    placed: bool = False
    held: bool = False
    place: Place | None = None
    if TYPE_CHECKING:
        trigger: Decimal | None = None
        reduce_only: bool = False
        post_only: bool = False
        parent_id: str | None = None
        group: str | None = None
        expire_at: int | None = None
        close_at: int | None = None
        expiry: Token | None = None
        extreme: Decimal | None = None
        trail_amount: Decimal | None = None
        trail_percent: Decimal | None = None
        limit_offset: Decimal | None = None
    else:  # read as these where an order has no room for any other
        trigger = parent_id = group = expire_at = close_at = expiry = None
        extreme = trail_amount = trail_percent = limit_offset = None
        reduce_only = post_only = False

    @property
    def waits_for(self) -> Decimal | None:
        """The price at which the market is to come to it."""
        return self.limit if self.phase is Phase.LIMIT else self.trigger

    @property
    def trails(self) -> bool:
        """Whether the trigger follows the market."""
        return self.trail_amount is not None or self.trail_percent is not None


class Conditional(Working, eq=False, gc=False):
    """A live order with conditions.

    `trigger` is the price now in force; a trailing order moves it away from `extreme`, the best price since it arrived.
    """

    trigger: Decimal | None = None
    reduce_only: bool = False
    post_only: bool = False
    parent_id: str | None = None
    group: str | None = None
    expire_at: int | None = None
    close_at: int | None = None
    expiry: Token | None = None
    extreme: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    limit_offset: Decimal | None = None


def at_work(order: Order, now: int, sequence: int, multiplier: Decimal | None) -> Working:
    """Return an order as it works from `now` on."""
    quantity, kind, tif = order.quantity, order.order_type, order.time_in_force
    plain = (
        (kind is _LIMIT or kind is _MARKET)
        and tif is _GTC
        and order.parent_id is None
        and order.oco_id is None
        and not order.reduce_only
        and not order.post_only
    )
    working = (Working if plain else Conditional)(
        order.order_id,
        order.symbol,
        order.side is _BUY,
        kind,
        tif,
        quantity,
        quantity,
        order.limit_price,
        _PHASES[kind],
        multiplier,
        sequence,
        now,
    )
    if not plain:
        working.trigger = order.stop_price
        working.reduce_only, working.post_only = order.reduce_only, order.post_only
        working.parent_id, working.group = order.parent_id, order.oco_id
        working.expire_at = order.expire_at
        if order.trail_amount is not None or order.trail_percent is not None:
            _trail(working, order)
    return working


def _trail(working: Working, order: Order) -> None:
    """Take over how a trailing order follows the market; its limit keeps its distance to the trigger."""
    working.trail_amount, working.trail_percent = order.trail_amount, order.trail_percent
    offset, limit, trigger = order.limit_offset, order.limit_price, order.stop_price
    if trigger is not None:
        if limit is not None:
            offset = abs(limit - trigger)
        elif offset is not None:
            working.limit = trigger + offset if working.is_buy else trigger - offset
    working.limit_offset = offset
