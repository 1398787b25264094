"""A ladder gives its orders out by price and, at one price, by time, whatever came, went and came back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from seatrial import Order, OrderSide, OrderType
from seatrial.venue.book import Ladder
from seatrial.venue.working import at_work

if TYPE_CHECKING:
    from seatrial.venue.working import Working

PRICES = [Decimal(text) for text in ("9", "9.5", "9.50", "10", "10.25")]


def _resting(sequence: int) -> Working:
    order = Order(
        order_id=f"O{sequence}",
        symbol="ALFA",
        side=OrderSide.BUY,
        order_type=OrderType.LIMIT,
        quantity=1,
        created_at=0,
        limit_price=10,
    )
    return at_work(order, 0, sequence, None)


@given(
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(PRICES)), max_size=40),
)
def test_first_is_best_priced_then_oldest(falling: bool, moves: list[tuple[int, Decimal]]) -> None:
    """Each move puts one of ten orders in, or takes it out where it is; the first is always the one a sort finds."""
    ladder = Ladder(falling=falling)
    orders = [_resting(n) for n in range(10)]
    inside: dict[int, Decimal] = {}
    for n, price in moves:
        if n in inside:
            ladder.remove(inside.pop(n), orders[n])
        else:
            ladder.push(price, orders[n])
            inside[n] = price

        assert len(ladder) == len(inside)
        if not inside:
            assert ladder.head is None
            assert not ladder.woken(PRICES[0])
            continue
        first = min(inside, key=lambda n: (-inside[n] if falling else inside[n], n))
        assert ladder.head == inside[first]
        assert ladder.peek() is orders[first]
        assert ladder.woken(inside[first])
        assert not ladder.woken(inside[first], strict=True)
