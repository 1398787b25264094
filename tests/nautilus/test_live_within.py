"""Live paper trading with nodes that run within the test: what is in a checkpoint, and what comes back from it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.config import LiveDataClientConfig, LiveExecEngineConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide, TriggerType
from nautilus_trader.model.identifiers import TraderId

from seatrial import CheckpointManager, Constant, LatencyConfig
from seatrial_nautilus.v1.checkpoint import EngineState
from seatrial_nautilus.v1.live import SeatrialExecClientConfig, SeatrialLiveExecClientFactory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.nautilus.rig.guarded import Hand, until
from tests.nautilus.rig.live import FeedFactory
from tests.nautilus.rig.market import PAIR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class _Witness(Hand):
    """Reads the newest checkpoint with each event it hears."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[tuple[str, list[str]]] = []

    def on_event(self, event: Any) -> None:
        if type(event).__name__ in {"OrderEmulated", "OrderCanceled"}:
            self.stored.append((type(event).__name__, _stored(self.folder)))


def _stored(folder: Path) -> list[str]:
    """Return what the trader's orders heard last, by the newest checkpoint."""
    manager = CheckpointManager(folder)
    if not manager.list_checkpoints("paper"):
        return []
    engine = msgspec.json.decode(manager.load_checkpoint("paper").engine, type=EngineState)
    return [order.events[-1]["type"] for order in engine.trader.orders]


@asynccontextmanager
async def _node(folder: Path, *hands: Hand) -> AsyncIterator[Any]:
    """Run a node with strategies from its start to its stop."""
    client = SeatrialExecClientConfig(
        venue="SIM",
        starting_balances=["1_000_000 USD"],
        latency=LatencyConfig(fill=Constant(1_000_000)),
        checkpoint_directory=str(folder),
    )
    config: Any = TradingNodeConfig(
        trader_id=TraderId("TESTER-001"),
        logging=LoggingConfig(log_level="OFF"),
        exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_startup_delay_secs=0),
        data_clients={"SIM": LiveDataClientConfig()},
        exec_clients={"SIM": client},
        timeout_post_stop=0.05,
    )
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    for hand in hands:
        node.trader.add_strategy(hand)
    node.add_data_client_factory("SIM", FeedFactory)
    node.add_exec_client_factory("SIM", SeatrialLiveExecClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        await until(lambda: node.trader.is_running or running.done(), "a running node")
        assert node.trader.is_running
        yield node
    finally:
        await node.stop_async()
        running.cancel()
        await asyncio.sleep(0)


def test_an_emulated_order_and_its_end_outlast_a_kill(tmp_path: Path) -> None:
    """No message of the venue's tells of either; without it a cancelled order would come back, and trade."""

    async def run() -> list[tuple[str, list[str]]]:
        hand = _Witness()
        hand.folder = tmp_path
        async with _node(tmp_path, hand):
            size, price = PAIR.make_qty(1_000), PAIR.make_price(1.05)
            order = hand.order_factory.limit(PAIR.id, OrderSide.BUY, size, price, emulation_trigger=TriggerType.BID_ASK)
            hand.submit_order(order)
            await until(lambda: hand.stored, "an emulated order")
            hand.cancel_order(order)
            await until(lambda: order.is_closed and len(hand.stored) > 1, "its end")
            return hand.stored

    assert asyncio.run(run()) == [("OrderEmulated", ["OrderEmulated"]), ("OrderCanceled", ["OrderCanceled"])]


def test_strategies_whose_positions_lie_against_each_other_come_back(tmp_path: Path) -> None:
    """One sells more than the other has bought: what their fills come to together is nobody's average price."""

    async def trade(hand: Hand, side: Any, size: int) -> None:
        order = hand.order_factory.market(PAIR.id, side, PAIR.make_qty(size))
        hand.submit_order(order)
        await until(lambda: order.is_closed, "a fill")

    def held(node: Any) -> list[str]:
        return sorted(f"{one.id} {one.signed_qty} {one.avg_px_open}" for one in node.cache.positions_open())

    async def run() -> tuple[list[str], list[str]]:
        one, other = Hand("ONE-001"), Hand("OTHER-002")
        async with _node(tmp_path, one, other) as node:
            one.subscribe_quote_ticks(PAIR.id)
            await until(lambda: node.cache.quote_tick(PAIR.id), "a quote")
            await trade(one, OrderSide.BUY, 10_000)
            await trade(one, OrderSide.SELL, 10_000)
            await trade(one, OrderSide.BUY, 70_000)
            await trade(one, OrderSide.SELL, 10_000)
            await trade(other, OrderSide.SELL, 40_000)
            await trade(other, OrderSide.SELL, 30_000)
            before = held(node)
        async with _node(tmp_path, Hand("ONE-001"), Hand("OTHER-002")) as node:
            return before, held(node)

    before, after = asyncio.run(run())
    assert before == after
    assert len(before) == 2
