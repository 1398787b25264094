"""The gate in a NautilusTrader backtest: when things happen, what rules refuse, and what the record says."""

from __future__ import annotations

import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.backtest.node import BacktestNode
from nautilus_trader.config import (
    BacktestDataConfig,
    BacktestEngineConfig,
    BacktestRunConfig,
    BacktestVenueConfig,
    ImportableActorConfig,
    ImportableLatencyModelConfig,
    LoggingConfig,
)
from nautilus_trader.model.currencies import EUR
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from seatrial import (
    Constant,
    LatencyConfig,
    OrderExecution,
    OrderStatus,
    PositionLimitRule,
    Rejection,
    RiskAction,
    RiskConfig,
    RiskViolation,
    SeatrialError,
    TradingState,
    Uniform,
)
from seatrial.contracts.events import OrderDenied, TradingStateChanged, encode_events
from seatrial.errors import InvalidConfigError
from seatrial_nautilus import attach_node

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.nautilus.rig.market import EQUITY, MS, PAIR, SIM, T0, quotes
from tests.nautilus.rig.scripted import Scripted
from tests.nautilus.rig.trader import RandomTrader
from tests.nautilus.rig.voyage import engine, heard, settings

# pandas 3 warns of how NautilusTrader 1.231 calls it
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LEGS = LatencyConfig(
    submit=Constant(35 * MS),
    ack=Constant(3 * MS),
    fill=Constant(12 * MS),
    cancel=Constant(25 * MS),
    modify=Constant(18 * MS),
)


def _sailed(script: dict[int, Any], count: int = 60, **gate: Any) -> tuple[Scripted, Any]:
    """Return a strategy and its session after a run over quotes every 10 ms."""
    on_fill = gate.pop("on_fill", None)
    made, session = engine([PAIR], settings("MARGIN", "NETTING"), {"latency_config": LEGS, **gate})
    made.add_data(quotes(PAIR, count, 1))
    trader = Scripted(PAIR, script)
    trader.on_fill = on_fill
    made.add_strategy(trader)
    made.run()
    return trader, session


def _market(trader: Any, quantity: int = 1_000, side: Any = OrderSide.BUY) -> None:
    trader.submit_order(trader.order_factory.market(PAIR.id, side, PAIR.make_qty(quantity)))


def _limit(trader: Any, price: str = "1.00000") -> None:
    trader.order = trader.order_factory.limit(
        PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000), PAIR.make_price(float(price))
    )
    trader.submit_order(trader.order)


# -- when ----------------------------------------------------------------------------------------------------------


def test_every_time_is_that_of_the_legs() -> None:
    """`ts_event` is the time at the venue, `ts_init` that of the report, and the strategy's clock shows the latter."""
    trader, _ = _sailed(
        {
            2: _market,
            10: _limit,
            20: lambda self: self.modify_order(self.order, PAIR.make_qty(2_000)),
            30: lambda self: self.cancel_order(self.order),
        }
    )

    assert trader.heard == [
        ("OrderSubmitted", 20.0, 20.0, 20.0),
        ("OrderFilled", 67.0, 55.0, 67.0),
        ("OrderSubmitted", 100.0, 100.0, 100.0),
        ("OrderAccepted", 138.0, 135.0, 138.0),
        ("OrderPendingUpdate", 200.0, 200.0, 200.0),
        ("OrderUpdated", 221.0, 218.0, 221.0),
        ("OrderPendingCancel", 300.0, 300.0, 300.0),
        ("OrderCanceled", 328.0, 325.0, 328.0),
    ]


