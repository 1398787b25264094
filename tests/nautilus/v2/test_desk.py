"""NautilusTrader 2.0, kind by kind, with a node inside the test: accounts, orders, the kill switch, restarts."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")
if find_spec("nautilus_trader.live.clients") is None:
    pytest.skip("NautilusTrader 2.0 is not installed", allow_module_level=True)

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.model import (
    ClientOrderId,
    OrderSide,
    OrderType,
    Price,
    Quantity,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from tests.nautilus.v2.rig.desk import desk, until
from tests.nautilus.v2.rig.live import MS, PAIR

import seatrial_nautilus
from seatrial import (
    AccountType,
    Constant,
    DrawdownLimitRule,
    LatencyConfig,
    PositionLimitRule,
    RiskAction,
    RiskConfig,
    TradingState,
    VenueConfig,
)
from seatrial.errors import InvalidConfigError
from seatrial_nautilus import SeatrialExecClientConfig, SeatrialFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from tests.nautilus.v2.rig.desk import Desk

CASH = VenueConfig(account_type=AccountType.CASH)


def _sail(steps: Callable[[Desk], Coroutine[Any, Any, None]], **settings: Any) -> None:
    """Run a node through some steps."""

    async def run() -> None:
        async with desk(**settings) as sail:
            await steps(sail)

    asyncio.run(run())


def _units(number: int) -> Any:
    return Quantity.from_int(number)


def _price(text: str) -> Any:
    return Price.from_str(text)


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_a_cash_account_pays_for_what_it_buys_and_sells_only_what_it_has(tmp_path: Path) -> None:
    """What a resting order holds is not there for another; the balance is the cash, also after a restart."""

    async def first(sail: Desk) -> None:
        make = sail.hand.order_factory.market
        await sail.quote("1.10000", "1.10010")
        assert sail.status(await sail.submit(make(PAIR, OrderSide.BUY, _units(50_000)))) == "FILLED"
        assert sail.balance() == "44995.00 USD"
        limit, low = sail.hand.order_factory.limit, _price("1.00000")
        names = [await sail.submit(limit(PAIR, OrderSide.BUY, _units(30_000), low)) for _ in range(2)]
        assert [sail.status(name) for name in names] == ["ACCEPTED", "REJECTED"]
        assert json.loads(sail.hand.reasons[-1])["reason"] == "insufficient_funds"

    async def second(sail: Desk) -> None:
        assert sail.balance() == "44995.00 USD"
        (held,) = sail.hand.cache.positions()
        assert (str(held.quantity), str(held.avg_px_open)) == ("50000", "1.1001")
        await sail.quote("1.20000", "1.20010")
        make = sail.hand.order_factory.market
        sold, short = [
            await sail.submit(make(PAIR, OrderSide.SELL, _units(size), client_order_id=ClientOrderId(f"LATE-{size}")))
            for size in (50_000, 1)
        ]
        assert (sail.status(sold), sail.balance()) == ("FILLED", "104995.00 USD")
        assert sail.status(short) == "REJECTED"
        assert "a cash account sells only what it holds" in json.loads(sail.hand.reasons[-1])["message"]

    _sail(first, venue_config=CASH, checkpoint_directory=str(tmp_path))
    _sail(second, venue_config=CASH, checkpoint_directory=str(tmp_path))


# -- orders ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{"trigger_type": TriggerType.BID_ASK}, {"trigger_price": _price("1.09500")}])
def test_a_trailing_stop_follows_the_market_over_a_restart(tmp_path: Path, given: dict[str, Any]) -> None:
    """It trails by 50 points below the best bid there was, 1.11000, and not below the one after the restart."""
    name = ""

    async def first(sail: Desk) -> None:
        nonlocal name
        make = sail.hand.order_factory
        await sail.quote("1.10000", "1.10010")
        await sail.submit(make.market(PAIR, OrderSide.BUY, _units(1_000)))
        trail = {"trailing_offset": Decimal("0.005"), "trailing_offset_type": TrailingOffsetType.PRICE, **given}
        name = await sail.submit(make.trailing_stop_market(PAIR, OrderSide.SELL, _units(1_000), **trail))
        assert sail.status(name) == "ACCEPTED"
        await sail.quote("1.11000", "1.11010")

    async def second(sail: Desk) -> None:
        found = sail.hand.cache.order(ClientOrderId(name))
        assert (found.order_type, found.trailing_offset, found.status.name) == (
            OrderType.TRAILING_STOP_MARKET,
            Decimal("0.005"),
            "ACCEPTED",
        )
        await sail.quote("1.10510", "1.10520")
        assert sail.status(name) == "ACCEPTED"
        await sail.quote("1.10500", "1.10510")
        assert sail.status(name) == "FILLED"

    _sail(first, checkpoint_directory=str(tmp_path))
    _sail(second, checkpoint_directory=str(tmp_path))


def test_every_kind_of_order_that_rests_comes_back_as_it_was(tmp_path: Path) -> None:
    """What the trader knows of each of them is the same after a restart; then all of them can be cancelled."""
    before: list[Any] = []

    def known(sail: Desk) -> list[Any]:
        orders = sorted(sail.hand.cache.orders_open(), key=lambda order: str(order.client_order_id))
        words = ("order_type", "side", "quantity", "price", "trigger_price", "trailing_offset", "limit_offset")
        more = ("time_in_force", "expire_time", "is_post_only", "is_reduce_only", "status")
        return [[str(getattr(order, word, None)) for word in (*words, *more)] for order in orders]

    async def first(sail: Desk) -> None:
        make, buy, one = sail.hand.order_factory, OrderSide.BUY, _units(1)
        low, high = _price("1.05000"), _price("1.15000")
        trail = {"trailing_offset_type": TrailingOffsetType.PRICE, "trailing_offset": Decimal("0.01")}
        await sail.quote("1.10000", "1.10010")
        for order in (
            make.limit(PAIR, buy, one, low, post_only=True),
            make.limit(PAIR, buy, one, low, time_in_force=TimeInForce.GTD, expire_time=4_000_000_000 * 10**9),
            make.stop_market(PAIR, buy, one, high),
            make.stop_limit(PAIR, buy, one, high, high),
            make.market_if_touched(PAIR, buy, one, low),
            make.limit_if_touched(PAIR, buy, one, low, low),
            make.trailing_stop_market(PAIR, buy, one, trigger_price=high, **trail),
            make.trailing_stop_market(
                PAIR,
                buy,
                one,
                trigger_price=high,
                trailing_offset=Decimal("90.0"),
                trailing_offset_type=TrailingOffsetType.BASIS_POINTS,
            ),
            make.trailing_stop_limit(
                PAIR, buy, one, price=_price("1.15200"), trigger_price=high, limit_offset=Decimal("0.00200"), **trail
            ),
        ):
            await sail.submit(order)
        assert not sail.hand.reasons
        before.extend(known(sail))
        assert len(before) == 9

    async def second(sail: Desk) -> None:
        assert known(sail) == before
        sail.hand.cancel_all_orders(PAIR)
        await asyncio.sleep(0.2)
        assert not sail.hand.cache.orders_open()

    _sail(first, checkpoint_directory=str(tmp_path))
    _sail(second, checkpoint_directory=str(tmp_path))


def test_a_trailing_stop_that_the_venue_has_no_words_for_is_denied() -> None:
    """An offset in ticks, an activation price, a limit elsewhere than its offset: the reason says what to do."""

    async def steps(sail: Desk) -> None:
        make = sail.hand.order_factory.trailing_stop_market
        await sail.quote("1.10000", "1.10010")
        common = {"trigger_price": _price("1.05000"), "trailing_offset": Decimal(50)}
        ticks = make(PAIR, OrderSide.SELL, _units(1), trailing_offset_type=TrailingOffsetType.TICKS, **common)
        waits = make(
            PAIR,
            OrderSide.SELL,
            _units(1),
            trailing_offset_type=TrailingOffsetType.PRICE,
            activation_price=_price("1.20000"),
            **common,
        )
        apart = sail.hand.order_factory.trailing_stop_limit(
            PAIR,
            OrderSide.SELL,
            _units(1),
            price=_price("1.05000"),
            trailing_offset_type=TrailingOffsetType.PRICE,
            limit_offset=Decimal("0.002"),
            **common,
        )
        assert {sail.status(await sail.submit(order)) for order in (ticks, waits, apart)} == {"DENIED"}
        words = [json.loads(reason)["message"] for reason in sail.hand.reasons]
        assert "use PRICE" in words[0]
        assert "waits for an activation price" in words[1]
        assert "are not limit_offset 0.002 apart" in words[2]

    _sail(steps)


def test_what_the_venue_has_no_words_for_is_denied_with_what_to_do() -> None:
    """A market order that becomes a limit, and a quantity in the quote currency."""

    async def steps(sail: Desk) -> None:
        make = sail.hand.order_factory
        await sail.quote("1.10000", "1.10010")
        turns = make.market_to_limit(PAIR, OrderSide.BUY, _units(1))
        quoted = make.market(PAIR, OrderSide.BUY, _units(1), quote_quantity=True)
        assert [sail.status(await sail.submit(order)) for order in (turns, quoted)] == ["DENIED", "DENIED"]
        reasons = [json.loads(reason) for reason in sail.hand.reasons]
        assert {reason["reason"] for reason in reasons} == {"unsupported"}
        assert "takes no MARKET_TO_LIMIT orders" in reasons[0]["message"]
        assert "give units of the instrument" in reasons[1]["message"]

    _sail(steps)


def test_a_bracket_comes_back_whole(tmp_path: Path) -> None:
    """Restarted while its entry rests: all three legs are there; the entry fills, one exit fills and ends the other."""

    async def first(sail: Desk) -> None:
        await sail.quote("1.10000", "1.10010")
        bracket = sail.hand.order_factory.bracket(
            PAIR,
            OrderSide.BUY,
            _units(1_000),
            entry_order_type=OrderType.LIMIT,
            entry_price=_price("1.09000"),
            sl_trigger_price=_price("1.05000"),
            tp_price=_price("1.12000"),
        )
        sail.hand.submit_order_list(bracket)
        await asyncio.sleep(0.1)
        assert _statuses(sail) == ["ACCEPTED", "ACCEPTED", "ACCEPTED"]

    async def second(sail: Desk) -> None:
        assert _statuses(sail) == ["ACCEPTED", "ACCEPTED", "ACCEPTED"]
        assert {str(order.strategy_id) for order in sail.hand.cache.orders()} == {"HAND-001"}
        await sail.quote("1.08990", "1.09000")
        assert _statuses(sail) == ["FILLED", "ACCEPTED", "ACCEPTED"]

    async def third(sail: Desk) -> None:
        assert _statuses(sail) == ["FILLED", "ACCEPTED", "ACCEPTED"]
        await sail.quote("1.12000", "1.12010")
        assert _statuses(sail) == ["FILLED", "CANCELED", "FILLED"]
        assert sail.balance() == "100030.00 USD"

    for steps in (first, second, third):
        _sail(steps, checkpoint_directory=str(tmp_path))


def test_a_bracket_that_was_under_way_arrives_after_a_restart_and_works(tmp_path: Path) -> None:
    """The trader does not know it at the start; then all three legs come with the venue's answers."""
    settings: Any = {"checkpoint_directory": str(tmp_path), "latency": LatencyConfig(submit=Constant(600 * MS))}

    async def first(sail: Desk) -> None:
        await sail.quote("1.10000")
        exits = {"sl_trigger_price": _price("1.05000"), "tp_price": _price("1.12000")}
        sail.hand.submit_order_list(sail.hand.order_factory.bracket(PAIR, OrderSide.BUY, _units(1_000), **exits))
        await asyncio.sleep(0.05)
        assert _statuses(sail) == ["SUBMITTED"] * 3

    async def second(sail: Desk) -> None:
        assert _statuses(sail) == []
        await sail.quote("1.10000")
        await until(lambda: len(_statuses(sail)) == 3)
        await sail.quote("1.12000")
        await until(lambda: _statuses(sail) == ["FILLED", "CANCELED", "FILLED"])
        assert sail.balance() == "100020.00 USD"

    _sail(first, **settings)
    _sail(second, **settings)


