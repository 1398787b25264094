"""Voyages to take checkpoints of: simulators, and what they are fed, call by call, the same in every process.

    python tests/core/voyage/tape.py SEED FILE...    restore each checkpoint file, go on, and tell what became of it

The voyage of seed 0 has everything in it; those of other seeds are shorter, and opened with settings of their own.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    AccountType,
    Bar,
    CheckpointManager,
    Constant,
    Convention,
    DrawdownLimitRule,
    Empirical,
    ExecutionCheckpoint,
    ExecutionSimulator,
    ExposureLimitRule,
    Instrument,
    LatencyConfig,
    LimitFill,
    Lognormal,
    NamedRule,
    Order,
    OrderSide,
    OrderType,
    PositionLimitRule,
    Quote,
    RiskConfig,
    TimeInForce,
    Trade,
    Uniform,
    VenueConfig,
)
from seatrial.clock import to_ns
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.latency import Named
from seatrial.contracts.venue import NamedFees, PriceImprovement

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.core.voyage.crew import Strategy, installed, observers, rules

__all__ = ["Call", "Strategy", "fingerprint", "main", "opened", "restored", "sail", "tape"]

_MS = 1_000_000
_TICK = Decimal("0.01")
_SHARES = ("ALFA", "BETA")
_BARS = ("CORA", "DELTA")
_FUND = "ECHO"
_START, *_LEAPS = [
    to_ns(datetime(2024, 1, day, hour, minute, 59, 400_000, tzinfo=UTC))
    for day, hour, minute in ((9, 20, 59), (9, 23, 59), (10, 14, 29), (10, 20, 59), (10, 23, 59))
]
"""Shortly before sessions open and close in New York, and days turn, from a Tuesday on."""
_PLAIN = (TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD)
_ANY = (*_PLAIN, TimeInForce.IOC, TimeInForce.FOK)
_TURNS: tuple[tuple[OrderType, tuple[TimeInForce, ...]], ...] = (
    (OrderType.MARKET, _ANY),
    (OrderType.LIMIT, _ANY),
    (OrderType.STOP, _ANY),
    (OrderType.TRAILING_STOP, _PLAIN),
    (OrderType.MARKET_ON_CLOSE, _PLAIN),
    (OrderType.STOP_LIMIT, _ANY),
    (OrderType.LIMIT, _PLAIN),
    (OrderType.TRAILING_STOP_LIMIT, _PLAIN),
    (OrderType.MARKET_IF_TOUCHED, _ANY),
    (OrderType.MARKET, _PLAIN),
    (OrderType.LIMIT_IF_TOUCHED, _ANY),
    (OrderType.MARKET_TO_LIMIT, (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)),
)
_TRIGGERED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED})
_LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED})
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


class Call(NamedTuple):
    """One call of a simulator's method; a `pick` chooses a pending order, and what to change of it."""

    method: str
    args: tuple[Any, ...]
    named: dict[str, Any] = {}  # noqa: RUF012 - nobody writes into it
    pick: int | None = None

    def settled(self, simulator: ExecutionSimulator) -> Call:
        """Return the call with the order it concerns, chosen from those there are."""
        if self.pick is None:
            return self
        orders = sorted(simulator.pending_orders) or sorted(simulator.completed_orders)
        order = simulator.get_order(orders[self.pick % len(orders)])
        changes = _changes(order, self.pick) if self.method == "modify_order" else {}
        return Call(self.method, (order.order_id, *self.args), changes)

    def make(self, simulator: ExecutionSimulator) -> tuple[str, ...]:
        """Make the call; return the ids of the executions it tells of."""
        if self.method == "adjusted":
            simulator.gate.adjusted(*self.args, **self.named)
            return ()
        call = self.settled(simulator)
        told = getattr(simulator, self.method)(*call.args, **call.named)
        return tuple([one.execution_id for one in told]) if self.method in _TELLING else ()


_TELLING = {"process_quote", "process_trade", "process_market_data", "process_bar", "process_bars", "advance"}


def _changes(order: Order, pick: int) -> dict[str, Decimal]:
    """Return new terms for an order, in turn: its quantity up or down, its prices, its distance."""
    changes = {"quantity": max(order.quantity + pick % 7 - 3, Decimal(1))} if pick % 3 else {}
    for name in ("limit_price", "stop_price", "trail_amount"):
        value = getattr(order, name)
        if value is not None and pick % 5 > 1:
            changes[name] = max(value + (pick % 9 - 4) * _TICK, _TICK)
    return changes or {"quantity": order.quantity + 1}


