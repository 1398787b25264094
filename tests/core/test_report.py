"""A summary counts what happened, to the cent, from a record or a simulator, and the table shows it."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    DrawdownLimitRule,
    ExecutionSimulator,
    LatencyConfig,
    Order,
    OrderSide,
    OrderType,
    PositionLimitRule,
    Quote,
    RejectionReason,
    RiskAction,
    RiskConfig,
    TimeInForce,
)
from seatrial.contracts.engine import RunRecord
from seatrial.contracts.events import (
    AccountAdjusted,
    CancelRefused,
    CancelRequested,
    ModifyRequested,
    OrderCancelled,
    OrderChange,
    OrderEvent,
    OrderExecution,
    OrderReplaced,
    OrderSubmitted,
)
from seatrial.contracts.latency import Constant
from seatrial.contracts.market import Instrument
from seatrial.contracts.rejection import RefusedBy, Rejection
from seatrial.contracts.risk import RiskViolation
from seatrial.contracts.scenario import ExecutionConfig, Scenario, SubmitAt, SwitchAt, Tape
from seatrial.contracts.terms import TradingState
from seatrial.engine.native import NativeEngine
from seatrial.report.delays import Spread, exchanges, measure, percentile
from seatrial.report.headroom import configured_rules
from seatrial.report.summary import RunSummary, max_drawdown_pct, summarize
from seatrial.report.table import summary_table
from seatrial.report.words import duration, money, plain, shown_price, stamp

START = 1_700_000_000_000_000_000
MS = 1_000_000


def order(order_id: str, quantity: int, **fields: object) -> Order:
    """Return a buy at the market unless told otherwise."""
    given: dict[str, object] = {"side": OrderSide.BUY, "order_type": OrderType.MARKET, **fields}
    return Order(order_id=order_id, symbol="X", quantity=quantity, created_at=START, **given)  # type: ignore[arg-type]


def quote(at: int, bid: str, ask: str) -> Quote:
    """Return a quote `at` ms after the start."""
    return Quote(START + at * MS, "X", Decimal(bid), Decimal(ask))


def voyage() -> ExecutionSimulator:
    """Run one order of every fate, under delays."""
    simulator = ExecutionSimulator(
        initial_cash=10_000, commission_per_share=Decimal("0.01"), latency_config=LATENCY_NORMAL, simulator_id="v-1"
    )
    simulator.process_quote(quote(0, "9.99", "10.00"))
    simulator.submit_order(order("bought", 100), START)
    simulator.submit_order(order("bought", 100), START)  # a duplicate: the gate refuses it
    simulator.submit_order(order("dear", 5_000), START)  # the venue refuses it: too little cash
    gtd = {"order_type": OrderType.LIMIT, "limit_price": 5, "time_in_force": TimeInForce.GTD}
    simulator.submit_order(order("short-lived", 1, **gtd, expire_at=START + 300 * MS), START)
    simulator.submit_order(order("taken-back", 1, order_type=OrderType.LIMIT, limit_price=5), START)
    simulator.submit_order(order("resting", 1, order_type=OrderType.LIMIT, limit_price=5), START)
    simulator.process_quote(quote(400, "9.99", "10.00"))
    simulator.cancel_order("taken-back", START + 400 * MS)
    simulator.cancel_order("bought", START + 400 * MS)  # too late
    simulator.process_quote(quote(1_000, "10.99", "11.01"))
    return simulator


def test_summary_counts_every_fate_once() -> None:
    """Each order handed in is in exactly one of the counts, and each refusal under its reason."""
    summary = summarize(voyage())

    assert summary.name == "v-1"
    assert (summary.orders, summary.fills, summary.filled) == (6, 1, 1)
    assert (summary.cancelled, summary.expired, summary.pending) == (1, 1, 1)
    assert summary.rejections == {RejectionReason.DUPLICATE_ORDER: 1, RejectionReason.INSUFFICIENT_FUNDS: 1}
    assert summary.rejected == 2
    assert summary.cancels_refused == 1
    fates = summary.filled + summary.cancelled + summary.expired + summary.pending + summary.rejected
    assert fates == summary.orders


def test_summary_money_is_exact() -> None:
    """Cash, commission, equity and return are Decimal and add up to the cent."""
    summary = summarize(voyage())

    assert summary.commission == Decimal("1.00")
    assert summary.cash == Decimal(10_000) - 1_000 - 1
    assert summary.positions == {"X": Decimal(100)}
    assert summary.turnover == Decimal("1000.00")
    assert summary.equity == summary.cash + 100 * Decimal("11.00")
    assert summary.return_pct == Decimal("0.99")
    assert summary.initial_cash == 10_000


def test_delays_run_from_submission_to_report() -> None:
    """The one fill was reported 150-250 ms after its order left; nothing of that was waiting."""
    simulator = voyage()
    [execution] = simulator.get_order("bought").executions

    summary = summarize(simulator)

    assert summary.delays.whole == Spread(1, execution.reported_at - START, execution.reported_at - START)
    assert 150 * MS <= execution.reported_at - START <= 250 * MS
    assert summary.delays.wire == summary.delays.whole


def test_waiting_for_a_price_is_not_time_on_the_wire() -> None:
    """A limit that rests for two seconds counts them in its delay, and leaves them out of its time on the wire."""
    simulator = ExecutionSimulator(initial_cash=1_000, latency_config=LATENCY_NORMAL)
    simulator.process_quote(quote(0, "9.99", "10.00"))
    simulator.submit_order(order("patient", 1, order_type=OrderType.LIMIT, limit_price=9), START)
    simulator.process_quote(quote(2_000, "8.99", "9.00"))
    simulator.advance(START + 3_000 * MS)

    summary = summarize(simulator)

    assert 2_100 * MS <= (summary.delays.whole.p50 or 0) <= 2_200 * MS
    assert 150 * MS <= (summary.delays.wire.p50 or 0) <= 250 * MS


def test_empty_run_has_no_delays_and_no_return_on_nothing() -> None:
    """Where there is nothing to measure the summary says `None`, not zero."""
    summary = summarize(ExecutionSimulator(initial_cash=0), name="idle")

    assert summary.name == "idle"
    assert summary.delays.whole == summary.delays.submit == Spread(0, None, None)
    assert (summary.return_pct, summary.max_drawdown_pct, summary.cost) == (None, None, None)
    assert (summary.orders, summary.equity, summary.positions) == (0, Decimal(0), {})


def test_summary_is_frozen_and_keeps_its_digits_in_json() -> None:
    """A summary cannot be changed, and comes back from JSON equal."""
    summary = summarize(voyage(), equity=[Decimal(3), Decimal(1)])

    with pytest.raises(AttributeError):
        summary.orders = 0  # type: ignore[misc]
    assert msgspec.json.decode(msgspec.json.encode(summary), type=RunSummary) == summary


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("100 120 90 130 91", "30"),
        ("100 101 102", "0"),
        ("100", "0"),
        ("0 -5 10 5", "50"),
        ("", None),
    ],
)
def test_drawdown_is_the_deepest_fall_from_a_peak(values: str, expected: str | None) -> None:
    """The fall is in per cent of the highest value before it, wherever it ends."""
    equity = [Decimal(value) for value in values.split()]

    assert max_drawdown_pct(equity) == (None if expected is None else Decimal(expected))


def test_percentile_is_a_value_that_was_there() -> None:
    """Nearest rank: the smallest value that the given share of all does not exceed."""
    values = list(range(100, 0, -1))

    assert [percentile(values, p) for p in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7], 99) == 7
    assert percentile([1, 2], 51) == 2
    assert percentile([], 50) is None


def test_table_sets_runs_side_by_side() -> None:
    """Each run is a column under its name, with the same rows whatever one of them lacks."""
    idle = summarize(ExecutionSimulator(initial_cash=100), name="idle")
    busy = summarize(voyage(), equity=[Decimal(10), Decimal(9)])
    out = StringIO()

    Console(file=out, width=100).print(summary_table([busy, idle], title="Both"))

    lines = {line[:34].strip(): line[34:].split() for line in out.getvalue().splitlines()}
    assert "Both" in lines
    assert lines["rejected: duplicate_order"] == ["1", "0"]
    assert lines["cash"] == ["8,999.00", "100.00"]
    assert lines["positions"] == ["100", "X", "flat"]
    assert lines["deepest drawdown"] == ["10.00", "%", "-"]
    assert lines["return"] == ["0.99", "%", "0.00", "%"]


def test_amounts_and_spans_read_well() -> None:
    """Money has cents and thousands, spans have a unit; neither is a float on the way."""
    assert money(Decimal("1234567.891")) == "1,234,567.89"
    assert money(Decimal(10**30)) == "1" + ",000" * 10 + ".00"
    assert money(Decimal("1E+402")) == "1" + ",000" * 134 + ".00"
    assert duration(999_999) == "0.9 ms"
    assert duration(86_400 * 10**9) == "1 d"
    assert duration(5_400 * 10**9) == "1.5 h"
    assert [plain(Decimal(text)) for text in ("100", "1E+2", "0.10", "-0.0")] == ["100", "100", "0.1", "-0"]
    assert [shown_price(Decimal(text)) for text in ("9.50", "0.12345678", "7")] == ["9.50", "0.123457", "7"]


def test_stamps_are_exact_and_no_longer_than_that() -> None:
    """A time has three, six or nine digits after the second, as many as it takes."""
    assert stamp(START) == "2023-11-14T22:13:20.000Z"
    assert stamp(START + 50_100) == "2023-11-14T22:13:20.000050100Z"
    assert stamp(START + 50_000) == "2023-11-14T22:13:20.000050Z"


# -- from a record -----------------------------------------------------------------------------------------------------

RISK = RiskConfig(
    position_limit=PositionLimitRule(max_shares=Decimal(500)),
    drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5), action=RiskAction.CANCEL_ALL),
    rules=("kill_switch",),
)


def sail(rows: tuple[Quote, ...], *sent: tuple[int, Order], **execution: object) -> RunRecord:
    """Return the record of a run that sends orders, each so many ms after the start."""
    script = tuple(SubmitAt(START + at * MS, (one,)) for at, one in sent)
    config = ExecutionConfig(**{"initial_cash": Decimal(10_000), **execution})  # type: ignore[arg-type]
    return NativeEngine().run(Scenario(tape=Tape(rows=rows), script=script, execution=config))


def guarded() -> RunRecord:
    """Run into both limits: 501 and 750 of 500 units asked for, then a fall of 16 per cent where 5 are allowed."""
    rows = (quote(0, "9.99", "10.01"), quote(100, "5.99", "6.01"), quote(300, "5.99", "6.01"))
    over, far_over, held = order("over", 501), order("far-over", 750), order("held", 400)
    late, later = order("late", 1), order("later", 1)
    sent = ((1, over), (1, far_over), (1, held), (200, late), (210, later))
    return sail(rows, *sent, risk=RISK, simulator_id="guarded")


def test_record_says_what_the_simulator_said() -> None:
    """The same run gives the same summary from its record, which adds only what was noted beside the events."""
    rows = (quote(0, "9.99", "10.01"), quote(400, "9.99", "10.01"), quote(900, "10.99", "11.01"))
    simulator = ExecutionSimulator(initial_cash=10_000, latency_config=LATENCY_NORMAL)
    simulator.process_quote(rows[0])
    simulator.submit_order(order("bought", 100), START + 100 * MS)
    simulator.process_quote(rows[1])
    simulator.process_quote(rows[2])

    recorded = summarize(sail(rows, (100, order("bought", 100)), latency=LATENCY_NORMAL))
    live = summarize(simulator)

    assert (live.cost, live.max_drawdown_pct) == (None, None)
    assert recorded.cost is not None
    assert recorded.max_drawdown_pct == Decimal("0.01")  # 1.00 of half a spread on 10,000
    assert msgspec.structs.replace(recorded, cost=None, max_drawdown_pct=None) == live


def test_worst_headroom_of_each_rule_is_the_furthest_from_its_limit() -> None:
    """A ceiling is passed upwards, a floor downwards; trips and refusals count apart, and idle rules are named."""
    position, drawdown, switch = summarize(guarded()).rules

    assert (position.rule, position.refused, position.tripped) == ("position_limit", 2, 0)
    assert (position.value, position.limit, position.beyond_pct) == (Decimal(750), Decimal(500), Decimal(50))
    assert (drawdown.rule, drawdown.refused, drawdown.tripped) == ("drawdown_limit", 2, 1)
    assert (drawdown.value, drawdown.limit) == (Decimal(10_000 - 400 * 4) - 4, Decimal(9_500))  # 400 x 10.01 - 6.00
    assert drawdown.beyond_pct == (Decimal(9_500) - 8_396) * 100 / 9_500
    assert (switch.rule, switch.refused, switch.tripped, switch.value) == ("kill_switch", 0, 0, None)


def test_limit_of_zero_is_worse_than_any_share() -> None:
    """What meets a limit of zero has no percentage, and is still the worst that was seen."""

    class Strict:
        name = "strict"

        def check(self, order: Order, account: object, now: int) -> RiskViolation:
            return RiskViolation("no", order.quantity, Decimal(0 if order.quantity < 5 else 1))

    rows = (quote(0, "9.99", "10.01"), quote(100, "9.99", "10.01"))
    sent = ((1, order("a", 9)), (2, order("b", 2)), (3, order("c", 3)), (4, order("d", 1)))
    record = sail(rows, *sent, risk=RiskConfig(rules=(Strict(),)))

    [strict] = summarize(record).rules

    assert (strict.rule, strict.refused) == ("strict", 4)
    assert (strict.value, strict.limit, strict.beyond_pct) == (Decimal(3), Decimal(0), None)


def test_rules_have_the_names_they_refuse_under() -> None:
    """Limits come first, and a rule of a name that was taken gets a number, as the gate gives it."""
    risk = RiskConfig(position_limit=RISK.position_limit, trading_enabled=False, rules=("kill_switch", "kill_switch"))

    assert configured_rules(risk) == ("position_limit", "kill_switch", "kill_switch#2", "kill_switch#3")
    assert configured_rules(None) == ()


def test_each_leg_has_its_delays() -> None:
    """Submits, cancels and modifies of 50 ms take 50 ms; what the gate refused never travelled."""
    simulator = voyage()
    simulator.modify_order("resting", START + 1_000 * MS, limit_price=Decimal(6))
    simulator.modify_order("bought", START + 1_010 * MS, limit_price=None, quantity=Decimal(200))  # over: refused here
    simulator.advance(START + 2_000 * MS)

    delays = summarize(simulator).delays

    assert delays.submit == Spread(5, 50 * MS, 50 * MS)
    assert delays.cancel == Spread(1, 50 * MS, 50 * MS)  # the other cancel came after its order's end was known
    assert delays.modify == Spread(1, 50 * MS, 50 * MS)
    assert delays.fill.count == 1
    assert 100 * MS <= (delays.fill.p50 or 0) <= 200 * MS
    assert delays.ack.count == 5


def test_refused_change_of_a_working_order_is_no_leg() -> None:
    """A modify that the gate refuses never travelled: the venue's answers belong to those before and after it."""
    simulator = ExecutionSimulator(initial_cash=1_000, latency_config=LATENCY_NORMAL, risk_config=RISK)
    simulator.process_quote(quote(0, "9.99", "10.00"))
    simulator.submit_order(order("rest", 1, order_type=OrderType.LIMIT, limit_price=5), START)
    simulator.modify_order("rest", START + 100 * MS, limit_price=Decimal(6))
    simulator.modify_order("rest", START + 120 * MS, quantity=Decimal(501))
    simulator.modify_order("rest", START + 140 * MS, limit_price=Decimal(7))
    simulator.advance(START + 1_000 * MS)

    summary = summarize(simulator)

    assert summary.delays.modify == Spread(2, 50 * MS, 50 * MS)
    assert summary.rules[0].refused == 1
    assert summary.rejected == 0


