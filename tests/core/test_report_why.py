"""`why` tells an order's whole story: who refused it and by which numbers, what the market showed, how long it took."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    DrawdownLimitRule,
    LatencyConfig,
    Order,
    OrderSide,
    OrderType,
    PositionLimitRule,
    Quote,
    RejectionReason,
    RiskAction,
    RiskConfig,
    SeatrialError,
    TimeInForce,
)
from seatrial.contracts.engine import RunRecord
from seatrial.contracts.events import OrderChange, OrderExecution
from seatrial.contracts.latency import Constant
from seatrial.contracts.risk import RiskViolation
from seatrial.contracts.scenario import (
    CancelAt,
    ExecutionConfig,
    Instruction,
    ModifyAt,
    Scenario,
    SubmitAt,
    SwitchAt,
    Tape,
)
from seatrial.contracts.terms import TradingState
from seatrial.contracts.venue import FeeSchedule, VenueConfig
from seatrial.engine.native import NativeEngine
from seatrial.report.why import OrderNotRecordedError, why

START = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
MS = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
STEADY = LatencyConfig(
    submit=Constant(50 * MS), ack=Constant(5 * MS), fill=Constant(100 * MS), cancel=Constant(50 * MS)
)
CALM = tuple((at, "9.99", "10.01") for at in range(0, 2_000, 200))
POSITION = PositionLimitRule(max_shares=Decimal(500))


def order(order_id: str, quantity: int, side: OrderSide = BUY, **fields: object) -> Order:
    """Return an order at the market unless told otherwise."""
    given: dict[str, object] = {"order_type": OrderType.MARKET, **fields}
    return Order(order_id=order_id, symbol="X", side=side, quantity=quantity, created_at=START, **given)  # type: ignore[arg-type]


def limit(order_id: str, quantity: int, price: str, side: OrderSide = BUY, **fields: object) -> Order:
    """Return a limit order."""
    return order(order_id, quantity, side, order_type=OrderType.LIMIT, limit_price=Decimal(price), **fields)


def submit(at: int, *orders: Order) -> SubmitAt:
    """Send orders `at` ms after the start."""
    return SubmitAt(START + at * MS, orders)


def sail(
    *script: Instruction, quotes: tuple[tuple[int, str, str], ...] = CALM, cash: int = 10_000, **execution: object
) -> RunRecord:
    """Return the record of a run on quotes, each (ms after the start, bid, ask)."""
    rows = tuple(Quote(START + at * MS, "X", Decimal(bid), Decimal(ask)) for at, bid, ask in quotes)
    config = ExecutionConfig(initial_cash=Decimal(cash), **{"latency": STEADY, **execution})  # type: ignore[arg-type]
    return NativeEngine().run(Scenario(tape=Tape(rows=rows), script=script, execution=config))


def stamped(lines: list[str]) -> list[str]:
    """Return the lines that carry a time of their own."""
    return [line for line in lines if re.match(r"\d{4}-\d\d-\d\dT\S+Z  ", line)]


def test_whole_story_of_a_fill() -> None:
    """Decision, arrival, fill, every delay, the fee and the cost: here word for word."""
    quotes = ((0, "9.99", "10.01"), (20, "10.00", "10.02"), (300, "10.00", "10.02"))
    fees = VenueConfig(fees=FeeSchedule(per_share=Decimal("0.01")))

    record = sail(submit(10, order("S-1", 100)), quotes=quotes, venue=fees)

    assert why(record, "S-1") == [
        "S-1: buy 100 X market",
        "    filled 100 of 100 at 10.02, fees 1",
        "2023-11-14T22:13:20.010Z  sent by S; the market showed 10.00",
        (
            "2023-11-14T22:13:20.060Z  at the venue, 50 ms after it was sent; the market showed 10.01, "
            "0.01 worse than at decision; known 5 ms later"
        ),
        "2023-11-14T22:13:20.060Z  filled 100 at 10.02 (taker, 0.01 worse than at arrival), fee 1; known 100 ms later",
        "from sent to the first fill known: 150 ms, 150 ms of it on the wire",
        "cost against the decision price: 3 (30.00 bp): latency 1, slippage 1, fees 1",
    ]


def test_refusal_by_a_rule_of_the_gate() -> None:
    """The gate, the rule, the words and both numbers; and that it never left."""
    record = sail(submit(10, order("S-1", 501)), risk=RiskConfig(position_limit=POSITION))

    assert why(record, "S-1") == [
        "S-1: buy 501 X market",
        "    rejected: risk_position_limit",
        "2023-11-14T22:13:20.010Z  refused by the gate, so it never left; the market showed 10.00",
        "    reason: risk_position_limit, rule position_limit",
        "    X may come to 501 units, 500 are allowed",
        "    value: 501, limit: 500",
    ]


def test_refusal_by_the_venue() -> None:
    """The venue refuses what cannot be paid, when it arrives; the client knows later."""
    lines = why(sail(submit(10, order("S-1", 2_000))), "S-1")

    assert lines[2:] == [
        "2023-11-14T22:13:20.010Z  sent by S; the market showed 10.00",
        (
            "2023-11-14T22:13:20.060Z  refused by the venue, 50 ms after it was sent; the market showed 10.00, "
            "as at decision; known 5 ms later"
        ),
        "    reason: insufficient_funds",
        "    20020.00 is needed, 10000 is free",
        "    value: 20020, limit: 10000",
    ]


def test_latched_refusal_names_what_latched_it_and_when() -> None:
    """An order refused in a state that a rule latched earlier tells the rule, its words and the time of the latch."""
    quotes = ((0, "9.99", "10.01"), (200, "7.99", "8.01"), (900, "7.99", "8.01"), (1_500, "7.99", "8.01"))
    risk = RiskConfig(drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5)))

    record = sail(submit(10, order("in", 400)), submit(1_000, order("late", 1)), quotes=quotes, risk=risk)
    lines = why(record, "late")

    assert lines[3] == "    reason: risk_drawdown_limit, rule drawdown_limit"
    assert lines[4] == "    reduce_only: equity 9196.00 is below 9500: 5 % under the day's start 10000"
    assert lines[5] == "    value: 9196, limit: 9500"
    assert lines[6:] == [
        "    trading had been restricted to reducing orders at 2023-11-14T22:13:20.200Z by rule drawdown_limit"
    ]


def test_refusal_that_halts_says_so() -> None:
    """The order that broke a limit whose action is harder than a refusal tells what followed; the next one why."""
    position = PositionLimitRule(max_shares=Decimal(500), action=RiskAction.HALT)

    record = sail(submit(10, order("bad", 501)), submit(20, order("next", 1)), risk=RiskConfig(position_limit=position))

    assert (
        why(record, "bad")[-1] == "    with that, trading was halted at 2023-11-14T22:13:20.010Z by rule position_limit"
    )
    assert why(record, "next")[-1] == ("    trading had been halted at 2023-11-14T22:13:20.010Z by rule position_limit")


def test_operator_is_named_by_the_orders_that_met_the_halt() -> None:
    """Who halted, when and why: on the cancel that followed, and on what was refused later."""
    record = sail(
        submit(10, limit("rest", 10, "9")),
        SwitchAt(START + 300 * MS, TradingState.HALTED, "ann", "lunch"),
        submit(400, order("late", 1)),
    )

    cancelled, refused = why(record, "rest"), why(record, "late")

    at = cancelled.index("2023-11-14T22:13:20.300Z  cancel sent")
    assert cancelled[at + 1] == "    trading had just been halted at 2023-11-14T22:13:20.300Z by ann: lunch"
    assert cancelled[at + 2] == (
        "2023-11-14T22:13:20.350Z  cancelled at the venue, 50 ms after it was asked for; known 5 ms later"
    )
    assert refused[-1] == "    trading had been halted at 2023-11-14T22:13:20.300Z by ann: lunch"


def test_operator_is_named_across_the_turn_of_a_day() -> None:
    """When the day releases a rule's latch and an operator's restriction stays, the restriction is what refuses."""
    midnight = (1_700_006_400 - 1_700_000_000) * 1_000
    quotes = ((0, "9.99", "10.01"), (200, "7.99", "8.01"), (midnight + 10, "7.99", "8.01"), (midnight + 99, "7.9", "8"))
    risk = RiskConfig(drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5)))

    record = sail(
        submit(10, order("in", 400)),
        SwitchAt(START + 100 * MS, TradingState.REDUCE_ONLY, "ann", "careful today"),
        submit(midnight + 20, order("late", 1)),
        quotes=quotes,
        risk=risk,
    )

    assert why(record, "late")[-1] == (
        "    trading had been restricted to reducing orders at 2023-11-14T22:13:20.100Z by ann: careful today"
    )


def test_refusal_after_trading_was_enabled_again_blames_no_old_latch() -> None:
    """A rule's own refusal stands by itself, whatever had been latched and released before."""
    position = PositionLimitRule(max_shares=Decimal(500), action=RiskAction.HALT)
    record = sail(
        submit(10, order("bad", 501)),
        SwitchAt(START + 20 * MS, TradingState.ACTIVE, "ann", "looked at it"),
        submit(30, order("bad-again", 502)),
        risk=RiskConfig(position_limit=position),
    )

    assert why(record, "bad-again")[-1] == (
        "    with that, trading was halted at 2023-11-14T22:13:20.030Z by rule position_limit"
    )
    assert not any("had been" in line for line in why(record, "bad-again"))


