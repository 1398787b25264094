"""What the simulated venue does not take, whatever market and account are: words it does not know, links to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from seatrial.contracts.rejection import RefusedBy, Rejection, RejectionReason
from seatrial.contracts.terms import OrderType, TimeInForce

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.contracts.orders import Order
    from seatrial.venue.working import Working

__all__ = ["Records", "by_venue", "refuse_arrival"]

_TYPES = frozenset(OrderType) - {OrderType.MARKET_TO_LIMIT, OrderType.NATIVE}
_TIFS = frozenset(TimeInForce) - {TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE}


class Records(Protocol):
    """What a venue remembers of its orders: those that work, what was filled of those that are over, ended groups."""

    working: dict[str, Working]
    ended: dict[str, Decimal]
    ended_groups: set[str]


def refuse_arrival(venue: Records, order: Order, together: tuple[Order, ...]) -> Rejection | None:
    """Say why an order that arrives `together` with others cannot be taken, or `None`."""
    kind, tif = order.order_type, order.time_in_force
    if kind not in _TYPES or tif not in _TIFS:
        return Rejection(
            RejectionReason.UNSUPPORTED, f"the simulated venue takes no {kind} orders with {tif}", RefusedBy.VENUE
        )
    if order.parent_id is not None:
        refused = _refuse_parent(venue, order.parent_id, together)
        if refused is not None:
            return refused
    if order.oco_id is not None and order.oco_id in venue.ended_groups:
        return by_venue(RejectionReason.GROUP_ENDED, f"its group {order.oco_id!r} has ended")
    return None


def _refuse_parent(venue: Records, parent: str, together: tuple[Order, ...]) -> Rejection | None:
    if parent in venue.working or any(other.order_id == parent for other in together):
        return None
    filled = venue.ended.get(parent)
    if filled is None:
        return by_venue(RejectionReason.UNKNOWN_ORDER, f"its parent {parent!r} never arrived")
    if not filled:
        return by_venue(RejectionReason.GROUP_ENDED, f"its parent {parent!r} ended unfilled")
    return None


def by_venue(reason: RejectionReason, message: str, value: Decimal | None = None) -> Rejection:
    """Return a refusal by the venue."""
    return Rejection(reason, message, RefusedBy.VENUE, None, value)