def test_change_that_the_venue_made_itself_answers_nobody() -> None:
    """A request is answered by what was requested, 50 ns later, and not by what came in between."""
    change = OrderChange(quantity=Decimal(1))
    history: list[OrderEvent] = [
        OrderSubmitted("o", 0, 0),
        ModifyRequested("o", 100, 100, change),
        OrderReplaced("o", 110, 110, change, requested=False),
        OrderReplaced("o", 150, 150, change),
    ]

    assert exchanges(history) == [(history[1], history[3])]
    assert measure([history]).modify == Spread(1, 50, 50)


def test_end_that_nobody_asked_for_answers_no_cancel() -> None:
    """An order that ended by itself leaves its cancel to be refused, and that refusal is the answer."""
    ended = Rejection(RejectionReason.GROUP_ENDED, "its group ended", RefusedBy.VENUE)
    late = Rejection(RejectionReason.TOO_LATE_TO_CANCEL, "too late", RefusedBy.VENUE)
    history: list[OrderEvent] = [
        OrderSubmitted("o", 0, 0),
        CancelRequested("o", 100, 100),
        OrderCancelled("o", 120, 120, ended),
        CancelRefused("o", 150, 150, late),
    ]

    assert exchanges(history) == [(history[1], history[3])]
    assert measure([history]).cancel == Spread(1, 50, 50)


