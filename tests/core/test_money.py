"""Money at the simulated venue: slippage, fees, sizes, cash and margin, and when the client hears of it."""

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
    FeeSchedule,
    Instrument,
    LatencyConfig,
    Liquidity,
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
from seatrial.contracts.rejection import RefusedBy
from seatrial.errors import InvalidTransition

T0 = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
LEGS = LatencyConfig(submit=Constant(10), ack=Constant(3), fill=Constant(20), cancel=Constant(7))


def _d(value: str) -> Decimal:
    return Decimal(value)


def _sim(
    cash: int = 10_000,
    latency: LatencyConfig | None = None,
    instrument: Instrument | None = None,
    **config: Any,
) -> ExecutionSimulator:
    return ExecutionSimulator(
        initial_cash=cash,
        latency_config=latency or LatencyConfig(),
        instruments=() if instrument is None else (instrument,),
        venue_config=VenueConfig(**config),
    )


def _margin(cash: int = 1_000, leverage: int = 2, **config: Any) -> ExecutionSimulator:
    """Return a margin account of 1,000 at leverage 2, with both sides of X at 100."""
    sim = _sim(cash, account_type=AccountType.MARGIN, leverage=Decimal(leverage), **config)
    _quote(sim, T0, "100", "100")
    return sim


def _order(order_id: str, side: OrderSide, quantity: str, limit: str | None = None, **fields: Any) -> Order:
    return Order(
        order_id=order_id,
        symbol=fields.pop("symbol", "X"),
        side=side,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        quantity=_d(quantity),
        created_at=T0,
        limit_price=None if limit is None else _d(limit),
        **fields,
    )


def _quote(
    sim: ExecutionSimulator, ts: int, bid: str, ask: str, bid_size: str | None = None, ask_size: str | None = None
) -> None:
    sizes = [None if size is None else _d(size) for size in (bid_size, ask_size)]
    sim.process_quote(Quote(ts, "X", _d(bid), _d(ask), *sizes))


def _filled(sim: ExecutionSimulator, order_id: str) -> list[tuple[Decimal, Decimal]]:
    return [(fill.quantity, fill.price) for fill in sim.get_order(order_id).executions]


def _pairs(*fills: str) -> list[tuple[Decimal, Decimal]]:
    """Turn "10@99" into (10, 99)."""
    return [(_d(quantity), _d(price)) for quantity, price in (fill.split("@") for fill in fills)]


@pytest.mark.parametrize(
    ("side", "limit", "tick", "price"),
    [
        # bid 100.00, ask 100.05, 5 basis points
        (BUY, None, None, "100.100025"),
        (SELL, None, None, "99.95"),
        (BUY, None, "0.01", "100.11"),
        (BUY, None, "0.05", "100.15"),
        (SELL, None, "0.05", "99.95"),
        (SELL, None, "0.1", "99.9"),
        (BUY, "100.05", "0.05", "100.05"),
        (BUY, "100.10", "0.05", "100.10"),
        (BUY, "100.20", "0.05", "100.15"),
        (SELL, "100.00", "0.05", "100.00"),
        (SELL, "99.90", "0.05", "99.95"),
    ],
)
def test_slippage_is_rounded_against_the_trader_and_stops_at_the_limit(
    side: OrderSide, limit: str | None, tick: str | None, price: str
) -> None:
    """5 basis points worse, on the next worse tick, and never beyond the limit."""
    instrument = Instrument(symbol="X", tick_size=None if tick is None else _d(tick))
    sim = _sim(100_000, instrument=instrument, slippage_bps=Decimal(5), account_type=AccountType.MARGIN)
    _quote(sim, T0, "100.00", "100.05")

    sim.submit_order(_order("a", side, "10", limit), T0)

    assert _filled(sim, "a") == [(_d("10"), _d(price))]


def test_a_resting_limit_does_not_slip() -> None:
    """It provides liquidity: 50 basis points of slippage are not for it."""
    sim = _sim(slippage_bps=Decimal(50))
    _quote(sim, T0, "99", "100")
    sim.submit_order(_order("a", BUY, "10", "98"), T0)

    _quote(sim, T0 + 10, "97", "98")

    assert _filled(sim, "a") == _pairs("10@98")