def _statuses(sail: Desk) -> list[str]:
    orders = sorted(sail.hand.cache.orders(), key=lambda order: str(order.client_order_id))
    return [order.status.name for order in orders]


# -- the kill switch ---------------------------------------------------------------------------------------------------


def test_the_kill_switch_holds_over_a_restart(tmp_path: Path) -> None:
    """It cancels what works and denies what comes; a cancel passes; an operator lets orders out again."""

    async def first(sail: Desk) -> None:
        make = sail.hand.order_factory.limit
        await sail.quote("1.10000", "1.10010")
        resting, left = [
            await sail.submit(make(PAIR, OrderSide.BUY, _units(1_000), _price("1.05000"))) for _ in range(2)
        ]
        sail.client.disable_trading("ada", "drill", cancel_working=False)
        sail.hand.cancel_order(ClientOrderId(left))
        await asyncio.sleep(0.05)
        assert [sail.status(name) for name in (resting, left)] == ["ACCEPTED", "CANCELED"]
        sail.client.disable_trading("ada", "in earnest")
        await asyncio.sleep(0.05)
        assert sail.status(resting) == "CANCELED"

    async def second(sail: Desk) -> None:
        make = sail.hand.order_factory.market
        await sail.quote("1.10000", "1.10010")
        assert sail.client.simulator.trading_state is TradingState.HALTED
        denied = await sail.submit(make(PAIR, OrderSide.BUY, _units(1_000), client_order_id=ClientOrderId("LATE-1")))
        assert sail.status(denied) == "DENIED", denied
        assert json.loads(sail.hand.reasons[-1])["reason"] == "risk_trading_disabled"
        sail.client.enable_trading("ada", "over")
        again = make(PAIR, OrderSide.BUY, _units(1_000), client_order_id=ClientOrderId("LATE-2"))
        assert sail.status(await sail.submit(again)) == "FILLED"

    settings: Any = {
        "checkpoint_directory": str(tmp_path),
        "risk": RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(5_000))),
    }
    _sail(first, **settings)
    _sail(second, **settings)


