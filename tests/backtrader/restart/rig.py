"""Runs that can be cut and gone on with: what they do at a bar follows from the seed and the bar alone.

python tests/backtrader/restart/rig.py SEED SETTING CHECKPOINT    go on from a checkpoint's file, and print what follows
"""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import backtrader

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.backtrader.parity import feeds

from seatrial import (
    LATENCY_NORMAL,
    CheckpointManager,
    DrawdownLimitRule,
    LatencyConfig,
    PositionLimitRule,
    RiskConfig,
)
from seatrial.contracts.events import encode_events
from seatrial_backtrader import SeatrialBroker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial import ExecutionCheckpoint

bt: Any = backtrader  # whose modules hide what they hold from a type checker

__all__ = ["CUTS", "SETTINGS", "Trader", "after", "follow", "sail"]

SLOW = LatencyConfig(
    submission_latency=timedelta(minutes=20),
    fill_latency_min=timedelta(minutes=30),
    fill_latency_max=timedelta(hours=3),
    cancel_latency=timedelta(minutes=50),
)
"""Slow beside bars of half an hour, so that orders, cancels and reports are under way at every cut."""
TIGHT = RiskConfig(
    position_limit=PositionLimitRule(max_shares=Decimal(25)),
    drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal("0.4")),
)
SETTINGS: Mapping[str, dict[str, Any]] = {
    "one ledger": {"risk_config": RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(30)))},
    "two ledgers": {"ledgers": 2},
    "normal": {"latency_config": LATENCY_NORMAL},
    "slow": {"latency_config": SLOW},
    "slow, with rules": {"latency_config": SLOW, "risk_config": TIGHT},
}
CUTS = 3
"""How many of a run's checkpoints are gone on from."""


class Trader(bt.Strategy):
    """Sends, cancels and deposits at random; writes down all that it is told and sees."""

    params = (("seed", 0), ("log", None))

    def __init__(self) -> None:
        self.average = bt.ind.SMA(self.data, period=5)
        self.bars = 0

    def save_state(self) -> dict[str, int]:
        return {"bars": self.bars}

    def load_state(self, state: dict[str, int]) -> None:
        self.bars = state["bars"]

    def note(self, *what: Any) -> None:
        newest = max(data.datetime[0] for data in self.datas if len(data))
        self.p.log.append((newest, repr(what)))

    def notify_order(self, order: Any) -> None:
        done = order.executed
        filled = (done.size, done.price, done.pnl, done.comm, len(done.exbits), done.p1, done.p2)
        self.note("order", order.ref, order.status, filled, order.active(), order.triggered, order.created.price)

    def notify_trade(self, trade: Any) -> None:
        self.note("trade", trade.ref, trade.size, trade.pnlcomm, trade.status, trade.barlen)

    def prenext(self) -> None:
        self.next()

    def next_open(self) -> None:
        self.act("open")

    def next(self) -> None:
        self.bars += 1
        broker = self.broker
        held = [(data._name, one.size, one.price) for data, one in broker.positions.items()]
        money = broker.getcash(), broker.getvalue(), broker.fundvalue, broker.get_leverage()
        self.note("bar", self.bars, held, money, [order.ref for order in broker.get_orders_open()])
        self.act("close")

    def act(self, when: str) -> None:
        rng = random.Random(f"{self.p.seed} {when} {len(self)} {len(self.data)}")
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            data = rng.choice([data for data in self.datas if len(data)])
            rng.choice(_ACTS)(self, rng, data, data.close[0])
        if rng.random() < 0.05:
            self.broker.add_cash(50.0)


def _simple(trader: Any, rng: random.Random, data: Any, price: float) -> None:
    kind = rng.choice(("Market", "Close", "Limit", "Stop", "StopLimit", "StopTrail", "StopTrailLimit"))
    terms: dict[str, Any] = {"valid": rng.choice((None, None, timedelta(hours=4)))}
    if kind not in {"Market", "Close", "StopTrail"}:
        terms["price"] = round(price * (1 + rng.choice((-0.01, -0.004, 0.004, 0.01))), 2)
    if kind in {"StopLimit", "StopTrailLimit"}:
        terms["plimit"] = round(terms["price"] * 1.001, 2)
    if kind in {"StopTrail", "StopTrailLimit"}:
        terms["trailpercent"] = 0.004
    side = rng.choice((trader.buy, trader.sell))
    side(data=data, size=rng.randint(1, 9), exectype=getattr(bt.Order, kind), **terms)