def test_what_the_venue_does_by_itself_and_refuses_keeps_the_times_too() -> None:
    """A match at a datum, expiry, a refusal, and the exits of a bracket: each at its own time, plus its leg's delay."""

    def touched(trader: Any) -> None:
        ask = quotes(PAIR, 60, 1)[6].ask_price  # it rests from 55 ms, until the quote at 60 ms
        trader.submit_order(trader.order_factory.limit(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000), ask))

    def expiring(trader: Any) -> None:
        at = trader.clock.utc_now() + timedelta(milliseconds=55)  # sent at 200 ms, it is over at 255 ms
        gtd = {"time_in_force": TimeInForce.GTD, "expire_time": at}
        trader.submit_order(
            trader.order_factory.limit(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000), PAIR.make_price(1.0), **gtd)
        )

    def refused(trader: Any) -> None:
        trader.submit_order(
            trader.order_factory.stop_market(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000), PAIR.make_price(1.0))
        )

    def bracket(trader: Any) -> None:
        prices = {"sl_trigger_price": PAIR.make_price(1.0), "tp_price": PAIR.make_price(1.3)}
        trader.submit_order_list(trader.order_factory.bracket(PAIR.id, OrderSide.BUY, PAIR.make_qty(9_000), **prices))

    trader, _ = _sailed({2: touched, 20: expiring, 30: refused, 40: bracket})

    assert [one for one in trader.heard if one[0] != "OrderSubmitted"] == [
        ("OrderAccepted", 55.0 + 3.0, 20.0 + 35.0, 55.0 + 3.0),
        ("OrderFilled", 60.0 + 12.0, 60.0, 60.0 + 12.0),
        ("OrderAccepted", 235.0 + 3.0, 200.0 + 35.0, 235.0 + 3.0),
        ("OrderExpired", 260.0 + 3.0, 260.0, 260.0 + 3.0),
        ("OrderRejected", 335.0 + 3.0, 300.0 + 35.0, 335.0 + 3.0),
        ("OrderFilled", 435.0 + 12.0, 400.0 + 35.0, 435.0 + 12.0),
        ("OrderAccepted", 447.0, 435.0, 447.0),  # no report overtakes another
        ("OrderAccepted", 447.0, 435.0, 447.0),
    ]


def test_requests_that_come_too_late_are_refused_at_their_own_times() -> None:
    """A modify and a cancel reach an order that was matched at 55 ms; no refusal overtakes the fill."""

    def late(trader: Any) -> None:
        trader.modify_order(trader.order, PAIR.make_qty(2_000))
        trader.cancel_order(trader.order)

    trader, _ = _sailed({2: lambda self: _limit(self, "1.20000"), 4: late})

    assert trader.heard[-2:] == [
        ("OrderModifyRejected", 67.0, 40.0 + 18.0, 67.0),
        ("OrderCancelRejected", 40.0 + 25.0 + 3.0, 40.0 + 25.0, 40.0 + 25.0 + 3.0),
    ]


def test_what_a_strategy_does_when_it_hears_of_a_fill_leaves_at_that_time() -> None:
    """Also between two data: a chain of messages keeps its own times, on every version."""
    again = [_market]
    trader, _ = _sailed({2: _market}, on_fill=lambda self, _: again.pop()(self) if again else None)

    assert trader.heard[2:] == [("OrderSubmitted", 67.0, 67.0, 67.0), ("OrderFilled", 114.0, 102.0, 114.0)]


def test_an_order_meets_the_quote_that_stands_when_it_arrives() -> None:
    """Sent at 20 ms and 35 ms under way, it trades at the ask of the quote at 50 ms."""
    trader, _ = _sailed({2: _market})

    assert trader.events[-1].last_px == quotes(PAIR, 60, 1)[5].ask_price


def test_an_order_that_arrives_with_a_quote_comes_before_it() -> None:
    """30 ms after 20 ms, it meets the quote of 40 ms: what is due with a datum is done before the datum."""
    trader, _ = _sailed({2: _market}, latency_config=LatencyConfig(submit=Constant(30 * MS)))

    assert trader.events[-1].last_px == quotes(PAIR, 60, 1)[4].ask_price
    assert trader.heard[-1] == ("OrderFilled", 50.0, 50.0, 50.0)


def test_a_fill_on_the_way_to_the_trader_leaves_its_account_alone() -> None:
    """Matched at 55 ms and reported at 67 ms, it makes no position before."""
    seen: dict[int, Any] = {}

    def look(trader: Any) -> None:
        seen[trader.seen] = trader.portfolio.net_position(PAIR.id)

    trader, _ = _sailed({2: _market, 5: look, 6: look, 7: look})

    assert seen == {6: Decimal(0), 7: Decimal(0), 8: Decimal(1_000)}
    assert trader.heard[-1][0] == "OrderFilled"


def test_a_cancel_that_comes_too_late_is_refused_after_the_fill_was_heard() -> None:
    """The order crosses the market while its cancel is under way."""

    def crossing(trader: Any) -> None:
        _limit(trader, "1.20000")

    trader, session = _sailed({2: crossing, 3: lambda self: self.cancel_order(self.order)})

    assert [one[0] for one in trader.heard] == [
        "OrderSubmitted",
        "OrderPendingCancel",
        "OrderAccepted",
        "OrderFilled",
        "OrderCancelRejected",
    ]
    [order] = session.gate.completed_orders.values()
    assert order.status is OrderStatus.FILLED