class Twice:
    """Latches the first of two rules' words, both the same, as it is asked about ever smaller orders."""

    exempts_reducing = False

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size

    def check(self, order: Order, account: object, now: int) -> RiskViolation | None:
        if order.quantity != self.size:
            return None
        return RiskViolation("too much", action=RiskAction.REDUCE_ONLY)


def test_latch_is_told_by_its_rule_not_by_its_words() -> None:
    """Two rules latched in the same words: the refusal points at the one whose name it bears."""
    record = sail(
        submit(10, order("a", 11)),
        SwitchAt(START + 15 * MS, TradingState.ACTIVE, "ann", "fine"),
        submit(20, order("held", 50)),
        submit(200, order("b", 22, SELL)),
        submit(210, order("c", 11, SELL)),
        submit(220, order("late", 1)),
        risk=RiskConfig(rules=(Twice("first", 11), Twice("second", 22))),
    )
    order_late = next(one for one in record.orders if one.order_id == "late")
    assert order_late.rejection is not None

    [latch] = [line for line in why(record, "late") if "had been" in line]

    assert latch.endswith(f"by rule {order_late.rejection.rule}")
    assert order_late.rejection.rule == "second"


def test_rule_that_speaks_for_itself_is_no_latch() -> None:
    """A reducing order passes the state; if the rule then refuses it again, that is its own word, not its latch's."""
    record = sail(
        submit(10, order("held", 50)),
        submit(200, order("a", 11, SELL)),
        submit(210, order("b", 11, SELL)),
        risk=RiskConfig(rules=(Twice("first", 11),)),
    )

    assert "with that, trading was restricted" in why(record, "a")[-1]
    assert why(record, "b")[-1] == "    too much"


