"""What works counts at its worst: nothing less than what it may come to, for the position limit as for every rule."""

from __future__ import annotations

from datetime import UTC, datetime
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
    OrderType,
    PositionLimitRule,
    Quote,
    RejectionReason,
    RiskConfig,
    VenueConfig,
)
from seatrial.clock import to_ns

T0 = to_ns(datetime(2024, 3, 4, 10, tzinfo=UTC))
MS = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
SLOW_REPORTS = LatencyConfig(submit=Constant(10 * MS), fill=Constant(500 * MS), cancel=Constant(20 * MS))
BREACH = RejectionReason.RISK_POSITION_LIMIT


def _sim(*, shares: int = 10, latency: LatencyConfig | None = None) -> ExecutionSimulator:
    """Return a margin account under a position limit, with X and Y marked at 100."""
    sim = ExecutionSimulator(
        initial_cash=100_000,
        venue_config=VenueConfig(account_type=AccountType.MARGIN, leverage=Decimal(20)),
        latency_config=latency or LatencyConfig(),
        risk_config=RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(shares))),
    )
    _price(sim, T0)
    _price(sim, T0, symbol="Y")
    return sim


def _price(sim: ExecutionSimulator, ts: int, price: str = "100", symbol: str = "X") -> None:
    sim.process_quote(Quote(ts, symbol, Decimal(price), Decimal(price)))


def _order(
    order_id: str, side: OrderSide = BUY, kind: OrderType = OrderType.MARKET, quantity: int = 10, **fields: Any
) -> Order:
    given: dict[str, Any] = {
        name: Decimal(value) if name.endswith("price") else value for name, value in fields.items()
    }
    symbol = given.pop("symbol", "X")
    return Order(
        order_id=order_id, symbol=symbol, side=side, order_type=kind, quantity=quantity, created_at=T0, **given
    )


def _send(sim: ExecutionSimulator, *orders: Order, ts: int = T0) -> list[RejectionReason | None]:
    """Submit orders one after the other; return why each was refused."""
    return [sim.submit_order(order, ts).rejection_reason for order in orders]


def test_five_orders_of_a_hundred_do_not_pass_a_limit_of_a_hundred() -> None:
    """What works counts as if it were filled."""
    sim = _sim(shares=100)
    bids = [_order(f"bid-{n}", kind=LIMIT, quantity=100, limit_price="90") for n in range(5)]

    assert _send(sim, *bids) == [None, BREACH, BREACH, BREACH, BREACH]
    assert list(sim.pending_orders) == ["bid-0"]


def test_an_order_counts_until_its_end_is_reported() -> None:
    """On the wire, under a cancel, and matched without our knowing: it counts; a reported cancel frees its room."""
    sim = _sim(latency=SLOW_REPORTS)
    assert _send(sim, _order("bid", kind=LIMIT, limit_price="90"), _order("b1", quantity=1)) == [None, BREACH]
    sim.cancel_order("bid", T0 + 100 * MS)
    assert _send(sim, _order("b2", quantity=1), ts=T0 + 110 * MS) == [BREACH]

    assert _send(sim, _order("buy"), ts=T0 + 120 * MS) == [None]
    sim.advance(T0 + 200 * MS)  # matched at 130 ms, told at 630 ms

    assert dict(sim.positions) == {}
    assert _send(sim, _order("b3", quantity=1), ts=T0 + 200 * MS) == [BREACH]
    sim.advance(T0 + 1_000 * MS)
    assert sim.positions["X"] == 10
    assert _send(sim, _order("b4", quantity=1), ts=T0 + 1_000 * MS) == [BREACH]


def test_a_partial_fill_counts_once() -> None:
    """What was filled moved from the order to the position; the sum stays what it was."""
    sim = _sim()
    sim.process_quote(Quote(T0, "X", Decimal(99), Decimal(100), None, Decimal(4)))

    _send(sim, _order("a", kind=LIMIT, quantity=9, limit_price="100"))

    assert sim.positions["X"] == 4
    assert _send(sim, _order("b", quantity=2), _order("c", quantity=1)) == [BREACH, None]


def test_buys_and_sells_count_apart() -> None:
    """Ten to buy and ten to sell come to ten at worst, either way."""
    sim = _sim()
    orders = (
        _order("b", kind=LIMIT, limit_price="90"),
        _order("s", SELL, LIMIT, limit_price="110"),
        _order("s2", SELL, LIMIT, 1, limit_price="110"),
    )

    assert _send(sim, *orders) == [None, None, BREACH]


