"""A live node without a network: a data client that makes its own quotes, two strategies, and the paper venue.

`live.py first FOLDER` trades until a position, a resting limit, a bracket and a command under way are all there, prints
what its strategies know and how many ms a cancel takes, and kills itself. `second FOLDER MS` is another process that
finds them, waits until the command has arrived, ends everything, and prints.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any

BEGAN = monotonic()

warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from nautilus_trader.common.providers import InstrumentProvider  # noqa: E402
from nautilus_trader.config import (  # noqa: E402
    LiveDataClientConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.data_client import LiveMarketDataClient  # noqa: E402
from nautilus_trader.live.factories import LiveDataClientFactory  # noqa: E402
from nautilus_trader.live.node import TradingNode  # noqa: E402
from nautilus_trader.model.data import QuoteTick  # noqa: E402
from nautilus_trader.model.enums import OrderSide  # noqa: E402
from nautilus_trader.model.events import OrderEvent, OrderFilled, OrderInitialized  # noqa: E402
from nautilus_trader.model.identifiers import ClientId, TraderId  # noqa: E402
from nautilus_trader.trading.strategy import Strategy  # noqa: E402
from tests.nautilus.rig.market import MS, PAIR, SIM  # noqa: E402

from seatrial import Constant, LatencyConfig  # noqa: E402
from seatrial_nautilus.v1.live import SeatrialExecClientConfig, SeatrialLiveExecClientFactory  # noqa: E402

LEGS: dict[str, Any] = {"submit": Constant(30 * MS), "ack": Constant(5 * MS), "fill": Constant(10 * MS)}
STARTS = 3
"""How many starts of a process a cancel outlasts, so that the second process is there before it arrives."""


class Feed(LiveMarketDataClient):
    """Quotes every 10 ms, always the same."""

    def __init__(self, loop: Any, msgbus: Any, cache: Any, clock: Any) -> None:
        super().__init__(
            loop=loop,
            client_id=ClientId("SIM"),
            venue=SIM,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=InstrumentProvider(),
        )

    async def _connect(self) -> None:
        self._cache.add_instrument(PAIR)

    async def _disconnect(self) -> None:
        pass

    async def _subscribe_quote_ticks(self, command: Any) -> None:
        self.create_task(self._quote(command.instrument_id))

    async def _unsubscribe_quote_ticks(self, command: Any) -> None:
        pass

    async def _quote(self, instrument_id: Any) -> None:
        size = PAIR.make_qty(1_000_000)
        while True:
            ts = self._clock.timestamp_ns()
            self._handle_data(
                QuoteTick(instrument_id, PAIR.make_price(1.1), PAIR.make_price(1.1001), size, size, ts, ts)
            )
            await asyncio.sleep(0.01)


class FeedFactory(LiveDataClientFactory):
    @staticmethod
    def create(loop: Any, name: str, config: Any, msgbus: Any, cache: Any, clock: Any) -> Feed:
        return Feed(loop, msgbus, cache, clock)


class Trader(Strategy):
    """Buys at the market, leaves a limit and, where it is the second, a bracket, and asks to cancel the limit."""

    def __init__(self, name: str, *, begins: bool) -> None:
        super().__init__(StrategyConfig(strategy_id=name, order_id_tag=name.rsplit("-", maxsplit=1)[-1]))
        self.begins = begins
        self.quotes = 0
        self.heard: list[str] = []
        self.found: dict[str, Any] = {}
        self.ended = False

    def on_start(self) -> None:
        self.found = self.known()
        self.subscribe_quote_ticks(PAIR.id)

    def known(self) -> dict[str, Any]:
        """Return what this strategy knows of its orders, its position and the account."""
        orders = self.cache.orders(strategy_id=self.id)
        positions = self.cache.positions(strategy_id=self.id)
        return {
            "orders": sorted([one.client_order_id.value, one.status_string(), str(one.filled_qty)] for one in orders),
            "positions": sorted([one.id.value, str(one.signed_qty), str(one.avg_px_open)] for one in positions),
            "realized": sorted(str(one.realized_pnl) for one in positions),
            "balance": str(self.portfolio.account(SIM).balance_total()),
        }

    def on_quote_tick(self, tick: Any) -> None:
        self.quotes += 1
        if not self.begins:
            self.end()
            return
        factory, size = self.order_factory, PAIR.make_qty(10_000 if self.id.value.endswith("1") else 20_000)
        if self.quotes == 3:
            self.submit_order(factory.market(PAIR.id, OrderSide.BUY, size))
        elif self.quotes == 4:
            self.limit = factory.limit(PAIR.id, OrderSide.BUY, size, PAIR.make_price(1.05))
            self.submit_order(self.limit)
            prices = {"sl_trigger_price": PAIR.make_price(1.0), "tp_price": PAIR.make_price(1.2)}
            self.submit_order_list(factory.bracket(PAIR.id, OrderSide.BUY, size, **prices))
            self.submit_order(factory.market(PAIR.id, OrderSide.SELL, PAIR.make_qty(1_000)))
        elif self.quotes == 25:
            self.cancel_order(self.limit)

    def end(self) -> None:
        """Once the cancel of the first process has come through, close the position and cancel what is left."""
        if self.ended or "OrderCanceled 2" not in self.heard:
            return
        self.ended = True
        for position in self.cache.positions_open(strategy_id=self.id):
            self.close_position(position)
        self.cancel_all_orders(PAIR.id)

    @property
    def done(self) -> bool:
        """Whether nothing is left to wait for."""
        if self.begins:
            return self.quotes >= 40
        left = self.cache.orders_open(strategy_id=self.id) or self.cache.positions_open(strategy_id=self.id)
        return self.ended and not left

    def on_event(self, event: Any) -> None:
        if isinstance(event, OrderEvent) and not isinstance(event, OrderInitialized):
            told = f" {event.last_qty}@{event.last_px}" if isinstance(event, OrderFilled) else ""
            self.heard.append(f"{type(event).__name__} {event.client_order_id.value.rsplit('-', 1)[-1]}{told}")


async def sail(step: str, folder: str, cancel_ms: int) -> None:
    """Run the node for one step."""
    client = SeatrialExecClientConfig(
        venue="SIM",
        starting_balances=["1_000_000 USD"],
        base_currency="USD",
        default_leverage=Decimal(10),
        latency=LatencyConfig(**LEGS, cancel=Constant(cancel_ms * MS)),
        checkpoint_directory=folder,
    )
    config = TradingNodeConfig(
        trader_id=TraderId("TESTER-001"),
        logging=LoggingConfig(log_level=os.environ.get("LEVEL", "ERROR"), log_colors=False),
        exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_startup_delay_secs=0),
        data_clients={"SIM": LiveDataClientConfig()},
        exec_clients={"SIM": client},
        timeout_connection=10.0,
        timeout_reconciliation=10.0,
        timeout_post_stop=0.2,
    )
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    traders = [Trader(name, begins=step != "second") for name in ("ALPHA-001", "BETA-002")]
    for trader in traders:
        node.trader.add_strategy(trader)
    node.add_data_client_factory("SIM", FeedFactory)
    node.add_exec_client_factory("SIM", SeatrialLiveExecClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    while not running.done() and not all(trader.done for trader in traders):  # noqa: ASYNC110 - the node runs by itself
        await asyncio.sleep(0.01)
    found: dict[str, Any] = {
        trader.id.value: {"start": trader.found, "end": trader.known(), "heard": trader.heard} for trader in traders
    }
    found["cancel_ms"] = cancel_ms
    print(json.dumps(found), flush=True)  # noqa: T201
    if step == "first":
        os.kill(os.getpid(), signal.SIGKILL)
    await node.stop_async()
    running.cancel()


if __name__ == "__main__":
    took_ms = round(max(1.0, monotonic() - BEGAN) * 1_000)  # to start
    asyncio.run(sail(sys.argv[1], sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else STARTS * took_ms))
    os._exit(0)