def test_jitter_follows_from_the_seed() -> None:
    """The same seed gives the same log to the byte, and another seed another one."""
    jitter = LatencyConfig(submit=Uniform(MS, 20 * MS), ack=Uniform(0, MS), fill=Uniform(5 * MS, 50 * MS))

    def log(seed: int) -> bytes:
        made, session = engine([PAIR], settings("MARGIN", "HEDGING"), {"latency_config": jitter, "seed": seed})
        made.add_data(quotes(PAIR, 300, 3))
        made.add_strategy(RandomTrader(PAIR))
        made.run()
        return encode_events(list(session.gate.events))

    assert log(1) == log(1)
    assert log(1) != log(2)


@pytest.mark.parametrize("oms", ["NETTING", "HEDGING"])
@pytest.mark.parametrize("account", ["MARGIN", "CASH"])
def test_under_delays_the_gate_knows_what_the_trader_knows(account: str, oms: str) -> None:
    """After a storm of orders of every kind both have the same fills, and the same position."""
    instrument = PAIR if account == "MARGIN" else EQUITY
    jitter = LatencyConfig(submit=Uniform(MS, 60 * MS), ack=Uniform(0, MS), fill=Uniform(5 * MS, 50 * MS))
    made, session = engine([instrument], settings(account, oms), {"latency_config": jitter})
    made.add_data(quotes(instrument, 800, 4))
    traders = [RandomTrader(instrument, name, sells_short=account == "MARGIN") for name in ("ST-1", "ST-2")]
    for trader in traders:
        made.add_strategy(trader)
    made.run()

    orders = {**session.gate.completed_orders, **session.gate.pending_orders}
    theirs = {one.client_order_id.value: one for one in made.kernel.cache.orders() if not one.is_active_local}
    assert len(orders) > 300
    assert {one: str(orders[one].filled_quantity) for one in theirs} == {
        one: str(theirs[one].filled_qty.as_decimal()) for one in theirs
    }
    net = sum((one.signed_decimal_qty() for one in made.kernel.cache.positions_open()), Decimal(0))
    assert session.account.position(instrument.id.value) == net
    assert session.gate.next_due() is None or session.gate.next_due() > session.gate.now
    assert heard(made, traders)["lines"]


# -- rules ---------------------------------------------------------------------------------------------------------


def test_a_rule_refuses_before_the_order_leaves_and_says_why() -> None:
    """The strategy hears OrderDenied, without OrderSubmitted; its reason is a Rejection as JSON."""
    limit = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(5_000)))
    trader, session = _sailed({2: _market, 9: lambda self: _market(self, 9_000)}, risk_config=limit)

    assert [one[0] for one in trader.heard] == ["OrderSubmitted", "OrderFilled", "OrderDenied"]
    rejection = msgspec.json.decode(trader.events[-1].reason, type=Rejection)
    assert (rejection.reason, rejection.value, rejection.limit) == (
        "risk_position_limit",
        Decimal(10_000),
        Decimal(5_000),
    )
    assert isinstance(session.gate.events[-1], OrderDenied)
    assert session.gate.events[-1].rejection == rejection


def test_a_list_of_orders_is_refused_as_a_whole() -> None:
    """A bracket whose entry is too large: all three are denied, the exits because of the entry."""

    def bracket(trader: Any) -> None:
        prices = {"sl_trigger_price": PAIR.make_price(1.0), "tp_price": PAIR.make_price(1.3)}
        orders = trader.order_factory.bracket(PAIR.id, OrderSide.BUY, PAIR.make_qty(9_000), **prices)
        trader.submit_order_list(orders)

    limit = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(5_000)))
    trader, _ = _sailed({2: bracket}, risk_config=limit)

    reasons = [msgspec.json.decode(event.reason, type=Rejection).reason for event in trader.events]
    assert [one[0] for one in trader.heard] == ["OrderDenied"] * 3
    assert reasons == ["risk_position_limit", "group_refused", "group_refused"]


