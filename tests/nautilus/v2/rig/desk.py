"""A live node of NautilusTrader 2.0 run within the test: the test is the strategy's hand, and makes the market."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from nautilus_trader.common import Environment, LoggerConfig, LogLevel
from nautilus_trader.config import DataClientConfig
from nautilus_trader.live import LiveExecutionEngineConfig, LiveNode, LiveNodeConfig
from nautilus_trader.live.clients import DataClientFactory, MarketDataClient
from nautilus_trader.model import (
    AccountId,
    AggressorSide,
    ClientOrderId,
    Price,
    Quantity,
    QuoteTick,
    StrategyId,
    TradeId,
    TraderId,
    TradeTick,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig
from tests.nautilus.v2.rig.live import PAIR, pair

from seatrial import LATENCY_INSTANT
from seatrial_nautilus.v2.feed import SeatrialFeed
from seatrial_nautilus.v2.live import SeatrialExecClientConfig, SeatrialLiveExecClientFactory, live_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["Desk", "desk", "until"]


async def until(holds: Callable[[], object], what: str = "") -> None:
    """Wait until something holds; fail after ten seconds."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    message = f"never came: {what or holds}"
    raise AssertionError(message)


class MarketConfig(DataClientConfig):
    pass


class Market(MarketDataClient):
    """Shows what the test says."""

    latest: Any = None

    async def _connect(self) -> None:
        self._handle_instrument(pair())
        Market.latest = self

    async def _disconnect(self) -> None:
        pass

    async def _subscribe_quotes(self, command: Any) -> None:
        pass

    async def _subscribe_trades(self, command: Any) -> None:
        pass

    async def _subscribe_bars(self, command: Any) -> None:
        pass

    async def _unsubscribe_quotes(self, command: Any) -> None:
        pass

    async def _unsubscribe_trades(self, command: Any) -> None:
        pass

    async def _unsubscribe_bars(self, command: Any) -> None:
        pass


class MarketFactory(DataClientFactory):
    @staticmethod
    def create(*, name: str, config: Any, cache: Any, clock: Any) -> Market:
        return Market(name=name, config=config, cache=cache, clock=clock, venue=Venue("SIM"))


class Hand(Strategy):
    """Does what the test does with it, and writes down what it hears."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.heard: list[tuple[str, str]] = []
        self.reasons: list[str] = []
        self.started = False

    def on_start(self) -> None:
        self.started = True

    def on_order_event(self, event: Any) -> None:
        self.heard.append((type(event).__name__, str(event.client_order_id)[-1:]))
        if getattr(event, "reason", None):
            self.reasons.append(event.reason)


class Desk:
    """One run of a node."""

    def __init__(self, hand: Hand, client: Any) -> None:
        self.hand = hand
        self.client = client

    async def quote(self, bid: str, ask: str | None = None, size: int = 1_000_000) -> None:
        """Show the node a quote, and let it go round."""
        market, units = Market.latest, Quantity.from_int(size)
        ts = market.clock.timestamp_ns()
        market._handle_data(QuoteTick(PAIR, Price.from_str(bid), Price.from_str(ask or bid), units, units, ts, ts))
        await asyncio.sleep(0.03)

    async def trade(self, price: str, size: int = 1_000_000) -> None:
        """Show the node a print, and let it go round."""
        market = Market.latest
        ts = market.clock.timestamp_ns()
        side, number = AggressorSide.SELL, TradeId(str(ts))
        market._handle_data(TradeTick(PAIR, Price.from_str(price), Quantity.from_int(size), side, number, ts, ts))
        await asyncio.sleep(0.03)

    async def submit(self, order: Any) -> str:
        """Submit an order, and return its id once everything about it has gone round."""
        self.hand.submit_order(order)
        await asyncio.sleep(0.1)
        return str(order.client_order_id)

    def status(self, order_id: str) -> str:
        """Return an order's status as the trader knows it."""
        name: str = self.hand.cache.order(ClientOrderId(order_id)).status.name
        return name

    def balance(self) -> str:
        """Return the account's balance as the trader knows it."""
        (balance,) = self.hand.cache.account(AccountId("SIM-001")).balances().values()
        return str(balance.total)


@asynccontextmanager
async def desk(*, feed: bool | dict[str, Any] = True, **settings: Any) -> AsyncIterator[Desk]:
    """Run a node from its start to its stop."""
    settings = {"latency": LATENCY_INSTANT, "simulator_id": "desk", **settings}
    client = SeatrialExecClientConfig(
        venue="SIM", starting_balances=["100_000 USD"], instrument_ids=[str(PAIR)], **settings
    )
    config = LiveNodeConfig(
        environment=Environment.SANDBOX,
        trader_id=TraderId("TESTER-001"),
        logging=LoggerConfig(stdout_level=getattr(LogLevel, os.environ.get("LEVEL", "ERROR"))),
        data_clients={"SIM": MarketConfig()},
        exec_clients={"SIM": client},
        delay_post_stop_secs=0.0,
        exec_engine=LiveExecutionEngineConfig(reconciliation=True, reconciliation_startup_delay_secs=0.0),
    )
    factories: Any = {"SIM": MarketFactory}, {"SIM": SeatrialLiveExecClientFactory}
    node = LiveNode.build("DESK", config, data_factories=factories[0], exec_factories=factories[1])
    hand = Hand(
        StrategyConfig(strategy_id=StrategyId("HAND-001"), order_id_tag="001", external_order_instrument_ids=[PAIR])
    )
    if feed:
        node.add_actor(SeatrialFeed(client, **({} if feed is True else feed)))
    node.add_strategy(hand)
    handle = node.handle()
    running = asyncio.ensure_future(node.run_async())
    try:
        await until(lambda: hand.started or running.done(), "a running node")
        yield Desk(hand, live_client(client.simulator_id))
    finally:
        handle.stop()
        await running
        node.dispose()