def test_way_of_an_order_ends_with_its_first_fill() -> None:
    """Two parts of one order are two reports, and one way; the acceptance has a report of its own."""
    rows = tuple(msgspec.structs.replace(quote(at, "9.99", "10.01"), ask_size=Decimal(60)) for at in (0, 100, 400, 900))
    latency = LatencyConfig(submit=Constant(10 * MS), ack=Constant(5 * MS), fill=Constant(20 * MS))
    resting = order("parts", 100, order_type=OrderType.LIMIT, limit_price=Decimal("10.01"))

    delays = summarize(sail(rows, (50, resting), latency=latency)).delays

    assert delays.fill == Spread(2, 20 * MS, 20 * MS)
    assert delays.whole == delays.wire == Spread(1, 30 * MS, 30 * MS)
    assert delays.submit == Spread(1, 10 * MS, 10 * MS)
    assert delays.ack == Spread(1, 5 * MS, 5 * MS)


def test_refusal_at_the_fill_is_no_second_arrival() -> None:
    """An order that was accepted, and refused when it met a price beyond the cash, travelled once."""
    stop = order("stop", 100, order_type=OrderType.STOP, stop_price=Decimal("10.50"))
    rows = (quote(0, "9.99", "10.01"), quote(300, "11.99", "12.01"), quote(900, "11.99", "12.01"))

    summary = summarize(sail(rows, (1, stop), latency=LATENCY_NORMAL, initial_cash=Decimal(1_100)))

    assert summary.rejections == {RejectionReason.INSUFFICIENT_FUNDS: 1}
    assert summary.delays.submit == Spread(1, 50 * MS, 50 * MS)


