"""A live node of NautilusTrader 2.0 without a network: a data client that makes its own quotes, a strategy, the venue.

`live.py first FOLDER` trades until a position, a resting limit, and a cancel and an order under way are all there,
prints what its strategy knows, and kills itself. `second FOLDER` is another process that finds them, waits until what
was under way has arrived, ends everything, and prints. `alone FOLDER` sends a bracket,
an order that the venue has no word for, and one that it changes; cancels all of them, and stops in order.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from decimal import Decimal
from typing import Any, Self

from nautilus_trader.common import Environment, LoggerConfig, LogLevel
from nautilus_trader.config import DataClientConfig
from nautilus_trader.live import LiveExecutionEngineConfig, LiveNode, LiveNodeConfig
from nautilus_trader.live.clients import DataClientFactory, MarketDataClient
from nautilus_trader.model import (
    AccountId,
    Currency,
    CurrencyPair,
    InstrumentId,
    OrderSide,
    Price,
    Quantity,
    QuoteTick,
    StrategyId,
    Symbol,
    TraderId,
    Venue,
)
from nautilus_trader.trading import Strategy, StrategyConfig

from seatrial import AccountType, Constant, FeeSchedule, LatencyConfig, PositionLimitRule, RiskConfig, VenueConfig
from seatrial_nautilus.v2.feed import SeatrialFeed
from seatrial_nautilus.v2.live import SeatrialExecClientConfig, SeatrialLiveExecClientFactory

MS = 1_000_000
PAIR = InstrumentId.from_str("EUR/USD.SIM")
SUBMIT, ACK, FILL, SLOW = 30 * MS, 5 * MS, 10 * MS, 3_000 * MS
LEGS = LatencyConfig(submit=Constant(SUBMIT), ack=Constant(ACK), fill=Constant(FILL), cancel=Constant(SLOW))


def pair() -> Any:
    """Return the one instrument."""
    return CurrencyPair(
        instrument_id=PAIR,
        raw_symbol=Symbol("EUR/USD"),
        base_currency=Currency.from_str("EUR"),
        quote_currency=Currency.from_str("USD"),
        price_precision=5,
        size_precision=0,
        price_increment=Price.from_str("0.00001"),
        size_increment=Quantity.from_str("1"),
        ts_event=0,
        ts_init=0,
        margin_init=Decimal("0.03"),
        margin_maint=Decimal("0.03"),
    )


class FeedConfig(DataClientConfig):
    pass


class Feed(MarketDataClient):
    """Quotes every 10 ms, always the same."""

    async def _connect(self) -> None:
        self._handle_instrument(pair())
        self.quoting = False

    async def _disconnect(self) -> None:
        self.quoting = False

    async def _subscribe_quotes(self, command: Any) -> None:
        if not self.quoting:
            self.quoting = True
            self.create_task(self._quote(), "quotes")

    async def _unsubscribe_quotes(self, command: Any) -> None:
        self.quoting = False

    async def _quote(self) -> None:
        size = Quantity.from_int(1_000_000)
        while self.quoting:
            ts = self.clock.timestamp_ns()
            self._handle_data(QuoteTick(PAIR, Price.from_str("1.10000"), Price.from_str("1.10010"), size, size, ts, ts))
            await asyncio.sleep(0.01)


class FeedFactory(DataClientFactory):
    @staticmethod
    def create(*, name: str, config: Any, cache: Any, clock: Any) -> Feed:
        return Feed(name=name, config=config, cache=cache, clock=clock, venue=Venue("SIM"))


class Trader(Strategy):
    """Buys, sells a part, leaves a limit, asks to cancel it, and sends another one behind the cancel."""

    def __init__(self, config: Any, *, step: str) -> None:
        super().__init__(config)
        self.step = step
        self.begins = step != "second"
        self.quotes = 0
        self.heard: list[list[Any]] = []
        self.found: dict[str, Any] = {}
        self.ended = False

    def __new__(cls, config: Any, *, step: str) -> Self:
        made: Self = super().__new__(cls, config)
        return made

    def on_start(self) -> None:
        self.found = self.known()
        self.subscribe_quotes(PAIR)

    def known(self) -> dict[str, Any]:
        """Return what this strategy knows of its orders, its position and the account."""
        account = self.cache.account(AccountId("SIM-001"))
        positions = self.cache.positions()
        return {
            "orders": sorted(
                [str(one.client_order_id)[-1:], one.status.name, str(one.filled_qty), str(one.strategy_id)]
                for one in self.cache.orders()
            ),
            "positions": [
                [str(one.instrument_id), one.side.name, str(one.quantity), str(one.avg_px_open), str(one.realized_pnl)]
                for one in positions
            ],
            "owners": sorted({str(one.strategy_id) for one in positions}),
            "balance": [str(one.total) for one in account.balances().values()],
        }

    def on_quote(self, quote: Any) -> None:
        self.quotes += 1
        if not self.begins:
            self.end()
            return
        factory = self.order_factory
        if self.step == "alone":
            self.try_words(factory)
        elif self.quotes == 3:
            self.submit_order(factory.market(PAIR, OrderSide.BUY, Quantity.from_int(10_000)))
            self.submit_order(factory.market(PAIR, OrderSide.SELL, Quantity.from_int(1_000)))
        elif self.quotes == 4:
            self.limit = factory.limit(PAIR, OrderSide.BUY, Quantity.from_int(2_000), Price.from_str("1.05000"))
            self.submit_order(self.limit)
            self.submit_order(factory.market(PAIR, OrderSide.BUY, Quantity.from_int(900_000)))
            self.submit_order(factory.limit(PAIR, OrderSide.BUY, Quantity.from_int(3_000), Price.from_str("1.04000")))
        elif self.quotes == 30:
            self.cancel_order(self.limit.client_order_id)
            self.submit_order(factory.limit(PAIR, OrderSide.SELL, Quantity.from_int(4_000), Price.from_str("1.20000")))
            self.submit_order(factory.market(PAIR, OrderSide.SELL, Quantity.from_int(500)))

    def try_words(self, factory: Any) -> None:
        """Send what the first step does not."""
        size = Quantity.from_int(1_000)
        if self.quotes == 3:
            exits = {"sl_trigger_price": Price.from_str("1.00000"), "tp_price": Price.from_str("1.20000")}
            self.submit_order_list(factory.bracket(PAIR, OrderSide.BUY, size, **exits))
            hidden = Quantity.from_int(10)
            self.submit_order(factory.limit(PAIR, OrderSide.BUY, size, Price.from_str("1.04000"), display_qty=hidden))
            self.limit = factory.limit(PAIR, OrderSide.BUY, size, Price.from_str("1.03000"))
            self.submit_order(self.limit)
        elif self.quotes == 20:
            self.modify_order(self.limit.client_order_id, price=Price.from_str("1.02000"))
        elif self.quotes == 30:
            self.cancel_all_orders(PAIR, strategy_only=False)

    def end(self) -> None:
        """Once everything that was under way has come through, close the position and cancel what is left."""
        told = {name for name, *_ in self.heard}
        if self.ended or not {"OrderCanceled", "OrderAccepted", "OrderFilled"} <= told:
            return
        self.ended = True
        self.at_end = self.known()
        self.close_all_positions(PAIR)
        self.cancel_all_orders(PAIR)

    @property
    def done(self) -> bool:
        """Whether nothing is left to wait for."""
        if self.step == "alone":
            return self.quotes >= 30 and not self.cache.orders_open()
        if self.begins:
            return self.quotes >= 45
        return self.ended and not self.cache.orders_open() and not self.cache.positions_open()

    def on_order_event(self, event: Any) -> None:
        ours = str(event.client_order_id)
        self.heard.append(
            [type(event).__name__, ours[-1:], event.ts_event, event.ts_init, getattr(event, "reason", "")]
        )


async def sail(step: str, folder: str) -> None:
    """Run the node for one step."""
    client = SeatrialExecClientConfig(
        venue="SIM",
        starting_balances=["100_000 USD"],
        instrument_ids=[str(PAIR)],
        venue_config=VenueConfig(
            account_type=AccountType.MARGIN, leverage=Decimal(10), fees=FeeSchedule(bps=Decimal("0.2"))
        ),
        latency=LEGS,
        risk=RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(500_000))),
        checkpoint_directory=folder,
    )
    config = LiveNodeConfig(
        environment=Environment.SANDBOX,
        trader_id=TraderId("TESTER-001"),
        logging=LoggerConfig(stdout_level=getattr(LogLevel, os.environ.get("LEVEL", "ERROR"))),
        data_clients={"SIM": FeedConfig()},
        exec_clients={"SIM": client},
        delay_post_stop_secs=0.2,
        exec_engine=LiveExecutionEngineConfig(
            reconciliation=True, reconciliation_startup_delay_secs=0.0, inflight_check_threshold_ms=60_000
        ),
    )
    factories: Any = {"SIM": FeedFactory}, {"SIM": SeatrialLiveExecClientFactory}
    node = LiveNode.build("PAPER", config, data_factories=factories[0], exec_factories=factories[1])
    settings = StrategyConfig(
        strategy_id=StrategyId("ALPHA-001"), order_id_tag="001", external_order_instrument_ids=[PAIR]
    )
    trader = Trader(settings, step=step)
    node.add_actor(SeatrialFeed(client))
    node.add_strategy(trader)
    handle = node.handle()
    running = asyncio.ensure_future(node.run_async())
    while not running.done() and not trader.done:  # noqa: ASYNC110 - the node runs by itself
        await asyncio.sleep(0.01)
    found = {
        "start": trader.found,
        "end": trader.known(),
        "heard": trader.heard,
        "before": getattr(trader, "at_end", None),
    }
    print(json.dumps(found), flush=True)  # noqa: T201
    if step == "first":
        os.kill(os.getpid(), signal.SIGKILL)
    handle.stop()
    await running
    node.dispose()


if __name__ == "__main__":
    asyncio.run(sail(sys.argv[1], sys.argv[2]))
