"""A container of pending orders behaves as a deque, however many it holds, and hands out what a bar can touch."""

from __future__ import annotations

import copy
import pickle
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import backtrader
import pytest
from backtrader.order import OrderData

from seatrial_backtrader.indexed import IndexedBroker
from seatrial_backtrader.pending import PendingOrders

if TYPE_CHECKING:
    from collections.abc import Callable

bt: Any = backtrader  # which ships no types


def broker_of(kind: Any, **options: Any) -> Any:
    """Return a broker; a type checker does not see the parameters that Backtrader's classes declare."""
    return kind(**options)


def made(count: int, kind: Any = None, **terms: Any) -> list[Any]:
    """Return accepted limit orders that buy at 30, 29, and so on, below a standing bar of 40."""
    feed = Feed(40.0)
    orders = []
    for n in range(count):
        order = bt.BuyOrder(data=feed, size=1, price=30.0 - n, exectype=kind or bt.Order.Limit, simulated=True, **terms)
        order.submit()
        order.accept()
        orders.append(order)
    return orders


class Line(list[float]):
    """One line of a feed, seen from its current bar."""


class Feed:
    """A feed that stands on one bar."""

    def __init__(self, price: float) -> None:
        self.open = self.high = self.low = self.close = Line([price])
        self.datetime = Line([738_000.0])

    def __len__(self) -> int:
        return 1


def large(orders: list[Any]) -> PendingOrders:
    """Return a container of `orders` that has become an index by one pass."""
    pending = PendingOrders(indexed_above=1)
    for order in orders:
        pending.append(order)
    handed_out(pending)
    assert type(pending) is not PendingOrders
    return pending


def handed_out(pending: Any) -> list[Any]:
    """Return what a pass hands out and puts back."""
    if isinstance(pending, PendingOrders):
        pending.arrange()
    pending.append(None)
    given_out = []
    while (order := pending.popleft()) is not None:
        given_out.append(order)
        pending.append(order)
    return given_out


def refs(orders: Any) -> list[int | None]:
    """Return the refs of `orders`, with None as it is."""
    return [None if order is None else order.ref for order in orders]


def failure(action: Callable[..., object], *arguments: object) -> type[Exception] | None:
    """Return what kind of error `action` raises."""
    try:
        action(*arguments)
    except Exception as error:  # noqa: BLE001 - the kind is what a test asks for
        return type(error)
    return None


LOOKS: dict[str, Any] = {
    "list": refs,
    "length": len,
    "truth": bool,
    "first": lambda pending: pending[0].ref,
    "last": lambda pending: pending[-1].ref,
    "slice error": lambda pending: failure(pending.__getitem__, 99),
    "contains": lambda pending: [order in pending for order in (pending[1], pending[1].clone(), *made(1))],
    "reversed": lambda pending: refs(reversed(pending)),
    "equal": lambda pending: (pending == deque(pending), pending == deque(), pending != deque(pending)),
    "copy": lambda pending: refs(pending.copy()),
    "copy.copy": lambda pending: refs(copy.copy(pending)),
    "index": lambda pending: pending.index(pending[2]),
    "count": lambda pending: pending.count(pending[2]),
    "sum": lambda pending: refs(pending + pending),
    "text": lambda pending: repr(pending).count("Order object"),
    "remove": lambda pending: (pending.remove(pending[2].clone()), refs(pending)),
    "remove what is not there": lambda pending: failure(pending.remove, made(1)[0]),
    "remove None": lambda pending: failure(pending.remove, None),
    "del": lambda pending: (pending.__delitem__(-2), refs(pending)),
    "pop": lambda pending: (pending.pop().ref, refs(pending)),
    "popleft": lambda pending: (pending.popleft().ref, refs(pending)),
    "rotate": lambda pending: (pending.rotate(2), refs(pending)),
    "clear": lambda pending: (pending.clear(), refs(pending)),
    "clear and use": lambda pending: (pending.clear(), failure(pending.popleft)),
    "change while looking": lambda pending: failure(lambda: [pending.remove(order) for order in pending]),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_large_container_is_a_deque_to_whoever_looks(look: Any) -> None:
    """Every operation of a deque gives on the index what it gives on a deque, and leaves the same."""
    orders = made(5)
    plain, indexed = deque(orders), large(orders)
    expected = look(plain)

    assert look(indexed) == expected
    assert refs(indexed) == refs(plain)
    assert isinstance(indexed, deque)


@pytest.mark.parametrize("arrives", [False, True], ids=["alone", "one arrives"])
def test_a_pass_looks_like_the_turning_deque(arrives: bool) -> None:
    """In mid-pass the orders stand as in a half turned deque, and one that arrives goes where it does there."""
    orders = made(5)
    orders[1].created.price = orders[3].created.price = 50.0
    [late] = made(1)
    plain, indexed = deque(orders), large(orders)
    seen: list[list[Any]] = []
    for pending in (plain, indexed):
        views: list[Any] = []
        pending.append(None)
        while (order := pending.popleft()) is not None:
            if order is orders[3]:
                views.append((refs(pending), len(pending)))
                assert failure(pending.remove, order) is ValueError
                if arrives:
                    pending.append(late)
                pending.append(order)
                views.append((refs(pending), len(pending), order in pending))
            elif order is not orders[1]:
                pending.append(order)
        views.append(refs(pending))
        seen.append(views)

    assert seen[1] == seen[0]


def test_only_touched_orders_are_handed_out() -> None:
    """A bar is given the orders whose price it reaches, and those that no price decides, in their order."""
    orders = [
        *made(3),
        *made(1, bt.Order.Market),
        *made(3, bt.Order.Stop),
        *made(1, bt.Order.StopTrail, trailamount=1.0),
    ]
    orders[1].data.low = Line([29.0])
    for order in orders:
        order.data = orders[1].data
    orders[5].created.price = 41.0

    pending = large(orders)

    assert refs(handed_out(pending)) == refs([orders[n] for n in (0, 1, 3, 4, 6, 7)])
    assert refs(pending) == refs(orders)


def test_a_container_is_plain_again_once_few_are_left() -> None:
    """Where orders leave, the next pass ends with a deque that holds the rest."""
    orders = made(40)
    pending = PendingOrders(orders)
    pending.arrange()
    pending.append(None)
    assert pending.popleft() is None
    assert type(pending) is not PendingOrders

    for order in orders[3:]:
        pending.remove(order)
    pending.append(None)
    assert pending.popleft() is None

    assert type(pending) is PendingOrders
    assert refs(pending) == refs(orders[:3])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pending: pickle.loads(pickle.dumps(pending))])  # noqa: S301