@pytest.mark.parametrize(("limit", "price"), [(None, "103.02"), ("103", "103"), ("105", "103.02")])
def test_a_triggered_stop_slips_but_not_beyond_its_limit(limit: str | None, price: str) -> None:
    """Triggered at an ask of 102, 100 basis points: 103.02, or its limit where that is nearer."""
    sim = _sim(slippage_bps=Decimal(100))
    _quote(sim, T0, "99", "100")
    order = Order(
        order_id="a",
        symbol="X",
        side=BUY,
        order_type=OrderType.STOP if limit is None else OrderType.STOP_LIMIT,
        quantity=10,
        created_at=T0,
        stop_price=_d("101"),
        limit_price=None if limit is None else _d(limit),
    )
    sim.submit_order(order, T0)

    _quote(sim, T0 + 10, "101", "102")

    assert _filled(sim, "a") == [(_d("10"), _d(price))]


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        ("100000000000000000000000", None, None),
        ("100000000000000000000000.1", None, RejectionReason.INVALID_QUANTITY),
        ("1", "100000000000000000000000", None),
        ("1", "100000000000000000000000.1", RejectionReason.INVALID_PRICE),
    ],
)
def test_more_steps_than_a_number_has_digits_are_counted_all_the_same(
    quantity: str, price: str | None, reason: RejectionReason | None
) -> None:
    """10**23 is on a grid of 2e-8, a tenth more is off one of 3e-8, and neither is an error of arithmetic."""
    step = _d("0.00000002") if reason is None else _d("0.00000003")
    sim = _sim(instrument=Instrument(symbol="X", lot_size=step if price is None else None, tick_size=step))

    order = sim.submit_order(_order("a", SELL, quantity, price), T0)

    assert order.rejection_reason in {reason, RejectionReason.INSUFFICIENT_FUNDS if reason is None else reason}


def test_a_price_of_more_ticks_than_a_number_has_digits_trades() -> None:
    """Slippage is rounded to the tick, as for any other price."""
    price = "1" + 23 * "0"
    sim = _sim(
        10**24, instrument=Instrument(symbol="X", tick_size=_d("0.00000002"), lot_size=Decimal(1)), slippage_bps=_d("5")
    )
    _quote(sim, T0, price, price, ask_size="1.5")

    sim.submit_order(_order("a", BUY, "2"), T0)

    assert _filled(sim, "a") == [(_d("1"), _d(price) * _d("1.0005"))]


def test_slippage_never_makes_a_price_of_nothing() -> None:
    """A sell at one tick slips no further: nothing trades at zero."""
    sim = _sim(
        instrument=Instrument(symbol="X", tick_size=Decimal("0.01")),
        slippage_bps=Decimal(5),
        account_type=AccountType.MARGIN,
    )
    _quote(sim, T0, "0.01", "0.02")

    sim.submit_order(_order("a", SELL, "10"), T0)

    assert _filled(sim, "a") == _pairs("10@0.01")


FEES = [
    # per share, basis points, minimum; fills of 100 and 900 at 10: commission of each
    ("0.01", "0", "0", ["1", "9"]),
    ("0", "10", "0", ["1", "9"]),
    ("0.01", "10", "0", ["2", "18"]),
    ("0.01", "10", "5", ["5", "15"]),
    ("0.01", "0", "20", ["20", "0"]),
    ("0", "0", "3", ["3", "0"]),
    ("0", "0", "0", ["0", "0"]),
]


@pytest.mark.parametrize(("per_share", "bps", "minimum", "charged"), FEES)
def test_fees_are_counted_per_order_over_its_fills(per_share: str, bps: str, minimum: str, charged: list[str]) -> None:
    """Each fill is charged what the order as a whole owes by then, less what it paid: the minimum comes once."""
    fees = FeeSchedule(per_share=_d(per_share), bps=_d(bps), minimum=_d(minimum))
    sim = _sim(20_000, fees=fees)
    _quote(sim, T0, "9", "10", ask_size="100")
    sim.submit_order(_order("a", BUY, "1000"), T0)

    _quote(sim, T0 + 10, "9", "10", ask_size="900")

    order = sim.get_order("a")
    assert [fill.commission for fill in order.executions] == [_d(fee) for fee in charged]
    assert order.total_commission == sum(_d(fee) for fee in charged)
    assert sim.cash == _d("10000") - order.total_commission