def test_the_kill_switch_cancels_what_works_and_lets_nothing_out() -> None:
    """An operator halts trading: the resting order is cancelled by the gate, and the next one is denied."""
    sessions: list[Any] = []

    def halt(trader: Any) -> None:
        sessions[0].gate.disable_trading("ops", "drill", trader.clock.timestamp_ns())

    made, session = engine([PAIR], settings("MARGIN", "NETTING"), {"latency_config": LEGS})
    sessions.append(session)
    made.add_data(quotes(PAIR, 60, 1))
    trader = Scripted(PAIR, {2: _limit, 20: halt, 30: _market})
    made.add_strategy(trader)
    made.run()

    assert [one[0] for one in trader.heard] == ["OrderSubmitted", "OrderAccepted", "OrderCanceled", "OrderDenied"]
    assert trader.heard[2] == ("OrderCanceled", 228.0, 225.0, 228.0)
    assert session.gate.trading_state is TradingState.HALTED


def test_a_rule_that_flattens_closes_the_position_in_the_strategys_name() -> None:
    """The gate's own order is an order of the strategy whose position it closes, which hears of it."""

    class Flatten:
        name = "enough"

        def watch(self, account: Any, now: int) -> RiskViolation | None:
            if now < T0 + 300 * MS:
                return None
            return RiskViolation("enough is enough", action=RiskAction.FLATTEN)

    trader, session = _sailed({2: _market}, risk_config=RiskConfig(rules=(Flatten(),)))

    assert session.account.position(PAIR.id.value) == 0
    assert trader.portfolio.is_flat(PAIR.id)
    assert [one[0] for one in trader.heard][2:] == ["OrderSubmitted", "OrderFilled"]
    assert trader.events[-1].client_order_id.value == "flatten-1"
    [changed] = [one for one in session.gate.events if isinstance(one, TradingStateChanged)]
    assert (changed.timestamp - T0, changed.reason) == (300 * MS, "enough is enough")


def test_the_gates_account_is_the_traders() -> None:
    """Cash and marked positions of the gate come to NautilusTrader's balance and open profit, to the cent."""
    trader, session = _sailed({2: _market, 20: lambda self: _market(self, 4_000, OrderSide.SELL)})

    [order, other] = session.gate.completed_orders.values()
    assert order.total_commission + other.total_commission == sum(
        (one.commission for one in session.gate.events if isinstance(one, OrderExecution)), Decimal(0)
    )
    account = trader.portfolio.account(SIM)
    profit = trader.portfolio.unrealized_pnl(PAIR.id).as_decimal()
    assert abs(session.account.equity - account.balance_total().as_decimal() - profit) < Decimal("0.05")


# -- what cannot be ------------------------------------------------------------------------------------------------


def test_a_latency_model_of_the_engines_is_refused() -> None:
    """The gate delays orders itself; another delay on top would be ignored."""
    with pytest.raises(InvalidConfigError, match="latency_config"):
        engine([PAIR], settings("MARGIN", "NETTING", latency_model=object()), {})


def test_rules_that_would_count_in_two_currencies_are_refused() -> None:
    """An account without base currency, and rules: the error names the instrument."""
    usd = settings("MARGIN", "NETTING")
    balances = [*usd["starting_balances"], Money(1_000_000, EUR)]
    other = {**usd, "base_currency": None, "starting_balances": balances}
    limit = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(5_000)))
    made, _ = engine([PAIR], other, {"risk_config": limit})
    made.add_data(quotes(PAIR, 3, 1))

    with pytest.raises(SeatrialError, match="rules count in one currency"):
        made.run()


def test_orders_of_a_day_and_others_reach_the_record_as_what_they_are() -> None:
    """Time in force, prices and flags stand in the gate's own order."""

    def send(trader: Any) -> None:
        order = trader.order_factory.limit(
            PAIR.id,
            OrderSide.SELL,
            PAIR.make_qty(1_000),
            PAIR.make_price(1.3),
            time_in_force=TimeInForce.DAY,
            post_only=True,
        )
        trader.submit_order(order)

    _, session = _sailed({2: send})

    [order] = session.gate.pending_orders.values()
    assert (order.order_type, order.side, order.limit_price) == ("limit", "sell", Decimal("1.3"))
    assert (order.time_in_force, order.post_only, order.symbol) == ("day", True, "EUR/USD.SIM")


# -- from a configuration ------------------------------------------------------------------------------------------


