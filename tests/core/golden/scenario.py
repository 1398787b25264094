"""A fixed scenario whose event log must be the same bytes everywhere: every process, hash seed and Python.

    python tests/core/golden/scenario.py > log.jsonl    print the log
    python tests/core/golden/scenario.py 8              the same with another seed
    python tests/core/golden/scenario.py --write        renew events.jsonl and events.sha256 beside this file

Prices come from integer arithmetic alone. Renew the golden file only for a change of behaviour that is meant, and say
in the change why the bytes differ.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, time
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from seatrial import (
    LATENCY_NORMAL,
    AccountType,
    Bar,
    Constant,
    Empirical,
    ExecutionSimulator,
    FeeSchedule,
    Instrument,
    LatencyConfig,
    Lognormal,
    Order,
    OrderExecution,
    OrderSide,
    OrderType,
    Quote,
    TimeInForce,
    Trade,
    Uniform,
    VenueConfig,
)
from seatrial.clock import to_ns
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.events import encode_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.contracts.events import Event
    from seatrial.contracts.latency import Delay

__all__ = ["SEED", "log", "main", "voyages"]

SEED = 7
GOLDEN = Path(__file__).with_name("events.jsonl")
DIGEST = Path(__file__).with_name("events.sha256")

_MS = 1_000_000
_START = to_ns(datetime(2024, 1, 8, 23, 59, 57, tzinfo=UTC))  # the UTC day turns during the first voyage
_TICK = Decimal("0.01")
_SIDES = (OrderSide.BUY, OrderSide.SELL)
_PATIENT = (TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD)
_ANY = (*_PATIENT, TimeInForce.IOC, TimeInForce.FOK)
_KINDS: tuple[tuple[OrderType, tuple[str, ...]], ...] = (
    (OrderType.MARKET, ()),
    (OrderType.LIMIT, ("limit_price",)),
    (OrderType.STOP, ("stop_price",)),
    (OrderType.STOP_LIMIT, ("stop_price", "limit_price")),
    (OrderType.TRAILING_STOP, ("trail_amount",)),
    (OrderType.TRAILING_STOP_LIMIT, ("trail_percent", "limit_offset")),
    (OrderType.MARKET_IF_TOUCHED, ("stop_price",)),
    (OrderType.LIMIT_IF_TOUCHED, ("stop_price", "limit_price")),
    (OrderType.MARKET_ON_CLOSE, ()),
    (OrderType.MARKET_TO_LIMIT, ()),
)
_PATIENT_KINDS = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT, OrderType.MARKET_ON_CLOSE})
_TOUCHES = frozenset({OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED})


def _walk(state: int, ticks: int, reach: int) -> tuple[int, int]:
    """Return the next state of a linear congruential generator and the price in ticks that follows from it."""
    state = (state * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
    return state, max(ticks + (state >> 16) % (2 * reach + 1) - reach, 100)


class _Captain:
    """Gives orders of every kind in turn, and changes its mind on a fixed plan."""

    def __init__(self, name: str, simulator: ExecutionSimulator) -> None:
        self.name = name
        self.simulator = simulator
        self.count = 0

    def order(self, symbol: str, ticks: int, now: int, **changes: Any) -> Order:
        """Build the next order, priced around `ticks`."""
        n = self.count = self.count + 1
        kind, prices = _KINDS[n * 3 % len(_KINDS)]
        fields: dict[str, Any] = {
            "order_id": f"{self.name}-{n}",
            "symbol": symbol,
            "side": _SIDES[(n // 2 + n // 5) % 2],
            "order_type": kind,
            "quantity": Decimal(5 + n * 7 % 30),
            "strategy_id": self.name,
        }
        tifs = _PATIENT if kind in _PATIENT_KINDS else _ANY
        fields["time_in_force"] = tifs[n // 2 % len(tifs)]
        fields["reduce_only"] = n % 13 == 0
        fields.update(changes)
        if fields["order_type"] is not kind:
            prices = dict(_KINDS)[fields["order_type"]]
        fields.update(_prices(fields["order_type"], fields["side"], prices, ticks, 2 + n % 7))
        fields.update(changes)
        if fields["time_in_force"] is TimeInForce.GTD:
            fields["expire_at"] = now + (300 + n * 11) * _MS
        return Order(created_at=now, **fields)

    def plain(self, symbol: str, side: OrderSide, now: int, quantity: Decimal | int = 10, **fields: Any) -> Order:
        """Build a market order, or a limit order where `limit_price` is given; it works until cancelled."""
        kind = OrderType.LIMIT if "limit_price" in fields else OrderType.MARKET
        kind = fields.pop("order_type", kind)
        self.count += 1
        return Order(
            order_id=fields.pop("order_id", f"{self.name}-{self.count}"),
            symbol=symbol,
            side=side,
            order_type=kind,
            quantity=quantity,
            created_at=now,
            strategy_id=self.name,
            **fields,
        )

    def act(self, step: int, symbol: str, ticks: int, now: int) -> None:
        """Do what the plan has for this step."""
        simulator = self.simulator
        if step % 2 == 0:
            simulator.submit_order(self.order(symbol, ticks, now), now)
        if step % 11 == 5:
            self._bracket(symbol, ticks, now)
        if step % 17 == 9:
            self._pair(symbol, ticks, now)
        if step % 4 == 1:
            self._modify(now)
        if step % 5 == 2:
            self._cancel(now)
        if step % 29 == 20:
            self._refused(symbol, ticks, now)

    def _bracket(self, symbol: str, ticks: int, now: int) -> None:
        entry = self.plain(symbol, OrderSide.BUY, now, 12, limit_price=(ticks + 1) * _TICK)
        profit = self.plain(symbol, OrderSide.SELL, now, 12, limit_price=(ticks + 6) * _TICK)
        stop = self.plain(
            symbol, OrderSide.SELL, now, 12, order_type=OrderType.STOP, stop_price=(ticks - 5) * _TICK, reduce_only=True
        )
        self.simulator.submit_bracket(entry, profit, stop, timestamp=now)

    def _pair(self, symbol: str, ticks: int, now: int) -> None:
        oco = f"{self.name}.pair.{self.count}"
        for side, distance in ((OrderSide.BUY, -4), (OrderSide.SELL, 4)):
            limit = (ticks + distance) * _TICK
            order = self.plain(symbol, side, now, 8, limit_price=limit, oco_id=oco, post_only=True)
            self.simulator.submit_order(order, now)

    def _modify(self, now: int) -> None:
        pending = list(self.simulator.pending_orders.values())
        if not pending:
            return
        order = pending[len(pending) // 2]
        changes: dict[str, Decimal] = {"quantity": order.quantity + Decimal(self.count % 5 - 2)}
        if order.limit_price is not None and self.count % 2:
            changes["limit_price"] = order.limit_price + (_TICK if order.side is OrderSide.BUY else -_TICK)
        if changes["quantity"] > 0:
            self.simulator.modify_order(order.order_id, now, **changes)

    def _cancel(self, now: int) -> None:
        pending = list(self.simulator.pending_orders)
        if pending:
            self.simulator.cancel_order(pending[len(pending) // 3], now)

    def _refused(self, symbol: str, ticks: int, now: int) -> None:
        """Ask for what nobody gives."""
        simulator, buy, sell = self.simulator, OrderSide.BUY, OrderSide.SELL
        for order in (
            self.plain("NOWHERE", buy, now),
            self.plain(symbol, buy, now, limit_price=ticks * _TICK + Decimal("0.001")),
            self.plain(symbol, buy, now, quantity=Decimal("1.5")),
            self.plain(symbol, sell, now, order_id=f"{self.name}-1"),
            self.plain(symbol, buy, now, 1_000_000),
            self.plain(symbol, sell, now, 1_000_000, limit_price=(ticks + 3) * _TICK),
            self.plain(symbol, buy, now, time_in_force=TimeInForce.AT_OPEN),
            self.plain(symbol, sell, now, limit_price=(ticks - 20) * _TICK, post_only=True),
        ):
            simulator.submit_order(order, now)
        ended = next(iter(simulator.completed_orders), None)
        if ended is not None:
            simulator.cancel_order(ended, now)
            simulator.modify_order(ended, now, quantity=Decimal(99))


def _prices(
    kind: OrderType, side: OrderSide, names: tuple[str, ...], ticks: int, distance: int
) -> dict[str, Decimal | None]:
    """Return the prices a kind of order needs, `distance` ticks from `ticks` on the side where it waits."""
    away = distance if side is OrderSide.SELL else -distance
    trigger = away if kind in _TOUCHES else -away
    limit = away if kind is OrderType.LIMIT else trigger - (1 if side is OrderSide.SELL else -1)
    given = {
        "limit_price": (ticks + limit) * _TICK,
        "stop_price": (ticks + trigger) * _TICK,
        "trail_amount": distance * _TICK,
        "trail_percent": Decimal(distance) / 40,
        "limit_offset": 2 * _TICK,
    }
    return {name: given[name] for name in names}


def _quotes(seed: int, fill: Delay | None) -> ExecutionSimulator:
    """Quotes and prints on a margin account under the NORMAL profile; displayed sizes make fills partial."""
    latency = LATENCY_NORMAL if fill is None else LatencyConfig(submit=Constant(50 * _MS), fill=cast("Any", fill))
    symbols = ("ALFA", "BETA")
    simulator = ExecutionSimulator(
        initial_cash=Decimal(60_000),
        latency_config=latency,
        simulator_id="golden-quotes",
        seed=seed,
        instruments=[Instrument(symbol=symbol, tick_size=_TICK, lot_size=Decimal(1)) for symbol in symbols],
        venue_config=VenueConfig(
            account_type=AccountType.MARGIN,
            leverage=Decimal(4),
            slippage_bps=Decimal("1.5"),
            fees=FeeSchedule(per_share=Decimal("0.005"), minimum=Decimal("0.35")),
            participation=Decimal("0.5"),
        ),
    )
    captain = _Captain("Q", simulator)
    state, walks = 12, {"ALFA": 5_000, "BETA": 12_000}
    for step in range(140):
        now = _START + step * 40 * _MS
        symbol = symbols[step % 2]
        state, walks[symbol] = _walk(state, walks[symbol], 4)
        ticks = walks[symbol]
        sizes = Decimal(4 + state % 23), Decimal(3 + (state >> 4) % 29)
        simulator.process_quote(Quote(now, symbol, ticks * _TICK, (ticks + 1 + state % 2) * _TICK, *sizes))
        if step % 3 == 1:
            price = (ticks + state % 3 - 1) * _TICK
            simulator.process_trade(Trade(now + 7 * _MS, symbol, price, Decimal(6 + state % 31)))
        captain.act(step, symbol, ticks, now + 11 * _MS)
        if step == 66:
            simulator.disable_trading("watch", "fog", now + 12 * _MS)
        if step == 70:
            simulator.enable_trading("watch", "clear", now + 12 * _MS)
    return _harbour(simulator)


def _prices_only(seed: int, fill: Delay | None) -> ExecutionSimulator:
    """One price at a time on a cash account, with long-tailed and measured delays; a listener answers fills."""
    measured = Empirical.of(_MS * delay for delay in (18, 20, 21, 21, 23, 27, 35, 80, 260))
    latency = LatencyConfig(
        submit=Lognormal(median_ns=30 * _MS, sigma=0.6, least_ns=5 * _MS),
        ack=Constant(3 * _MS),
        fill=measured if fill is None else cast("Any", fill),
        cancel=Uniform(10 * _MS, 90 * _MS),
        modify=Lognormal(median_ns=25 * _MS, sigma=0.9),
    )
    symbols = ("CORA", "DELTA", "ECHO")
    simulator = ExecutionSimulator(
        initial_cash=Decimal(40_000),
        slippage_bps=Decimal(5),
        commission_per_share=Decimal("0.01"),
        latency_config=latency,
        simulator_id="golden-prices",
        seed=seed,
        instruments=[Instrument(symbol=symbol, tick_size=_TICK, lot_size=Decimal(1)) for symbol in symbols],
    )
    captain = _Captain("P", simulator)
    answer = _Captain("R", simulator)

    def protect(event: Event, order: Order | None) -> None:
        if type(event) is OrderExecution and order is not None and order.side is OrderSide.BUY:
            stop = answer.plain(order.symbol, OrderSide.SELL, event.reported_at, order_type=OrderType.TRAILING_STOP,
                                quantity=event.quantity, trail_percent=Decimal("0.4"))  # fmt: skip
            simulator.submit_order(stop, event.reported_at)

    simulator.add_listener(protect)
    state, walks = 99, {"CORA": 2_000, "DELTA": 4_500, "ECHO": 900}
    for step in range(90):
        now = _START + step * 60 * _MS
        for symbol in symbols:
            state, walks[symbol] = _walk(state, walks[symbol], 3)
        shown = symbols[: 1 + step % 3]
        simulator.process_market_data(now, {symbol: walks[symbol] * _TICK for symbol in shown})
        captain.act(step, symbols[step % 3], walks[symbols[step % 3]], now + 13 * _MS)
    return _harbour(simulator)


def _bars(seed: int, fill: Delay | None) -> ExecutionSimulator:
    """Half-hour bars of a market with sessions under the NORMAL profile, on a margin account."""
    latency = LATENCY_NORMAL if fill is None else LatencyConfig(submit=Constant(50 * _MS), fill=cast("Any", fill))
    calendar = WeeklyCalendar(zone="America/New_York", opens=time(9, 30), closes=time(16, 0))
    symbols = ("FOXT", "GOLF")
    simulator = ExecutionSimulator(
        initial_cash=Decimal(50_000),
        latency_config=latency,
        simulator_id="golden-bars",
        seed=seed,
        instruments=[
            Instrument(symbol=symbol, tick_size=_TICK, lot_size=Decimal(1), calendar=calendar) for symbol in symbols
        ],
        venue_config=VenueConfig(
            account_type=AccountType.MARGIN,
            leverage=Decimal(2),
            slippage_bps=Decimal(2),
            fees=FeeSchedule(bps=Decimal("0.5")),
            participation=Decimal("0.1"),
        ),
    )
    captain = _Captain("B", simulator)
    state, walks = 5, {"FOXT": 3_000, "GOLF": 7_000}
    half_hour = 1_800_000 * _MS
    for step in range(52):
        day, slot = divmod(step, 13)
        start = to_ns(datetime(2024, 3, 6, 14, 30, tzinfo=UTC)) + day * 48 * half_hour + slot * half_hour
        if day == 3:  # over the weekend, when the clocks in New York go forward
            start += 2 * 48 * half_hour - 2 * half_hour
        bars = []
        for symbol in symbols:
            points = [walks[symbol]]
            for _ in range(3):
                state, walks[symbol] = _walk(state, walks[symbol], 9)
                points.append(walks[symbol])
            first, high, low, last = (ticks * _TICK for ticks in (points[0], max(points), min(points), points[-1]))
            volume = Decimal(200 + state % 300)
            bars.append(Bar(start + half_hour, symbol, first, high, low, last, volume, start))
        captain.act(step, symbols[step % 2], walks[symbols[step % 2]], max(start, simulator.now) + 100 * _MS)
        simulator.process_bars(bars)
    return _harbour(simulator)


def _harbour(simulator: ExecutionSimulator) -> ExecutionSimulator:
    """Cancel what still works, also what answers the last fills, and wait until the last report is in."""
    for _ in range(3):
        for order_id in list(simulator.pending_orders):
            simulator.cancel_order(order_id, simulator.now + _MS)
        simulator.advance(simulator.now + 60_000 * _MS)
    return simulator


_VOYAGES: tuple[tuple[str, Callable[[int, Delay | None], ExecutionSimulator]], ...] = (
    ("quotes", _quotes),
    ("prices", _prices_only),
    ("bars", _bars),
)


def voyages(seed: int = SEED, fill: Delay | None = None) -> dict[str, ExecutionSimulator]:
    """Return the simulators after all they went through; `fill` replaces the delay of every fill report."""
    return {name: sail(seed, fill) for name, sail in _VOYAGES}


def log(seed: int = SEED, fill: Delay | None = None) -> bytes:
    """Return the event log of all voyages as JSON lines; after each, one line tells what the account holds."""
    lines = []
    for name, simulator in voyages(seed, fill).items():
        positions = ",".join(f'"{symbol}":"{held}"' for symbol, held in sorted(simulator.positions.items()))
        value = simulator.get_account_value()
        account = f'{{"voyage":"{name}","cash":"{simulator.cash}","value":"{value}","positions":{{{positions}}}}}\n'
        lines += [encode_events(list(simulator.events)), account.encode()]
    return b"".join(lines)


def main(arguments: list[str]) -> None:
    """Print the log, or write the golden files."""
    if arguments == ["--write"]:
        written = log()
        GOLDEN.write_bytes(written)
        DIGEST.write_text(f"{sha256(written).hexdigest()}  {GOLDEN.name}\n", encoding="ascii")
    else:
        sys.stdout.buffer.write(log(int(arguments[0]) if arguments else SEED))


if __name__ == "__main__":
    main(sys.argv[1:])