def test_each_order_has_its_own_minimum() -> None:
    """Two orders of 10 at 10 with a minimum of 5: 10 in fees, and a sale's fee comes out of its proceeds."""
    sim = _sim(fees=FeeSchedule(minimum=Decimal(5)))
    _quote(sim, T0, "10", "10")

    sim.submit_order(_order("a", BUY, "10"), T0)
    sim.submit_order(_order("b", SELL, "10"), T0)

    assert sim.cash == _d("9990")


def test_commission_per_share_and_slippage_of_the_simulator_override_the_config() -> None:
    """The two settings of the front door win: 10 at 100 with 100 basis points and 0.5 a share costs 1,015."""
    sim = ExecutionSimulator(
        initial_cash=10_000,
        slippage_bps=100,
        commission_per_share=_d("0.5"),
        venue_config=VenueConfig(slippage_bps=Decimal(7), fees=FeeSchedule(per_share=Decimal(9))),
    )
    sim.process_quote(Quote(T0, "X", _d("99"), _d("100")))

    sim.submit_order(_order("a", BUY, "10"), T0)

    assert sim.cash == _d("8985")


def test_a_multiplier_scales_money_but_not_units() -> None:
    """2 units at 10.25 with a multiplier of 50: 1,025 of value, 10 basis points of it, 1 a unit."""
    sim = _sim(
        instrument=Instrument(symbol="X", multiplier=Decimal(50)),
        fees=FeeSchedule(per_share=Decimal(1), bps=Decimal(10)),
    )
    _quote(sim, T0, "10.25", "10.25")

    sim.submit_order(_order("a", BUY, "2"), T0)
    _quote(sim, T0 + 10, "11", "12")

    assert sim.get_order("a").total_commission == _d("3.025")
    assert sim.cash == _d("8971.975")
    assert sim.positions == {"X": _d("2")}
    assert sim.get_account_value() == _d("8971.975") + _d("1150")


@pytest.mark.parametrize(
    ("quantity", "limit", "fee", "cost"),
    [
        ("100", None, "0", None),
        ("101", None, "0", "10100"),
        ("100", "100", "0", None),
        ("100", "100.01", "0", "10001.00"),
        ("100", "50", "0", None),
        ("100", None, "0.01", "10001.00"),
        ("100", "99.99", "0.01", None),
    ],
)
def test_a_cash_account_buys_with_its_cash_and_not_a_cent_more(
    quantity: str, limit: str | None, fee: str, cost: str | None
) -> None:
    """10,000 at an ask of 100: what costs exactly that, fees included, is taken; more is refused with both numbers."""
    sim = _sim(fees=FeeSchedule(per_share=_d(fee)))
    _quote(sim, T0, "99", "100")

    order = sim.submit_order(_order("a", BUY, quantity, limit), T0)

    if cost is None:
        assert order.status in {OrderStatus.FILLED, OrderStatus.SUBMITTED}
        return
    assert (order.status, order.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.INSUFFICIENT_FUNDS)
    assert order.rejection is not None
    assert (order.rejection.value, order.rejection.limit) == (_d(cost), _d("10000"))
    assert order.rejection.refused_by is RefusedBy.VENUE
    assert (sim.cash, dict(sim.positions)) == (_d("10000"), {})


def test_resting_buys_hold_their_cash() -> None:
    """60 at 98 hold 5,880 of 10,000: 4,120 buy 42 at 98, not 43; a cancel gives them back."""
    sim = _sim()
    _quote(sim, T0, "99", "100")
    sim.submit_order(_order("a", BUY, "60", "98"), T0)

    refused = sim.submit_order(_order("b", BUY, "43", "98"), T0)
    taken = sim.submit_order(_order("c", BUY, "42", "98"), T0)
    sim.cancel_order("a", T0)
    again = sim.submit_order(_order("d", BUY, "43", "98"), T0)

    assert refused.rejection is not None
    assert (refused.rejection.value, refused.rejection.limit) == (_d("4214"), _d("4120"))
    assert (taken.status, again.status) == (OrderStatus.SUBMITTED, OrderStatus.SUBMITTED)
    assert sim.cash == _d("10000")


