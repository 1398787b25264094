"""An order as the venue holds it: the terms in force, what is left, and where it waits."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from seatrial.contracts.terms import OrderSide, OrderType

if TYPE_CHECKING:
    from seatrial.contracts.orders import Order
    from seatrial.gate.queue import Token

__all__ = ["Phase", "Working"]

_ZERO = Decimal(0)


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


class Working:
    """A live order at the venue.

    `limit` and `trigger` are the prices now in force; a trailing order moves its trigger away from `extreme`, the best
    price since it arrived. `sequence` is its time priority. `since` is the first time it may trade. `version` grows
    with every change of place, so that stale index entries are known. `met` says that it has met its first price,
    `placed` that a ladder holds it, `held` that the ledger has set something aside for it. `place` is the unsorted list
    it is in, if any.
    """

    __slots__ = (
        "charged",
        "close_at",
        "expire_at",
        "expiry",
        "extreme",
        "filled",
        "filled_value",
        "group",
        "held",
        "is_buy",
        "kind",
        "limit",
        "limit_offset",
        "live",
        "met",
        "multiplier",
        "order_id",
        "parent_id",
        "phase",
        "place",
        "placed",
        "post_only",
        "quantity",
        "reduce_only",
        "remaining",
        "sequence",
        "since",
        "symbol",
        "tif",
        "trail_amount",
        "trail_percent",
        "trigger",
        "version",
    )

    def __init__(self, order: Order, now: int, sequence: int, multiplier: Decimal | None) -> None:
        """Take an order in at `now`; a `multiplier` of `None` is one, which spares the multiplication."""
        self.kind = order.order_type
        self.tif = order.time_in_force
        self.reduce_only = order.reduce_only
        self.post_only = order.post_only
        self.parent_id = order.parent_id
        self.order_id = order.order_id
        self.symbol = order.symbol
        self.group = order.oco_id
        self.is_buy = order.side is OrderSide.BUY
        self.multiplier = multiplier
        self.quantity = self.remaining = order.quantity
        self.limit = order.limit_price
        self.trigger = order.stop_price
        self.phase = _PHASES[order.order_type]
        self.sequence = sequence
        self.since = now
        self.expire_at = order.expire_at
        self.filled = self.filled_value = self.charged = _ZERO
        self.version = 0
        self.live = True
        self.met = self.placed = self.held = False
        self.place: dict[str, Working] | None = None
        self.close_at: int | None = None
        self.expiry: Token | None = None
        self.extreme: Decimal | None = None
        self.trail_amount: Decimal | None = None
        self.trail_percent: Decimal | None = None
        self.limit_offset: Decimal | None = None
        if order.trail_amount is not None or order.trail_percent is not None:
            self.trail_amount = order.trail_amount
            self.trail_percent = order.trail_percent
            self.limit_offset = order.limit_offset
            if self.trigger is not None:
                if self.limit is not None:
                    self.limit_offset = abs(self.limit - self.trigger)
                elif self.limit_offset is not None:
                    self.limit = self.trigger + self.limit_offset if self.is_buy else self.trigger - self.limit_offset

    @property
    def trails(self) -> bool:
        """Whether the trigger follows the market."""
        return self.trail_amount is not None or self.trail_percent is not None