def test_restriction_is_not_blamed_for_what_it_lets_pass() -> None:
    """An operator lets reducing orders out; the rule that refuses one all the same speaks for itself."""

    class Never:
        def check(self, order: Order, account: object, now: int) -> RiskViolation | None:
            return RiskViolation("never") if order.side is SELL else None

    record = sail(
        submit(10, order("held", 50)),
        SwitchAt(START + 200 * MS, TradingState.REDUCE_ONLY, "ann", "careful"),
        submit(210, order("out", 50, SELL)),
        risk=RiskConfig(rules=(Never(),)),
    )

    assert why(record, "out")[-1] == "    never"


def test_refusal_while_trading_is_enabled_blames_no_operator() -> None:
    """A rule may give the operator's reason for its own; who halted and enabled before has nothing to do with it."""

    class Closed:
        def check(self, order: Order, account: object, now: int) -> RiskViolation:
            return RiskViolation("closed", reason=RejectionReason.RISK_TRADING_DISABLED)

    record = sail(
        SwitchAt(START + 10 * MS, TradingState.HALTED, "ann", "lunch"),
        SwitchAt(START + 20 * MS, TradingState.ACTIVE, "ann", "back"),
        submit(30, order("late", 1)),
        risk=RiskConfig(rules=(Closed(),)),
    )

    assert why(record, "late")[-1] == "    closed"