def test_the_rest_of_a_limit_holds_cash_at_its_limit() -> None:
    """20 at 100, 10 of them bought at 99: of the 1,010 left 1,000 are held, so 15 are too much and 10 are not."""
    sim = _sim(2_000)
    _quote(sim, T0, "98", "99", ask_size="10")
    sim.submit_order(_order("a", BUY, "20", "100"), T0)

    refused = sim.submit_order(_order("b", BUY, "1", "15"), T0)
    taken = sim.submit_order(_order("c", BUY, "1", "10"), T0)

    assert (refused.status, refused.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.INSUFFICIENT_FUNDS)
    assert refused.rejection is not None
    assert (refused.rejection.value, refused.rejection.limit) == (_d("15"), _d("10"))
    assert taken.status is OrderStatus.SUBMITTED


def test_slippage_that_cannot_be_paid_rejects_at_the_fill() -> None:
    """100 at 100 fit into 10,000, with 5 basis points they do not: accepted, then REJECTED, nothing moved."""
    sim = _sim(slippage_bps=Decimal(5))
    _quote(sim, T0, "99", "100")

    order = sim.submit_order(_order("a", BUY, "100"), T0)

    assert [type(event).__name__ for event in order.events] == ["OrderSubmitted", "OrderAccepted", "OrderRejected"]
    assert order.rejection is not None
    assert (order.rejection_reason, order.rejection.value, order.rejection.limit) == (
        RejectionReason.INSUFFICIENT_FUNDS,
        _d("10005"),
        _d("10000"),
    )
    assert sim.cash == _d("10000")


def test_an_order_half_filled_and_then_too_dear_is_cancelled() -> None:
    """10 bought at 50 of 1,000, the other 10 cost 600: CANCELLED with its fills and insufficient_funds."""
    sim = _sim(1_000)
    _quote(sim, T0, "49", "50", ask_size="10")
    sim.submit_order(_order("a", BUY, "20"), T0)

    _quote(sim, T0 + 10, "59", "60")

    order = sim.get_order("a")
    assert (order.status, order.rejection_reason) == (OrderStatus.CANCELLED, RejectionReason.INSUFFICIENT_FUNDS)
    assert order.rejection is not None
    assert (order.rejection.value, order.rejection.limit) == (_d("600"), _d("500"))
    assert _filled(sim, "a") == _pairs("10@50")
    assert sim.cash == _d("500")


def test_a_market_order_sent_before_any_price_is_checked_when_it_trades() -> None:
    """Nobody knows what it costs at arrival; the first price is too dear: REJECTED, and not pending for ever."""
    sim = _sim(1_000)
    before = sim.submit_order(_order("a", BUY, "20"), T0).status

    sim.process_market_data(T0 + 10, {"X": _d("51")})

    order = sim.get_order("a")
    assert before is OrderStatus.SUBMITTED
    assert (order.status, order.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.INSUFFICIENT_FUNDS)
    assert sim.pending_orders == {}


@pytest.mark.parametrize(("held", "quantity", "free"), [("0", "1", "0"), ("10", "11", "10")])
def test_a_cash_account_sells_only_what_it_holds(held: str, quantity: str, free: str) -> None:
    """A short sale is refused at arrival, with what is wanted and what is free."""
    sim = _sim()
    _quote(sim, T0, "99", "100")
    if held != "0":
        sim.submit_order(_order("hold", BUY, held), T0)

    order = sim.submit_order(_order("a", SELL, quantity), T0)

    assert (order.status, order.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.INSUFFICIENT_FUNDS)
    assert order.rejection is not None
    assert (order.rejection.value, order.rejection.limit) == (_d(quantity), _d(free))


def test_resting_sells_hold_their_units() -> None:
    """10 held, 6 offered at 105: 4 are free, 5 are not; proceeds buy again at once."""
    sim = _sim(1_000)
    _quote(sim, T0, "100", "100")
    sim.submit_order(_order("hold", BUY, "10"), T0)
    sim.submit_order(_order("a", SELL, "6", "105"), T0)

    refused = sim.submit_order(_order("b", SELL, "5"), T0)
    sold = sim.submit_order(_order("c", SELL, "4"), T0)
    bought = sim.submit_order(_order("d", BUY, "4"), T0)

    assert refused.rejection_reason is RejectionReason.INSUFFICIENT_FUNDS
    assert (sold.status, bought.status) == (OrderStatus.FILLED, OrderStatus.FILLED)
    assert sim.cash == _d("0")