def test_an_oco_group_counts_as_its_largest_leg() -> None:
    """Of legs that end each other only one can fill."""
    sim = _sim()
    low = _order("low", kind=LIMIT, quantity=6, limit_price="90", oco_id="g")
    high = _order("high", kind=STOP, quantity=10, stop_price="110", oco_id="g")

    assert _send(sim, low, high, _order("beside", quantity=1)) == [None, None, BREACH]


def test_exits_count_nothing_until_their_entry_completes_and_then_what_it_filled() -> None:
    """A bracket of ten passes a limit of ten; once long ten, its exits leave room for ten sells more, not eleven."""
    sim = _sim()
    target = _order("target", SELL, LIMIT, limit_price="120")
    stop = _order("stop", SELL, STOP, stop_price="80")
    sim.submit_bracket(_order("entry", kind=LIMIT, limit_price="95"), target, stop, timestamp=T0)
    assert _send(sim, _order("s", SELL, LIMIT, limit_price="130")) == [None]  # exits count nothing beside it
    sim.cancel_order("s", T0)

    _price(sim, T0 + 1, "95")

    assert sim.positions["X"] == 10
    assert _send(sim, _order("s11", SELL, LIMIT, 11, limit_price="130"), ts=T0 + 1) == [BREACH]
    assert _send(sim, _order("s10", SELL, LIMIT, limit_price="130"), ts=T0 + 1) == [None]


def test_a_modify_counts_the_larger_of_old_and_new_until_it_is_answered() -> None:
    """A larger quantity counts when it leaves, a smaller one when it is reported."""
    sim = _sim(latency=SLOW_REPORTS)
    _send(sim, _order("a", kind=LIMIT, quantity=4, limit_price="90"))
    sim.advance(T0 + 100 * MS)
    sim.modify_order("a", T0 + 100 * MS, quantity=Decimal(8))
    assert _send(sim, _order("b", quantity=3), ts=T0 + 100 * MS) == [BREACH]
    sim.advance(T0 + 200 * MS)
    sim.modify_order("a", T0 + 200 * MS, quantity=Decimal(2))

    assert _send(sim, _order("c", quantity=3), ts=T0 + 200 * MS) == [BREACH]
    sim.advance(T0 + 300 * MS)
    assert _send(sim, _order("d", quantity=8), ts=T0 + 300 * MS) == [None]


def test_counting_that_begins_late_knows_which_changes_are_under_way() -> None:
    """Of two modifies the gate has refused the second, off the lot: the first still travels, and counts in full."""
    sim = ExecutionSimulator(
        initial_cash=100_000,
        venue_config=VenueConfig(account_type=AccountType.MARGIN, leverage=Decimal(20)),
        latency_config=LatencyConfig(submit=Constant(10 * MS)),
        instruments=(Instrument(symbol="X", lot_size=Decimal(10)),),
    )
    _price(sim, T0)
    _send(sim, _order("held", quantity=40), _order("exit", SELL, LIMIT, quantity=10, limit_price="110"))
    sim.advance(T0 + 10 * MS)
    sim.modify_order("exit", T0 + 10 * MS, quantity=Decimal(40))
    refused: Any = sim.modify_order("exit", T0 + 10 * MS, quantity=Decimal(15)).events[-1]
    assert refused.rejection.reason is RejectionReason.INVALID_QUANTITY

    sim.restrict_trading("desk", "no more", T0 + 10 * MS)

    assert _send(sim, _order("again", SELL, quantity=10), ts=T0 + 10 * MS) == [RejectionReason.RISK_REDUCE_ONLY]


def test_a_child_on_its_parent_s_own_side_is_no_exit() -> None:
    """Ten bought after ten bought are twenty, although the second order waits for the first."""
    sim = _sim()
    _send(sim, _order("parent", kind=LIMIT, limit_price="95"), _order("child", parent_id="parent"))

    _price(sim, T0 + 1, "95")

    assert sim.positions["X"] <= 10


