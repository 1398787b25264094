"""A node with a guard before a scripted account, run within the test: the test is the strategy's hand."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.config import LiveExecEngineConfig, LoggingConfig, StrategyConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderEvent, OrderInitialized
from nautilus_trader.model.identifiers import ClientOrderId, TraderId
from nautilus_trader.trading.strategy import Strategy
from tests.nautilus.rig.account import ACCOUNTS, AccountAtVenue, ScriptedConfig

from seatrial_nautilus.v1.guard.client import SeatrialGuard, live_guard
from seatrial_nautilus.v1.guard.factory import SeatrialGuardConfig, SeatrialGuardFactory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["Hand", "Voyage", "until", "voyage"]


async def until(holds: Callable[[], object], what: str = "") -> None:
    """Wait until something holds; fail after five seconds."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    message = f"never came: {what or holds}"
    raise AssertionError(message)


class Hand(Strategy):
    """Does what the test does with it, and writes down what it hears."""

    def __init__(self, name: str = "HAND-001") -> None:
        super().__init__(StrategyConfig(strategy_id=name, order_id_tag=name.rsplit("-", maxsplit=1)[-1]))
        self.heard: list[str] = []
        self.reasons: list[str] = []

    def on_event(self, event: Any) -> None:
        if isinstance(event, OrderEvent) and not isinstance(event, OrderInitialized):
            self.heard.append(type(event).__name__)
            if hasattr(event, "reason"):
                self.reasons.append(event.reason)


class Voyage:
    """One run of a node."""

    def __init__(self, node: Any, hand: Hand, at: AccountAtVenue, guard: SeatrialGuard) -> None:
        self.node = node
        self.hand = hand
        self.at = at
        self.guard = guard

    @property
    def cache(self) -> Any:
        return self.node.kernel.cache

    def quote(self, price: str) -> None:
        """Let the node see a quote."""
        ts = self.node.kernel.clock.timestamp_ns()
        made, size = self.at.instrument.make_price(price), self.at.instrument.make_qty(1_000_000)
        self.node.kernel.data_engine.process(QuoteTick(self.at.instrument.id, made, made, size, size, ts, ts))

    async def market(self, quantity: int, *, sell: bool = False, reduce_only: bool = False) -> Any:
        """Submit a market order and wait until it is answered."""
        side = OrderSide.SELL if sell else OrderSide.BUY
        size = self.at.instrument.make_qty(quantity)
        order = self.hand.order_factory.market(self.at.instrument.id, side, size, reduce_only=reduce_only)
        return await self.submit(order)

    async def limit(self, quantity: int, price: str, *, sell: bool = False) -> Any:
        """Submit a limit order and wait until it is answered."""
        side = OrderSide.SELL if sell else OrderSide.BUY
        size, at = self.at.instrument.make_qty(quantity), self.at.instrument.make_price(price)
        return await self.submit(self.hand.order_factory.limit(self.at.instrument.id, side, size, at))

    async def submit(self, order: Any) -> Any:
        """Submit an order and wait until it works, has ended, or was left without an answer."""
        silent = self.at.script[:1] in (["silent"], ["raise"])
        self.hand.submit_order(order)
        await until(
            lambda: order.is_open or order.is_closed or (silent and not self.at.script), f"an answer to {order!r}"
        )
        await asyncio.sleep(0.03)
        return order

    async def rest(self) -> None:
        """Let everything under way arrive."""
        await asyncio.sleep(0.05)

    def elsewhere(self, order_id: str, side: Any, quantity: str, price: str) -> None:
        """Let an order work that was sent from elsewhere, and let the client report it."""
        self.at.open_order(order_id, side, quantity, price)
        self.at.client._send_order_status_report(self.at.client.order_status(order_id))

    def fill_elsewhere(self, order_id: str, quantity: str, price: str) -> None:
        """Fill such an order, and let the client report it."""
        fill = self.at.match(order_id, Decimal(quantity), Decimal(price))
        self.at.client._send_fill_report(self.at.client.fill_report(fill))

    def order(self, order_id: str) -> Any:
        return self.cache.order(ClientOrderId(order_id))


@asynccontextmanager
async def voyage(
    at: AccountAtVenue,
    *,
    account_type: str = "MARGIN",
    price: str | None = "1.10000",
    early: Callable[[SeatrialGuard], None] | None = None,
    **settings: Any,
) -> AsyncIterator[Voyage]:
    """Run a node whose account `at` is guarded with `settings`, from its start to its stop; `early` comes before it."""
    ACCOUNTS["mine"] = at
    guarded = SeatrialGuardConfig(
        client=ScriptedConfig(account="mine", account_type=account_type),
        factory="tests.nautilus.rig.account:ScriptedFactory",
        simulator_id=settings.pop("simulator_id", "mine"),
        **settings,
    )
    config: Any = TradingNodeConfig(
        trader_id=TraderId("TESTER-001"),
        logging=LoggingConfig(log_level=os.environ.get("LEVEL", "OFF")),
        exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_startup_delay_secs=0),
        exec_clients={"REAL": guarded},
        timeout_connection=5.0,
        timeout_reconciliation=5.0,
        timeout_portfolio=5.0,
        timeout_disconnection=2.0,
        timeout_post_stop=0.05,
    )
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    hand = Hand()
    node.trader.add_strategy(hand)
    node.add_exec_client_factory("REAL", SeatrialGuardFactory)
    node.build()
    if early is not None:
        early(live_guard(guarded.simulator_id))
    running = asyncio.create_task(node.run_async())
    try:
        await until(lambda: node.trader.is_running or running.done(), "a running node")
        sail = Voyage(node, hand, at, live_guard(guarded.simulator_id))
        await until(lambda: at.client.is_connected)
        if price is not None:
            sail.quote(price)
            await sail.rest()
        yield sail
    finally:
        await node.stop_async()
        running.cancel()
        await asyncio.sleep(0)