@pytest.mark.parametrize("account", [AccountType.CASH, AccountType.MARGIN])
def test_a_reduce_only_exit_needs_money_only_for_what_it_can_do(account: AccountType) -> None:
    """10 held with all the money in them: a reduce-only sell of 25 can only reduce, so it is taken, and sells 10."""
    sim = _sim(1_000, account_type=account)
    _quote(sim, T0, "100", "100")
    sim.submit_order(_order("hold", BUY, "10"), T0)

    sim.submit_order(_order("a", SELL, "25", reduce_only=True), T0)

    assert _filled(sim, "a") == _pairs("10@100")
    assert (dict(sim.positions), sim.cash) == ({}, _d("1000"))


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(("quantity", "taken"), [("20", True), ("20.01", False)])
def test_leverage_bounds_longs_and_shorts_alike(side: OrderSide, quantity: str, taken: bool) -> None:
    """1,000 at leverage 2 carry 2,000 of position either way: 20 at 100, and no more."""
    sim = _margin()

    order = sim.submit_order(_order("a", side, quantity), T0)

    if taken:
        assert sim.positions == {"X": _d("20") if side is BUY else _d("-20")}
        assert sim.cash == (_d("-1000") if side is BUY else _d("3000"))
        assert sim.get_account_value() == _d("1000")
    else:
        assert order.rejection_reason is RejectionReason.INSUFFICIENT_FUNDS
        assert order.rejection is not None
        assert (order.rejection.value, order.rejection.limit) == (_d("1000.5"), _d("1000"))


def test_working_orders_count_at_their_worst() -> None:
    """Resting buys of 20 and sells of 20 need 1,000 together, each side counted apart; one more does not fit."""
    sim = _margin()

    taken = [
        sim.submit_order(_order("b", BUY, "20", "99"), T0),
        sim.submit_order(_order("s", SELL, "20", "101"), T0),
    ]
    refused = [
        sim.submit_order(_order(f"{side}", side, "1", limit), T0) for side, limit in ((BUY, "99"), (SELL, "101"))
    ]

    assert [order.status for order in taken] == [OrderStatus.SUBMITTED] * 2
    assert [order.rejection_reason for order in refused] == [RejectionReason.INSUFFICIENT_FUNDS] * 2
    assert refused[0].rejection is not None
    assert (refused[0].rejection.value, refused[0].rejection.limit) == (_d("1050"), _d("1000"))


def test_margin_is_counted_over_all_symbols() -> None:
    """15 of X at 100 leave 500 of 2,000 for Y: 50 at 10, not 51."""
    sim = _margin()
    sim.process_quote(Quote(T0, "Y", _d("10"), _d("10")))
    sim.submit_order(_order("x", BUY, "15"), T0)

    refused = sim.submit_order(_order("y1", SELL, "51", symbol="Y"), T0)
    taken = sim.submit_order(_order("y2", SELL, "50", symbol="Y"), T0)

    assert refused.rejection_reason is RejectionReason.INSUFFICIENT_FUNDS
    assert taken.status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("side", "quantity", "taken"), [(SELL, "5", True), (SELL, "20", True), (SELL, "45", False), (BUY, "1", False)]
)
def test_reducing_is_always_allowed(side: OrderSide, quantity: str, taken: bool) -> None:
    """Long 20, the price falls to 80: margin 800 is above equity 600; selling down passes, a flip or more does not."""
    sim = _margin()
    sim.submit_order(_order("hold", BUY, "20"), T0)
    _quote(sim, T0 + 10, "80", "80")

    order = sim.submit_order(_order("a", side, quantity), T0 + 10)

    assert sim.get_account_value() == _d("600")
    assert (order.status is OrderStatus.FILLED) is taken
    if not taken:
        assert order.rejection_reason is RejectionReason.INSUFFICIENT_FUNDS


def test_covering_a_short_is_always_allowed() -> None:
    """Short 20 at 100, the price rises to 120: equity 600, margin 1,200; buying back passes."""
    sim = _margin()
    sim.submit_order(_order("short", SELL, "20"), T0)
    _quote(sim, T0 + 10, "120", "120")

    order = sim.submit_order(_order("a", BUY, "20"), T0 + 10)

    assert order.status is OrderStatus.FILLED
    assert (sim.cash, dict(sim.positions)) == (_d("600"), {})