def test_cancels_sent_by_a_halt_are_counted_like_any() -> None:
    """An operator's halt cancels what works; the order counts as cancelled, not as rejected."""
    script = (
        SubmitAt(START + MS, (order("rest", 1, order_type=OrderType.LIMIT, limit_price=5),)),
        SwitchAt(START + 2 * MS, TradingState.HALTED, "ann", "lunch"),
        SubmitAt(START + 3 * MS, (order("late", 1),)),
    )
    rows = (quote(0, "9.99", "10.01"), quote(900, "9.99", "10.01"))
    execution = ExecutionConfig(latency=LATENCY_NORMAL)

    summary = summarize(NativeEngine().run(Scenario(tape=Tape(rows=rows), script=script, execution=execution)))

    assert (summary.orders, summary.cancelled, summary.cancels_refused) == (2, 1, 0)
    assert summary.rejections == {RejectionReason.RISK_TRADING_DISABLED: 1}
    assert summary.delays.cancel.count == 1
    assert [(use.rule, use.refused, use.tripped) for use in summary.rules] == [("kill_switch", 1, 0)]


def test_multiplier_is_part_of_the_turnover() -> None:
    """Two contracts at 10.01 with 50 currency a point are 1,001 of turnover, from a record as from a simulator."""
    future = Instrument(symbol="X", multiplier=Decimal(50))
    rows = (quote(0, "9.99", "10.01"), quote(100, "9.99", "10.01"))
    simulator = ExecutionSimulator(initial_cash=10_000, instruments=[future])
    simulator.process_quote(rows[0])
    simulator.submit_order(order("a", 2), START)
    scenario = Scenario(tape=Tape(rows=rows), instruments=(future,), script=(SubmitAt(START + MS, (order("a", 2),)),))

    recorded = summarize(NativeEngine().run(scenario))

    assert recorded.turnover == Decimal("1001.00")
    assert summarize(simulator, instruments=[future]).turnover == Decimal("1001.00")
    assert summarize(simulator).turnover == Decimal("20.02")