def test_only_a_cancel_that_follows_at_once_is_put_down_to_the_state() -> None:
    """A halt that left orders working, and an operator who enables, send no cancels: the strategy did."""
    record = sail(
        submit(10, limit("a", 10, "9")),
        submit(10, limit("b", 10, "9")),
        SwitchAt(START + 300 * MS, TradingState.HALTED, "ann", "lunch", cancel_working=False),
        CancelAt(START + 310 * MS, "a"),
        SwitchAt(START + 400 * MS, TradingState.ACTIVE, "ann", "back"),
        CancelAt(START + 400 * MS, "b"),
    )

    assert not [line for name in ("a", "b") for line in why(record, name) if "trading" in line]


def test_every_order_that_a_halt_cancels_says_so() -> None:
    """The second of two orders names the halt like the first."""
    record = sail(
        submit(10, limit("a", 10, "9")),
        submit(10, limit("b", 10, "9")),
        SwitchAt(START + 300 * MS, TradingState.HALTED, "ann", "lunch"),
    )

    for name in ("a", "b"):
        assert "    trading had just been halted at 2023-11-14T22:13:20.300Z by ann: lunch" in why(record, name)


def test_worse_and_better_are_seen_from_the_side_of_the_order() -> None:
    """For who sells, a market that rises on the way is better, and half a spread is worse."""
    quotes = ((0, "9.99", "10.01"), (200, "9.99", "10.01"), (220, "10.04", "10.06"), (900, "10.04", "10.06"))

    record = sail(submit(10, order("in", 10)), submit(210, order("out", 10, SELL)), quotes=quotes)
    _, arrival, fill = stamped(why(record, "out"))

    assert "the market showed 10.05, 0.05 better than at decision" in arrival
    assert "filled 10 at 10.04 (taker, 0.01 worse than at arrival)" in fill


def test_refusal_at_the_fill_tells_no_second_arrival() -> None:
    """An order that was at the venue is refused there, when it would fill beyond the cash."""
    quotes = ((0, "9.99", "10.01"), (300, "11.99", "12.01"), (900, "11.99", "12.01"))
    stop = order("stop", 100, order_type=OrderType.STOP, stop_price=Decimal("10.50"))

    lines = why(sail(submit(10, stop), quotes=quotes, cash=1_100), "stop")

    assert any(line.startswith("2023-11-14T22:13:20.060Z  at the venue, 50 ms after") for line in lines)
    assert "2023-11-14T22:13:20.300Z  refused by the venue; known 5 ms later" in lines
    assert "    reason: insufficient_funds" in lines


def test_change_by_the_venue_itself_is_told_as_such() -> None:
    """Exits of an entry that was cancelled half filled shrink to what it filled; nobody asked for that."""
    rows = tuple(
        Quote(START + at * MS, "X", Decimal("9.99"), Decimal("10.01"), Decimal(60), Decimal(60))
        for at in (0, 5, 400, 900)
    )
    entry, profit = limit("entry", 100, "10.01"), limit("profit", 100, "10.50", SELL)
    script = (submit(10, entry, profit), CancelAt(START + 50 * MS, "entry"))

    record = NativeEngine().run(Scenario(tape=Tape(rows=rows), script=script))

    assert "2023-11-14T22:13:20.050Z  changed by the venue itself: quantity 60" in why(record, "profit")
    assert why(record, "entry")[1] == "    cancelled; filled 60 of 100 at 10.01, fees 0"