def test_a_rule_that_flattens_closes_the_position_in_the_strategys_books_too(tmp_path: Path) -> None:
    """The gate's own order comes to the trader as a report; the halt outlasts a restart."""
    limit = DrawdownLimitRule(max_total_drawdown_pct=Decimal(1), action=RiskAction.FLATTEN)
    settings: Any = {"checkpoint_directory": str(tmp_path), "risk": RiskConfig(drawdown_limit=limit)}

    async def first(sail: Desk) -> None:
        await sail.quote("1.10000")
        await sail.submit(sail.hand.order_factory.market(PAIR, OrderSide.BUY, _units(80_000)))
        await sail.quote("1.08000")
        await until(lambda: _statuses(sail) == ["FILLED", "FILLED"])
        assert [position.side.name for position in sail.hand.cache.positions()] == ["FLAT"]
        assert sail.balance() == "98400.00 USD"

    async def second(sail: Desk) -> None:
        assert sail.client.simulator.trading_state is TradingState.HALTED
        assert [position.side.name for position in sail.hand.cache.positions()] == ["FLAT"]

    _sail(first, **settings)
    _sail(second, **settings)


# -- market data -------------------------------------------------------------------------------------------------------


def test_an_order_without_market_data_is_warned_of_once() -> None:
    """The node has no SeatrialFeed: two orders wait, and one line says what to add."""

    class Lines:
        """What was logged."""

        def __init__(self) -> None:
            self.warned: list[str] = []

        def warning(self, line: str) -> None:
            self.warned.append(line)

    async def steps(sail: Desk) -> None:
        sail.client.log = lines = Lines()
        make = sail.hand.order_factory.limit
        names = [await sail.submit(make(PAIR, OrderSide.BUY, _units(1), _price("1.20000"))) for _ in range(2)]
        assert [sail.status(name) for name in names] == ["ACCEPTED", "ACCEPTED"]
        (line,) = lines.warned
        assert "add SeatrialFeed(config) to the node" in line

    _sail(steps, feed=False)