def test_deposits_are_no_return() -> None:
    """Cash that came from outside is told apart, and leaves the return as it was."""
    record = sail((quote(0, "9.99", "10.01"), quote(100, "9.99", "10.01")))
    deposit = AccountAdjusted(START, START, Decimal(500), "deposit")
    account = msgspec.structs.replace(record.account, cash=Decimal(10_600), equity=Decimal(10_600))
    grown = msgspec.structs.replace(record, events=(*record.events, deposit), account=account)

    summary = summarize(grown)

    assert (summary.adjusted, summary.return_pct) == (Decimal(500), Decimal(1))


def test_table_of_a_record_tells_rules_legs_and_costs() -> None:
    """In detail there is a row for each leg that was used, each rule, and each part of the cost."""
    out = StringIO()

    Console(file=out, width=100).print(summary_table([summarize(guarded())], detailed=True))

    lines = {line[:34].strip(): line[34:].split() for line in out.getvalue().splitlines()}
    assert lines["rule position_limit"] == ["refused", "2"]
    assert lines["rule drawdown_limit"] == ["refused", "2,", "tripped", "1"]
    assert lines["furthest beyond its limit"][-1] == "%"
    assert lines["rule kill_switch"] == ["refused", "0"]
    assert lines["submit leg"] == ["0", "ms"]
    assert "modify leg" not in lines
    assert lines["turnover"] == ["4,004.00"]
    assert lines["cost against the decision price"] == ["4.00", "(10.00", "bp)"]  # 400 x half a spread of 2 cents
    assert [lines[part] for part in ("latency", "slippage", "fees")] == [["0.00"], ["4.00"], ["0.00"]]


