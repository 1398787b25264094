"""A checkpoint of the first format, which every later version of seatrial must still be able to go on from.

    python tests/core/golden/checkpoint.py            print the log that the restored session ends with
    python tests/core/golden/checkpoint.py --write    take the checkpoint anew: checkpoint_v1.json and its .sha256

The file is written once per format. When the format changes, the old file stays, a step leads on from it, and a file
of the new format is added. Renew it only while its format has not been released.
"""

from __future__ import annotations

import sys
from datetime import time
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seatrial import (
    AccountType,
    Bar,
    CheckpointManager,
    Constant,
    DrawdownLimitRule,
    ExecutionSimulator,
    ExposureLimitRule,
    FeeSchedule,
    Instrument,
    LatencyConfig,
    Lognormal,
    Order,
    OrderSide,
    OrderType,
    PositionLimitRule,
    Quote,
    RiskConfig,
    TimeInForce,
    Uniform,
    VenueConfig,
)
from seatrial.contracts.calendar import WeeklyCalendar
from seatrial.contracts.events import Event, encode_events

__all__ = ["CHECKPOINT", "DIGEST", "finish", "main", "restored", "take"]

CHECKPOINT = Path(__file__).with_name("checkpoint_v1.json")
DIGEST = Path(__file__).with_name("checkpoint_v1.sha256")
ID = "golden-v1"

_MS = 1_000_000
_T0 = 1_704_898_799_000_000_000
"""2024-01-10T14:59:59Z, a Wednesday."""
_CENT = Decimal("0.01")
_BUY, _SELL = OrderSide.BUY, OrderSide.SELL


class _Stop(Exception):
    """Ends the voyage within a call, where the checkpoint is taken."""


def _order(order_id: str, side: OrderSide, kind: OrderType, quantity: int, now: int, **fields: Any) -> Order:
    fields.setdefault("symbol", "ALFA")
    return Order(order_id=order_id, side=side, order_type=kind, quantity=quantity, created_at=now, **fields)


def _opened() -> ExecutionSimulator:
    calendar = WeeklyCalendar(zone="America/New_York", opens=time(9, 30), closes=time(16))
    return ExecutionSimulator(
        initial_cash=Decimal("50000.00"),
        simulator_id=ID,
        seed=11,
        latency_config=LatencyConfig(
            submit=Constant(5 * _MS), ack=Uniform(0, 2 * _MS), fill=Lognormal(20 * _MS, 0.5), cancel=Constant(8 * _MS)
        ),
        instruments=[
            Instrument(symbol="ALFA", tick_size=_CENT, lot_size=Decimal(1), calendar=calendar),
            Instrument(symbol="BETA", tick_size=_CENT, multiplier=Decimal(10)),
        ],
        venue_config=VenueConfig(
            account_type=AccountType.MARGIN,
            leverage=Decimal(2),
            slippage_bps=Decimal("2.5"),
            fees=FeeSchedule(per_share=Decimal("0.005"), minimum=Decimal("0.35")),
            participation=Decimal("0.25"),
        ),
        risk_config=RiskConfig(
            position_limit=PositionLimitRule(max_shares=Decimal(200), max_value=Decimal(20_000)),
            exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(150)),
            drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal("0.05")),
        ),
    )


def _quote(simulator: ExecutionSimulator, now: int, bid: str, size: int = 30) -> None:
    price = Decimal(bid)
    simulator.process_quote(Quote(now, "ALFA", price, price + _CENT, Decimal(size), Decimal(size)))


def _bar(simulator: ExecutionSimulator, now: int, price: int) -> None:
    top, bottom, middle = Decimal(price + 1), Decimal(price - 1), Decimal(price)
    simulator.process_bar(Bar(now, "BETA", middle, top, bottom, middle, Decimal(400), start=now - _MS))


def take(folder: Path) -> Path:
    """Sail to a moment within a call, when much is under way; save the checkpoint, and return its path."""
    simulator = _opened()
    with CheckpointManager(folder) as manager:
        saved: list[Path] = []

        def keep(event: Event, order: Order | None) -> None:
            if type(event).__name__ == "OrderExecution" and len(simulator.completed_orders) == 2:
                saved.append(manager.save_checkpoint(manager.create_checkpoint(simulator)))
                raise _Stop

        simulator.add_listener(keep)
        try:
            _sail_out(simulator)
        except _Stop:
            return saved[0]
    raise AssertionError("the moment never came")


