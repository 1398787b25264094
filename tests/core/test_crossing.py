"""An order that fills whole as it arrives is spared the venue's indexes, and the wire where nobody hears of it.

Nothing else is different for it.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    AccountType,
    DrawdownLimitRule,
    ExecutionSimulator,
    ExposureLimitRule,
    FeeSchedule,
    Instrument,
    Order,
    OrderSide,
    OrderType,
    PositionLimitRule,
    Quote,
    RejectionReason,
    RiskAction,
    RiskConfig,
    TimeInForce,
    VenueConfig,
)
from seatrial.contracts.events import (
    OrderCancelled,
    OrderDenied,
    OrderExecution,
    OrderRejected,
    OrderSubmitted,
    TradingStateChanged,
    encode_events,
)
from seatrial.gate.delivery import Delivery
from seatrial.venue.arrivals import by_venue
from seatrial.venue.crossing import Crossing
from seatrial.venue.simulated import SimulatedVenue

if TYPE_CHECKING:
    from seatrial import LatencyConfig
    from seatrial.gate.client import Listener

MS = 1_000_000
START = 1_700_000_000_000 * MS
CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "costly": {"slippage_bps": Decimal(7), "fees": FeeSchedule(per_share=Decimal("0.01"), minimum=Decimal(1))},
    "by value": {"slippage_bps": Decimal("2.5"), "fees": FeeSchedule(bps=Decimal(3))},
    "margin": {"account_type": AccountType.MARGIN, "leverage": Decimal(2), "slippage_bps": Decimal(5)},
}
INSTRUMENTS = (
    Instrument(symbol="A", tick_size=Decimal("0.05")),
    Instrument(symbol="B", multiplier=Decimal(10)),
)

LIMITS = RiskConfig(
    position_limit=PositionLimitRule(max_shares=Decimal(120), max_value=Decimal(20_000)),
    exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(120), max_net_exposure_pct=Decimal(110)),
    drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(3), action=RiskAction.FLATTEN),
)


class _Never(Crossing):
    """Leaves every order to the venue."""

    __slots__ = ()

    def book(self, order: Order, now: int) -> None:
        return None


class _AtTheQuote(Crossing):
    """Forgets the slippage."""

    __slots__ = ()

    def book(self, order: Order, now: int) -> tuple[Decimal, Decimal] | None:
        crossed = super().book(order, now)
        quote = self._market.books[order.symbol].quote
        if crossed is None or quote is None:
            return crossed
        return quote.ask if order.side is OrderSide.BUY else quote.bid, crossed[1]


def _voyage(
    seed: int,
    config: str,
    latency: LatencyConfig,
    kind: type[Crossing] = Crossing,
    risk: RiskConfig | None = None,
    listener: Listener | None = None,
) -> ExecutionSimulator:
    """Return a simulator after quotes and orders drawn from `seed`, some of which it cannot pay for."""
    draw = Random(seed)
    venue_config = VenueConfig(**CONFIGS[config])
    sim = ExecutionSimulator(
        initial_cash=30_000,
        venue_config=venue_config,
        instruments=INSTRUMENTS,
        latency_config=latency,
        risk_config=risk,
    )
    if listener is not None:
        sim.add_listener(listener)
    venue = sim.venue
    venue._crossing = kind(venue.market, venue._matcher, venue.ledger, venue._matcher._fees)
    now = START
    for n in range(160):
        symbol = draw.choice("AB")
        if draw.random() < 0.5 or n < 4:
            bid = Decimal(draw.randint(1_800, 2_200)) / 20
            size = draw.choice((None, None, Decimal(draw.randint(1, 8))))
            sim.process_quote(Quote(now, symbol, bid, bid + Decimal("0.05"), size, size))
        else:
            limited = draw.random() < 0.25
            order = Order(
                order_id=f"o{n}",
                symbol=symbol,
                side=draw.choice(list(OrderSide)),
                order_type=OrderType.LIMIT if limited else OrderType.MARKET,
                quantity=draw.choice((1, 2, 5, 20, 60)),
                created_at=now,
                limit_price=Decimal(draw.randint(1_700, 2_300)) / 20 if limited else None,
                time_in_force=draw.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.DAY)),
                reduce_only=draw.random() < 0.1,
            )
            sim.submit_order(order, now)
        now += draw.choice((0, 1, 40, 150)) * MS
    sim.advance(now + 10_000 * MS)
    return sim


def _all_of(sim: ExecutionSimulator) -> tuple[object, ...]:
    venue = sim.venue
    told = encode_events(list(sim.events)), sim.account_summary(), dict(sim.pending_orders), dict(sim.completed_orders)
    return *told, sim.gate.snapshot(), venue.ledger.snapshot(), venue.sequence, venue.ended


@pytest.mark.parametrize("latency", [LATENCY_INSTANT, LATENCY_NORMAL], ids=["instant", "normal"])
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("seed", range(6))
def test_what_crosses_at_once_comes_to_the_same(seed: int, config: str, latency: LatencyConfig) -> None:
    """Events to the byte, both accounts and the venue's records do not tell whether an order was ever at work."""
    crossing = _all_of(_voyage(seed, config, latency, Crossing))

    assert crossing == _all_of(_voyage(seed, config, latency, _Never))


