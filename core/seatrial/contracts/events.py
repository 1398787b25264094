"""Everything that can happen to an order or an account, as frozen records.

Every event has two times in UNIX ns UTC: `timestamp`, when it happened, and `reported_at`, when the client learned of
it. They differ by the report leg's delay; for what the client itself does (submit, ask to cancel) they are equal.
In JSON an event is an object whose `event` names its kind.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec
from msgspec.structs import force_setattr

from seatrial.contracts.rejection import Rejection
from seatrial.contracts.terms import Liquidity, TradingState

__all__ = [
    "AccountAdjusted",
    "AccountEvent",
    "CancelRefused",
    "CancelRequested",
    "Event",
    "ModifyRefused",
    "ModifyRequested",
    "OrderAccepted",
    "OrderCancelled",
    "OrderChange",
    "OrderDenied",
    "OrderEvent",
    "OrderExecution",
    "OrderExpired",
    "OrderRejected",
    "OrderReplaced",
    "OrderSubmitted",
    "OrderTriggered",
    "TradingStateChanged",
    "encode_events",
]


class OrderChange(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """What a modify changes; `None` leaves a field as it is. Units as on the order."""

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None

    def __post_init__(self) -> None:
        """Take whole numbers as the exact amounts they are."""
        for field in self.__struct_fields__:
            value: object = getattr(self, field)
            if type(value) is int:
                force_setattr(self, field, Decimal(value))


class _OrderEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="event"):
    """The head that all order events share."""

    order_id: str
    timestamp: int
    reported_at: int


class OrderSubmitted(_OrderEvent, frozen=True, gc=False, tag="submitted"):
    """The order passed the gate and left for the venue."""


class OrderDenied(_OrderEvent, frozen=True, gc=False, tag="denied"):
    """The gate refused the order; the venue never saw it."""

    rejection: Rejection


class OrderAccepted(_OrderEvent, frozen=True, gc=False, tag="accepted"):
    """The order arrived at the venue and works there."""


class OrderRejected(_OrderEvent, frozen=True, gc=False, tag="rejected"):
    """The venue refused the order, at arrival or at its first fill."""

    rejection: Rejection


class OrderTriggered(_OrderEvent, frozen=True, gc=False, tag="triggered"):
    """A stop or if-touched order met its trigger at `price`."""

    price: Decimal


class OrderExecution(_OrderEvent, frozen=True, gc=False, tag="filled"):
    """A fill: one match at the venue, partial or complete.

    `quantity` in units of the instrument, `price` per unit, `commission` in currency (positive is a cost).
    `is_partial` says that the order had quantity left after this match.
    """

    execution_id: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    is_partial: bool
    liquidity: Liquidity


class CancelRequested(_OrderEvent, frozen=True, gc=False, tag="cancel_requested"):
    """A cancel left for the venue; the order may still fill."""


class CancelRefused(_OrderEvent, frozen=True, gc=False, tag="cancel_refused"):
    """A cancel came to nothing, mostly because the order was matched first."""

    rejection: Rejection


class OrderCancelled(_OrderEvent, frozen=True, gc=False, tag="cancelled"):
    """The order ended at the venue with its remaining quantity unfilled; `rejection` says why if nobody asked."""

    rejection: Rejection | None = None


class ModifyRequested(_OrderEvent, frozen=True, gc=False, tag="modify_requested"):
    """A modify left for the venue; the old terms hold until it is reported replaced."""

    change: OrderChange


class ModifyRefused(_OrderEvent, frozen=True, gc=False, tag="modify_refused"):
    """A modify came to nothing; the old terms stand."""

    rejection: Rejection


class OrderReplaced(_OrderEvent, frozen=True, gc=False, tag="replaced"):
    """The order works under new terms; `requested` is false where the venue changed it by itself."""

    change: OrderChange
    requested: bool = True


class OrderExpired(_OrderEvent, frozen=True, gc=False, tag="expired"):
    """The order's time in force ran out at the venue."""


OrderEvent: TypeAlias = (
    OrderSubmitted
    | OrderDenied
    | OrderAccepted
    | OrderRejected
    | OrderTriggered
    | OrderExecution
    | CancelRequested
    | CancelRefused
    | OrderCancelled
    | ModifyRequested
    | ModifyRefused
    | OrderReplaced
    | OrderExpired
)
"""What an order's history is made of."""


class AccountAdjusted(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="event", tag="adjusted"):
    """Cash or a position changed by something else than a fill: interest, a deposit, a fund flow, a split.

    `cash` in currency and `quantity` in units are what is added; `symbol` is given where a quantity is.
    """

    timestamp: int
    reported_at: int
    cash: Decimal
    cause: str
    symbol: str | None = None
    quantity: Decimal = Decimal(0)


class TradingStateChanged(
    msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag_field="event", tag="trading_state"
):
    """What the gate lets out was decided anew: by an operator, or by a rule whose refusal is then the `cause`."""

    timestamp: int
    reported_at: int
    state: TradingState
    by: str
    reason: str
    cause: Rejection | None = None


AccountEvent: TypeAlias = AccountAdjusted | TradingStateChanged
"""What happens to no single order."""

Event: TypeAlias = OrderEvent | AccountEvent
"""One line of a run's event log."""

_ENCODER = msgspec.json.Encoder()


def encode_events(events: tuple[Event, ...] | list[Event]) -> bytes:
    """Return events as JSON lines: the same events give the same bytes, on every machine."""
    return _ENCODER.encode_lines(events)