def test_children_in_another_symbol_are_no_exits() -> None:
    """Three orders for ten Y that wait for an order in X are thirty Y."""
    sim = _sim()
    children = [_order(f"child-{n}", symbol="Y", parent_id="parent") for n in range(3)]
    _send(sim, _order("parent", kind=LIMIT, limit_price="95"), *children)

    _price(sim, T0 + 1, "95")

    assert sim.positions.get("Y", Decimal(0)) <= 10


def test_exits_that_do_not_end_each_other_count_together() -> None:
    """Four exits of ten, each in a group of its own, may sell forty against an entry of ten."""
    sim = _sim()
    exits = [_order(f"exit-{n}", SELL, LIMIT, limit_price="120", oco_id=f"group-{n}") for n in range(4)]
    sim.submit_bracket(_order("entry", kind=LIMIT, limit_price="95"), *exits, timestamp=T0)

    _price(sim, T0 + 1, "95")
    _price(sim, T0 + 2, "120")

    assert sim.positions.get("X", Decimal(0)) >= -10


@pytest.mark.parametrize("name", ["a", "x"])
def test_an_exit_named_like_a_group_is_not_in_it(name: str) -> None:
    """Three exits of ten for ten may sell twenty that nobody holds, whatever they are called."""
    sim = _sim(shares=10)
    terms: dict[str, Any] = {"kind": LIMIT, "limit_price": "110", "parent_id": "entry"}
    exits = (
        _order(name, SELL, **terms),
        _order("y", SELL, oco_id="x", **terms),
        _order("z", SELL, oco_id="z", **terms),
    )

    assert _send(sim, _order("entry", kind=LIMIT, limit_price="99"), *exits) == [None, None, None, BREACH]


@pytest.mark.parametrize("restricted", [False, True])
def test_an_exit_grown_by_a_modify_counts_in_full(*, restricted: bool) -> None:
    """Once its entry is filled, an exit of ten that is changed to a hundred sells a hundred, so it counts as that."""
    sim = _sim()
    sim.submit_bracket(_order("entry"), _order("exit", SELL, LIMIT, limit_price="120"), timestamp=T0)
    if restricted:
        sim.restrict_trading("risk desk", "test")

    sim.modify_order("exit", T0, quantity=Decimal(100))
    _price(sim, T0 + 1, "120")

    assert sim.positions.get("X", Decimal(0)) >= (0 if restricted else -10)


def test_a_matched_exit_counts_until_it_is_reported() -> None:
    """While the client has not been told of an exit's fill, a second exit is no reduction."""
    sim = _sim(latency=SLOW_REPORTS)
    _send(sim, _order("buy"))
    sim.advance(T0 + 1_000 * MS)
    sim.restrict_trading("risk desk", "test")

    assert _send(sim, _order("exit", SELL), ts=T0 + 1_000 * MS) == [None]
    sim.advance(T0 + 1_100 * MS)  # matched at 1,010 ms, told at 1,510 ms

    assert sim.positions["X"] == 10
    assert _send(sim, _order("again", SELL), ts=T0 + 1_100 * MS) == [RejectionReason.RISK_REDUCE_ONLY]


def test_the_exits_of_an_entry_that_is_half_done_count_what_it_filled() -> None:
    """Long six of ten, with an exit that would wake for six: four more may be sold than are held, no more."""
    sim = _sim(shares=10)
    sim.process_quote(Quote(T0, "X", Decimal(100), Decimal(100), Decimal(100), Decimal(6)))
    sim.submit_bracket(
        _order("entry", kind=LIMIT, limit_price="100"), _order("exit", SELL, STOP, stop_price="99"), timestamp=T0
    )
    assert sim.positions["X"] == 6

    assert _send(sim, _order("s1", SELL, LIMIT, 11, limit_price="110")) == [BREACH]
    assert _send(sim, _order("s2", SELL, LIMIT, 10, limit_price="110")) == [None]
    sim.restrict_trading("desk", "no more")
    assert _send(sim, _order("s3", SELL, quantity=1)) == [RejectionReason.RISK_REDUCE_ONLY]
    sim.cancel_order("entry", T0)
    sim.process_quote(Quote(T0 + MS, "X", Decimal(98), Decimal(98)))
    sim.process_quote(Quote(T0 + 2 * MS, "X", Decimal(110), Decimal(110)))
    assert sim.positions["X"] == -10