def test_trades_can_be_fed_instead_of_quotes() -> None:
    """A print at the limit's price is not enough, since others may stand before it; one beyond is."""

    async def steps(sail: Desk) -> None:
        await sail.trade("1.10000")
        low = sail.hand.order_factory.limit(PAIR, OrderSide.BUY, _units(100), _price("1.09000"))
        name = await sail.submit(low)
        await sail.trade("1.09500")
        await sail.trade("1.09000")
        assert sail.status(name) == "ACCEPTED"
        await sail.trade("1.08999")
        assert sail.status(name) == "FILLED"

    _sail(steps, feed={"quotes": False, "trades": True})


@pytest.mark.parametrize(
    ("kinds", "problem"), [({"bars": True}, "a bar is over when it comes"), ({"quotes": False}, "trades on nothing")]
)
def test_a_feed_of_bars_or_of_nothing_is_refused(kinds: dict[str, bool], problem: str) -> None:
    """What a bar would fill lies in the past of a live session."""
    with pytest.raises(InvalidConfigError, match=problem):
        SeatrialFeed(_settings(), **kinds)


def _settings() -> Any:
    settings: Any = {"venue": "SIM", "starting_balances": ["1 USD"], "instrument_ids": [str(PAIR)]}
    return SeatrialExecClientConfig(**settings)


# -- what 2.0 does not take --------------------------------------------------------------------------------------------


def test_in_a_backtest_of_2_the_feed_says_that_there_is_no_client() -> None:
    """The engine stops at its start, rather than trading without a gate."""
    engine = BacktestEngine(BacktestEngineConfig())
    engine.add_actor(SeatrialFeed(_settings()))

    with pytest.raises(RuntimeError, match=r"name it in a LiveNode's exec_clients \(a backtest takes none\)"):
        engine.run()


@pytest.mark.parametrize("name", ["attach", "attach_node", "SeatrialModule", "snapshot"])
def test_the_names_for_backtests_are_refused_with_the_reason(name: str) -> None:
    """One line: why, and which version has them."""
    with pytest.raises(InvalidConfigError, match=rf"{name} needs NautilusTrader 1\.x: 2\.0's backtest takes no"):
        getattr(seatrial_nautilus, name)


@pytest.mark.parametrize("name", ["SeatrialGuardConfig", "live_guard"])
def test_the_guard_is_for_1(name: str) -> None:
    """And says so."""
    with pytest.raises(InvalidConfigError, match=rf"{name} guards live accounts of NautilusTrader 1\.x"):
        getattr(seatrial_nautilus, name)
