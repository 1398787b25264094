"""Paper trading in a NautilusTrader node, without a network: `python paper.py SECONDS`, twice, and kill the first.

The data client makes up its quotes; put your own in its place.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
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

from seatrial import LATENCY_NORMAL, DrawdownLimitRule, RiskConfig
from seatrial_nautilus import SeatrialExecClientConfig, SeatrialLiveExecClientFactory

SIM = Venue("SIM")
PAIR: Any = TestInstrumentProvider.default_fx_ccy("EUR/USD", SIM)


class Quotes(LiveMarketDataClient):
    """Ten quotes a second, made up."""

    async def _connect(self) -> None:
        self._cache.add_instrument(PAIR)

    async def _disconnect(self) -> None:
        """Nothing is open."""

    async def _subscribe_quote_ticks(self, command: Any) -> None:
        self.create_task(self._quote(command.instrument_id))

    async def _quote(self, instrument_id: Any) -> None:
        size = PAIR.make_qty(1_000_000)
        for n in itertools.count():
            price = 1.1 + n % 7 * 0.0001
            ts = self._clock.timestamp_ns()
            bid, ask = PAIR.make_price(price), PAIR.make_price(price + 0.0001)
            self._handle_data(QuoteTick(instrument_id, bid, ask, size, size, ts, ts))
            await asyncio.sleep(0.1)


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
        """Return it."""
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


class Patient(Strategy):
    """Buys once, leaves a limit order below the market, and then only looks."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="PATIENT-001"))

    def on_start(self) -> None:
        self.subscribe_quote_ticks(PAIR.id)
        orders = self.cache.orders_open(strategy_id=self.id)
        positions = self.cache.positions_open(strategy_id=self.id)
        print("found", [str(one.signed_qty) for one in positions], [str(one.price) for one in orders], flush=True)
        if not orders and not positions:
            self.submit_order(self.order_factory.market(PAIR.id, OrderSide.BUY, PAIR.make_qty(10_000)))
            low = self.order_factory.limit(PAIR.id, OrderSide.BUY, PAIR.make_qty(5_000), PAIR.make_price(1.05))
            self.submit_order(low)

    def on_order_filled(self, event: Any) -> None:
        delay = (event.ts_init - event.ts_event) // 1_000_000
        print(f"filled {event.last_qty} at {event.last_px}, told after {delay} ms", flush=True)

    def on_order_accepted(self, event: Any) -> None:
        print("working", event.client_order_id, flush=True)


async def main(seconds: float) -> None:
    """Trade for a while."""
    venue = SeatrialExecClientConfig(
        venue="SIM",
        starting_balances=["100_000 USD"],
        base_currency="USD",
        default_leverage=Decimal(10),
        latency=LATENCY_NORMAL,
        risk=RiskConfig(drawdown_limit=DrawdownLimitRule(max_daily_drawdown_pct=Decimal(2))),
        simulator_id="paper",
        checkpoint_directory="checkpoints",
    )
    config = TradingNodeConfig(
        logging=LoggingConfig(log_level="ERROR"),
        exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_startup_delay_secs=0),
        data_clients={"SIM": LiveDataClientConfig()},
        exec_clients={"SIM": venue},
        timeout_post_stop=0.5,
    )
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    node.trader.add_strategy(Patient())
    node.add_data_client_factory("SIM", QuotesFactory)
    node.add_exec_client_factory("SIM", SeatrialLiveExecClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    await asyncio.sleep(seconds)
    await node.stop_async()
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