def _sail_out(simulator: ExecutionSimulator) -> None:
    now = _T0
    _quote(simulator, now, "100.00")
    _bar(simulator, now + _MS, 20)
    simulator.submit_order(_order("rest", _BUY, OrderType.LIMIT, 10, now, limit_price=Decimal("99.90")), now + 2 * _MS)
    entry = _order("entry", _BUY, OrderType.LIMIT, 40, now, limit_price=Decimal("100.05"))
    profit = _order("profit", _SELL, OrderType.LIMIT, 40, now, limit_price=Decimal("100.40"))
    guard = _order("guard", _SELL, OrderType.STOP, 40, now, stop_price=Decimal("99.50"), reduce_only=True)
    simulator.submit_bracket(entry, profit, guard, timestamp=now + 3 * _MS)
    trail = _order("trail", _SELL, OrderType.TRAILING_STOP, 20, now, trail_amount=Decimal("0.20"))
    simulator.submit_order(trail, now + 4 * _MS)
    simulator.submit_order(_order("beta", _BUY, OrderType.MARKET, 5, now, symbol="BETA"), now + 5 * _MS)
    for order_id, side in (("left", _BUY), ("right", _SELL)):
        price = Decimal("99.00") if side is _BUY else Decimal("101.00")
        pair = _order(order_id, side, OrderType.LIMIT, 7, now, limit_price=price, oco_id="pair",
                      time_in_force=TimeInForce.DAY, post_only=True, tags=("pair",), strategy_id="T")  # fmt: skip
        simulator.submit_order(pair, now + 6 * _MS)
    simulator.submit_order(_order("huge", _BUY, OrderType.MARKET, 5_000, now), now + 7 * _MS)
    simulator.submit_order(_order("close", _BUY, OrderType.MARKET_ON_CLOSE, 3, now), now + 8 * _MS)
    _quote(simulator, now + 40 * _MS, "100.02", 25)
    simulator.modify_order("rest", now + 41 * _MS, quantity=Decimal(12), limit_price=Decimal("99.95"))
    simulator.cancel_order("left", now + 42 * _MS)
    _quote(simulator, now + 60 * _MS, "100.10", 25)


def restored(manager: CheckpointManager) -> ExecutionSimulator:
    """Return the session of the checkpoint that `manager` finds."""
    return manager.restore_simulator(manager.load_checkpoint(ID))


def finish(simulator: ExecutionSimulator) -> bytes:
    """Go on to the end of the next day; return the whole log, and what the account then holds."""
    simulator.resume()
    now = simulator.now
    _quote(simulator, now + 50 * _MS, "100.45", 60)
    _quote(simulator, now + 90 * _MS, "100.15", 60)
    simulator.submit_order(_order("last", _SELL, OrderType.MARKET, 2, now), now + 95 * _MS)
    _quote(simulator, now + 120 * _MS, "97.00", 60)
    _bar(simulator, now + 130 * _MS, 20)
    _bar(simulator, now + 190 * _MS, 14)
    simulator.submit_order(_order("denied", _BUY, OrderType.MARKET, 30, now), now + 300 * _MS)
    simulator.advance(now + 2 * 86_400_000 * _MS)
    held = ",".join(f"{symbol} {units}" for symbol, units in sorted(simulator.positions.items()))
    account = f"cash {simulator.cash} value {simulator.get_account_value()} holds {held} {simulator.trading_state}\n"
    return encode_events(list(simulator.events)) + account.encode()


def main(arguments: list[str]) -> None:
    """Print the log, or write the golden files."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / ID / "latest.json"
        if arguments == ["--write"]:
            CHECKPOINT.write_bytes(take(Path(folder)).read_bytes())
        else:
            path.parent.mkdir()
            path.touch(0o600)
            path.write_bytes(CHECKPOINT.read_bytes())
        log = finish(restored(CheckpointManager(folder)))
    if arguments == ["--write"]:
        DIGEST.write_text(f"{sha256(log).hexdigest()}  {CHECKPOINT.name}\n", encoding="ascii")
    else:
        sys.stdout.buffer.write(log)


if __name__ == "__main__":
    main(sys.argv[1:])
