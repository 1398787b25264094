"""What a bar, a fill and a cancel cost does not depend on how many orders rest, shown by counting instead of time.

Work is every line of Python that is executed, in the stock broker's code too, and every comparison of an order's price,
also inside the standard library's heap. The same step beside a hundred orders and beside ten thousand has to cost the
same.
"""

from __future__ import annotations

import datetime as dt
import gc
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import backtrader
import pytest

from seatrial_backtrader.indexed import IndexedBroker

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

pytestmark = pytest.mark.no_cover

bt: Any = backtrader  # which ships no types
FEW, MANY = 100, 10_000
COMPARED = [0]


class Price(float):
    """A number that counts how often it is compared, and stays one when negated."""

    def __eq__(self, other: object) -> bool:
        COMPARED[0] += 1
        return float(self) == other

    def __lt__(self, other: float) -> bool:
        COMPARED[0] += 1
        return float(self) < other

    def __le__(self, other: float) -> bool:
        COMPARED[0] += 1
        return float(self) <= other

    def __gt__(self, other: float) -> bool:
        COMPARED[0] += 1
        return float(self) > other

    def __ge__(self, other: float) -> bool:
        COMPARED[0] += 1
        return float(self) >= other

    def __neg__(self) -> Price:
        return Price(-float(self))

    __hash__ = float.__hash__


class Work(NamedTuple):
    """What a step cost."""

    lines: int
    comparisons: int


def work(action: Callable[[], object]) -> Work:
    """Return what `action` costs; the counting of comparisons is no line of it."""
    lines = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal lines
        if frame.f_code.co_filename == __file__:
            return None
        lines += event == "line"
        return trace

    compared, before = COMPARED[0], sys.gettrace()
    gc.disable()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
        gc.enable()
    assert lines > 0
    return Work(lines, COMPARED[0] - compared)


class Line(list[float]):
    """One line of a feed, seen from its current bar."""

    def datetime(self, ago: int = 0) -> dt.datetime:
        moment: dt.datetime = bt.num2date(self[0])
        return moment


class Feed:
    """A feed that stands on one bar; `move` puts it on the next."""

    _name, _compensate = "", None
    date2num = staticmethod(bt.date2num)

    class p:  # noqa: N801 - the name Backtrader reads
        sessionend = dt.time(23, 59)

    def __init__(self) -> None:
        self.datetime = Line([738_000.0])
        self.move(low=99.0, high=101.0)

    def __len__(self) -> int:
        return 1

    def move(self, low: float, high: float) -> None:
        self.open = self.close = Line([100.0])
        self.low, self.high = Line([low]), Line([high])
        self.datetime[0] += 1


def fleet(kind: Any, count: int, **terms: Any) -> tuple[Any, Feed, list[Any]]:
    """Return a broker, its feed, and its resting orders of all waiting types, of which the first is the nearest."""
    broker, feed = kind(), Feed()
    broker.set_cash(1e12)
    orders = []
    for n in range(count):
        away = 5 + n / 4_000
        order = bt.Order
        exectype, send, price = (
            (order.Limit, broker.buy, 100 - away),
            (order.Limit, broker.sell, 100 + away),
            (order.Stop, broker.buy, 100 + away),
            (order.Stop, broker.sell, 100 - away),
            (order.StopLimit, broker.buy, 100 + away),
        )[n % 5]
        limit = {"plimit": Price(price)} if exectype == order.StopLimit else {}
        sent = send(None, feed, size=1, price=Price(price), exectype=exectype, **limit, **terms)
        orders.append(sent)
    for _ in range(3):
        feed.move(low=99.0, high=101.0)
        broker.next()
    assert len(broker.pending) == count
    return broker, feed, orders