class _Tape:
    """Makes up calls from random numbers, never from what the simulator does."""

    def __init__(self, seed: int, length: int) -> None:
        self._random = random.Random(seed)
        self._length = length
        self._now = _START
        self._count = 0
        self._ticks = {symbol: 5_000 + 700 * n for n, symbol in enumerate((*_SHARES, *_BARS, _FUND))}

    def calls(self) -> Iterator[Call]:
        """Return every call, in order."""
        yield from self._opening(self._now)
        leaps, every = iter(_LEAPS), self._length // (len(_LEAPS) + 1)
        for n in range(self._length):
            self._now += self._random.choice((0, 1, 4, 11, 25, 40)) * _MS
            if n and n % every == 0:
                self._now = max(self._now, next(leaps, self._now))
            yield from self._turn(n)
        self._now += 100 * _MS
        yield Call("disable_trading", ("harbour", "the voyage is over", self._now))
        for _ in range(3):
            self._now += 20_000 * _MS
            yield Call("advance", (self._now,))

    def _opening(self, now: int) -> Iterator[Call]:
        """Show a price of everything; send what the dice seldom bring about."""
        for symbol in _SHARES:
            ticks = self._ticks[symbol]
            yield Call("process_quote", (Quote(now, symbol, ticks * _TICK, (ticks + 2) * _TICK),))
        yield Call("process_market_data", (now, {symbol: self._ticks[symbol] * _TICK for symbol in (*_BARS, _FUND)}))
        ticks = self._ticks[_SHARES[0]]
        for kind, price in ((OrderType.MARKET_ON_CLOSE, {}), (OrderType.STOP_LIMIT, {"stop_price": ticks * _TICK})):
            same: dict[str, Any] = {"symbol": _SHARES[0], "side": OrderSide.BUY, "quantity": 5, "reduce_only": False}
            order = self._order(now, order_type=kind, time_in_force=TimeInForce.GTC, **same, **price)
            yield Call("submit_order", (order, now))

    def _turn(self, n: int) -> Iterator[Call]:
        now, draw = self._now, self._random.random()
        if n % 64 == 40:
            operator = ("restrict_trading", "disable_trading", "disable_trading")[n // 64 % 3]
            yield Call(operator, ("watch", "fog", now), {"cancel_working": n // 64 % 3 == 2})
        elif n % 32 == 16:
            yield Call("enable_trading", ("watch", "clear", now))
        elif n % 20 == 13:
            yield self._deposit(now)
        elif draw < 0.45:
            yield self._data(now)
        elif draw < 0.72:
            yield Call("submit_order", (self._order(now), now))
        elif draw < 0.77:
            yield self._bracket(now)
        elif draw < 0.80:
            yield from self._pair(now)
        elif draw < 0.87:
            yield Call("cancel_order", (now,), pick=self._random.randrange(1000))
        elif draw < 0.95:
            yield Call("modify_order", (now,), pick=self._random.randrange(1000))
        else:
            yield Call("advance", (now,))

    # -- the market ------------------------------------------------------------------------------------------------

    def _walk(self, symbol: str, reach: int = 12) -> int:
        ticks = self._ticks[symbol] = max(self._ticks[symbol] + self._random.randint(-reach, reach), 500)
        return ticks

    def _data(self, now: int) -> Call:
        kind = self._random.random()
        if kind < 0.5:
            symbol = self._random.choice(_SHARES)
            ticks = self._walk(symbol)
            sizes = [Decimal(self._random.randint(2, 25)) for _ in range(2)]
            return Call("process_quote", (Quote(now, symbol, ticks * _TICK, (ticks + 2) * _TICK, *sizes),))
        if kind < 0.65:
            symbol = self._random.choice(_SHARES)
            return Call("process_trade", (Trade(now, symbol, self._walk(symbol, 4) * _TICK, Decimal(20)),))
        if kind < 0.8:
            symbols = (_FUND, _BARS[1]) if self._random.random() < 0.3 else (_FUND,)
            return Call("process_market_data", (now, {symbol: self._walk(symbol) * _TICK for symbol in symbols}))
        start = now + self._random.choice((0, 15, 30)) * _MS if self._random.random() < 0.7 else None
        self._now += self._random.choice((60, 120)) * _MS
        if kind < 0.86:
            return Call("process_bar", (self._bar(_BARS[0], start),))
        return Call("process_bars", ([self._bar(symbol, start) for symbol in _BARS],))

    def _bar(self, symbol: str, start: int | None) -> Bar:
        points = [self._ticks[symbol], *[self._walk(symbol) for _ in range(3)]]
        first, high, low, last = (n * _TICK for n in (points[0], max(points), min(points), points[-1]))
        return Bar(self._now, symbol, first, high, low, last, Decimal(self._random.randint(40, 90)), start)

    def _deposit(self, now: int) -> Call:
        if self._random.random() < 0.5:
            return Call("adjusted", (now, Decimal(self._random.randint(-300, 700)), "deposit"))
        split = {"symbol": self._random.choice(_SHARES), "quantity": Decimal(self._random.randint(1, 4))}
        return Call("adjusted", (now, Decimal(0), "split"), split)

    # -- orders ----------------------------------------------------------------------------------------------------

    def _order(self, now: int, **given: Any) -> Order:
        n = self._count = self._count + 1
        kind, tifs = _TURNS[n % len(_TURNS)]
        fields: dict[str, Any] = {
            "order_id": f"order-{n}" if n % 31 else "order-1",
            "symbol": self._random.choice((*_SHARES, *_SHARES, *_BARS, _FUND)) if n % 37 else "NOWHERE",
            "side": self._random.choice(list(OrderSide)),
            "order_type": kind,
            "quantity": self._random.randint(1, 40),
            "time_in_force": tifs[n // len(_TURNS) % len(tifs)],
            "strategy_id": ("S", "T")[n % 2],
            "tags": ("tagged",) * (n % 3 == 0),
            "reduce_only": n % 9 == 0,
        } | given
        kind = fields["order_type"]
        away = self._random.randint(-6, 9) if fields["side"] is OrderSide.SELL else self._random.randint(-9, 6)
        ticks = self._ticks.get(fields["symbol"], 5_000)
        if kind in _TRIGGERED:
            fields.setdefault("stop_price", (ticks + self._random.randint(-8, 8)) * _TICK)
            away = 7 if fields["side"] is OrderSide.BUY else -7
        if kind in _LIMITED:
            fields.setdefault("limit_price", (ticks + away) * _TICK)
            fields["post_only"] = n % 3 == 0 and fields["time_in_force"] not in _AT_ONCE
        if kind in {OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT}:
            fields |= {"trail_amount": 4 * _TICK} if (n // 12 + n % 12 // 7) % 2 else {"trail_percent": Decimal("0.08")}
            if kind is OrderType.TRAILING_STOP_LIMIT:
                fields["limit_offset"] = 8 * _TICK
        if fields["time_in_force"] is TimeInForce.GTD:
            fields["expire_at"] = now + self._random.choice((20, 90, 400)) * _MS
        return Order(created_at=now, **fields)

    def _bracket(self, now: int) -> Call:
        symbol = self._random.choice((*_SHARES, *_BARS))
        side = self._random.choice(list(OrderSide))
        other = OrderSide.SELL if side is OrderSide.BUY else OrderSide.BUY
        up = 1 if side is OrderSide.BUY else -1
        ticks, same = self._ticks[symbol], {"symbol": symbol, "time_in_force": TimeInForce.GTC, "quantity": 9}
        limit, stop = OrderType.LIMIT, OrderType.STOP
        entry = self._order(now, side=side, order_type=limit, limit_price=(ticks + 2 * up) * _TICK, **same)
        profit = self._order(now, side=other, order_type=limit, limit_price=(ticks + 8 * up) * _TICK, **same)
        guard = self._order(now, side=other, order_type=stop, stop_price=(ticks - 7 * up) * _TICK, **same)
        exits = (profit, guard) if self._random.random() < 0.8 else (guard,)
        return Call("submit_bracket", (entry, *exits), {"timestamp": now})

    def _pair(self, now: int) -> Iterator[Call]:
        symbol, oco = self._random.choice(_SHARES), f"pair-{self._count}"
        for side in OrderSide:
            same = {"symbol": symbol, "side": side, "order_type": OrderType.LIMIT, "oco_id": oco}
            yield Call("submit_order", (self._order(now, time_in_force=TimeInForce.GTC, **same), now))


# -- voyages -----------------------------------------------------------------------------------------------------------


def tape(seed: int) -> tuple[Call, ...]:
    """Return what the simulator of a seed is fed."""
    return tuple((_Tape(seed, 110) if seed else _Tape(160, 215)).calls())  # the one with everything was found by trying


def opened(seed: int) -> ExecutionSimulator:
    """Return a new simulator; that of seed 0 has a bit of everything."""
    dice = random.Random(f"settings {seed}") if seed else None
    calendar = WeeklyCalendar(zone="America/New_York", opens=time(9, 30), closes=time(16))
    shares = [Instrument(symbol=one, tick_size=_TICK, lot_size=Decimal(1), calendar=calendar) for one in _SHARES]
    others = [Instrument(symbol=one, tick_size=_TICK, multiplier=Decimal(2)) for one in (*_BARS, _FUND)]
    return ExecutionSimulator(
        initial_cash=Decimal(9_000) if dice is None else dice.choice((Decimal(3_000), Decimal(9_000))),
        simulator_id=f"voyage-{seed}",
        seed=seed,
        instruments=[*shares, *others],
        latency_config=_latency(dice),
        venue_config=_venue(dice),
        risk_config=_risk(dice),
        observers=("purser", *observers()),
        plugins=installed(),
    )


def _latency(dice: random.Random | None) -> LatencyConfig:
    jitter = LatencyConfig(
        submit=Uniform(0, 20 * _MS),
        ack=Empirical.of([0, 0, 2 * _MS, 9 * _MS]),
        fill=Lognormal(median_ns=8 * _MS, sigma=0.8),
        cancel=Named("semaphore", {"least": 5}),
        modify=Uniform(0, 15 * _MS),
    )
    slow = LatencyConfig(submit=Constant(30 * _MS), fill=Uniform(0, 90 * _MS), cancel=Constant(10 * _MS))
    return jitter if dice is None else dice.choice((jitter, jitter, slow, LATENCY_INSTANT, LATENCY_NORMAL))


def _venue(dice: random.Random | None) -> VenueConfig:
    fees = NamedFees("per_order", {"fee": "0.35"})
    if dice is None:
        return VenueConfig(
            account_type=AccountType.MARGIN,
            leverage=Decimal(3),
            slippage_bps=Decimal("1.5"),
            fees=fees,
            participation=Decimal("0.4"),
        )
    account = dice.choice(list(AccountType))
    return VenueConfig(
        account_type=account,
        leverage=Decimal(4) if account is AccountType.MARGIN else Decimal(1),
        fees=fees,
        participation=dice.choice((None, Decimal("0.3"))),
        bar_theta=dice.choice((Decimal(0), Decimal("0.5"), Decimal(1))),
        convention=dice.choice((None, *Convention)),
        limit_fill=dice.choice((None, *LimitFill)),
        price_improvement=dice.choice(list(PriceImprovement)),
    )


def _risk(dice: random.Random | None) -> RiskConfig | None:
    if dice is not None and dice.random() < 0.2:
        return None
    return RiskConfig(
        position_limit=PositionLimitRule(max_shares=Decimal(120), max_value=Decimal(8_000)),
        exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(280), max_net_exposure_pct=Decimal(200)),
        drawdown_limit=DrawdownLimitRule(Decimal("0.09"), Decimal("0.25")),
        rules=(NamedRule("stamina", {"every": 17, "fills": 22}), *rules()),
        day_boundary=time(19) if dice is not None and dice.random() < 0.3 else time(0),
        day_zone="America/New_York" if dice is not None and dice.random() < 0.3 else "UTC",
        max_price_age=timedelta(seconds=1) if dice is not None and dice.random() < 0.4 else None,
    )


def restored(checkpoint: ExecutionCheckpoint) -> tuple[ExecutionSimulator, Strategy]:
    """Return the simulator of a checkpoint, and the strategy as it was; the call under way is not finished yet."""
    simulator = ExecutionSimulator.from_checkpoint(
        checkpoint,
        rules=() if checkpoint.config.risk is None else rules(),
        observers=observers(),
        plugins=installed(),
    )
    strategy = Strategy(simulator)
    strategy.load_state(checkpoint.strategy_state)
    return simulator, strategy


def sail(simulator: ExecutionSimulator, strategy: Strategy, calls: tuple[Call, ...]) -> list[str]:
    """Feed what has not been fed yet; return the ids of the executions that were told of."""
    told: list[str] = []
    while strategy.fed < len(calls):
        strategy.fed += 1
        told += calls[strategy.fed - 1].make(simulator)
    return told


def fingerprint(simulator: ExecutionSimulator, strategy: Strategy) -> str:
    """Return the SHA-256 of everything there is to know of a simulator, its log and its orders' histories included."""
    return sha256(msgspec.json.encode(simulator.snapshot(strategy))).hexdigest()


def main(arguments: list[str]) -> None:
    """Restore each file, go on to the end, and print what was made here and what became of it, a line for each."""
    calls = tape(int(arguments[0]))
    for path in arguments[1:]:
        checkpoint = CheckpointManager(Path(path).parents[1]).load_checkpoint(Path(path))
        simulator, strategy = restored(checkpoint)
        simulator.resume()
        sail(simulator, strategy, calls)
        made = len(simulator.events) - len(checkpoint.events)
        print(json.dumps({"path": path, "made": made, "fingerprint": fingerprint(simulator, strategy)}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
