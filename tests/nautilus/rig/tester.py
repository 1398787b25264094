"""NautilusTrader's own acceptance strategy against the paper client, in a live node: one tester for each way to trade.

Prints, as JSON, what each tester's orders came to, and what is left when the node has stopped.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from nautilus_trader.config import (  # noqa: E402
    LiveDataClientConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.factories import LiveDataClientFactory  # noqa: E402
from nautilus_trader.live.node import TradingNode  # noqa: E402
from nautilus_trader.model.data import QuoteTick  # noqa: E402
from nautilus_trader.model.enums import OrderType, TimeInForce, TriggerType  # noqa: E402
from nautilus_trader.model.identifiers import TraderId  # noqa: E402
from nautilus_trader.test_kit.strategies.tester_exec import ExecTester, ExecTesterConfig  # noqa: E402
from tests.nautilus.rig.live import Feed  # noqa: E402
from tests.nautilus.rig.market import PAIR  # noqa: E402

from seatrial import LATENCY_FAST  # noqa: E402
from seatrial_nautilus import SeatrialExecClientConfig, SeatrialLiveExecClientFactory  # noqa: E402

# 1.231 has other names for two of the settings
_LIMITS = "enable_limit_" if "enable_limit_buys" in ExecTesterConfig.__struct_fields__ else "enable_"
NEITHER = {f"{_LIMITS}buys": False, f"{_LIMITS}sells": False}
STOPS = {**NEITHER, "enable_stop_buys": True, "enable_stop_sells": True, "stop_trigger_type": TriggerType.BID_ASK}
TESTERS: dict[str, dict[str, Any]] = {
    "market": {**NEITHER, "open_position_on_start_qty": Decimal(10_000)},
    "short": {**NEITHER, "open_position_on_start_qty": Decimal(-10_000)},
    "ioc": {**NEITHER, "open_position_on_start_qty": Decimal(10_000), "open_position_time_in_force": TimeInForce.IOC},
    "limits": {},
    "post-only": {"use_post_only": True},
    "refused": {"test_reject_post_only": True, "use_post_only": True},
    "modified": {"modify_orders_to_maintain_tob_offset": True, "tob_offset_ticks": 5},
    "replaced": {"cancel_replace_orders_to_maintain_tob_offset": True, "tob_offset_ticks": 5},
    "stops": STOPS,
    "stop-limits": {**STOPS, "stop_order_type": OrderType.STOP_LIMIT, "stop_limit_offset_ticks": 10},
    "touched": {**STOPS, "stop_order_type": OrderType.MARKET_IF_TOUCHED},
    "brackets": {"enable_brackets": True},
    "one-by-one": {"use_individual_cancels_on_stop": True},
    "batch": {"use_batch_cancel_on_stop": True},
}


class MovingFeed(Feed):
    """Quotes that climb and fall by ten ticks."""

    async def _quote(self, instrument_id: Any) -> None:
        size, n = PAIR.make_qty(1_000_000), 0
        while True:
            n += 1
            price = 1.1 + abs(n % 20 - 10) / 100_000
            ts = self._clock.timestamp_ns()
            bid, ask = PAIR.make_price(price), PAIR.make_price(price + 0.0001)
            self._handle_data(QuoteTick(instrument_id, bid, ask, size, size, ts, ts))
            await asyncio.sleep(0.05)


class MovingFeedFactory(LiveDataClientFactory):
    @staticmethod
    def create(loop: Any, name: str, config: Any, msgbus: Any, cache: Any, clock: Any) -> Feed:
        return MovingFeed(loop, msgbus, cache, clock)


async def sail() -> None:
    """Let every tester trade for three seconds, then stop the node, which makes them tidy up."""
    client = SeatrialExecClientConfig(
        venue="SIM",
        starting_balances=["100_000_000 USD"],
        base_currency="USD",
        default_leverage=Decimal(10),
        latency=LATENCY_FAST,
    )
    config = TradingNodeConfig(
        trader_id=TraderId("TESTER-001"),
        logging=LoggingConfig(log_level="ERROR", log_colors=False),
        exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_startup_delay_secs=0),
        risk_engine=LiveRiskEngineConfig(bypass=True),
        data_clients={"SIM": LiveDataClientConfig()},
        exec_clients={"SIM": client},
        timeout_post_stop=2.0,
    )
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    for n, (name, settings) in enumerate(TESTERS.items()):
        common = {"instrument_id": PAIR.id, "order_qty": Decimal(1_000), "log_data": False, "subscribe_trades": False}
        tester = ExecTesterConfig(strategy_id=name, order_id_tag=f"{n:03d}", **common, **settings)
        node.trader.add_strategy(ExecTester(tester))
    node.add_data_client_factory("SIM", MovingFeedFactory)
    node.add_exec_client_factory("SIM", SeatrialLiveExecClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    await asyncio.sleep(4)
    cache = node.cache
    midway = {
        one.id.value: sorted(order.status_string() for order in cache.orders(strategy_id=one.id))
        for one in node.trader.strategies()
    }
    await node.stop_async()
    found = {}
    for strategy in node.trader.strategies():
        orders = cache.orders(strategy_id=strategy.id)
        found[strategy.id.value] = {
            "midway": midway[strategy.id.value],
            "orders": sorted(order.status_string() for order in orders),
            "updates": sum(type(event).__name__ == "OrderUpdated" for order in orders for event in order.events),
            "left": len(cache.orders_open(strategy_id=strategy.id)),
            "position": str(sum(one.signed_decimal_qty() for one in cache.positions_open(strategy_id=strategy.id))),
        }
    print(json.dumps(found), flush=True)  # noqa: T201
    running.cancel()


if __name__ == "__main__":
    asyncio.run(sail())
    os._exit(0)
