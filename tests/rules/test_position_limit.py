"""The position limit: one symbol's position with everything that works for it, at its worst."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from seatrial import (
    AccountType,
    Constant,
    ExecutionSimulator,
    Instrument,
    LatencyConfig,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionLimitRule,
    Quote,
    Rejection,
    RejectionReason,
    RiskConfig,
    VenueConfig,
)
from seatrial.clock import to_ns
from seatrial.contracts.events import ModifyRefused
from seatrial.contracts.rejection import RefusedBy
from seatrial.errors import InvalidTransition

T0 = to_ns(datetime(2024, 3, 4, 10, tzinfo=UTC))
MS = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
SLOW_REPORTS = LatencyConfig(submit=Constant(10 * MS), fill=Constant(500 * MS), cancel=Constant(20 * MS))
MARGIN = VenueConfig(account_type=AccountType.MARGIN, leverage=Decimal(20))


def _sim(
    *,
    shares: int | None = None,
    value: int | None = None,
    age: timedelta | None = None,
    latency: LatencyConfig | None = None,
    **settings: Any,
) -> ExecutionSimulator:
    """Return an account of 100,000 under a position limit."""
    limit = PositionLimitRule(
        max_shares=None if shares is None else Decimal(shares), max_value=None if value is None else Decimal(value)
    )
    return ExecutionSimulator(
        initial_cash=100_000,
        venue_config=MARGIN,
        latency_config=latency or LatencyConfig(),
        risk_config=RiskConfig(position_limit=limit, max_price_age=age),
        **settings,
    )


def _price(sim: ExecutionSimulator, ts: int, price: str = "100", symbol: str = "X") -> None:
    sim.process_quote(Quote(ts, symbol, Decimal(price), Decimal(price)))


def _order(
    order_id: str, side: OrderSide = BUY, kind: OrderType = OrderType.MARKET, quantity: int = 10, **fields: Any
) -> Order:
    given: dict[str, Any] = {
        name: Decimal(value) if name.endswith("price") else value for name, value in fields.items()
    }
    return Order(order_id=order_id, symbol="X", side=side, order_type=kind, quantity=quantity, created_at=T0, **given)


def _send(sim: ExecutionSimulator, *orders: Order, ts: int = T0) -> list[RejectionReason | None]:
    """Submit orders one after the other; return why each was refused."""
    return [sim.submit_order(order, ts).rejection_reason for order in orders]


BREACH = RejectionReason.RISK_POSITION_LIMIT
NO_MARK = RejectionReason.RISK_PRICE_MISSING


@pytest.mark.parametrize("side", [BUY, SELL])
def test_as_many_units_as_the_limit_pass_and_one_more_does_not(side: OrderSide) -> None:
    """The limit is inclusive, for long and short positions alike."""
    sim = _sim(shares=10)
    _price(sim, T0)

    assert _send(sim, _order("ten", side), _order("one more", side, quantity=1)) == [None, BREACH]
    assert abs(sim.positions["X"]) == 10


def test_refusal_carries_rule_numbers_and_words() -> None:
    """Whoever reads the refusal needs no other source."""
    sim = _sim(shares=10)
    _price(sim, T0)

    refused = sim.submit_order(_order("a", quantity=11), T0)

    assert refused.status is OrderStatus.REJECTED
    assert refused.rejection == Rejection(
        RejectionReason.RISK_POSITION_LIMIT,
        "X may come to 11 units, 10 are allowed",
        RefusedBy.GATE,
        "position_limit",
        Decimal(11),
        Decimal(10),
    )


def test_value_is_units_at_the_mark_for_what_has_no_price() -> None:
    """Ten at 100 are worth the limit of 1,000; the next unit is above it."""
    sim = _sim(value=1_000)
    _price(sim, T0)

    refused = [sim.submit_order(order, T0) for order in (_order("a"), _order("b", quantity=1))][1]

    assert sim.positions["X"] == 10
    assert refused.rejection_message == "X may come to a value of 1100, 1000 is allowed"


def test_value_is_units_at_the_order_s_own_price_for_what_has_one() -> None:
    """Twenty bid at 50 are worth 1,000, whatever the mark; one more at a price of one is too much."""
    sim = _sim(value=1_000)
    _price(sim, T0)
    bids = (
        _order("a", kind=LIMIT, quantity=20, limit_price="50"),
        _order("b", kind=LIMIT, quantity=1, limit_price="1"),
    )

    assert _send(sim, *bids) == [None, BREACH]


def test_value_counts_the_multiplier() -> None:
    """One future of 50 times 100 is worth 5,000."""
    future = Instrument(symbol="X", multiplier=Decimal(50))
    sim = _sim(value=9_999, instruments=[future])
    _price(sim, T0)

    assert _send(sim, _order("a", quantity=1), _order("b", quantity=1)) == [None, BREACH]


def test_a_bracket_is_refused_whole() -> None:
    """The culprit has its own reason, the others name it, and nothing of it counts afterwards."""
    sim = _sim(shares=10)
    _price(sim, T0)

    entry, leave = sim.submit_bracket(
        _order("entry", quantity=11), _order("exit", SELL, LIMIT, 11, limit_price="120"), timestamp=T0
    )

    assert entry.rejection_reason is BREACH
    assert (leave.rejection_reason, leave.rejection_message) == (
        RejectionReason.GROUP_REFUSED,
        "entry of the same group was refused",
    )
    assert _send(sim, _order("a")) == [None]


def test_a_modify_beyond_the_limit_is_refused_and_changes_nothing() -> None:
    """The refusal stands in the order's history with rule and numbers; the old terms work on."""
    sim = _sim(shares=10, value=1_000)
    _price(sim, T0)
    _send(sim, _order("a", kind=LIMIT, limit_price="90"))

    more = sim.modify_order("a", T0, quantity=Decimal(11))
    dearer = sim.modify_order("a", T0, limit_price=Decimal(101))

    assert dearer.status is OrderStatus.SUBMITTED
    assert (dearer.quantity, dearer.limit_price) == (Decimal(10), Decimal(90))
    refusals = [order.events[-1].rejection for order in (more, dearer) if type(order.events[-1]) is ModifyRefused]
    assert [refusal.message for refusal in refusals] == [
        "X may come to 11 units, 10 are allowed",
        "X may come to a value of 1010, 1000 is allowed",
    ]
    assert sim.modify_order("a", T0, limit_price=Decimal(99)).limit_price == 99


