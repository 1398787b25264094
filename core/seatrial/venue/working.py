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

__all__ = ["Phase", "Place", "Working", "at_work"]

_ZERO = Decimal(0)
_BUY = OrderSide.BUY

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
    """A live order at the venue.

    `limit` and `trigger` are the prices now in force; a trailing order moves its trigger away from `extreme`, the best
    price since it arrived. A `multiplier` of `None` is one, which spares the multiplication. `sequence` is its time
    priority. `since` is the first time it may trade. `version` grows with every change of place, so that stale index
    entries are known. `met` says that it has met its first price, `placed` that a ladder holds it, `held` that the
    ledger has set something aside for it. `place` names the unsorted list of its book it is in, if any.

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
    trigger: Decimal | None
    phase: Phase
    multiplier: Decimal | None
    sequence: int
    since: int
    expire_at: int | None
    reduce_only: bool
    post_only: bool
    parent_id: str | None
    group: str | None
    filled: Decimal = _ZERO
    filled_value: Decimal = _ZERO
    charged: Decimal = _ZERO
    version: int = 0
    live: bool = True
    met: bool = False
    placed: bool = False
    held: bool = False
    place: Place | None = None
    close_at: int | None = None
    expiry: Token | None = None
    extreme: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    limit_offset: Decimal | None = None

    @property
    def trails(self) -> bool:
        """Whether the trigger follows the market."""
        return self.trail_amount is not None or self.trail_percent is not None


def at_work(order: Order, now: int, sequence: int, multiplier: Decimal | None) -> Working:
    """Return an order as it works from `now` on."""
    quantity, kind = order.quantity, order.order_type
    working = Working(
        order.order_id,
        order.symbol,
        order.side is _BUY,
        kind,
        order.time_in_force,
        quantity,
        quantity,
        order.limit_price,
        order.stop_price,
        _PHASES[kind],
        multiplier,
        sequence,
        now,
        order.expire_at,
        order.reduce_only,
        order.post_only,
        order.parent_id,
        order.oco_id,
    )
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
