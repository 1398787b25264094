"""An order that fills whole as it arrives is spared the venue's indexes, and nothing else is different for it."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    AccountType,
    ExecutionSimulator,
    FeeSchedule,
    Instrument,
    Order,
    OrderSide,
    OrderType,
    Quote,
    TimeInForce,
    VenueConfig,
)
from seatrial.contracts.events import OrderCancelled, OrderExecution, OrderRejected, encode_events
from seatrial.venue.crossing import Crossing

if TYPE_CHECKING:
    from seatrial import LatencyConfig

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


def _voyage(seed: int, config: str, latency: LatencyConfig, kind: type[Crossing]) -> ExecutionSimulator:
    """Return a simulator after quotes and orders drawn from `seed`, some of which it cannot pay for."""
    draw = Random(seed)
    venue_config = VenueConfig(**CONFIGS[config])
    sim = ExecutionSimulator(
        initial_cash=30_000, venue_config=venue_config, instruments=INSTRUMENTS, latency_config=latency
    )
    venue = sim.venue
    venue._crossing = kind(venue.market, venue._matcher, venue.ledger, venue_config.fees)  # type: ignore[arg-type]  # a schedule
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
    return encode_events(list(sim.events)), sim.account_summary(), venue.ledger.snapshot(), venue.sequence, venue.ended


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
