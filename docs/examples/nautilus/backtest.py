"""A NautilusTrader backtest whose orders take time, pass a rule, and survive a cut: run it from any folder."""

from __future__ import annotations

import random
import tempfile
from datetime import timedelta
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from seatrial import CheckpointManager, ExecutionCheckpoint, LatencyConfig, PositionLimitRule, RiskConfig
from seatrial_nautilus import Session, attach, snapshot

START, MS = 1_700_000_000_000_000_000, 1_000_000
SIM = Venue("SIM")
PAIR: Any = TestInstrumentProvider.default_fx_ccy("EUR/USD", SIM)
LATENCY = LatencyConfig(
    submission_latency=timedelta(milliseconds=50),
    fill_latency_min=timedelta(milliseconds=100),
    fill_latency_max=timedelta(milliseconds=200),
)
RISK = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(250_000)))


def quotes(count: int) -> list[Any]:
    """Return quotes every 20 ms."""
    dice, level, made = random.Random(1), 110_000, []
    for n in range(count):
        level += dice.randint(-4, 4)
        bid, ask = (PAIR.make_price(one / 100_000) for one in (level, level + 2))
        size, ts = PAIR.make_qty(1_000_000), START + n * 20 * MS
        made.append(QuoteTick(PAIR.id, bid, ask, size, size, ts, ts))
    return made


class Buyer(Strategy):
    """Buys 100,000 at every fiftieth quote, and says what it hears."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="BUYER-001"))

    def on_start(self) -> None:
        self.subscribe_quote_ticks(PAIR.id)

    def on_quote_tick(self, tick: Any) -> None:
        if (tick.ts_init - START) // (20 * MS) % 50 == 10:
            self.submit_order(self.order_factory.market(PAIR.id, OrderSide.BUY, PAIR.make_qty(100_000)))

    def on_order_filled(self, event: Any) -> None:
        matched, told = ((ts - START) / MS for ts in (event.ts_event, event.ts_init))
        print(f"{event.last_qty} at {event.last_px}: matched at {matched:.0f} ms, told at {told:.0f} ms")

    def on_order_denied(self, event: Any) -> None:
        print("denied:", event.reason)


def engine(resume_from: ExecutionCheckpoint | None = None) -> tuple[Any, Session]:
    """Return an engine with one venue. `attach` stands where `engine.add_venue` would."""
    made = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    session = attach(
        made,
        venue=SIM,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(1_000_000, USD)],
        base_currency=USD,
        latency_config=LATENCY,
        risk_config=RISK,
        seed=7,
        resume_from=resume_from,
    )
    made.add_instrument(PAIR)
    made.add_strategy(Buyer())
    return made, session


def main() -> None:
    """Run a first half, keep it in a file, and go on from there."""
    tape = quotes(150)
    with tempfile.TemporaryDirectory() as folder, CheckpointManager(folder) as manager:
        first, session = engine()
        first.add_data(tape[:66])
        first.run(streaming=True)
        manager.save_checkpoint(snapshot(session))
        print("cut with", len(session.gate.pending_orders), "order on its way")

        checkpoint = manager.load_checkpoint("sim")
        second, session = engine(resume_from=checkpoint)
        second.add_data(tape[66:])
        second.run(start=tape[65].ts_init)
    print("position", session.account.positions, "equity", session.account.equity)


if __name__ == "__main__":
    main()