def test_order_that_closes_a_position_tells_what_it_is_for() -> None:
    """The gate's own order, after a rule that flattens, names the rule."""
    quotes = ((0, "9.99", "10.01"), (200, "7.99", "8.01"), (900, "7.99", "8.01"))
    limits = DrawdownLimitRule(max_total_drawdown_pct=Decimal(5), action=RiskAction.FLATTEN)

    record = sail(submit(10, order("in", 400)), quotes=quotes, risk=RiskConfig(drawdown_limit=limits))
    lines = why(record, "flatten-1")

    assert lines[0] == "flatten-1: sell 400 X market, reduce only"
    assert lines[3].startswith(
        "    the gate closes the position: trading was halted at 2023-11-14T22:13:20.200Z by rule drawdown_limit"
    )


def test_cancel_that_lost_its_race() -> None:
    """Things stand in the order in which they happened: the fill before the cancel, although it was told after."""
    quotes = ((0, "9.99", "10.01"), (500, "8.98", "8.99"), (900, "8.98", "8.99"))

    record = sail(submit(10, limit("rest", 10, "9")), CancelAt(START + 520 * MS, "rest"), quotes=quotes)

    assert stamped(why(record, "rest"))[2:] == [
        "2023-11-14T22:13:20.500Z  filled 10 at 9 (maker, 1.00 better than at arrival), fee 0; known 100 ms later",
        "2023-11-14T22:13:20.520Z  cancel sent",
        "2023-11-14T22:13:20.570Z  cancel refused by the venue, 50 ms after it was asked for; known 30 ms later",
    ]
    assert "    reason: too_late_to_cancel" in why(record, "rest")


def test_changes_are_told_with_their_terms() -> None:
    """A change that was done, one that the gate refused, and the terms as they stood at the end."""
    record = sail(
        submit(10, limit("rest", 10, "9")),
        ModifyAt(START + 200 * MS, "rest", OrderChange(limit_price=Decimal("9.50"), quantity=Decimal(20))),
        ModifyAt(START + 300 * MS, "rest", OrderChange(quantity=Decimal(501))),
        risk=RiskConfig(position_limit=POSITION),
    )

    lines = why(record, "rest")

    assert lines[0] == "rest: buy 20 X limit 9.50, as last changed"
    assert stamped(lines)[2:-1] == [
        "2023-11-14T22:13:20.200Z  change asked for: quantity 20, limit price 9.50",
        (
            "2023-11-14T22:13:20.250Z  changed at the venue, 50 ms after it was asked for: "
            "quantity 20, limit price 9.50; known 5 ms later"
        ),
        "2023-11-14T22:13:20.300Z  change asked for: quantity 501",
        "2023-11-14T22:13:20.300Z  change refused by the gate",
    ]
    assert lines[-1].endswith("the run ended, and the order was still submitted")


def test_bracket_tells_who_waits_for_whom() -> None:
    """A child waits for its parent; when its sibling filled, it tells that the group ended."""
    entry = order("entry", 10)
    profit = limit("profit", 10, "10.50", SELL)
    loss = order("loss", 10, SELL, order_type=OrderType.STOP, stop_price=Decimal("9.50"))
    quotes = ((0, "9.99", "10.01"), (200, "9.99", "10.01"), (400, "10.50", "10.52"), (600, "10.50", "10.52"))

    record = sail(submit(10, entry, profit, loss), quotes=quotes)

    assert why(record, "profit")[2].endswith("; it waits at the venue for entry to fill")
    lines = why(record, "loss")
    assert lines[0] == "loss: sell 10 X stop 9.50"
    assert lines[1] == "    cancelled: group_ended"
    assert "2023-11-14T22:13:20.400Z  ended by the venue, its rest unfilled; known 100 ms later" in lines
    assert "    reason: group_ended" in lines