def beside(step: Callable[[Any, Feed, list[Any]], object], kind: Any = IndexedBroker, **terms: Any) -> list[Work]:
    """Return what a step costs beside few and beside many orders."""
    found = []
    for count in (FEW, MANY if kind is IndexedBroker else 10 * FEW):
        broker, feed, orders = fleet(kind, count, **terms)
        found.append(work(lambda: step(broker, feed, orders)))  # noqa: B023 - called at once
    return found


def bar(broker: Any, feed: Feed, orders: list[Any]) -> None:
    """Move on to a bar that concerns no order."""
    feed.move(low=99.0, high=101.0)
    broker.next()


def fill(broker: Any, feed: Feed, orders: list[Any]) -> None:
    """Move on to a bar that reaches the nearest order."""
    feed.move(low=95.0, high=101.0)
    broker.next()
    assert orders[0].status == bt.Order.Completed


def cancel(broker: Any, feed: Feed, orders: list[Any]) -> None:
    """Cancel an order from the middle."""
    assert broker.cancel(orders[len(orders) // 2])


@pytest.mark.parametrize("terms", [{}, {"valid": 1e6}], ids=["good till cancelled", "good till a date"])
def test_a_bar_costs_the_same_whatever_rests(terms: dict[str, Any]) -> None:
    """A bar that concerns no order does exactly the same beside a hundred and beside ten thousand."""
    few, many = beside(bar, **terms)

    assert few == many
    assert many.comparisons <= 4


def test_a_bar_that_looks_at_every_order_is_caught() -> None:
    """The stock broker, which looks at each order, costs visibly more beside more of them."""
    few, many = beside(bar, bt.brokers.BackBroker)

    assert many.lines > 8 * few.lines
    assert many.comparisons > 8 * FEW


def test_a_fill_costs_as_much_as_a_heap_does() -> None:
    """A bar that fills the nearest order compares prices O(log n) times, and does nothing else more often."""
    few, many = beside(fill)

    assert many.lines == few.lines
    assert many.comparisons - few.comparisons <= 6 * (MANY // FEW).bit_length()


def test_a_cancel_costs_the_same_whatever_rests() -> None:
    """Cancelling an order from the middle does the same beside a hundred and beside ten thousand."""
    few, many = beside(cancel)

    assert few == many


def test_the_end_of_a_group_costs_the_same_whatever_rests() -> None:
    """A fill that cancels the other order of its group looks at that group alone."""

    def end(broker: Any, feed: Feed, orders: list[Any]) -> None:
        other = broker.buy(None, feed, size=1, price=Price(50.0), exectype=bt.Order.Limit, oco=orders[0])
        bar(broker, feed, orders)
        fill(broker, feed, orders)
        assert other.status == bt.Order.Canceled

    few, many = beside(end)

    assert many.lines == few.lines


def test_an_expiry_costs_the_same_whatever_rests() -> None:
    """A bar at which one order expires does the same beside a hundred and beside ten thousand that stay."""
    costs = []
    for count in (FEW, MANY):
        broker, feed, _ = fleet(IndexedBroker, count, valid=1e6)
        brief = broker.buy(None, feed, size=1, price=Price(50.0), exectype=bt.Order.Limit)
        brief.valid = 738_006.5
        bar(broker, feed, [])
        feed.move(low=99.0, high=101.0)
        costs.append(work(broker.next))
        assert brief.status == bt.Order.Accepted
        feed.datetime[0] = 738_007.0
        costs.append(work(broker.next))
        assert brief.status == bt.Order.Expired

    assert costs[0] == costs[2]
    assert costs[1].lines == costs[3].lines


def test_cancelling_most_orders_costs_the_same_per_order() -> None:
    """Places given up are swept out in bulk: per cancel, a hundred times the orders cost no more."""

    def most(broker: Any, feed: Feed, orders: list[Any]) -> None:
        for order in orders[: len(orders) * 9 // 10]:
            broker.cancel(order)
        bar(broker, feed, orders)

    few, many = beside(most)

    assert many.lines / MANY <= 1.2 * few.lines / FEW
