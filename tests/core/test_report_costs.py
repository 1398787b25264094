"""What a fill cost against its decision price is split into latency, slippage and fees, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial import LATENCY_NORMAL, Order, OrderSide, OrderType, Quote
from seatrial.contracts.engine import Decision, RunRecord
from seatrial.contracts.events import OrderExecution
from seatrial.contracts.market import Instrument
from seatrial.contracts.scenario import ExecutionConfig, Scenario, SubmitAt, Tape
from seatrial.contracts.terms import Liquidity
from seatrial.contracts.venue import FeeSchedule, VenueConfig
from seatrial.engine.native import NativeEngine
from seatrial.report.costs import CostSplit, add_up, fill_cost, fill_value
from seatrial.report.summary import summarize

START = 1_700_000_000_000_000_000
MS = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL


def fill(quantity: str, price: str, commission: str = "0", order_id: str = "o") -> OrderExecution:
    """Return a fill."""
    amounts = (Decimal(quantity), Decimal(price), Decimal(commission))
    return OrderExecution(order_id, START, START, f"{order_id}/1", *amounts, False, Liquidity.TAKER)


def seen(decided: str | None, arrived: str | None) -> Decision:
    """Return what the market showed."""
    return Decision("o", None if decided is None else Decimal(decided), None if arrived is None else Decimal(arrived))


def amounts(cost: CostSplit) -> tuple[object, ...]:
    """Return latency, slippage, fees and total."""
    return cost.latency, cost.slippage, cost.fees, cost.total


def test_buy_pays_for_a_rising_market() -> None:
    """100 x 5 currency a point: decided at 10.00, arrived at 10.01, filled at 10.03 for 1.50."""
    cost = fill_cost(fill("100", "10.03", "1.50"), BUY, seen("10.00", "10.01"), Decimal(5))

    assert amounts(cost) == (Decimal("5.00"), Decimal("10.00"), Decimal("1.50"), Decimal("16.50"))
    assert cost.decided_value == 5_000
    assert cost.bps == 33
    assert (cost.fills, cost.uncosted) == (1, 0)


def test_sell_gains_by_a_rising_market() -> None:
    """The same prices are a gain for who sells; fees are a cost on either side."""
    cost = fill_cost(fill("100", "10.03", "1.50"), SELL, seen("10.00", "10.01"), Decimal(5))

    assert amounts(cost) == (Decimal("-5.00"), Decimal("-10.00"), Decimal("1.50"), Decimal("-13.50"))
    assert cost.bps == -27


def test_rebate_is_a_gain() -> None:
    """A commission below zero lowers the total."""
    cost = fill_cost(fill("10", "10", "-0.25"), BUY, seen("10", "10"))

    assert amounts(cost) == (0, 0, Decimal("-0.25"), Decimal("-0.25"))


@pytest.mark.parametrize("decision", [None, seen(None, None), seen(None, "10"), seen("10", None)])
def test_fill_without_both_prices_is_counted_apart(decision: Decision | None) -> None:
    """Where a price is not known nothing is guessed, and the fill is not forgotten."""
    cost = fill_cost(fill("10", "10", "1"), BUY, decision)

    assert (cost.fills, cost.uncosted) == (0, 1)
    assert amounts(cost) == (0, 0, 0, 0)
    assert cost.bps is None


def test_nothing_costs_nothing() -> None:
    """The sum of no fills is zero, of no value."""
    cost = add_up(())

    assert (cost.fills, cost.uncosted, cost.bps) == (0, 0, None)
    assert amounts(cost) == (0, 0, 0, 0)


PRICES = st.decimals(Decimal("1e-9"), Decimal("1e20"), allow_nan=False).filter(bool)
FEES = st.decimals(Decimal("-1e6"), Decimal("1e6"), allow_nan=False)
FILLS = st.tuples(PRICES, PRICES, FEES, st.sampled_from(OrderSide), PRICES, PRICES, PRICES)


@pytest.mark.no_cover
@given(st.lists(FILLS, max_size=8))
def test_parts_sum_exactly(drawn: list[tuple[Decimal, Decimal, Decimal, OrderSide, Decimal, Decimal, Decimal]]) -> None:
    """Of any fills with any digits, latency + slippage + fees is the total, and each is what fractions make of it."""
    one_by_one = []
    expected = [Fraction(0)] * 4
    for quantity, price, fee, side, decided, arrived, multiplier in drawn:
        decision = Decision("o", decided, arrived)
        one_by_one.append(fill_cost(fill(str(quantity), str(price), str(fee)), side, decision, multiplier))
        units = Fraction(quantity) * Fraction(multiplier) * (1 if side is BUY else -1)
        expected[0] += (Fraction(arrived) - Fraction(decided)) * units
        expected[1] += (Fraction(price) - Fraction(arrived)) * units
        expected[2] += Fraction(fee)
        expected[3] += (Fraction(price) - Fraction(decided)) * units + Fraction(fee)

    cost = add_up(one_by_one)

    parts = [Fraction(part) for part in (cost.latency, cost.slippage, cost.fees)]
    assert [*parts, Fraction(cost.total)] == expected
    assert sum(parts) == Fraction(cost.total)
    assert add_up(reversed(one_by_one)) == cost


def test_ordinary_arithmetic_would_not_be_exact() -> None:
    """The property above notices rounding: with 28 digits these parts no longer sum to their total."""
    quantity, price, arrived, decided = map(
        Decimal, ("123456789.123456789", "98765432101.23456789012", "7", "0.000003")
    )
    rounded = (arrived - decided) * quantity + (price - arrived) * quantity

    cost = fill_cost(fill(str(quantity), str(price)), BUY, Decision("o", decided, arrived))

    assert Fraction(rounded) != (Fraction(price) - Fraction(decided)) * Fraction(quantity)
    assert Fraction(cost.total) == (Fraction(price) - Fraction(decided)) * Fraction(quantity)
    assert Fraction(fill_value(fill(str(quantity), str(price)))) == Fraction(price) * Fraction(quantity)


# -- of a run ----------------------------------------------------------------------------------------------------------


def quote(at: int, bid: str, ask: str) -> Quote:
    """Return a quote `at` ms after the start."""
    return Quote(START + at * MS, "X", Decimal(bid), Decimal(ask))


def delayed() -> RunRecord:
    """Run a buy and a sell that the market moves against on their way, at a cent a unit and 50 currency a point."""
    rows = (
        quote(0, "9.98", "10.02"),
        quote(120, "10.02", "10.06"),
        quote(1_000, "10.08", "10.12"),
        quote(1_030, "9.98", "10.02"),
        quote(2_000, "9.98", "10.02"),
    )

    def market(order_id: str, side: OrderSide, at: int) -> SubmitAt:
        now = START + at * MS
        kind = OrderType.MARKET
        order = Order(order_id=order_id, symbol="X", side=side, order_type=kind, quantity=2, created_at=now)
        return SubmitAt(now, (order,))

    scenario = Scenario(
        tape=Tape(rows=rows),
        instruments=(Instrument(symbol="X", multiplier=Decimal(50)),),
        script=(market("in", BUY, 100), market("out", SELL, 1_010)),
        execution=ExecutionConfig(
            latency=LATENCY_NORMAL, venue=VenueConfig(fees=FeeSchedule(per_share=Decimal("0.01")))
        ),
    )
    return NativeEngine().run(scenario)


def test_run_is_split_by_what_the_market_showed() -> None:
    """Both orders lose on the way: 0.04 of 100 units for the one, 0.10 for the other, and half a spread each."""
    record = delayed()

    cost = summarize(record).cost

    assert {one.order_id: (one.decided, one.arrived) for one in record.decisions} == {
        "in": (Decimal(10), Decimal("10.04")),
        "out": (Decimal("10.10"), Decimal("10.00")),
    }
    assert cost is not None
    assert amounts(cost) == (Decimal("14.00"), Decimal("4.00"), Decimal("0.04"), Decimal("18.04"))
    assert (cost.fills, cost.uncosted) == (2, 0)
    assert cost.decided_value == 2_010


def test_run_counts_the_fills_it_cannot_cost() -> None:
    """An order whose decision was not noted is left out of the cost, and said to be."""
    record = delayed()
    partly = msgspec.structs.replace(record, decisions=record.decisions[:1])
    blind = msgspec.structs.replace(record, decisions=())

    some, none = summarize(partly).cost, summarize(blind).cost

    assert some is not None
    assert none is not None
    assert (some.fills, some.uncosted, some.total) == (1, 1, Decimal("6.02"))
    assert (none.fills, none.uncosted, none.bps) == (0, 2, None)
    assert summarize(blind).commission == summarize(record).commission == Decimal("0.04")