def test_bracket_refused_for_one_of_its_orders_names_it() -> None:
    """The others of a group that was refused point at the one that was not let out."""
    entry, profit = order("entry", 501), limit("profit", 501, "10.50", SELL)

    record = sail(submit(10, entry, profit), risk=RiskConfig(position_limit=POSITION))

    assert "    reason: risk_position_limit, rule position_limit" in why(record, "entry")
    assert "    entry of the same group was refused" in why(record, "profit")


def test_stop_tells_its_trigger_and_a_limit_in_time_its_end() -> None:
    """Triggers and expiries are part of the story, with the prices the order named."""
    quotes = ((0, "9.99", "10.01"), (400, "10.49", "10.51"), (900, "10.49", "10.51"))
    stop = order("stop", 10, order_type=OrderType.STOP, stop_price=Decimal("10.50"))
    gtd = limit("gtd", 10, "9", time_in_force=TimeInForce.GTD, expire_at=START + 500 * MS)

    record = sail(submit(10, stop), submit(10, gtd), quotes=quotes)

    assert any("triggered: the market showed 10.51" in line for line in why(record, "stop"))
    assert why(record, "gtd")[0] == "gtd: buy 10 X limit 9, gtd, until 2023-11-14T22:13:20.500Z"
    assert "2023-11-14T22:13:20.500Z  expired at the venue (gtd); known 5 ms later" in why(record, "gtd")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"order_type": OrderType.TRAILING_STOP, "trail_percent": Decimal("2.50")}, "trailing stop trail 2.5 %"),
        (
            {"order_type": OrderType.TRAILING_STOP_LIMIT, "trail_amount": Decimal(1), "limit_offset": Decimal("0.2")},
            "trailing stop limit trail 1, limit offset 0.2",
        ),
        (
            {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal(11), "limit_price": Decimal(12)},
            "stop limit stop 11, limit 12",
        ),
        ({"order_type": OrderType.LIMIT, "limit_price": Decimal(9), "post_only": True}, "limit 9, post only"),
        ({"time_in_force": TimeInForce.FOK}, "market, fok"),
    ],
)
def test_first_line_has_all_terms(fields: dict[str, object], told: str) -> None:
    """Whatever an order names beside its quantity is said once, usual terms are not."""
    record = sail(submit(10, order("S-1", 10, **fields)))  # type: ignore[arg-type]

    assert why(record, "S-1")[0] == f"S-1: buy 10 X {told}"


def test_second_order_under_an_id_is_told_apart() -> None:
    """A duplicate is no part of the first order's life, and still told."""
    record = sail(submit(10, order("S-1", 10)), submit(300, order("S-1", 20)))

    lines = why(record, "S-1")

    assert lines[1] == "    filled 10 of 10 at 10.01, fees 0"
    at = lines.index("2023-11-14T22:13:20.300Z  another order under this id was refused by the gate")
    assert lines[at + 1] == "    reason: duplicate_order"


def test_order_before_the_first_price_has_no_known_cost() -> None:
    """Where the market had shown nothing, that is what is said; no cost is made up."""
    record = sail(submit(0, order("early", 10)), latency=LatencyConfig(submit=Constant(50 * MS)))

    lines = why(record, "early")

    assert "sent by S; no price was known yet" in lines[2]
    assert lines[-1] == "cost against the decision price: unknown, since no price was known then or on arrival"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("S-11", "did you mean 'S-1'"), ("zzz", "it has 2, such as"), ("s-1", "did you mean 'S-1'")],
)
def test_unknown_order_is_an_error_that_names_close_ones(asked: str, hint: str) -> None:
    """An id that is not there names those like it, or else one that is there."""
    record = sail(submit(10, order("S-1", 10)), submit(10, order("S-2", 10)))

    with pytest.raises(OrderNotRecordedError, match=f"^no order '{asked}' in this run: {hint}") as caught:
        why(record, asked)

    assert isinstance(caught.value, SeatrialError)
    assert caught.value.order_id == asked


def test_run_without_orders_says_that() -> None:
    """There is nothing close to any id in a run that sent nothing."""
    with pytest.raises(OrderNotRecordedError, match=r"^no order 'S-1' in this run: it has no orders at all$"):
        why(sail(), "S-1")