def _bracket(trader: Any, _rng: random.Random, data: Any, price: float) -> None:
    near, far, stop = round(price * 0.999, 2), round(price * 1.006, 2), round(price * 0.994, 2)
    trader.buy_bracket(data=data, size=3, price=near, limitprice=far, stopprice=stop)


def _either(trader: Any, _rng: random.Random, data: Any, price: float) -> None:
    first = trader.buy(data=data, size=2, exectype=bt.Order.Limit, price=round(price * 0.997, 2))
    trader.sell(data=data, size=2, exectype=bt.Order.Limit, price=round(price * 1.003, 2), oco=first)


def _cancel(trader: Any, rng: random.Random, _data: Any, _price: float) -> None:
    found = trader.broker.get_orders_open()
    if found:
        trader.cancel(rng.choice(found))


def _close(trader: Any, _rng: random.Random, data: Any, _price: float) -> None:
    trader.close(data=data)


_ACTS = (_simple, _simple, _simple, _bracket, _either, _cancel, _cancel, _close)


def sail(seed: int, setting: str, **more: Any) -> tuple[list[tuple[float, str]], Any]:
    """Run a seed's feeds and strategies under a setting; return what was noted, and the broker."""
    rng = random.Random(seed)
    vectorised = rng.random() < 0.5
    at_open = rng.random() < 0.2
    cerebro = bt.Cerebro(stdstats=False, runonce=vectorised, preload=vectorised or rng.random() < 0.5)
    cerebro.p.cheat_on_open = at_open
    broker: Any = SeatrialBroker(cash=20_000.0, simulator_id="restart", seed=seed, **SETTINGS[setting], **more)
    cerebro.broker = broker
    broker.setcommission(commission=rng.choice((0.0, 0.001)), mult=rng.choice((1.0, 1.0, 5.0)), interest=0.03)
    broker.set_filler(rng.choice((None, None, bt.fillers.FixedSize(size=3))))
    broker.set_checksubmit(rng.random() < 0.8)
    if rng.random() < 0.3:
        broker.set_slippage_perc(0.0005)
    if not vectorised and rng.random() < 0.3:
        cerebro.adddata(feeds.live(seed), name="live")
    else:
        cerebro.adddata(feeds.intraday(seed), name="first")
        if rng.random() < 0.6:
            cerebro.adddata(feeds.intraday(seed + 0.5, 30, 90), name="second")
    log: list[tuple[float, str]] = []
    for number in range(rng.choice((1, 1, 2))):
        cerebro.addstrategy(Trader, seed=seed * 2 + number, log=log)
    cerebro.run()
    return log, broker


def after(log: list[tuple[float, str]], checkpoint: ExecutionCheckpoint) -> list[str]:
    """Return what was noted after the bar at which a checkpoint was taken."""
    moment = checkpoint.timestamp / 86_400_000_000_000 + 719_163
    return [what for when, what in log if when > moment + 1e-9]


def follow(log: list[tuple[float, str]], broker: Any, checkpoint: ExecutionCheckpoint) -> str:
    """Return everything that came after a checkpoint, and the whole log of events, as text."""
    return "\n".join([*after(log, checkpoint), encode_events(list(broker.events)).decode()])


def main(seed: str, setting: str, path: str) -> None:
    """Go on from a checkpoint's file, and print what follows."""
    with CheckpointManager(Path(path).parent.parent) as manager:
        checkpoint = manager.load_checkpoint(Path(path))
    log, broker = sail(int(seed), setting, resume=checkpoint)
    sys.stdout.write(follow(log, broker, checkpoint))


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
