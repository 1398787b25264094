"""Orders that NautilusTrader denies by itself, before they come to the gate: the record has them all the same."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.node import BacktestNode
from nautilus_trader.config import (
    BacktestDataConfig,
    BacktestEngineConfig,
    BacktestRunConfig,
    BacktestVenueConfig,
    ExecEngineConfig,
    ImportableActorConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.enums import TradingState as EngineState
from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue
from nautilus_trader.model.objects import Price
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from tests.nautilus.rig.guarded import until
from tests.nautilus.rig.market import EQUITY, MS, PAIR, SIM, T0, quotes
from tests.nautilus.rig.scripted import Scripted
from tests.nautilus.rig.voyage import engine, settings

from seatrial import CheckpointManager, Constant, LatencyConfig, OrderStatus
from seatrial.contracts.events import OrderDenied
from seatrial.contracts.rejection import RefusedBy, RejectionReason
from seatrial_nautilus import attach, attach_node
from seatrial_nautilus.v1.checkpoint import snapshot
from seatrial_nautilus.v1.live import SeatrialExecClientConfig, SeatrialLiveExecClientFactory

if TYPE_CHECKING:
    from pathlib import Path

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _limit(trader: Any, price: str = "1.10001", quantity: str = "1000", **more: Any) -> None:
    size = type(PAIR.make_qty(1)).from_str(quantity)
    trader.submit_order(
        trader.order_factory.limit(trader.instrument.id, OrderSide.BUY, size, Price.from_str(price), **more)
    )


def _bracket(trader: Any) -> None:
    trader.kernel.risk_engine.set_trading_state(EngineState.HALTED)
    prices = {"sl_trigger_price": PAIR.make_price(1.0), "tp_price": PAIR.make_price(1.2)}
    trader.submit_order_list(trader.order_factory.bracket(PAIR.id, OrderSide.BUY, PAIR.make_qty(9_000), **prices))


def _sailed(script: dict[int, Any], account: str = "MARGIN") -> tuple[Scripted, Any]:
    instrument = PAIR if account == "MARGIN" else EQUITY
    made, session = engine([instrument], settings(account, "NETTING"), {})
    made.add_data(quotes(instrument, 40, 1))
    trader = Scripted(instrument, script)
    trader.kernel = made.kernel
    made.add_strategy(trader)
    made.run()
    return trader, session


def _halted(trader: Any) -> None:
    trader.kernel.risk_engine.set_trading_state(EngineState.HALTED)
    _limit(trader)


def _too_many(trader: Any) -> None:
    for _ in range(1_001):  # the rig lets 1,000 a second through
        _limit(trader, "0.90000")


@pytest.mark.parametrize(
    ("act", "account", "reason", "words"),
    [
        (lambda self: _limit(self, "1.1000001"), "MARGIN", RejectionReason.INVALID_PRICE, "precision 7 > 5"),
        (lambda self: _limit(self, quantity="0.5"), "MARGIN", RejectionReason.INVALID_QUANTITY, "quantity 0.5"),
        (_halted, "MARGIN", RejectionReason.RISK_TRADING_DISABLED, "TradingState.HALTED"),
        (_too_many, "MARGIN", RejectionReason.RISK_RULE, "MAX_ORDER_SUBMIT_RATE"),
        (
            lambda self: _limit(self, "100.01", "20000000"),
            "CASH",
            RejectionReason.INSUFFICIENT_FUNDS,
            "EXCEEDS_FREE_BALANCE",
        ),
    ],
    ids=["digits", "units", "halted", "rate", "cash"],
)
def test_the_record_of_a_backtest_has_what_the_risk_engine_denied(
    act: Any, account: str, reason: RejectionReason, words: str
) -> None:
    """It is refused, at the time it was sent, by this side, with NautilusTrader's words and what they mean."""
    trader, session = _sailed({3: act}, account)

    [told] = [one for one in trader.events if type(one).__name__ == "OrderDenied"]
    order = session.gate.completed_orders[told.client_order_id.value]
    assert (order.status, order.rejected_at) == (OrderStatus.REJECTED, T0 + 30 * MS)
    assert (order.strategy_id, order.symbol) == ("ST-001-001", trader.instrument.id.value)
    assert order.rejection is not None
    assert (order.rejection.reason, order.rejection.refused_by) == (reason, RefusedBy.GATE)
    assert (order.rejection.rule, order.rejection.message) == ("NautilusTrader", told.reason)
    assert words in told.reason
    assert [one.order_id for one in session.gate.events if isinstance(one, OrderDenied)] == [order.order_id]


