"""How NautilusTrader differs from the native engine, rule by rule. What it does is NautilusTrader's documented way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.parity.aspects import history_of
from tests.parity.rules import Rule, Semantic

from seatrial.contracts.terms import OrderSide, OrderType
from seatrial.venue.path import bar_path

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.parity.aspects import Difference
    from tests.parity.rules import Two

    from seatrial.contracts.orders import Order

__all__ = ["NAUTILUS_RULES"]


def _is_met_at_a_point(two: Two, difference: Difference) -> bool:
    """An order that was woken within a bar met the next of the bar's four points, not the price that woke it."""
    order = two.order(difference.order_id)
    if order.order_type is OrderType.STOP_LIMIT:
        walked = _fill_by_points(two, order)
        return _fills(two, order) == ([] if walked is None else [(*walked, order.quantity)])
    return order.parent_id is not None and _is_exit_at_a_point(two, order, difference)


def _fill_by_points(two: Two, order: Order) -> tuple[int, Decimal] | None:
    """Walk the points of the bars: a trigger is met at one, and its limit there, or at a later one beyond it."""
    limit, stop = order.limit_price, order.stop_price
    if limit is None or stop is None:
        return None
    sign = 1 if order.side is OrderSide.BUY else -1
    triggered = False
    for bar in two.bars_of(order):
        for n, (ts, price) in enumerate(bar_path(bar, bar.start or 0)):
            if triggered and sign * (limit - price) > 0:
                return ts, limit
            if not triggered and sign * (price - stop) >= 0:
                triggered = True
                if sign * (limit - price) >= 0:
                    return ts, stop if n else price
    return None


def _is_exit_at_a_point(two: Two, order: Order, difference: Difference) -> bool:
    """The entry was filled on the way to a point beyond the exit's trigger, which natively the way passes."""
    bar = two.bar_at(difference.known_at)
    fills, stop = _fills(two, order), order.stop_price
    entry = [event["timestamp"] for event in history_of(two.other, order.parent_id or "") if event["event"] == "filled"]
    if bar is None or len(fills) != 1 or stop is None or difference.native is None:
        return False
    at, price, quantity = fills[0]
    whole = at in entry and quantity == order.quantity
    return whole and (at, price) in bar_path(bar, bar.start or 0) and difference.native.get("price") == stop


def _fills(two: Two, order: Order) -> list[tuple[int, Decimal, Decimal]]:
    """Return when, at which price and for how much NautilusTrader filled an order."""
    events = [event for event in history_of(two.other, order.order_id) if event["event"] == "filled"]
    return [(event["timestamp"], event["price"], event["quantity"]) for event in events]


NAUTILUS_RULES: tuple[Rule, ...] = (
    Semantic(
        "NT-BAR-POINTS",
        "A bar is four prices, with nothing between them",
        "NautilusTrader is shown the open, the extremes and the close of a bar. A limit that was triggered, or an exit "
        "whose entry was filled, on the way to one of them meets that price. Natively the bar's path passes every "
        "price between, so the order goes on from where it was woken.",
        "For a stop-limit, its order walked over those four points comes to the time and the price of NautilusTrader's "
        "fill. For an exit, it was filled at the point at which its entry was, natively at its own trigger.",
        _is_met_at_a_point,
    ),
)