def test_above_the_limit_only_what_provably_reduces_passes() -> None:
    """Twenty-five units came by transfer: five may be sold, not one bought, nor more sold than are held."""
    sim = _sim(shares=10)
    _price(sim, T0)
    sim.gate.adjusted(T0, Decimal(0), "transfer", symbol="X", quantity=Decimal(25))
    sim.advance(T0)
    first = _order("five", SELL, LIMIT, 5, limit_price="110")
    flip = _order("flip", SELL, LIMIT, 21, limit_price="110")
    rest = _order("rest", SELL, LIMIT, 20, limit_price="110")

    assert _send(sim, _order("buy", quantity=1), first, flip, rest) == [BREACH, None, BREACH, None]
    assert sim.modify_order("five", T0, quantity=Decimal(4)).quantity == 4


def test_the_symbol_needs_a_price_only_where_a_value_is_needed() -> None:
    """A market order without a mark is refused in words; a priced one from flat, and a reducing one, need no mark."""
    sim = _sim(value=1_000)

    refused = sim.submit_order(_order("a"), T0)

    assert refused.rejection == Rejection(
        NO_MARK, "no price of X is known yet; feed market data before the order", RefusedBy.GATE, "position_limit"
    )
    assert _send(sim, _order("b", kind=LIMIT, limit_price="50")) == [None]
    assert _send(_sim(shares=10), _order("c")) == [None]


def test_a_price_too_old_is_no_price() -> None:
    """At the allowed age it still is one; a nanosecond later it is not; an exit needs none."""
    sim = _sim(value=2_000, age=timedelta(seconds=2))
    _price(sim, T0)
    assert _send(sim, _order("a"), ts=T0 + 2_000 * MS) == [None]

    refused = sim.submit_order(_order("b"), T0 + 2_500 * MS)

    assert refused.rejection == Rejection(
        RejectionReason.RISK_PRICE_STALE,
        "the price of X is 2.5 s old, 2 s are allowed",
        RefusedBy.GATE,
        "position_limit",
        Decimal("2.5"),
        Decimal(2),
    )
    assert _send(sim, _order("exit", SELL), ts=T0 + 2_500 * MS) == [None]


def test_a_group_with_a_leg_without_price_needs_a_fresh_mark() -> None:
    """A market leg beside a limit leg is valued at the mark, so the mark must not be stale."""
    sim = _sim(value=2_000, age=timedelta(seconds=2))
    _price(sim, T0)
    bid = _order("bid", kind=LIMIT, limit_price="90", oco_id="g")
    buy = _order("buy", kind=OrderType.TRAILING_STOP, trail_amount=Decimal(5), oco_id="g")

    assert _send(sim, bid, buy, ts=T0 + 60_000 * MS) == [None, RejectionReason.RISK_PRICE_STALE]


def test_an_error_amid_a_bracket_leaves_nothing_counted() -> None:
    """A bracket whose exit has a history is no bracket; its entry does not count."""
    sim = _sim(shares=10)
    _price(sim, T0)
    _send(sim, _order("a"))
    sold = sim.submit_order(_order("b", SELL), T0)

    with pytest.raises(InvalidTransition):
        sim.submit_bracket(_order("entry"), sold, timestamp=T0)

    assert _send(sim, _order("c")) == [None]