def test_margin_is_checked_again_at_the_fill() -> None:
    """A resting buy of 20 fits at a mark of 100; at 200 its stop would need 2,000: REJECTED when it trades."""
    sim = _margin()
    order = Order(
        order_id="a",
        symbol="X",
        side=BUY,
        order_type=OrderType.STOP,
        quantity=20,
        created_at=T0,
        stop_price=_d("110"),
    )
    taken = sim.submit_order(order, T0).status

    _quote(sim, T0 + 10, "200", "200")

    assert taken is OrderStatus.SUBMITTED
    assert (sim.get_order("a").status, sim.get_order("a").rejection_reason) == (
        OrderStatus.REJECTED,
        RejectionReason.INSUFFICIENT_FUNDS,
    )
    assert sim.positions == {}


def test_orders_share_the_size_of_one_quote_by_price_then_time() -> None:
    """15 shown to buys of 10 at 98, 99 and 99: the first at 99 gets 10, the second 5, the one at 98 nothing."""
    sim = _sim()
    _quote(sim, T0, "100", "101")
    for order_id, limit in (("low", "98"), ("first", "99"), ("second", "99")):
        sim.submit_order(_order(order_id, BUY, "10", limit), T0)

    _quote(sim, T0 + 10, "96", "97", ask_size="15")
    after_one = [_filled(sim, name) for name in ("low", "first", "second")]
    _quote(sim, T0 + 20, "96", "97", ask_size="12")

    assert after_one == [[], _pairs("10@99"), _pairs("5@99")]
    assert _filled(sim, "second") == _pairs("5@99", "5@99")
    assert _filled(sim, "low") == _pairs("7@98")


def test_orders_that_arrive_later_find_what_is_left_of_the_quote() -> None:
    """15 at the ask: 10 for the first, 5 for the second, none for the third until the next quote."""
    sim = _sim()
    _quote(sim, T0, "99", "100", "50", "15")

    orders = [sim.submit_order(_order(f"o{n}", BUY, "10"), T0 + n) for n in range(3)]
    _quote(sim, T0 + 10, "100", "101", "50", "50")

    assert [order.filled_quantity for order in orders] == [_d("10"), _d("5"), _d("0")]
    assert _filled(sim, "o1") == _pairs("5@100", "5@101")
    assert _filled(sim, "o2") == _pairs("10@101")


def test_the_sides_of_a_quote_have_sizes_of_their_own() -> None:
    """10 shown on each side: a buy of 10 takes nothing from a sell of 10."""
    sim = _sim(account_type=AccountType.MARGIN)
    _quote(sim, T0, "99", "100", "10", "10")

    sim.submit_order(_order("b", BUY, "10"), T0)
    sim.submit_order(_order("s", SELL, "10"), T0)

    assert (_filled(sim, "b"), _filled(sim, "s")) == (_pairs("10@100"), _pairs("10@99"))


@pytest.mark.parametrize(
    ("participation", "lot", "size", "filled"),
    [
        (None, None, "5", "100"),
        ("0.1", None, "105", "10.5"),
        ("0.1", "5", "105", "10"),
        ("0.1", "5", "40", "0"),
        ("1", None, "60", "60"),
        ("0.5", None, "1000", "100"),
        ("0.1", None, None, "100"),
    ],
)
@pytest.mark.parametrize("feed", ["trade", "bar"])
def test_a_share_of_a_print_or_a_bars_volume_may_be_ours(
    feed: str, participation: str | None, lot: str | None, size: str | None, filled: str
) -> None:
    """100 wanted: the share of what was traded, in whole lots; an unknown size or no share set fills all."""
    sim = _sim(
        20_000,
        instrument=Instrument(symbol="X", lot_size=None if lot is None else _d(lot)),
        participation=None if participation is None else _d(participation),
    )
    sim.submit_order(_order("a", BUY, "100"), T0)
    traded = None if size is None else _d(size)
    price = _d("100")

    if feed == "trade":
        sim.process_trade(Trade(T0 + 30, "X", price, traded))
    else:
        sim.process_bar(Bar(T0 + 30, "X", price, price, price, price, traded, start=T0))

    assert sim.get_order("a").filled_quantity == _d(filled)
    assert (sim.get_order("a").status is OrderStatus.FILLED) is (filled == "100")