def test_every_order_of_a_denied_list_is_in_the_record() -> None:
    """Entry and exits keep their links."""
    _, session = _sailed({3: _bracket})

    orders = list(session.gate.completed_orders.values())
    assert [order.status for order in orders] == [OrderStatus.REJECTED] * 3
    assert sum(order.parent_id is not None for order in orders) == 2


def test_a_strategy_that_answers_a_denial_finds_it_in_the_record() -> None:
    """The log has the denial before what the strategy sends on hearing of it, also while a report is delivered."""
    legs = LatencyConfig(fill=Constant(12 * MS))
    made, session = engine([PAIR], settings("MARGIN", "NETTING"), {"latency_config": legs})
    made.add_data(quotes(PAIR, 40, 1))

    def bad(trader: Any, _: Any = None) -> None:
        if trader.seen < 10:
            _limit(trader, "1.1000001")

    class Again(Scripted):
        def on_order_denied(self, event: Any) -> None:
            assert event.client_order_id.value in session.gate.completed_orders
            _limit(self, "0.90000")

    trader = Again(PAIR, {2: lambda self: _limit(self, "1.20000")})
    trader.on_fill = bad
    made.add_strategy(trader)
    made.run()

    denied = [one for one in session.gate.events if isinstance(one, OrderDenied)]
    assert [(one.timestamp - T0) / MS for one in denied] == [32.0]
    assert len(session.gate.pending_orders) == 1


def test_each_venue_records_its_own() -> None:
    """With two venues a denied order is in the log of its own venue only."""
    made, here = engine([PAIR], settings("MARGIN", "NETTING"), {})
    other = Venue("XTWO")
    there = attach(made, venue=other, simulator_id="two", **settings("MARGIN", "NETTING"))
    pair: Any = TestInstrumentProvider.default_fx_ccy("GBP/USD", other)
    made.add_instrument(pair)
    made.add_data(quotes(PAIR, 20, 1))
    made.add_data(quotes(pair, 20, 2))
    made.add_strategy(Scripted(pair, {3: lambda self: _limit(self, "1.1000001")}))
    made.run()

    assert (len(here.gate.completed_orders), len(there.gate.completed_orders)) == (0, 1)


def test_an_order_of_an_instrument_nobody_listed_is_in_the_record() -> None:
    """NautilusTrader's word for it is translated too."""

    def unknown(trader: Any) -> None:
        instrument_id = InstrumentId.from_str("AUD/USD.SIM")
        trader.submit_order(trader.order_factory.market(instrument_id, OrderSide.BUY, PAIR.make_qty(1_000)))

    _, session = _sailed({3: unknown})

    [order] = session.gate.completed_orders.values()
    assert (order.symbol, order.rejection_reason) == ("AUD/USD.SIM", RejectionReason.INVALID_SYMBOL)


@pytest.mark.skipif(
    "convert_quote_qty_to_base" not in ExecEngineConfig.__struct_fields__, reason="this version always converts"
)
def test_a_quantity_in_quote_currency_that_nobody_converted_is_in_the_record() -> None:
    """The gate refuses it itself, once."""
    made = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True), exec_engine=ExecEngineConfig(convert_quote_qty_to_base=False)
        )
    )
    session = attach(made, venue=SIM, **settings("MARGIN", "NETTING"))
    made.add_instrument(PAIR)
    made.add_data(quotes(PAIR, 20, 1))
    trader = Scripted(PAIR, {3: lambda self: _limit(self, quote_quantity=True)})
    made.add_strategy(trader)
    made.run()

    [order] = session.gate.completed_orders.values()
    assert order.rejection_reason is RejectionReason.UNSUPPORTED
    assert [type(one) for one in session.gate.events] == [OrderDenied]
    assert [one[0] for one in trader.heard] == ["OrderDenied"]