def test_a_copy_holds_the_same_orders(copied: Any) -> None:
    """A copied container holds equal orders in the same order and can go on."""
    values = ["a", "b", "c"]
    pending = PendingOrders(values, indexed_above=7)

    twin = copied(pending)

    assert type(twin) is PendingOrders
    assert list(twin) == values
    assert twin.indexed_above == 7


def test_a_copy_of_a_large_container_is_a_plain_one() -> None:
    """A deep copy of the index holds copies of the orders, and shares nothing with the original."""
    orders = made(5)
    twin = copy.deepcopy(large(orders))

    assert refs(twin) == refs(orders)
    assert type(twin) is PendingOrders
    assert twin[0] is not orders[0]


def test_the_switch_keeps_the_deque() -> None:
    """Without the index the broker holds what the stock broker holds."""
    assert type(broker_of(IndexedBroker, indexed=False).pending) is deque
    assert type(IndexedBroker().pending) is PendingOrders


def test_an_assigned_price_counts_at_once() -> None:
    """An order whose price is assigned is handed out where a bar reaches the new price, and only there."""
    orders = made(5)
    pending = large(orders)

    orders[3].created.price = 40.0
    assert handed_out(pending) == [orders[3]]
    orders[3].created.price = 20.0
    assert handed_out(pending) == []
    for order in orders:
        order.created.price = 40.0
    pending.remove(orders[2])

    assert refs(handed_out(pending)) == refs([*orders[:2], *orders[3:]])


def test_a_price_assigned_in_mid_pass_counts_for_those_still_to_come() -> None:
    """As in a deque: an order that has not been passed is matched at its new price, one that has been waits."""
    orders = made(5)
    pending = large(orders)
    orders[2].created.price = 40.0

    pending.append(None)
    assert pending.popleft() is orders[2]
    for order in orders:
        order.created.price = 40.0
    pending.append(orders[2])

    assert pending.popleft() is orders[3]
    pending.append(orders[3])
    assert pending.popleft() is orders[4]
    pending.append(orders[4])
    assert pending.popleft() is None
    assert refs(handed_out(pending)) == refs(orders)


def test_terms_are_watched_only_while_their_order_rests() -> None:
    """The terms of an order are of Backtrader's class, with its fields alone, before and after; no copy is watched."""
    orders = made(5)
    fields = set(vars(orders[0].created))
    pending, other = large(orders), large(orders)
    twin = copy.copy(orders[0].created)

    twin.price = 40.0
    assert handed_out(pending) == []
    assert isinstance(orders[0].created, OrderData)
    assert set(vars(orders[0].created)) == fields
    pending.clear()
    orders[0].created.price = 40.0
    assert handed_out(other) == [orders[0]]
    other.remove(orders[0])

    assert type(orders[0].created) is OrderData
    assert type(orders[1].created) is not OrderData
    other.clear()
    assert {type(order.created) for order in orders} == {OrderData}


def test_a_feed_without_a_bar_is_left_to_the_broker() -> None:
    """Where a feed's bar cannot be read, all its orders are handed out: the broker meets what a deque gives it."""
    orders, others = made(3), made(3)
    pending = large([*orders, *others])
    orders[0].data.open = Line()

    assert refs(handed_out(pending)) == refs(orders)
    orders[0].data.open = Line([40.0])
    assert handed_out(pending) == []
    assert refs(pending) == refs([*orders, *others])


@pytest.mark.parametrize("odd", [float("nan"), Decimal(40), True])
def test_a_price_that_does_not_sort_is_looked_at_on_each_bar(odd: Any) -> None:
    """A price that is no plain number is left to the broker; one that is a number of Python's waits in its place."""
    orders = made(5)
    orders[2].created.price = odd
    pending = large(orders)

    assert refs(handed_out(pending)) == ([] if odd is True else refs(orders[2:3]))
    orders[1].created.price = odd
    assert refs(handed_out(pending)) == ([] if odd is True else refs(orders[1:3]))
