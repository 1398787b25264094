"""The exposure limit: all positions together, with everything that works for them, against equity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    AccountType,
    Constant,
    ExecutionSimulator,
    ExposureLimitRule,
    Instrument,
    LatencyConfig,
    Order,
    OrderSide,
    OrderType,
    Quote,
    Rejection,
    RejectionReason,
    RiskConfig,
    VenueConfig,
)
from seatrial.clock import to_ns
from seatrial.contracts.rejection import RefusedBy

if TYPE_CHECKING:
    from seatrial.contracts.account import RiskView

T0 = to_ns(datetime(2024, 3, 4, 10, tzinfo=UTC))
MS = 1_000_000
BUY, SELL = OrderSide.BUY, OrderSide.SELL
LIMIT = OrderType.LIMIT
BREACH = RejectionReason.RISK_EXPOSURE_LIMIT
MISSING = RejectionReason.RISK_PRICE_MISSING
STALE = RejectionReason.RISK_PRICE_STALE


def _sim(
    *, gross: int | None = None, net: int | None = None, age: timedelta | None = None, cash: int = 10_000, **more: Any
) -> ExecutionSimulator:
    """Return a margin account of 10,000, unless told otherwise, with X and Y marked at 100."""
    limit = ExposureLimitRule(
        max_gross_exposure_pct=None if gross is None else Decimal(gross),
        max_net_exposure_pct=None if net is None else Decimal(net),
    )
    sim = ExecutionSimulator(
        initial_cash=cash,
        venue_config=VenueConfig(account_type=AccountType.MARGIN, leverage=Decimal(20)),
        risk_config=RiskConfig(exposure_limit=limit, max_price_age=age),
        **more,
    )
    for symbol in ("X", "Y"):
        _price(sim, T0, "100", symbol)
    return sim


def _price(sim: ExecutionSimulator, ts: int, price: str, symbol: str = "X") -> None:
    sim.process_quote(Quote(ts, symbol, Decimal(price), Decimal(price)))


def _order(
    order_id: str, side: OrderSide = BUY, quantity: int = 10, symbol: str = "X", limit: str | None = None
) -> Order:
    return Order(
        order_id=order_id,
        symbol=symbol,
        side=side,
        order_type=OrderType.MARKET if limit is None else LIMIT,
        quantity=quantity,
        created_at=T0,
        limit_price=None if limit is None else Decimal(limit),
    )


def _send(sim: ExecutionSimulator, *orders: Order, ts: int = T0) -> list[RejectionReason | None]:
    return [sim.submit_order(order, ts).rejection_reason for order in orders]


@pytest.mark.parametrize("limit", ["gross", "net"])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_exposure_equal_to_the_limit_passes_and_above_it_breaches(limit: str, side: OrderSide) -> None:
    """Half of 10,000 is fifty at 100, long or short, and no fifty-first."""
    sim = _sim(gross=50) if limit == "gross" else _sim(net=50)

    assert _send(sim, _order("fifty", side, 50), _order("one", side, 1)) == [None, BREACH]


@pytest.mark.parametrize("limit", ["gross", "net"])
def test_refusal_carries_rule_numbers_and_words(limit: str) -> None:
    """The refusal names both amounts and the equity the limit was taken from."""
    sim = _sim(gross=50) if limit == "gross" else _sim(net=50)

    refused = sim.submit_order(_order("a", quantity=51), T0)

    assert refused.rejection == Rejection(
        RejectionReason.RISK_EXPOSURE_LIMIT,
        f"{limit} exposure may come to 5100, 50 % of the equity of 10000 is 5000",
        RefusedBy.GATE,
        "exposure_limit",
        Decimal(5_100),
        Decimal(5_000),
    )


def test_gross_adds_long_and_short() -> None:
    """Thirty long and twenty short make fifty."""
    orders = (_order("x", quantity=30), _order("y", SELL, 20, "Y"), _order("y2", SELL, 1, "Y"))

    assert _send(_sim(gross=50), *orders) == [None, None, BREACH]


def test_net_sets_long_off_against_short() -> None:
    """Fifty long and fifty short make none, so fifty more of either side may follow."""
    sim = _sim(net=50)

    assert _send(sim, _order("x", quantity=50), _order("y", SELL, 50, "Y")) == [None, None]
    assert _send(sim, _order("x2", quantity=50), _order("x3", quantity=1)) == [None, BREACH]


def test_net_counts_no_offset_that_may_not_come() -> None:
    """A resting sale sets nothing off until it is filled: bids alone are the worst case."""
    offer = _order("offer", SELL, 25, "Y", limit="200")

    assert _send(_sim(net=50), offer, _order("bid", quantity=51, limit="100")) == [None, BREACH]


def test_five_orders_share_one_limit() -> None:
    """Working orders of several symbols count together, each at its own price."""
    sim = _sim(gross=100)
    orders = [_order(f"bid-{n}", quantity=50, symbol=symbol, limit="80") for n, symbol in enumerate("XYXYX")]

    assert _send(sim, *orders) == [None, None, BREACH, BREACH, BREACH]


def test_equity_is_what_it_is_now() -> None:
    """Fifty long that fell by a fifth leave an equity of 9,000, and half of that is forty-five hundred."""
    sim = _sim(gross=50)
    assert _send(sim, _order("a", quantity=50)) == [None]
    _price(sim, T0 + 1, "80")

    assert sim.get_account_value() == 9_000
    assert _send(sim, _order("b", quantity=7), _order("c", quantity=5, symbol="Y"), ts=T0 + 1) == [BREACH, None]


def test_the_multiplier_counts() -> None:
    """One future at 100 of 50 a point is worth half the account."""
    instruments = [Instrument(symbol="X", multiplier=Decimal(50)), Instrument(symbol="Y")]
    sim = _sim(gross=50, instruments=instruments)

    assert _send(sim, _order("a", quantity=1), _order("b", quantity=1, symbol="Y")) == [None, BREACH]


def test_what_reduces_passes_above_the_limit() -> None:
    """A loss may bring exposure above its limit; exits pass, a purchase and a flip do not."""
    sim = _sim(gross=100)
    _send(sim, _order("a", quantity=100))
    _price(sim, T0 + 1, "50")
    _price(sim, T0 + 1, "300", "Y")
    _send(sim, _order("short", SELL, 1, "Y"), ts=T0 + 1)

    flip, leave = _order("flip", SELL, 250), _order("leave", SELL, 100)

    assert _send(sim, _order("more", quantity=1), flip, leave, ts=T0 + 1) == [BREACH, BREACH, None]


def test_no_equity_bears_no_exposure() -> None:
    """An account without equity may hold nothing, however high the percentage."""
    sim = _sim(gross=1_000, cash=0)

    assert _send(sim, _order("a", quantity=1)) == [BREACH]


def test_an_order_without_a_price_is_refused() -> None:
    """A market order in a symbol nobody has priced is not valued at nothing."""
    sim = _sim(gross=50)

    refused = sim.submit_order(_order("a", symbol="Z"), T0)

    assert refused.rejection is not None
    assert (refused.rejection.reason, refused.rejection.rule) == (MISSING, "exposure_limit")
    assert refused.rejection_message == "no price of Z is known yet; feed market data before the order"


def test_a_holding_without_a_price_makes_exposure_unknown() -> None:
    """What was transferred in and never priced may be worth anything, so nothing more is bought."""
    sim = _sim(gross=50)
    sim.gate.adjusted(T0, Decimal(0), "transfer", symbol="Z", quantity=Decimal(1_000))
    sim.advance(T0)

    assert _send(sim, _order("a", quantity=1)) == [MISSING]


def test_rules_are_told_that_exposure_is_unknown() -> None:
    """A view that cannot value an order says `None`, never an amount that leaves it out."""
    seen: list[tuple[Decimal | None, ...]] = []

    class Recorder:
        def check(self, order: Order, account: RiskView, now: int) -> None:
            seen.append((account.worst_value(order.symbol), account.gross_exposure(), account.net_exposure()))

    sim = ExecutionSimulator(initial_cash=1_000, risk_config=RiskConfig(rules=(Recorder(),)))

    _send(sim, _order("a"))

    assert seen == [(None, None, None)]


def test_a_stale_price_of_the_order_s_symbol_is_none() -> None:
    """At the allowed age it still is a price; later it is not, but an exit needs none."""
    sim = _sim(gross=50, age=timedelta(seconds=1))
    assert _send(sim, _order("a"), ts=T0 + 1_000 * MS) == [None]

    assert _send(sim, _order("b"), _order("c", SELL), ts=T0 + 1_001 * MS) == [STALE, None]


def test_a_stale_price_of_another_holding_is_none_either() -> None:
    """Exposure adds up every holding, so each of them needs a price that is fresh."""
    sim = _sim(gross=50, age=timedelta(seconds=1))
    _send(sim, _order("y", symbol="Y"))
    _price(sim, T0 + 60_000 * MS, "100")

    assert _send(sim, _order("x"), ts=T0 + 60_000 * MS) == [STALE]


def test_a_stale_price_of_a_holding_counts_whatever_the_order_s_symbol_has_shown() -> None:
    """Also where the order, in a symbol without any price yet, brings one of its own."""
    sim = _sim(gross=50, age=timedelta(seconds=1))
    _send(sim, _order("x"))

    assert _send(sim, _order("n", symbol="NEW", limit="1"), ts=T0 + 60_000 * MS) == [STALE]


def test_a_stale_price_at_which_nothing_is_valued_matters_to_nobody() -> None:
    """A resting limit is valued at its own price, so the old mark beside it is not asked for."""
    sim = _sim(gross=50, age=timedelta(seconds=1))
    _send(sim, _order("y", symbol="Y", limit="1"))
    _price(sim, T0 + 60_000 * MS, "100")

    assert _send(sim, _order("x"), ts=T0 + 60_000 * MS) == [None]


def test_what_is_in_flight_counts() -> None:
    """Two orders sent before either is reported share the limit."""
    sim = _sim(gross=50, latency_config=LatencyConfig(submit=Constant(10 * MS), fill=Constant(500 * MS)))

    assert _send(sim, _order("a", quantity=50), _order("b", quantity=1, symbol="Y")) == [None, BREACH]
    sim.advance(T0 + 100 * MS)
    assert dict(sim.positions) == {}
    assert _send(sim, _order("c", quantity=1, symbol="Y"), ts=T0 + 100 * MS) == [BREACH]