# -- whatever happens --------------------------------------------------------------------------------------------------

TERMS = st.sampled_from(
    [
        {},
        {"order_type": OrderType.LIMIT, "limit_price": Decimal("9.9")},
        {"order_type": OrderType.LIMIT, "limit_price": Decimal("10.2"), "time_in_force": TimeInForce.IOC},
        {"order_type": OrderType.STOP, "stop_price": Decimal("10.1")},
        {"order_type": OrderType.TRAILING_STOP, "trail_percent": Decimal(1)},
    ]
)
SENT = st.tuples(st.integers(1, 900), st.integers(1, 700), st.sampled_from(list(OrderSide)), TERMS)
ASKED = st.tuples(
    st.integers(1, 900), st.integers(0, 5), st.sampled_from(["cancel", "modify", "halt", "enable", "again"])
)
RISK = RiskConfig(
    position_limit=PositionLimitRule(max_shares=Decimal(600), action=RiskAction.CANCEL_ALL),
    drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(2), action=RiskAction.FLATTEN),
)


def instructions(
    sent: list[tuple[int, int, OrderSide, dict[str, object]]], asked: list[tuple[int, int, str]]
) -> tuple[Instruction, ...]:
    """Return a script in time order that only speaks of orders sent before."""
    script: list[Instruction] = [
        submit(at, order(f"o{n}", quantity, side, **terms))
        for n, (at, quantity, side, terms) in enumerate(sorted(sent, key=lambda one: one[0]))
    ]
    times = {f"o{n}": step.at for n, step in enumerate(script)}
    for at, n, what in asked:
        name, now = f"o{n}", START + at * MS
        if what in {"halt", "enable"}:
            state = TradingState.HALTED if what == "halt" else TradingState.ACTIVE
            script.append(SwitchAt(now, state, "ann", "trying"))
        elif times.get(name, now) < now:
            asks: dict[str, Instruction] = {
                "cancel": CancelAt(now, name),
                "modify": ModifyAt(now, name, OrderChange(quantity=Decimal(n + 650))),
                "again": submit(at, order(name, 1)),
            }
            script.append(asks[what])
    return tuple(sorted(script, key=lambda step: step.at))


@settings(max_examples=150, deadline=None)
@given(
    sent=st.lists(SENT, max_size=6),
    asked=st.lists(ASKED, max_size=6),
    moves=st.lists(st.integers(-60, 60), min_size=3, max_size=7),
    latency=st.sampled_from([LATENCY_INSTANT, LATENCY_NORMAL, STEADY]),
)
def test_every_event_has_its_line(
    sent: list[tuple[int, int, OrderSide, dict[str, object]]],
    asked: list[tuple[int, int, str]],
    moves: list[int],
    latency: LatencyConfig,
) -> None:
    """Whatever is done: each event of each order is one line with its time, in the order in which things happened."""
    quotes = tuple(
        (150 * at, str(Decimal(999 + move) / 100), str(Decimal(1001 + move) / 100)) for at, move in enumerate(moves)
    )
    record = sail(*instructions(sent, asked), quotes=quotes, latency=latency, risk=RISK)
    stored = msgspec.json.decode(msgspec.json.encode(record), type=RunRecord)

    for one in record.orders:
        lines = why(record, one.order_id)
        times = [line.partition(" ")[0] for line in stamped(lines)]
        about = [event for event in record.events if getattr(event, "order_id", None) == one.order_id]
        assert len(times) == len(about) + (not one.is_complete)
        assert times == sorted(times)
        assert lines[0].startswith(f"{one.order_id}: {one.side} {one.quantity} X")
        for event in about:
            rejection = getattr(event, "rejection", None)
            assert rejection is None or f"    {rejection.message}" in lines
            if isinstance(event, OrderExecution):
                assert any(f"filled {event.quantity} at {event.price}" in line for line in lines)
        assert why(stored, one.order_id) == lines
