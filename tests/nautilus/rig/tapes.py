"""Tapes for the NautilusTrader engine, scripts for NautilusTrader alone, and a strategy whose state can be kept."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.backtrader.engine.crew import CENT, SYMBOLS, Wild, ticks

from seatrial.contracts.market import Bar, Instrument, Quote, Trade
from seatrial.contracts.orders import Order
from seatrial.contracts.scenario import CancelAt, ExecutionConfig, Scenario, SubmitAt, Tape
from seatrial.contracts.terms import OrderSide, OrderType, TimeInForce
from seatrial.contracts.venue import AccountType, Convention, LimitFill, VenueConfig

if TYPE_CHECKING:
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.scenario import Instruction

__all__ = ["PLAIN_TYPES", "Kept", "mixed", "quotes", "scripted"]

PLAIN_TYPES = (
    OrderType.MARKET,
    OrderType.LIMIT,
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.MARKET_IF_TOUCHED,
    OrderType.LIMIT_IF_TOUCHED,
)
_PAIR = CENT * 2


class Kept(Wild):
    """The wild strategy, which goes on from where a checkpoint was taken."""

    def save_state(self) -> Any:
        """Keep where the dice stand."""
        version, state, gauss = self.dice.getstate()
        return {"dice": [version, list(state), gauss], "groups": self.groups}

    def load_state(self, value: Any) -> None:
        """Take them up again."""
        version, state, gauss = value["dice"]
        self.dice.setstate((version, tuple(state), gauss))
        self.groups = value["groups"]


def quotes(seed: int, count: int = 800, *, spread: int = 3, most: int | None = None) -> tuple[Quote, ...]:
    """Return quotes with up to `spread` cents between the sides, and of up to `most` units each, or any number."""
    dice, rows = random.Random(seed), list[Quote]()
    for row in ticks(seed, count):
        sizes = (None, None) if most is None else (Decimal(dice.randint(0, most)), Decimal(dice.randint(0, most)))
        rows.append(Quote(row.ts, row.symbol, row.price, row.price + CENT * dice.randint(0, spread), *sizes))
    return tuple(rows)


def mixed(seed: int, count: int = 800) -> tuple[Quote | Trade, ...]:
    """Return quotes and prints of the same symbols."""
    dice = random.Random(seed)
    pairs = zip(quotes(seed, count), ticks(seed, count), strict=True)
    return tuple([dice.choice(pair) for pair in pairs])


def scripted(rows: tuple[MarketEvent, ...], seed: int, kind: OrderType) -> Scenario:
    """Return a script of single orders of one type, in NautilusTrader's conventions, without costs."""
    venue = VenueConfig(
        account_type=AccountType.MARGIN,
        leverage=Decimal(10),
        convention=Convention.STANDING,
        limit_fill=LimitFill.TOUCH,
    )
    return Scenario(
        tape=Tape(rows=rows),
        script=_steps(rows, random.Random(seed), kind),
        instruments=tuple(Instrument(symbol=one, tick_size=CENT, lot_size=Decimal(1)) for one in SYMBOLS),
        execution=ExecutionConfig(initial_cash=Decimal(10_000_000), venue=venue),
    )


def _steps(rows: tuple[MarketEvent, ...], dice: random.Random, kind: OrderType) -> tuple[Instruction, ...]:
    steps, sent = list[SubmitAt | CancelAt](), list[str]()
    for row, following in pairwise(rows[5:]):
        if following.ts - row.ts < 10 or dice.random() > 0.3:
            continue
        at = row.ts + dice.randint(1, following.ts - row.ts - 1)
        if sent and dice.random() < 0.2:
            steps.append(CancelAt(at, dice.choice(sent)))
            continue
        sent.append(f"S-{len(sent) + 1}")
        side = dice.choice((OrderSide.BUY, OrderSide.SELL))
        steps.append(SubmitAt(at, (_order(row, at, sent[-1], side, kind, dice),)))
    return tuple(steps)


def _order(row: MarketEvent, at: int, name: str, side: OrderSide, kind: OrderType, dice: random.Random) -> Order:
    price = row.bid if isinstance(row, Quote) else row.close if isinstance(row, Bar) else row.price
    towards = 1 if side is OrderSide.BUY else -1
    away = CENT * dice.randint(-6, 12) * towards
    terms: dict[OrderType, dict[str, Any]] = {
        OrderType.MARKET: {},
        OrderType.LIMIT: {"limit_price": price - away},
        OrderType.STOP: {"stop_price": price + away},
        OrderType.STOP_LIMIT: {"stop_price": price + away, "limit_price": price + away + _PAIR * towards},
        OrderType.MARKET_IF_TOUCHED: {"stop_price": price - away},
        OrderType.LIMIT_IF_TOUCHED: {"stop_price": price - away, "limit_price": price - away},
    }
    more: dict[str, Any] = {}
    if kind is OrderType.LIMIT:
        more = dice.choice(
            ({}, {}, {"time_in_force": dice.choice((TimeInForce.IOC, TimeInForce.FOK))}, {"post_only": True})
        )
    quantity = Decimal(dice.randint(1, 30))
    return Order(
        order_id=name,
        symbol=row.symbol,
        side=side,
        order_type=kind,
        quantity=quantity,
        created_at=at,
        **terms[kind],
        **more,
    )