def test_brief_table_leaves_legs_out_and_counts_what_has_no_cost() -> None:
    """Without detail there are no legs; a fill that cannot be costed has a row all the same."""
    out = StringIO()
    record = msgspec.structs.replace(guarded(), decisions=())

    Console(file=out, width=100).print(summary_table([summarize(record)]))

    lines = {line[:34].strip(): line[34:].split() for line in out.getvalue().splitlines()}
    assert "submit leg" not in lines
    assert "turnover" not in lines
    assert "cost against the decision price" not in lines
    assert lines["fills left out: no price known"] == ["1"]


def test_table_mixes_records_with_simulators() -> None:
    """Where one run knows its cost and the other does not, the latter has a dash."""
    out = StringIO()

    Console(file=out, width=100).print(summary_table([summarize(guarded()), summarize(voyage())]))

    lines = {line[:34].strip(): line[34:].split() for line in out.getvalue().splitlines()}
    assert lines["cost against the decision price"] == ["4.00", "(10.00", "bp)", "-"]
    assert lines["rule position_limit"] == ["refused", "2", "-"]


def test_names_with_brackets_are_shown_as_they_are() -> None:
    """Nothing a run is called is taken for markup of the terminal's."""
    out = StringIO()
    idle = summarize(ExecutionSimulator(initial_cash=1), name="[red]x")

    Console(file=out, width=100).print(summary_table([idle]))

    assert "[red]x" in out.getvalue()


# -- whatever is sent --------------------------------------------------------------------------------------------------

KINDS = st.sampled_from(
    [(OrderType.MARKET, {}), (OrderType.LIMIT, {"limit_price": 10}), (OrderType.LIMIT, {"limit_price": 8})]
)
SENT = st.lists(
    st.tuples(st.integers(1, 999), st.sampled_from(list(OrderSide)), st.integers(1, 400), KINDS), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(sent=SENT, moves=st.lists(st.integers(-40, 40), min_size=3, max_size=8), delayed=st.booleans())
def test_every_order_and_every_coin_is_counted_once(
    sent: list[tuple[int, OrderSide, int, tuple[OrderType, dict[str, int]]]], moves: list[int], delayed: bool
) -> None:
    """Whatever is sent: fates add up to orders, delays to fills, costs and turnover to what moved the cash."""
    mids = [Decimal(1000 + move) / 100 for move in moves]
    rows = tuple(quote(200 * at, str(mid - Decimal("0.01")), str(mid + Decimal("0.01"))) for at, mid in enumerate(mids))
    latency = LATENCY_NORMAL if delayed else LATENCY_INSTANT
    orders = [
        (at, order(f"o{n}", quantity, side=side, order_type=kind, **terms))
        for n, (at, side, quantity, (kind, terms)) in enumerate(sorted(sent, key=lambda one: one[0]))
    ]
    record = sail(rows, *orders, risk=RISK, latency=latency)

    summary = summarize(record)

    fates = summary.filled + summary.cancelled + summary.expired + summary.pending + summary.rejected
    assert fates == summary.orders == len(record.orders) == len(orders)
    fills = [event for event in record.events if isinstance(event, OrderExecution)]
    assert summary.fills == summary.delays.fill.count == len(fills)
    assert summary.delays.cancel.count <= sum(isinstance(event, CancelRequested) for event in record.events)
    assert summary.delays.submit.count == sum(isinstance(event, OrderSubmitted) for event in record.events)
    assert summary.turnover == sum(one.filled_value for one in record.orders)
    assert summary.cost is not None
    assert summary.cost.fills + summary.cost.uncosted == summary.fills
    assert summary.cost.latency + summary.cost.slippage + summary.cost.fees == summary.cost.total
    signed = {OrderSide.BUY: 1, OrderSide.SELL: -1}
    paid = sum((one.filled_value * signed[one.side] + one.total_commission for one in record.orders), Decimal(0))
    assert summary.cash == summary.initial_cash - paid
    assert msgspec.json.decode(msgspec.json.encode(summary), type=RunSummary) == summary