def test_orders_share_one_print_and_one_bar() -> None:
    """Half of 40 is 20: the first order gets 15, the second 5, whatever their sides."""
    sim = _sim(participation=Decimal("0.5"), account_type=AccountType.MARGIN)
    sim.submit_order(_order("b", BUY, "15"), T0)
    sim.submit_order(_order("s", SELL, "15"), T0)

    sim.process_trade(Trade(T0 + 10, "X", _d("100"), _d("40")))

    assert (_filled(sim, "b"), _filled(sim, "s")) == (_pairs("15@100"), _pairs("5@100"))


def test_a_bars_volume_is_used_up_along_its_path() -> None:
    """50 of the bar are ours: 30 at the open of 100, then 20 of the 30 wanted at 98 on the way to the low."""
    sim = _sim(participation=Decimal("0.05"))
    sim.submit_order(_order("m", BUY, "30"), T0)
    sim.submit_order(_order("l", BUY, "30", "98"), T0)

    sim.process_bar(Bar(T0 + 30, "X", _d("100"), _d("103"), _d("97"), _d("102"), _d("1000"), start=T0))

    assert (_filled(sim, "m"), _filled(sim, "l")) == (_pairs("30@100"), _pairs("20@98"))


@pytest.mark.parametrize("stirred", [False, True])
def test_a_standing_print_gives_no_more_than_its_share(stirred: bool) -> None:
    """A tenth of 100 may be ours of a standing print, whether somebody else looked at it before or not."""
    sim = _sim(participation=Decimal("0.1"), convention=Convention.STANDING)
    if stirred:
        sim.submit_order(_order("other", BUY, "4"), T0)
    sim.process_trade(Trade(T0 + 10, "X", _d("100"), _d("100")))

    sim.submit_order(_order("a", BUY, "50"), T0 + 11)

    assert _filled(sim, "a") == _pairs("6@100" if stirred else "10@100")


def test_displayed_size_is_taken_in_whole_lots() -> None:
    """25 shown, lots of 10: 20 are bought, the rest waits."""
    sim = _sim(instrument=Instrument(symbol="X", lot_size=Decimal(10)))
    _quote(sim, T0, "99", "100", ask_size="25")

    order = sim.submit_order(_order("a", BUY, "30"), T0)

    assert (order.filled_quantity, order.status) == (_d("20"), OrderStatus.PARTIALLY_FILLED)


@pytest.mark.parametrize("feed", ["trades", "quotes"])
def test_parts_add_up_to_their_order_however_many_digits_the_market_has(feed: str) -> None:
    """A third of small prints, or a quote's size of forty digits, is cut to 18 decimals, and the last part fits."""
    sim = _sim(10**9, participation=_d("0.3333333333333333"))
    if feed == "quotes":
        _quote(sim, T0, "99", "100", ask_size="0.0000" + 8 * "12345")
    sim.submit_order(_order("a", BUY, "3000"), T0)
    sim.submit_order(_order("b", BUY, "0.1234567890123456789012345678"), T0)
    for n in range(1, 5):
        if feed == "quotes":
            _quote(sim, T0 + n, "99", "100", ask_size=f"{n}." + 8 * "12345")
        else:
            sim.process_trade(Trade(T0 + n, "X", _d("100"), _d(f"{n}.000370370370370370370371")))
    if feed == "quotes":
        _quote(sim, T0 + 9, "99", "100", ask_size="4000")
    else:
        sim.process_trade(Trade(T0 + 9, "X", _d("100"), _d("12000")))

    assert [sim.get_order(name).status for name in "ab"] == [OrderStatus.FILLED] * 2
    assert len(_filled(sim, "a")) > 4
    assert all(quantity == round(quantity, 18) for quantity, _ in _filled(sim, "a"))
    assert sim.get_order("a").filled_quantity == 3000


def test_partial_fills_say_so_and_average() -> None:
    """4 at 100 and 6 at 105: average 103; only the first was partial; both took liquidity."""
    sim = _sim()
    _quote(sim, T0, "99", "100", ask_size="4")
    sim.submit_order(_order("a", BUY, "10"), T0)

    _quote(sim, T0 + 10, "104", "105")

    order = sim.get_order("a")
    assert order.avg_fill_price == _d("103")
    assert [fill.is_partial for fill in order.executions] == [True, False]
    assert [fill.liquidity for fill in order.executions] == [Liquidity.TAKER] * 2
    assert len({fill.execution_id for fill in order.executions}) == 2