@pytest.mark.parametrize("restricted", [False, True])
def test_a_smaller_exit_is_no_smaller_where_the_venue_has_cut_it(*, restricted: bool) -> None:
    """An exit of forty for an entry of five, matched without our knowing, is five there; thirty-nine would be more."""
    sim = _sim(shares=20, latency=SLOW_REPORTS)
    sim.submit_bracket(_order("entry", quantity=5), _order("exit", SELL, LIMIT, 40, limit_price="101"), timestamp=T0)
    sim.advance(T0 + 20 * MS)
    if restricted:
        sim.restrict_trading("desk", "no more")

    refused: Any = sim.modify_order("exit", T0 + 20 * MS, quantity=Decimal(39)).events[-1]
    assert refused.rejection.reason is (RejectionReason.RISK_REDUCE_ONLY if restricted else BREACH)
    sim.advance(T0 + 2_000 * MS)
    _price(sim, T0 + 2_000 * MS, "102")
    sim.advance(T0 + 4_000 * MS)
    assert sim.completed_orders["exit"].filled_quantity == 5


def test_a_group_named_like_an_order_is_not_that_order() -> None:
    """Two sells of ten are twenty, though the group of one is called what the other is."""
    sim = _sim(shares=10)
    trailing = _order("g", SELL, OrderType.TRAILING_STOP, stop_price="95", trail_amount=Decimal(5))

    assert _send(sim, trailing, _order("leg", SELL, LIMIT, limit_price="110", oco_id="g")) == [None, BREACH]


VALUED: list[tuple[str, OrderSide, OrderType, dict[str, Any]]] = [
    ("stop-limit", SELL, OrderType.STOP_LIMIT, {"stop_price": "99", "limit_price": "1"}),
    ("limit if touched", SELL, OrderType.LIMIT_IF_TOUCHED, {"stop_price": "101", "limit_price": "1"}),
    ("limit", SELL, LIMIT, {"limit_price": "1"}),
    ("market if touched", SELL, OrderType.MARKET_IF_TOUCHED, {"stop_price": "1"}),
    ("trailing", SELL, OrderType.TRAILING_STOP, {"stop_price": "1", "trail_amount": Decimal(1)}),
    (
        "trailing limit",
        SELL,
        OrderType.TRAILING_STOP_LIMIT,
        {"stop_price": "2", "limit_price": "1", "trail_amount": Decimal(1)},
    ),
    ("buy stop", BUY, STOP, {"stop_price": "1"}),
    ("buy trailing", BUY, OrderType.TRAILING_STOP, {"stop_price": "1", "trail_amount": Decimal(1)}),
]


@pytest.mark.parametrize(("side", "kind", "prices"), [one[1:] for one in VALUED], ids=[one[0] for one in VALUED])
@pytest.mark.parametrize("marked", [True, False])
def test_a_low_price_of_its_own_makes_no_order_cheap(
    side: OrderSide, kind: OrderType, prices: dict[str, Any], *, marked: bool
) -> None:
    """What may trade at the market is worth the market's price, and where there is none yet, nobody knows."""
    sim = ExecutionSimulator(
        initial_cash=100_000,
        venue_config=VenueConfig(account_type=AccountType.MARGIN, leverage=Decimal(20)),
        risk_config=RiskConfig(position_limit=PositionLimitRule(max_value=Decimal(985))),
    )
    if marked:
        _price(sim, T0)
    bounded = kind is OrderType.STOP_LIMIT

    expected = [BREACH] if marked or bounded else [RejectionReason.RISK_PRICE_MISSING]
    assert _send(sim, _order("low", side, kind, **prices)) == expected
    if marked:
        assert _send(sim, _order("less", side, kind, 9, **prices)) == [None]


def test_a_child_sent_after_its_parent_s_end_leaves_the_earlier_one_alone() -> None:
    """Both count, and either may end first."""
    sim = _sim(shares=100)
    _send(sim, _order("parent", kind=LIMIT, limit_price="99"))
    _send(sim, _order("first", SELL, LIMIT, limit_price="110", parent_id="parent"))
    _price(sim, T0, "99")
    _send(sim, _order("late", SELL, LIMIT, limit_price="120", parent_id="parent"))

    sim.cancel_order("first", T0)
    sim.cancel_order("late", T0)

    assert not sim.pending_orders
    assert _send(sim, _order("most", SELL, quantity=110), _order("more", SELL, quantity=1)) == [None, BREACH]