def test_a_denial_is_in_the_checkpoint() -> None:
    """So a session that goes on knows the id as used."""
    _, session = _sailed({3: lambda self: _limit(self, "1.1000001")})

    [order] = snapshot(session).completed
    assert order.rejection_reason is RejectionReason.INVALID_PRICE


def test_a_backtest_node_records_it_too(tmp_path: Path) -> None:
    """The same holds where a configuration puts the gate in."""
    catalog = ParquetDataCatalog(str(tmp_path))
    catalog.write_data([PAIR])
    catalog.write_data(quotes(PAIR, 20, 1))
    module = ImportableActorConfig(
        actor_path="seatrial_nautilus.v1.backtest:SeatrialModule",
        config_path="seatrial_nautilus.v1.backtest:SeatrialModuleConfig",
        config={},
    )
    venue = BacktestVenueConfig(
        name="SIM", oms_type="NETTING", account_type="MARGIN", starting_balances=["1000 USD"], modules=[module]
    )
    config = BacktestRunConfig(
        engine=BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)),
        venues=[venue],
        data=[BacktestDataConfig(catalog_path=str(tmp_path), data_cls=QuoteTick, instrument_id=PAIR.id)],
        raise_exception=True,
    )
    node = BacktestNode([config])
    node.build()
    node.get_engines()[0].add_strategy(Scripted(PAIR, {3: lambda self: _limit(self, "1.1000001")}))
    [session] = attach_node(node)
    node.run()

    [order] = session.gate.completed_orders.values()
    assert order.rejection_reason is RejectionReason.INVALID_PRICE


def test_a_live_node_records_it_and_keeps_it(tmp_path: Path) -> None:
    """The checkpoint has the denied order as soon as the strategy hears of it; a second node finds it there."""
    asyncio.run(_live(tmp_path, 0))
    [kept] = CheckpointManager(tmp_path).load_checkpoint("paper").completed

    assert (kept.status, kept.rejection_reason) == (OrderStatus.REJECTED, RejectionReason.INVALID_PRICE)
    asyncio.run(_live(tmp_path, 1))
    assert len(CheckpointManager(tmp_path).load_checkpoint("paper").completed) == 2


async def _live(folder: Path, before: int) -> None:
    """Let a live node's strategy send one order with too many digits; it knows `before` orders at its start."""
    client = SeatrialExecClientConfig(
        venue="SIM", starting_balances=["1_000 USD"], simulator_id="paper", checkpoint_directory=str(folder)
    )
    config: Any = TradingNodeConfig(
        trader_id=TraderId("TESTER-001"),
        logging=LoggingConfig(log_level="OFF"),
        exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_startup_delay_secs=0),
        exec_clients={"SIM": client},
        timeout_connection=5.0,
        timeout_portfolio=5.0,
        timeout_post_stop=0.05,
    )
    node = TradingNode(config=config, loop=asyncio.get_running_loop())
    node.cache.add_instrument(PAIR)
    kept: list[int] = []

    class Hearing(Scripted):
        def on_order_denied(self, event: Any) -> None:
            kept.append(len(CheckpointManager(folder).load_checkpoint("paper").completed))

    trader = Hearing(PAIR, {})
    node.trader.add_strategy(trader)
    node.add_exec_client_factory("SIM", SeatrialLiveExecClientFactory)
    node.build()
    running = asyncio.create_task(node.run_async())
    try:
        await until(lambda: node.trader.is_running, "a running node")
        assert len(node.cache.orders(SIM)) == before
        _limit(trader, "1.1000001")
        await until(lambda: kept, "the denial")
        assert kept == [before + 1]
    finally:
        await node.stop_async()
        running.cancel()
        await asyncio.sleep(0)