def test_nothing_moves_before_the_report() -> None:
    """Matched +10, heard +30: until then cash, positions, value and returned executions are as if nothing happened."""
    sim = _sim(latency=LEGS)
    _quote(sim, T0, "99", "100")
    sim.submit_order(_order("a", BUY, "10"), T0)

    early = sim.process_quote(Quote(T0 + 29, "X", _d("109"), _d("111")))
    before = (sim.cash, dict(sim.positions), sim.get_account_value(), sim.get_order("a").filled_quantity)
    heard = sim.advance(T0 + 30)

    assert (early, before) == ((), (_d("10000"), {}, _d("10000"), _d("0")))
    assert [(fill.timestamp, fill.reported_at, fill.price) for fill in heard] == [(T0 + 10, T0 + 30, _d("100"))]
    assert (sim.cash, dict(sim.positions), sim.get_account_value()) == (_d("9000"), {"X": _d("10")}, _d("10100"))


def test_the_venue_knows_of_money_spent_before_the_client_does() -> None:
    """The client still sees 1,000, the venue has 0: a second order is refused there, not promised twice."""
    sim = _sim(1_000, latency=LEGS)
    _quote(sim, T0, "100", "100")
    sim.submit_order(_order("a", BUY, "10"), T0)
    sim.submit_order(_order("b", BUY, "10"), T0 + 5)

    sim.advance(T0 + 15)
    seen = sim.cash
    sim.advance(T0 + 100)

    assert seen == _d("1000")
    assert sim.get_order("b").rejection_reason is RejectionReason.INSUFFICIENT_FUNDS
    assert sim.get_order("b").rejected_at == T0 + 15
    assert sim.cash == 0


def test_executions_are_returned_once() -> None:
    """Each call returns what was reported since the one before."""
    sim = _sim()
    sim.submit_order(_order("a", BUY, "10"), T0)

    first = sim.process_market_data(T0 + 10, {"X": _d("100")})
    second = sim.process_market_data(T0 + 20, {"X": _d("100")})

    assert ([fill.order_id for fill in first], second) == (["a"], ())


def test_the_account_is_valued_at_mid_else_trade_else_close() -> None:
    """10 units: at a bar's close, then at a trade, then at a quote's middle, which a later trade does not move."""
    sim = _sim()
    price = _d("100")
    sim.submit_order(_order("a", BUY, "10"), T0)
    values = []

    sim.process_bar(Bar(T0 + 30, "X", price, _d("104"), _d("99"), _d("103"), start=T0))
    values.append(sim.get_account_value())
    sim.process_trade(Trade(T0 + 40, "X", _d("105")))
    values.append(sim.get_account_value())
    _quote(sim, T0 + 50, "106", "109")
    values.append(sim.get_account_value())
    sim.process_trade(Trade(T0 + 60, "X", _d("200")))
    values.append(sim.get_account_value())

    assert values == [_d("10030"), _d("10050"), _d("10075"), _d("10075")]


def test_a_report_that_cannot_be_leaves_the_money_alone() -> None:
    """An engine's report of 11 filled of 10 is an error; cash and positions do not move by it."""
    sim = _sim()
    sim.submit_order(_order("a", BUY, "10", "50"), T0)
    sim.gate.filled("a", T0, _d("11"), _d("50"), _d("0"), is_partial=False, liquidity=Liquidity.TAKER)

    with pytest.raises(InvalidTransition):
        sim.advance(T0 + 1)

    assert (sim.cash, dict(sim.positions)) == (_d("10000"), {})


def test_an_immediate_order_leaves_nothing_reserved() -> None:
    """An IOC that found 4 of 10 gives the rest of its money back at once."""
    sim = _sim(1_000)
    _quote(sim, T0, "99", "100", ask_size="4")
    sim.submit_order(_order("a", BUY, "10", "100", time_in_force=TimeInForce.IOC), T0)

    order = sim.submit_order(_order("b", BUY, "12", "50"), T0)

    assert order.status is OrderStatus.SUBMITTED
    assert sim.cash == _d("600")