def test_the_voyages_fill_refuse_and_cancel() -> None:
    """What is compared holds every outcome an arrival may have."""
    kinds = {type(event) for seed in range(6) for event in _voyage(seed, "costly", LATENCY_INSTANT, Crossing).events}

    assert {OrderExecution, OrderRejected, OrderCancelled} <= kinds


def test_the_comparison_catches_a_wrong_price() -> None:
    """A crossing that forgets the slippage is found."""
    wrong = _all_of(_voyage(1, "costly", LATENCY_INSTANT, _AtTheQuote))

    assert wrong != _all_of(_voyage(1, "costly", LATENCY_INSTANT, _Never))


def _deaf(event: object, order: object) -> None:
    """Listen to nothing."""


@pytest.mark.parametrize("risk", [None, LIMITS], ids=["free", "limited"])
@pytest.mark.parametrize("config", CONFIGS)
def test_what_nobody_hears_of_comes_to_the_same(config: str, risk: RiskConfig | None) -> None:
    """Orders, events, rules, accounts and counts do not tell whether somebody listened while an order crossed."""
    for seed in range(6):
        heard = _all_of(_voyage(seed, config, LATENCY_INSTANT, risk=risk, listener=_deaf))

        assert heard == _all_of(_voyage(seed, config, LATENCY_INSTANT, risk=risk))


def test_limited_voyages_meet_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared holds orders that nobody hears of, refusals by rules, and a latch that closes positions."""
    crossed: list[str] = []
    cross = Delivery._cross

    def counted(gate: Delivery, order: Order, *what: Any) -> Order:
        crossed.append(order.order_id)
        return cross(gate, order, *what)

    monkeypatch.setattr(Delivery, "_cross", counted)
    voyages = [_voyage(seed, "costly", LATENCY_INSTANT, risk=LIMITS) for seed in range(6)]
    events = [event for voyage in voyages for event in voyage.events]

    assert len(crossed) > 20
    assert {OrderExecution, OrderDenied, TradingStateChanged} <= {type(event) for event in events}
    assert any(type(event) is OrderSubmitted and event.order_id.startswith("flatten-") for event in events)


def test_the_comparison_catches_what_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that forgets to count such a fill in the account is found."""
    heard = _all_of(_voyage(1, "plain", LATENCY_INSTANT, listener=_deaf))
    monkeypatch.setattr(Delivery, "_count", lambda *_: None)

    assert heard != _all_of(_voyage(1, "plain", LATENCY_INSTANT))


class _Choosy(SimulatedVenue):
    """Takes orders its own way: none at all."""

    def place(self, orders: tuple[Order, ...], now: int, native: object) -> None:
        self._refuse_all(orders, orders[0], by_venue(RejectionReason.UNSUPPORTED, "it takes none"), now)


class _ChoosySimulator(ExecutionSimulator):
    _venue_type = _Choosy


def test_a_venue_with_a_door_of_its_own_is_not_passed_by() -> None:
    """Where a venue takes orders its own way, an order that nobody hears of meets it too."""
    sim = _ChoosySimulator(initial_cash=30_000)
    sim.process_quote(Quote(START, "A", Decimal(90), Decimal(90)))
    order = Order(
        order_id="o", symbol="A", side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=1, created_at=START
    )

    assert sim.submit_order(order, START).rejection_reason is RejectionReason.UNSUPPORTED
