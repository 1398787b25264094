"""Limits in front of an account, in a NautilusTrader node without a network: `python guarded.py`, twice.

The account is one of seatrial's own paper venues; put your venue's configuration and factory in its place, and your
data client in that of the made-up quotes.
"""

from __future__ import annotations

import asyncio
import itertools
from decimal import Decimal
from typing import Any

from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import (
    LiveDataClientConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.live.factories import LiveDataClientFactory
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientId, Venue
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from seatrial import LATENCY_INSTANT, DrawdownLimitRule, PositionLimitRule, RiskAction, RiskConfig, TradingState
from seatrial_nautilus import SeatrialExecClientConfig, SeatrialGuardConfig, SeatrialGuardFactory, live_guard

SIM = Venue("SIM")
PAIR: Any = TestInstrumentProvider.default_fx_ccy("EUR/USD", SIM)


class Quotes(LiveMarketDataClient):
    """Twenty quotes a second; after fifteen the market falls by a tenth."""

    async def _connect(self) -> None:
        self._cache.add_instrument(PAIR)

    async def _disconnect(self) -> None:
        """Nothing is open."""

    async def _subscribe_quote_ticks(self, command: Any) -> None:
        self.create_task(self._quote(command.instrument_id))

    async def _quote(self, instrument_id: Any) -> None:
        size = PAIR.make_qty(1_000_000)
        for n in itertools.count():
            ts = self._clock.timestamp_ns()
            price = 1.1 if n < 15 else 0.99
            bid, ask = PAIR.make_price(price), PAIR.make_price(price + 0.0001)
            self._handle_data(QuoteTick(instrument_id, bid, ask, size, size, ts, ts))
            await asyncio.sleep(0.05)


class QuotesFactory(LiveDataClientFactory):
    """Makes the data client."""

    @staticmethod
    def create(  # noqa: PLR0917 - the engine's signature
        loop: Any,
        name: str,
        config: Any,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> Quotes:
        return Quotes(
            loop=loop,
            client_id=ClientId(name),
            venue=SIM,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=InstrumentProvider(),
            config=config,
        )


class Eager(Strategy):
    """Buys again and again, as long as it is let."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="EAGER-001"))
        self.seen = 0
        self.halted = asyncio.Event()

    def on_start(self) -> None:
        self.subscribe_quote_ticks(PAIR.id)

    def on_quote_tick(self, tick: Any) -> None:  # noqa: ARG002 - the engine's signature
        self.seen += 1
        if self.seen % 8 == 4:
            self.submit_order(self.order_factory.market(PAIR.id, OrderSide.BUY, PAIR.make_qty(40_000)))

    def on_order_filled(self, event: Any) -> None:
        print("bought" if event.order_side == OrderSide.BUY else "sold", event.last_qty, flush=True)

    def on_order_denied(self, event: Any) -> None:
        print("denied:", event.reason, flush=True)
        if live_guard("live-001").gate.trading_state is TradingState.HALTED:
            self.halted.set()


async def main() -> None:
    """Trade until trading is halted."""
    guarded = SeatrialGuardConfig(
        client=SeatrialExecClientConfig(
            venue="SIM",
            starting_balances=["100_000 USD"],
            base_currency="USD",
            default_leverage=Decimal(10),
            latency=LATENCY_INSTANT,
            checkpoint_directory="venue",
        ),
        factory="seatrial_nautilus:SeatrialLiveExecClientFactory",
        risk=RiskConfig(
            position_limit=PositionLimitRule(max_shares=Decimal(60_000)),
            drawdown_limit=DrawdownLimitRule(max_total_drawdown_pct=Decimal(3), action=RiskAction.FLATTEN),
        ),
        simulator_id="live-001",
        checkpoint_directory="guard",
    )
    config = TradingNodeConfig(
        logging=LoggingConfig(log_level="ERROR"),
        exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_startup_delay_secs=0),
        data_clients={"SIM": LiveDataClientConfig()},
        exec_clients={"SIM": guarded},
        timeout_post_stop=0.5,
    )
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    eager = Eager()
    node.trader.add_strategy(eager)
    node.add_data_client_factory("SIM", QuotesFactory)
    node.add_exec_client_factory("SIM", SeatrialGuardFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    await eager.halted.wait()
    print("trading is", live_guard("live-001").gate.trading_state, flush=True)
    await node.stop_async()
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main())