def _module(**config: Any) -> Any:
    return ImportableActorConfig(
        actor_path="seatrial_nautilus.v1.backtest:SeatrialModule",
        config_path="seatrial_nautilus.v1.backtest:SeatrialModuleConfig",
        config=config,
    )


def _node_config(folder: Path, modules: list[Any], **venue: Any) -> Any:
    catalog = ParquetDataCatalog(str(folder))
    catalog.write_data([PAIR])
    catalog.write_data(quotes(PAIR, 60, 1))
    return BacktestRunConfig(
        engine=BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)),
        venues=[
            BacktestVenueConfig(
                name="SIM",
                **{"oms_type": "NETTING", **venue},
                account_type="MARGIN",
                base_currency="USD",
                starting_balances=["1000000 USD"],
                modules=modules,
            )
        ],
        data=[BacktestDataConfig(catalog_path=str(folder), data_cls=QuoteTick, instrument_id=PAIR.id)],
        raise_exception=True,
    )


def test_a_backtest_node_is_configured_and_attached(tmp_path: Path) -> None:
    """The module's configuration, delays and all, comes from JSON values; one call puts the gate in."""
    latency = msgspec.to_builtins(LatencyConfig(submit=Constant(35 * MS), fill=Constant(12 * MS)))
    node = BacktestNode([_node_config(tmp_path, [_module(latency=latency, simulator_id="node", seed=3)])])
    node.build()
    trader = Scripted(PAIR, {2: _market})
    node.get_engines()[0].add_strategy(trader)

    [session] = attach_node(node)
    node.run()

    assert (session.simulator_id, session.seed) == ("node", 3)
    assert trader.heard == [("OrderSubmitted", 20.0, 20.0, 20.0), ("OrderFilled", 67.0, 55.0, 67.0)]


def test_a_module_that_nobody_attached_stops_the_run(tmp_path: Path) -> None:
    """Orders would bypass the gate in silence; instead the error says which call is missing."""
    node = BacktestNode([_node_config(tmp_path, [_module()])])
    node.build()

    with pytest.raises(InvalidConfigError, match="attach_node"):
        node.run()


def test_a_node_without_the_module_cannot_be_attached(tmp_path: Path) -> None:
    """The error says what is missing from its configuration."""
    node = BacktestNode([_node_config(tmp_path, [])])
    node.build()

    with pytest.raises(InvalidConfigError, match="SeatrialModule"):
        attach_node(node)


def test_every_run_of_a_node_gets_its_gate(tmp_path: Path) -> None:
    """NautilusTrader takes their modules for equal, as their names are."""
    configs = [
        _node_config(tmp_path, [_module(simulator_id=oms.lower())], oms_type=oms) for oms in ("NETTING", "HEDGING")
    ]
    node = BacktestNode(configs)
    node.build()
    traders = [Scripted(PAIR, {2: _market}) for _ in configs]
    for made, trader in zip(node.get_engines(), traders, strict=True):
        made.add_strategy(trader)

    sessions = attach_node(node)
    node.run()

    assert [one.simulator_id for one in sessions] == ["netting", "hedging"]
    assert [len(one.heard) for one in traders] == [2, 2]


def test_a_module_is_no_place_for_settings_of_another_name(tmp_path: Path) -> None:
    """A limit or a delay that is misspelt would be none."""
    misspelt: tuple[dict[str, Any], ...] = ({"latncy": {}}, {"latency": {"sending": None}})
    for config in misspelt:
        node = BacktestNode([_node_config(tmp_path, [_module(**config)])])
        with pytest.raises(msgspec.ValidationError, match="unknown field"):
            node.build()


@pytest.mark.parametrize("setting", ["latency_model", "modules"])
def test_what_a_gated_venue_would_ignore_is_refused_in_a_node_too(tmp_path: Path, setting: str) -> None:
    """Whoever configures it expects it to act."""
    model = ImportableLatencyModelConfig(
        latency_model_path="nautilus_trader.backtest.models:LatencyModel",
        config_path="nautilus_trader.backtest.config:LatencyModelConfig",
        config={"base_latency_nanos": MS},
    )
    is_model = setting == "latency_model"
    modules = [_module()] if is_model else [_module(), _module(component_id="OTHER")]
    node = BacktestNode([_node_config(tmp_path, modules, **({"latency_model": model} if is_model else {}))])
    node.build()

    with pytest.raises(InvalidConfigError, match=f"{setting}.*leave it out"):
        attach_node(node)
