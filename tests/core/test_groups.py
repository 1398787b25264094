"""Brackets and OCO groups at the simulated venue, with and without delays."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from seatrial import (
    AccountType,
    Bar,
    Constant,
    Convention,
    ExecutionSimulator,
    LatencyConfig,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    RejectionReason,
    TimeInForce,
    Trade,
    VenueConfig,
)
from seatrial.contracts.events import CancelRefused, OrderCancelled, OrderReplaced
from seatrial.contracts.rejection import RefusedBy

T0 = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
LEGS = LatencyConfig(submit=Constant(10), ack=Constant(3), fill=Constant(20), cancel=Constant(7), modify=Constant(10))


def _d(value: str) -> Decimal:
    return Decimal(value)


def _sim(latency: LatencyConfig | None = None, cash: int = 10_000, **config: Any) -> ExecutionSimulator:
    """Return a cash account of 10,000 unless told otherwise, with a quote of 99/100 standing at T0."""
    sim = ExecutionSimulator(
        initial_cash=cash, latency_config=latency or LatencyConfig(), venue_config=VenueConfig(**config)
    )
    _quote(sim, T0, "99", "100")
    return sim


def _quote(
    sim: ExecutionSimulator, ts: int, bid: str, ask: str, bid_size: str | None = None, ask_size: str | None = None
) -> None:
    sizes = [None if size is None else _d(size) for size in (bid_size, ask_size)]
    sim.process_quote(Quote(ts, "X", _d(bid), _d(ask), *sizes))


def _order(order_id: str, side: OrderSide, kind: OrderType, quantity: str = "10", **fields: Any) -> Order:
    given: dict[str, Any] = {name: _d(value) if name.endswith("price") else value for name, value in fields.items()}
    return Order(
        order_id=order_id,
        symbol="X",
        side=side,
        order_type=kind,
        quantity=_d(quantity),
        created_at=T0,
        **given,
    )


def _entry(limit: str = "98", quantity: str = "10", **fields: Any) -> Order:
    return _order("e", BUY, OrderType.LIMIT, quantity, limit_price=limit, **fields)


def _target(quantity: str = "10", price: str = "105", **fields: Any) -> Order:
    return _order("tp", SELL, OrderType.LIMIT, quantity, limit_price=price, **fields)


def _stop(quantity: str = "10", price: str = "95", **fields: Any) -> Order:
    return _order("sl", SELL, OrderType.STOP, quantity, stop_price=price, **fields)


def _statuses(sim: ExecutionSimulator, *order_ids: str) -> list[str]:
    return [sim.get_order(order_id).status.value for order_id in order_ids]


def _fills(sim: ExecutionSimulator, order_id: str) -> list[tuple[int, Decimal, Decimal]]:
    return [(fill.timestamp, fill.quantity, fill.price) for fill in sim.get_order(order_id).executions]


def _held(sim: ExecutionSimulator, quantity: str = "10") -> ExecutionSimulator:
    """Buy `quantity` at 100 so that there is something to exit from."""
    sim.submit_order(_order("hold", BUY, OrderType.MARKET, quantity), T0)
    sim.advance(T0 + 100)
    return sim


def test_exits_sleep_until_the_entry_completes() -> None:
    """Prices that would fill the exits do nothing while the entry works; after it, they do."""
    sim = _sim()
    sim.submit_bracket(_entry(), _target(), _stop(), timestamp=T0)

    _quote(sim, T0 + 10, "106", "107")
    asleep = _statuses(sim, "e", "tp", "sl")
    _quote(sim, T0 + 20, "97", "98")
    awake = _statuses(sim, "e", "tp", "sl")
    _quote(sim, T0 + 30, "106", "107")

    assert asleep == ["submitted", "submitted", "submitted"]
    assert awake == ["filled", "submitted", "submitted"]
    assert _statuses(sim, "e", "tp", "sl") == ["filled", "filled", "cancelled"]
    assert _fills(sim, "tp") == [(T0 + 30, _d("10"), _d("105"))]
    assert sim.cash == _d("10070")  # bought 10 at 98, sold 10 at 105
    assert sim.positions == {}


def test_the_stop_ends_the_target() -> None:
    """The stop trades at the bid of 94, and the target is cancelled with GROUP_ENDED."""
    sim = _sim()
    sim.submit_bracket(_entry("100"), _target(), _stop(), timestamp=T0)

    _quote(sim, T0 + 10, "94", "95")

    assert _statuses(sim, "e", "tp", "sl") == ["filled", "cancelled", "filled"]
    assert _fills(sim, "sl") == [(T0 + 10, _d("10"), _d("94"))]
    assert sim.get_order("tp").rejection_reason is RejectionReason.GROUP_ENDED
    assert sim.get_order("tp").cancelled_at == T0 + 10


def test_an_exit_that_the_standing_quote_fills_trades_as_it_wakes() -> None:
    """The entry takes 100; its target of 99 meets the standing bid of 99 at the same time."""
    sim = _sim()

    sim.submit_bracket(_entry("100"), _target(price="99"), timestamp=T0)

    assert _fills(sim, "e") == [(T0, _d("10"), _d("100"))]
    assert _fills(sim, "tp") == [(T0, _d("10"), _d("99"))]


def test_a_half_filled_entry_does_not_wake_its_exits() -> None:
    """4 of 10 filled: the exits sleep on; the other 6 wake them for 10."""
    sim = _sim()
    sim.submit_bracket(_entry(), _target(), _stop(), timestamp=T0)

    _quote(sim, T0 + 10, "97", "98", ask_size="4")
    _quote(sim, T0 + 20, "106", "107")
    asleep = (_fills(sim, "tp"), sim.positions["X"])
    _quote(sim, T0 + 30, "97", "98", ask_size="6")
    _quote(sim, T0 + 40, "106", "107")

    assert asleep == ([], _d("4"))
    assert _fills(sim, "tp") == [(T0 + 40, _d("10"), _d("105"))]


@pytest.mark.parametrize("how", ["cancel", "expire"])
def test_exits_wake_for_the_filled_part_of_an_entry_that_ends_early(how: str) -> None:
    """4 of 10 filled, then the entry ends: the exits work for 4, as told by an unasked replacement."""
    sim = _sim()
    terms: dict[str, Any] = {"time_in_force": TimeInForce.GTD, "expire_at": T0 + 15} if how == "expire" else {}
    sim.submit_bracket(_entry(**terms), _target(), _stop(), timestamp=T0)
    _quote(sim, T0 + 10, "97", "98", ask_size="4")

    if how == "cancel":
        sim.cancel_order("e", T0 + 15)
    else:
        sim.advance(T0 + 15)
    awake = [sim.get_order(order_id) for order_id in ("tp", "sl")]
    _quote(sim, T0 + 30, "106", "107")

    assert sim.get_order("e").filled_quantity == _d("4")
    assert [(order.quantity, order.status) for order in awake] == [(_d("4"), OrderStatus.SUBMITTED)] * 2
    replaced = [event for event in awake[0].events if isinstance(event, OrderReplaced)]
    assert [(event.requested, event.change.quantity, event.timestamp) for event in replaced] == [
        (False, _d("4"), T0 + 15)
    ]
    assert _fills(sim, "tp") == [(T0 + 30, _d("4"), _d("105"))]
    assert _statuses(sim, "tp", "sl") == ["filled", "cancelled"]
    assert sim.positions == {}


@pytest.mark.parametrize("how", ["cancel", "expire", "post_only", "fok"])
def test_exits_end_with_an_unfilled_entry(how: str) -> None:
    """However the entry ends without a fill, its exits are cancelled with GROUP_ENDED."""
    sim = _sim()
    entry = {
        "cancel": _entry(),
        "expire": _entry(time_in_force=TimeInForce.GTD, expire_at=T0 + 15),
        "post_only": _entry("100", post_only=True),
        "fok": _entry("98", time_in_force=TimeInForce.FOK),
    }[how]
    sim.submit_bracket(entry, _target(), _stop(), timestamp=T0)

    if how == "cancel":
        sim.cancel_order("e", T0 + 15)
    sim.advance(T0 + 15)

    assert _statuses(sim, "tp", "sl") == ["cancelled", "cancelled"]
    assert [sim.get_order(name).rejection_reason for name in ("tp", "sl")] == [RejectionReason.GROUP_ENDED] * 2
    assert sim.pending_orders == {}


def test_a_bracket_the_account_cannot_pay_is_refused_whole() -> None:
    """An entry for 98,000 on 10,000: INSUFFICIENT_FUNDS, its exits GROUP_REFUSED, nothing works."""
    sim = _sim()

    refused = sim.submit_bracket(_entry(quantity="1000"), _target("1000"), _stop("1000"), timestamp=T0)

    assert [order.status for order in refused] == [OrderStatus.REJECTED] * 3
    assert [order.rejection_reason for order in refused] == [
        RejectionReason.INSUFFICIENT_FUNDS,
        RejectionReason.GROUP_REFUSED,
        RejectionReason.GROUP_REFUSED,
    ]
    assert refused[0].rejection is not None
    assert (refused[0].rejection.value, refused[0].rejection.limit) == (_d("98000"), _d("10000"))


def test_a_bracket_with_an_unsupported_leg_is_refused_whole() -> None:
    """The venue refuses one leg: no leg of the group works."""
    sim = _sim()

    refused = sim.submit_bracket(_entry(), _target(), _order("x", SELL, OrderType.MARKET_TO_LIMIT), timestamp=T0)

    assert [order.rejection_reason for order in refused] == [
        RejectionReason.GROUP_REFUSED,
        RejectionReason.GROUP_REFUSED,
        RejectionReason.UNSUPPORTED,
    ]
    _quote(sim, T0 + 10, "97", "98")
    assert sim.positions == {}


def test_a_sleeping_exit_can_be_changed_and_cancelled() -> None:
    """Before the entry fills, the target is moved to 103 and the stop cancelled; the group lives or dies as one."""
    sim = _sim()
    sim.submit_bracket(_entry(), _target(), timestamp=T0)

    moved = sim.modify_order("tp", T0 + 5, limit_price=_d("103"))
    _quote(sim, T0 + 10, "97", "98")
    _quote(sim, T0 + 20, "104", "105")

    assert (moved.status, moved.limit_price) == (OrderStatus.SUBMITTED, _d("103"))
    assert _fills(sim, "tp") == [(T0 + 20, _d("10"), _d("103"))]


def test_cancelling_the_entry_after_it_filled_changes_nothing() -> None:
    """Too late: the exits keep working."""
    sim = _sim()
    sim.submit_bracket(_entry("100"), _target(), _stop(), timestamp=T0)

    sim.cancel_order("e", T0 + 5)

    assert _statuses(sim, "e", "tp", "sl") == ["filled", "submitted", "submitted"]


def test_a_short_bracket_on_margin() -> None:
    """Sell 10 at 99, buy back at the target of 90: 90 earned."""
    sim = _sim(account_type=AccountType.MARGIN)
    entry = _order("e", SELL, OrderType.MARKET)
    target = _order("tp", BUY, OrderType.LIMIT, limit_price="90")
    stop = _order("sl", BUY, OrderType.STOP, stop_price="110")
    sim.submit_bracket(entry, target, stop, timestamp=T0)

    _quote(sim, T0 + 10, "89", "90")

    assert _statuses(sim, "e", "tp", "sl") == ["filled", "filled", "cancelled"]
    assert (sim.cash, dict(sim.positions)) == (_d("10090"), {})


@pytest.mark.parametrize("feed", ["price", "trade"])
def test_exits_woken_by_a_price_see_no_older_one(feed: str) -> None:
    """STANDING on prices: the entry fills at the fall from 100 to 97, and its target of 99 may not trade at the 100."""
    sim = ExecutionSimulator(initial_cash=10_000, venue_config=VenueConfig(convention=Convention.STANDING))

    def show(ts: int, price: str) -> None:
        if feed == "price":
            sim.process_market_data(ts, {"X": _d(price)})
        else:
            sim.process_trade(Trade(ts, "X", _d(price)))

    show(T0, "100")
    sim.submit_bracket(_entry(), _target(price="99"), timestamp=T0 + 5)
    show(T0 + 10, "97")
    woken = (_statuses(sim, "e", "tp"), _fills(sim, "tp"))
    show(T0 + 20, "99.5")

    assert woken == (["filled", "submitted"], [])
    assert _fills(sim, "tp") == [(T0 + 20, _d("10"), _d("99"))]


def test_exits_woken_within_a_bar_see_no_older_bar() -> None:
    """STANDING on bars: the entry fills at 98 on the way down; its target of 99 may not trade at the last close."""
    sim = ExecutionSimulator(initial_cash=10_000, venue_config=VenueConfig(convention=Convention.STANDING))
    flat = _d("100")
    sim.process_bar(Bar(T0, "X", flat, flat, flat, flat, start=T0 - 30))
    sim.submit_bracket(_entry(), _target(price="99"), timestamp=T0)

    sim.process_bar(Bar(T0 + 30, "X", _d("98.8"), _d("98.9"), _d("97"), _d("97.5"), start=T0))

    assert _statuses(sim, "e", "tp") == ["filled", "submitted"]
    assert _fills(sim, "tp") == []


def test_exits_woken_within_a_bar_join_its_path() -> None:
    """Open 100, low 97 at +10, high 106 at +20: entry at 98 on the way down, target at 105 on the way up."""
    sim = ExecutionSimulator(initial_cash=10_000)
    sim.submit_bracket(_entry(), _target(), _stop(), timestamp=T0)

    sim.process_bar(Bar(T0 + 30, "X", _d("100"), _d("106"), _d("97"), _d("101"), start=T0))

    assert _fills(sim, "e") == [(T0 + 10, _d("10"), _d("98"))]
    assert _fills(sim, "tp") == [(T0 + 20, _d("10"), _d("105"))]
    assert _statuses(sim, "sl") == ["cancelled"]


def test_a_child_that_arrives_after_its_parent_filled_works_at_once() -> None:
    """The parent is complete: the child is awake on arrival."""
    sim = _sim()
    sim.submit_order(_entry("100"), T0)

    sim.submit_order(_target(parent_id="e"), T0 + 5)
    _quote(sim, T0 + 10, "106", "107")

    assert _fills(sim, "tp") == [(T0 + 10, _d("10"), _d("105"))]


def test_a_child_that_arrives_while_its_parent_works_waits_for_it() -> None:
    """Sent on its own while the entry rests: asleep until the entry fills."""
    sim = _sim()
    sim.submit_order(_entry(), T0)
    sim.submit_order(_target(parent_id="e"), T0 + 1)

    _quote(sim, T0 + 10, "106", "107")
    asleep = _fills(sim, "tp")
    _quote(sim, T0 + 20, "97", "98")
    _quote(sim, T0 + 30, "106", "107")

    assert asleep == []
    assert _fills(sim, "tp") == [(T0 + 30, _d("10"), _d("105"))]


def test_a_child_that_arrives_after_its_parent_was_half_filled_and_cancelled_works_for_that_half() -> None:
    """4 of 10 filled: a child of 10 that comes afterwards works for 4, as one that was there would; no short opens."""
    sim = _sim(account_type=AccountType.MARGIN)
    sim.submit_order(_entry(), T0)
    _quote(sim, T0 + 10, "97", "98", ask_size="4")
    sim.cancel_order("e", T0 + 11)

    sim.submit_order(_target(parent_id="e"), T0 + 12)
    _quote(sim, T0 + 20, "106", "107")

    assert _fills(sim, "tp") == [(T0 + 20, _d("4"), _d("105"))]
    assert sim.positions == {}


@pytest.mark.parametrize(
    ("parent", "reason"), [("e", RejectionReason.GROUP_ENDED), ("ghost", RejectionReason.UNKNOWN_ORDER)]
)
def test_a_child_of_a_dead_or_unknown_parent_is_refused(parent: str, reason: RejectionReason) -> None:
    """Its parent ended unfilled, or never arrived: the venue says which."""
    sim = _sim()
    sim.submit_order(_entry(), T0)
    sim.cancel_order("e", T0 + 1)

    child = sim.submit_order(_target(parent_id=parent), T0 + 2)

    assert (child.status, child.rejection_reason) == (OrderStatus.REJECTED, reason)
    assert child.rejection is not None
    assert child.rejection.refused_by is RefusedBy.VENUE


def test_the_first_fill_ends_the_siblings() -> None:
    """Target and stop as a pair: the target fills, the stop is cancelled at the same time with GROUP_ENDED."""
    sim = _held(_sim())
    sim.submit_order(_target(oco_id="g"), T0 + 100)
    sim.submit_order(_stop(oco_id="g"), T0 + 100)

    _quote(sim, T0 + 110, "106", "107")

    assert _statuses(sim, "tp", "sl") == ["filled", "cancelled"]
    assert sim.get_order("sl").cancelled_at == T0 + 110
    assert sim.get_order("sl").rejection_reason is RejectionReason.GROUP_ENDED


def test_the_first_partial_fill_ends_the_siblings() -> None:
    """4 of the target fill: the stop is over, the target works on for its 6."""
    sim = _held(_sim())
    sim.submit_order(_target(oco_id="g"), T0 + 100)
    sim.submit_order(_stop(oco_id="g"), T0 + 100)

    _quote(sim, T0 + 110, "106", "107", bid_size="4")
    after_four = _statuses(sim, "tp", "sl")
    _quote(sim, T0 + 120, "90", "91")
    _quote(sim, T0 + 130, "106", "107")

    assert after_four == ["partially_filled", "cancelled"]
    assert _fills(sim, "sl") == []
    assert _fills(sim, "tp") == [(T0 + 110, _d("4"), _d("105")), (T0 + 130, _d("6"), _d("105"))]


def test_one_price_that_meets_both_legs_fills_one() -> None:
    """Two buys of one group at one falling price: the first to arrive fills, the other never does."""
    sim = _sim()
    first = _order("b1", BUY, OrderType.LIMIT, limit_price="98", oco_id="g")
    second = _order("b2", BUY, OrderType.LIMIT, limit_price="97", oco_id="g")
    sim.submit_order(first, T0)
    sim.submit_order(second, T0)

    _quote(sim, T0 + 10, "95", "96")

    assert _statuses(sim, "b1", "b2") == ["filled", "cancelled"]
    assert sim.positions == {"X": _d("10")}


def test_a_leg_that_fills_on_arrival_ends_the_waiting_one() -> None:
    """The sibling rests; a market leg arrives and fills: the group is over."""
    sim = _held(_sim())
    sim.submit_order(_stop(oco_id="g"), T0 + 100)

    sim.submit_order(_order("m", SELL, OrderType.MARKET, oco_id="g"), T0 + 110)

    assert _statuses(sim, "m", "sl") == ["filled", "cancelled"]


@pytest.mark.parametrize("how", ["cancel", "expire"])
def test_the_end_of_one_leg_ends_the_group(how: str) -> None:
    """One leg is cancelled or expires: the other ends at the same time."""
    sim = _held(_sim())
    terms: dict[str, Any] = {"time_in_force": TimeInForce.GTD, "expire_at": T0 + 120} if how == "expire" else {}
    sim.submit_order(_target(oco_id="g", **terms), T0 + 100)
    sim.submit_order(_stop(oco_id="g"), T0 + 100)

    if how == "cancel":
        sim.cancel_order("tp", T0 + 120)
    sim.advance(T0 + 120)

    ended = sim.get_order("sl").events[-1]
    assert isinstance(ended, OrderCancelled)
    assert (ended.timestamp, sim.get_order("sl").rejection_reason) == (T0 + 120, RejectionReason.GROUP_ENDED)


def test_a_leg_that_arrives_after_its_group_ended_is_refused() -> None:
    """The group was dead before its second leg came: GROUP_ENDED, and it never works."""
    sim = _held(_sim(), "20")
    sim.submit_order(_order("m", SELL, OrderType.MARKET, oco_id="g"), T0 + 100)

    late = sim.submit_order(_stop(oco_id="g"), T0 + 110)

    assert (late.status, late.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.GROUP_ENDED)


def test_groups_do_not_touch_each_other() -> None:
    """A fill in one group leaves the legs of another and single orders alone."""
    sim = _held(_sim(), "30")
    sim.submit_order(_target(oco_id="g"), T0 + 100)
    sim.submit_order(_stop(oco_id="h"), T0 + 100)
    sim.submit_order(_order("s", SELL, OrderType.STOP, stop_price="94"), T0 + 100)

    _quote(sim, T0 + 110, "106", "107")

    assert _statuses(sim, "tp", "sl", "s") == ["filled", "submitted", "submitted"]


def test_a_bracket_under_latency() -> None:
    """Sent T0, at the venue +10; the entry is heard of +30; a fill at +50 ends the stop then, heard at +70."""
    sim = _sim(LEGS)
    sim.submit_bracket(_entry("100"), _target(), _stop(), timestamp=T0)

    sim.advance(T0 + 29)
    before = (_statuses(sim, "e"), dict(sim.positions), sim.cash)
    sim.advance(T0 + 30)
    entered = (_statuses(sim, "e", "tp", "sl"), dict(sim.positions), sim.cash)
    _quote(sim, T0 + 50, "106", "107")
    sim.advance(T0 + 69)
    matched = _statuses(sim, "tp", "sl")
    sim.advance(T0 + 70)

    assert before == (["submitted"], {}, _d("10000"))
    assert entered == (["filled", "submitted", "submitted"], {"X": _d("10")}, _d("9000"))
    assert matched == ["submitted", "submitted"]
    assert _statuses(sim, "tp", "sl") == ["filled", "cancelled"]
    assert sim.get_order("sl").cancelled_at == T0 + 50
    assert sim.get_order("sl").events[-1].reported_at == T0 + 70  # behind the fill's report, never before it
    assert sim.cash == _d("10050")


def test_a_cancel_of_a_leg_that_its_sibling_ended_is_refused_and_the_fill_stands() -> None:
    """The stop is cancelled at +100, the target fills at +105: the stop ended with its group, the cancel is late."""
    sim = _sim(LEGS)
    sim.submit_bracket(_entry("100"), _target(), _stop(), timestamp=T0)
    sim.advance(T0 + 100)
    sim.cancel_order("sl", T0 + 100)

    _quote(sim, T0 + 105, "106", "107")
    sim.advance(T0 + 200)

    stop = sim.get_order("sl")
    assert _statuses(sim, "tp", "sl") == ["filled", "cancelled"]
    assert stop.cancelled_at == T0 + 105
    assert type(stop.events[-1]).__name__ == "CancelRefused"
    assert (stop.events[-1].timestamp, stop.events[-1].reported_at) == (T0 + 107, T0 + 125)


def test_a_cancel_that_arrives_before_the_match_ends_the_whole_pair() -> None:
    """The cancel of the stop is at the venue at +107: the target that would fill at +110 is gone too."""
    sim = _sim(LEGS)
    sim.submit_bracket(_entry("100"), _target(), _stop(), timestamp=T0)
    sim.advance(T0 + 100)
    sim.cancel_order("sl", T0 + 100)

    _quote(sim, T0 + 110, "106", "107")
    sim.advance(T0 + 200)

    assert _statuses(sim, "tp", "sl") == ["cancelled", "cancelled"]
    assert sim.positions == {"X": _d("10")}


def test_a_cancel_of_the_entry_in_flight_ends_the_bracket() -> None:
    """The cancel follows the bracket on the link: a resting entry and its exits end at +10."""
    sim = _sim(LEGS)
    sim.submit_bracket(_entry(), _target(), _stop(), timestamp=T0)
    sim.cancel_order("e", T0 + 1)

    sim.advance(T0 + 13)

    assert _statuses(sim, "e", "tp", "sl") == ["cancelled"] * 3
    assert sim.get_order("e").cancelled_at == T0 + 10


def test_an_exit_pair_on_a_cash_account_needs_its_units_once() -> None:
    """10 held: target and stop of 10 each are admitted as one group, and the position covers both."""
    sim = _held(_sim())

    pair = [sim.submit_order(_target(oco_id="g"), T0 + 100), sim.submit_order(_stop(oco_id="g"), T0 + 100)]
    third = sim.submit_order(_order("s", SELL, OrderType.LIMIT, "1", limit_price="120"), T0 + 100)

    assert [order.status for order in pair] == [OrderStatus.SUBMITTED] * 2
    assert third.rejection_reason is RejectionReason.INSUFFICIENT_FUNDS


def test_without_a_group_the_second_exit_is_refused() -> None:
    """Two sells of 10 on 10 held, each on its own: the second could only be a short sale."""
    sim = _held(_sim())

    first = sim.submit_order(_target(), T0 + 100)
    second = sim.submit_order(_stop(), T0 + 100)

    assert first.status is OrderStatus.SUBMITTED
    assert (second.status, second.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.INSUFFICIENT_FUNDS)
    assert second.rejection is not None
    assert (second.rejection.value, second.rejection.limit) == (_d("10"), _d("0"))


@pytest.mark.parametrize(("price", "admitted"), [("21", True), ("21.01", False)])
def test_a_group_of_buys_holds_the_cash_of_its_largest_leg(price: str, admitted: bool) -> None:
    """Legs of 490 and 790 on 1,000 hold 790: another 210 are free, and not a cent more."""
    sim = _sim(cash=1_000)
    sim.submit_order(_order("b1", BUY, OrderType.LIMIT, limit_price="49", oco_id="g"), T0)
    sim.submit_order(_order("b2", BUY, OrderType.LIMIT, limit_price="79", oco_id="g"), T0)

    other = sim.submit_order(_order("b3", BUY, OrderType.LIMIT, limit_price=price), T0)

    assert (other.status is OrderStatus.SUBMITTED) is admitted


def test_a_groups_end_frees_what_it_held() -> None:
    """After the pair is cancelled its units can be sold again."""
    sim = _held(_sim())
    sim.submit_order(_target(oco_id="g"), T0 + 100)
    sim.submit_order(_stop(oco_id="g"), T0 + 100)
    sim.cancel_order("tp", T0 + 101)

    sold = sim.submit_order(_order("m", SELL, OrderType.MARKET), T0 + 102)

    assert sold.status is OrderStatus.FILLED


def test_an_entry_that_expires_on_its_way_takes_its_exits_along() -> None:
    """The entry arrives after its last moment: it expires, and no exit sleeps on for ever."""
    sim = _sim(LatencyConfig(submit=Constant(50)))
    entry = _order("e", BUY, OrderType.LIMIT, limit_price="98", time_in_force=TimeInForce.GTD, expire_at=T0 + 40)
    sim.submit_bracket(entry, _target(), _stop(), timestamp=T0)

    sim.advance(T0 + 100)

    assert _statuses(sim, "e", "tp", "sl") == ["expired", "cancelled", "cancelled"]
    assert sim.pending_orders == {}


def test_sleeping_exits_hold_nothing() -> None:
    """The exits of an unfilled entry do not keep others from selling what is held."""
    sim = _held(_sim())
    sim.submit_bracket(_entry("90"), _target(), _stop(), timestamp=T0 + 100)

    sold = sim.submit_order(_order("m", SELL, OrderType.MARKET), T0 + 101)

    assert sold.status is OrderStatus.FILLED


def test_switching_trading_off_ends_a_pair() -> None:
    """Both cancels leave at once; the first ends the pair, so the second comes too late and the venue says so."""
    sim = _held(_sim())
    sim.submit_order(_target(oco_id="g"), T0 + 100)
    sim.submit_order(_stop(oco_id="g"), T0 + 100)

    sim.disable_trading("ops", "stop", T0 + 110)

    assert _statuses(sim, "tp", "sl") == ["cancelled", "cancelled"]
    refused = [event.rejection.reason for event in sim.events if isinstance(event, CancelRefused)]
    assert refused == [RejectionReason.TOO_LATE_TO_CANCEL]
