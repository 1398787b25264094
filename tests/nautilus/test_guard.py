"""Limits in front of a live account: real nodes, a scripted venue's client, and the guard between them."""

from __future__ import annotations

import asyncio
import json
import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

pytest.importorskip("nautilus_trader", reason="NautilusTrader is not installed")

from nautilus_trader.config import TradingNodeConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import CancelOrder, SubmitOrder
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import LiquiditySide, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, TradeId
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from tests.nautilus.rig.account import PAIR, REAL, AccountAtVenue, ScriptedConfig, ScriptedFactory
from tests.nautilus.rig.guarded import until, voyage

from seatrial import (
    CheckpointManager,
    DrawdownLimitRule,
    ExposureLimitRule,
    OrderStatus,
    PositionLimitRule,
    RiskAction,
    RiskConfig,
    RiskViolation,
    TradingState,
)
from seatrial.contracts.events import TradingStateChanged
from seatrial.errors import InvalidConfigError
from seatrial_nautilus.v1.guard import port, watch
from seatrial_nautilus.v1.guard.config import SeatrialGuardConfig, inner_config, inner_factory
from seatrial_rules.switch import KillSwitch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from tests.nautilus.rig.guarded import Voyage

    from seatrial import Order

SHARES = RiskConfig(position_limit=PositionLimitRule(max_shares=Decimal(15_000)))
SYMBOL = PAIR.id.value


def _sail(
    steps: Callable[[Voyage], Coroutine[Any, Any, None]], at: AccountAtVenue | None = None, **settings: Any
) -> None:
    """Run a guarded node through some steps."""

    async def run() -> None:
        async with voyage(at or AccountAtVenue(PAIR), **settings) as sail:
            await steps(sail)

    asyncio.run(run())


# -- orders ------------------------------------------------------------------------------------------------------------


def test_what_passes_is_the_clients_own_affair_and_what_a_rule_refuses_never_reaches_it() -> None:
    """The second order is denied with the typed reason and without OrderSubmitted; the books follow the fill alone."""

    async def steps(sail: Voyage) -> None:
        first = await sail.market(10_000)
        second = await sail.market(10_000)

        assert sail.at.calls == [f"submit {first.client_order_id}"]
        assert sail.hand.heard == ["OrderSubmitted", "OrderAccepted", "OrderFilled", "OrderDenied"]
        assert second.status_string() == "DENIED"
        reason = json.loads(sail.hand.reasons[0])
        assert (reason["reason"], reason["rule"], reason["value"]) == ("risk_position_limit", "position_limit", "20000")
        assert sail.guard.account.positions == {SYMBOL: 10_000}
        assert sail.guard.account.cash == 100_000 - 11_000 - 1
        fill = sail.guard.gate.completed_orders[first.client_order_id.value].executions[0]
        assert (fill.execution_id, fill.commission) == ("T1", Decimal(1))
        assert fill.reported_at >= fill.timestamp

    _sail(steps, risk=SHARES)


def test_a_passing_order_is_with_the_client_when_the_call_returns() -> None:
    """No turn of the loop, no task and no timer lies between the node's command and the client's."""

    async def steps(sail: Voyage) -> None:
        order = sail.hand.order_factory.market(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000))
        sail.cache.add_order(order, None, None)
        sail.guard.submit_order(_command(sail, order))

        assert sail.at.calls == [f"submit {order.client_order_id}"]
        await sail.rest()

    _sail(steps, risk=SHARES)


def _command(sail: Voyage, order: Any) -> Any:
    return SubmitOrder(
        trader_id=order.trader_id, strategy_id=order.strategy_id, order=order, command_id=UUID4(), ts_init=0
    )


def test_a_list_leaves_whole_or_not_at_all() -> None:
    """A bracket too large for the limit is denied in all three legs; a smaller one leaves as one command."""

    async def steps(sail: Voyage) -> None:
        prices = {"sl_trigger_price": PAIR.make_price(1.0), "tp_price": PAIR.make_price(1.2)}
        large, small = [
            sail.hand.order_factory.bracket(PAIR.id, OrderSide.BUY, PAIR.make_qty(size), **prices)
            for size in (16_000, 15_000)
        ]
        sail.at.script = ["fill", "work", "work"]
        sail.hand.submit_order_list(large)
        await sail.rest()
        assert [order.status_string() for order in large.orders] == ["DENIED"] * 3
        assert sail.at.calls == []

        sail.hand.submit_order_list(small)
        await until(lambda: small.orders[2].is_open)
        await sail.rest()
        assert sail.at.calls == ["submit_list 3"]
        assert sail.guard.account.positions == {SYMBOL: 15_000}
        assert len(sail.guard.gate.pending_orders) == 2

    _sail(steps, risk=SHARES)


def test_a_modify_that_would_break_a_limit_is_refused_and_a_smaller_one_passes() -> None:
    """The strategy hears OrderModifyRejected with the typed reason; the order keeps its terms."""

    async def steps(sail: Voyage) -> None:
        order = await sail.limit(10_000, "1.05000")
        sail.hand.modify_order(order, quantity=PAIR.make_qty(16_000))
        await sail.rest()
        assert sail.hand.heard[-1] == "OrderModifyRejected"
        assert json.loads(sail.hand.reasons[-1])["rule"] == "position_limit"
        assert not any(call.startswith("modify") for call in sail.at.calls)

        sail.hand.modify_order(order, quantity=PAIR.make_qty(12_000), price=PAIR.make_price(1.06))
        await sail.rest()
        assert sail.at.calls[-1] == f"modify {order.client_order_id}"
        ours = sail.guard.gate.get_order(order.client_order_id.value)
        assert (ours.quantity, ours.limit_price) == (Decimal(12_000), Decimal("1.06000"))
        assert ours.status is OrderStatus.SUBMITTED

    _sail(steps, risk=SHARES)


@pytest.mark.parametrize(("how", "heard"), [("reject", ["OrderSubmitted", "OrderRejected"]), ("deny", ["OrderDenied"])])
def test_what_the_client_refuses_itself_passes_unchanged_and_counts_no_more(how: str, heard: list[str]) -> None:
    """Its own words reach the strategy, and the limit is free again."""

    async def steps(sail: Voyage) -> None:
        sail.at.script = [how]
        await sail.market(15_000)
        assert sail.hand.heard == heard
        assert sail.hand.reasons[0].endswith("does not take it")
        assert not sail.guard.gate.pending_orders
        assert (await sail.market(15_000)).status_string() == "FILLED"

    _sail(steps, risk=SHARES)


def test_what_the_client_raises_reaches_the_node_as_it_would_without_a_guard() -> None:
    """The gate knows that the order never left."""

    async def steps(sail: Voyage) -> None:
        order = sail.hand.order_factory.market(PAIR.id, OrderSide.BUY, PAIR.make_qty(1_000))
        sail.at.script = ["raise"]
        with pytest.raises(ConnectionError, match="the line is dead"):
            sail.guard.submit_order(_command(sail, order))
        assert sail.guard.gate.completed_orders[order.client_order_id.value].status is OrderStatus.REJECTED

    _sail(steps, risk=SHARES)


# -- fills and cancels -------------------------------------------------------------------------------------------------


def test_a_partial_fill_counts_for_what_it_filled_and_a_lost_race_is_no_cancel() -> None:
    """Half is filled; the venue refuses the cancel, then fills the rest."""

    async def steps(sail: Voyage) -> None:
        sail.at.script = ["part"]
        order = await sail.limit(10_000, "1.10000")
        name = order.client_order_id.value
        assert sail.guard.account.positions == {SYMBOL: 5_000}
        sail.at.refuses_cancels = True
        sail.hand.cancel_order(order)
        await sail.rest()
        assert sail.guard.gate.get_order(name).status is OrderStatus.PARTIALLY_FILLED
        sail.at.client.fill(name, Decimal(5_000))
        await sail.rest()

        ours = sail.guard.gate.get_order(name)
        assert (ours.status, ours.filled_quantity) == (OrderStatus.FILLED, Decimal(10_000))
        kinds = [type(event).__name__ for event in ours.events]
        assert kinds[-4:] == ["OrderExecution", "CancelRequested", "CancelRefused", "OrderExecution"]

    _sail(steps, risk=SHARES)


def test_cancels_pass_again_and_again() -> None:
    """A cancel that was never answered does not keep the next one from the venue."""

    async def steps(sail: Voyage) -> None:
        sail.at.script = ["silent"]
        order = await sail.limit(10_000, "1.05000")
        for _ in range(2):
            sail.guard.cancel_order(_cancel(order))
        assert sail.at.calls[1:] == [f"cancel {order.client_order_id}"] * 2
        await sail.rest()
        assert sail.guard.problem is None

    _sail(steps, risk=SHARES)


def _cancel(order: Any) -> Any:
    return CancelOrder(
        trader_id=order.trader_id,
        strategy_id=order.strategy_id,
        instrument_id=order.instrument_id,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        command_id=UUID4(),
        ts_init=0,
    )


def test_a_fill_after_the_end_of_its_order_counts_all_the_same() -> None:
    """The venue cancels an order, and tells of a fill from before afterwards: the position is what the venue says."""

    async def steps(sail: Voyage) -> None:
        order = await sail.limit(10_000, "1.05000")
        sail.hand.cancel_all_orders(PAIR.id)
        await sail.rest()
        name = order.client_order_id.value
        assert sail.at.calls[-1] == "cancel_all"
        assert sail.guard.gate.get_order(name).rejection is None
        sail.at.client.fill(name, Decimal(10_000))
        await sail.rest()

        assert sail.guard.gate.get_order(name).status is OrderStatus.CANCELLED
        assert sail.guard.gate.get_order(f"{name}.T1").status is OrderStatus.FILLED
        assert sail.guard.account.positions == {SYMBOL: 10_000}
        assert sail.guard.problem is None

    _sail(steps, risk=SHARES)


def test_a_fill_of_more_than_was_ordered_counts_whole() -> None:
    """Some venues do that: the order is filled, and the rest is booked beside it."""

    async def steps(sail: Voyage) -> None:
        order = await sail.limit(10_000, "1.05000")
        name = order.client_order_id.value
        sail.node.kernel.msgbus.publish("events.order.HAND-001", _fill(sail, order, 12_000))

        assert sail.guard.gate.get_order(name).status is OrderStatus.FILLED
        assert sail.guard.gate.get_order(f"{name}.T9").filled_quantity == 2_000
        assert sail.guard.account.positions == {SYMBOL: 12_000}
        assert sail.guard.account.cash == 100_000 - 13_200 - 1

    _sail(steps, risk=SHARES)


def _fill(sail: Voyage, order: Any, quantity: int, *, instrument_id: Any = PAIR.id, name: str | None = None) -> Any:
    """Return a fill of an order as the node's engine would publish it."""
    return OrderFilled(
        sail.guard.trader_id,
        order.strategy_id,
        instrument_id,
        order.client_order_id if name is None else ClientOrderId(name),
        order.venue_order_id,
        sail.guard.account_id,
        TradeId("T9"),
        None,
        order.side,
        order.order_type,
        PAIR.make_qty(quantity),
        PAIR.make_price(1.1),
        USD,
        Money(1, USD),
        LiquiditySide.TAKER,
        UUID4(),
        0,
        0,
    )


# -- what was sent from elsewhere --------------------------------------------------------------------------------------


def test_orders_and_fills_from_elsewhere_are_counted_not_stopped() -> None:
    """An order of 10 000 that was sent from elsewhere leaves 5 000 to the strategy, before it fills and afterwards."""

    async def steps(sail: Voyage) -> None:
        sail.elsewhere("ABROAD", OrderSide.BUY, "10000", "1.05")
        await sail.rest()
        assert sail.guard.gate.get_order("ABROAD").strategy_id == "EXTERNAL"
        assert (await sail.limit(6_000, "1.05000")).status_string() == "DENIED"

        sail.fill_elsewhere("ABROAD", "10000", "1.05")
        await sail.rest()
        assert sail.guard.account.positions == {SYMBOL: 10_000}
        assert (await sail.market(6_000)).status_string() == "DENIED"
        assert (await sail.market(5_000)).status_string() == "FILLED"

    _sail(steps, risk=SHARES)


def test_what_was_there_at_the_start_counts() -> None:
    """A position, and an order half filled, whose fill is in the position already."""

    async def steps(sail: Voyage) -> None:
        gate, account = sail.guard.gate, sail.guard.account
        assert account.positions == {SYMBOL: 12_000}
        assert account.equity == 100_000 + 12_000 * (Decimal("1.10000") - Decimal("1.00000"))
        order = gate.get_order("B")
        assert (order.filled_quantity, order.remaining_quantity) == (Decimal(2_000), Decimal(2_000))
        assert (await sail.market(2_000)).status_string() == "DENIED"
        assert (await sail.market(1_000)).status_string() == "FILLED", sail.hand.reasons
        sail.fill_elsewhere("B", "2000", "1.00")
        await sail.rest()
        assert account.positions == {SYMBOL: 15_000}
        assert gate.get_order("B").status is OrderStatus.FILLED

    at = AccountAtVenue(PAIR)
    for name, quantity in (("A", "10000"), ("B", "4000")):
        at.open_order(name, OrderSide.BUY, quantity, "1.00")
    at.match("A", Decimal(10_000), Decimal(1))
    at.match("B", Decimal(2_000), Decimal(1))
    _sail(steps, at, risk=SHARES)


def test_a_position_found_at_the_start_makes_no_profit_by_its_first_price() -> None:
    """It was bought at 1.00 long ago; that the market is at 1.10 today is no gain to lose."""

    async def steps(sail: Voyage) -> None:
        view = sail.guard.gate.admission.risk
        assert view is not None
        assert (view.day_start, view.peak) == (Decimal(101_000), Decimal(101_000))
        sail.quote("1.00000")
        await sail.rest()
        assert sail.guard.gate.trading_state is TradingState.HALTED

    at = AccountAtVenue(PAIR)
    at.open_order("A", OrderSide.BUY, "10000", "1.00")
    at.match("A", Decimal(10_000), Decimal(1))
    limit = DrawdownLimitRule(max_daily_drawdown_pct=Decimal("0.9"), action=RiskAction.HALT)
    _sail(steps, at, risk=RiskConfig(drawdown_limit=limit))


def test_in_a_cash_account_a_position_was_paid_for() -> None:
    """Equity is the cash and what the units are worth."""

    async def steps(sail: Voyage) -> None:
        assert (sail.guard.account.cash, sail.guard.account.equity) == (Decimal(100_000), Decimal(111_000))

    at = AccountAtVenue(PAIR)
    at.open_order("A", OrderSide.BUY, "10000", "1.00")
    at.match("A", Decimal(10_000), Decimal(1))
    _sail(steps, at, risk=SHARES, account_type="CASH")


def test_what_happened_while_the_client_was_disconnected_counts_when_it_is_told() -> None:
    """A fill that was missed comes with a report after the client is back; in the meantime cancels still pass."""

    async def steps(sail: Voyage) -> None:
        order = await sail.limit(10_000, "1.05000")
        name = order.client_order_id.value
        sail.at.client._set_connected(False)
        missed = sail.at.match(name, Decimal(4_000), Decimal("1.05"))
        sail.guard.cancel_order(_cancel(order))
        assert sail.at.calls[-1] == f"cancel {name}"
        await sail.rest()
        assert sail.guard.account.positions == {}

        sail.at.client._set_connected(True)
        sail.at.client._send_fill_report(sail.at.client.fill_report(missed))
        await sail.rest()
        assert sail.guard.account.positions == {SYMBOL: 4_000}
        assert sail.guard.problem is None

    _sail(steps, risk=SHARES)


# -- the kill switch ---------------------------------------------------------------------------------------------------


def test_the_kill_switch_cancels_what_works_at_the_venue_and_lets_nothing_out_but_cancels() -> None:
    """Orders from elsewhere that the node knows are cancelled too; what is left working can still be cancelled."""

    async def steps(sail: Voyage) -> None:
        order = await sail.limit(5_000, "1.05000")
        sail.elsewhere("ABROAD", OrderSide.BUY, "1000", "1.05")
        await sail.rest()
        sail.guard.disable_trading("ada", "drill")
        await sail.rest()
        assert {sail.order(name).status_string() for name in sail.at.orders} == {"CANCELED"}
        assert len(sail.at.orders) == 2
        assert (await sail.market(1_000)).status_string() == "DENIED"
        assert json.loads(sail.hand.reasons[-1])["reason"] == "risk_trading_disabled"
        assert order.status_string() == "CANCELED"

        sail.guard.enable_trading("ada", "over")
        late = await sail.limit(5_000, "1.05000")
        sail.guard.disable_trading("ada", "again", cancel_working=False)
        sail.hand.modify_order(late, quantity=PAIR.make_qty(4_000))
        await sail.rest()
        assert sail.hand.heard[-1] == "OrderModifyRejected"
        sail.hand.cancel_order(late)
        await sail.rest()
        assert late.status_string() == "CANCELED"

    _sail(steps, risk=SHARES)


def test_an_operator_may_halt_before_the_node_has_begun() -> None:
    """The word waits for the books, and what works at the venue is cancelled then."""

    async def steps(sail: Voyage) -> None:
        await until(lambda: sail.order("A").status_string() == "CANCELED")
        assert sail.guard.gate.trading_state is TradingState.HALTED

    at = AccountAtVenue(PAIR)
    at.open_order("A", OrderSide.BUY, "1000", "1.00")
    _sail(steps, at, risk=SHARES, early=lambda guard: guard.disable_trading("ada", "early"))


def test_the_kill_switch_asks_again_where_a_cancel_was_lost() -> None:
    """The first cancel never reached the venue; pulling the switch sends another."""

    async def steps(sail: Voyage) -> None:
        order = await sail.limit(1_000, "1.05000")
        send, sail.at.client.cancel_order = sail.at.client.cancel_order, lambda command: None
        sail.hand.cancel_order(order)
        await sail.rest()
        assert order.status_string() == "PENDING_CANCEL"
        sail.at.client.cancel_order = send
        sail.guard.disable_trading("ada", "drill")
        await until(lambda: order.status_string() == "CANCELED")

    _sail(steps, risk=SHARES)


def test_a_drawdown_by_the_nodes_own_quotes_latches_and_closes_what_is_held() -> None:
    """At 5 % the working order is cancelled and the position closed by an order that can only reduce."""

    async def steps(sail: Voyage) -> None:
        await sail.market(50_000)
        resting = await sail.limit(1_000, "0.90000")
        sail.at.price = Decimal("0.99000")
        sail.quote("0.99000")
        await until(lambda: not sail.guard.account.positions)
        await sail.rest()
        assert sail.guard.gate.trading_state is TradingState.HALTED
        assert resting.status_string() == "CANCELED"
        closer = sail.cache.orders()[-1]
        assert (closer.is_reduce_only, closer.strategy_id) == (True, sail.hand.id)
        assert closer.client_order_id.value.startswith("O2")
        assert sail.at.position == 0
        assert (await sail.market(1_000)).status_string() == "DENIED"

    limit = DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5), action=RiskAction.FLATTEN)
    _sail(steps, risk=RiskConfig(drawdown_limit=limit))


def test_a_venue_that_refuses_to_close_is_not_flooded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each quote would send another order; the guard waits between two."""
    monkeypatch.setattr(port, "_PAUSE", 0.3)

    async def steps(sail: Voyage) -> None:
        await sail.market(50_000)
        sail.at.script = ["reject", "fill"]
        before = len(sail.at.calls)
        for n in range(10):
            sail.quote(f"0.9{n}000")
            await asyncio.sleep(0.01)
        assert len(sail.at.calls) == before + 1
        await until(lambda: not sail.guard.account.positions)
        assert len(sail.at.calls) == before + 2

    limit = DrawdownLimitRule(max_daily_drawdown_pct=Decimal(5), action=RiskAction.FLATTEN)
    _sail(steps, risk=RiskConfig(drawdown_limit=limit))


def test_a_switch_pulled_by_another_part_of_the_program_acts_although_nothing_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No quote, no order: the guard looks at the clock by itself."""
    monkeypatch.setattr(watch, "_BEAT", 0.02)
    switch = KillSwitch()

    async def steps(sail: Voyage) -> None:
        order = await sail.limit(1_000, "1.05000")
        switch.pull("ada", "drill")
        await until(lambda: order.status_string() == "CANCELED")
        assert sail.guard.gate.trading_state is TradingState.HALTED

    _sail(steps, risk=RiskConfig(rules=(switch,)))


def test_a_rule_of_ones_own_is_asked_and_hears_the_venues_reports() -> None:
    """It refuses after two fills, whoever they are reported by."""

    class TwoFills:
        """Two fills are enough."""

        name = "two_fills"

        def __init__(self) -> None:
            self.fills = 0

        def check(self, order: Order, account: Any, now: int) -> RiskViolation | None:
            return RiskViolation("two fills are enough") if self.fills > 1 else None

        def hear(self, event: Any, order: Order | None) -> None:
            self.fills += type(event).__name__ == "OrderExecution"

    async def steps(sail: Voyage) -> None:
        assert [(await sail.market(1_000)).status_string() for _ in range(3)] == ["FILLED", "FILLED", "DENIED"]
        assert json.loads(sail.hand.reasons[-1])["rule"] == "two_fills"

    _sail(steps, risk=RiskConfig(rules=(TwoFills(),)))


# -- fail closed -------------------------------------------------------------------------------------------------------


def test_without_a_price_nothing_leaves_that_needs_one() -> None:
    """No client of the node has shown a price yet."""

    async def steps(sail: Voyage) -> None:
        await sail.market(1_000)
        assert json.loads(sail.hand.reasons[0])["reason"] == "risk_price_missing"
        sail.quote("1.10000")
        await sail.rest()
        assert (await sail.market(1_000)).status_string() == "FILLED"

    _sail(steps, price=None, risk=RiskConfig(exposure_limit=ExposureLimitRule(max_gross_exposure_pct=Decimal(50))))


def test_an_account_of_several_currencies_has_to_name_the_one_that_rules_count_in() -> None:
    """Without a name nothing leaves; with one, only its balance counts."""
    balances = ("100000 USD", "2 BTC")

    async def unnamed(sail: Voyage) -> None:
        assert (await sail.market(1_000)).status_string() == "DENIED"
        assert "name the one that rules count in" in json.loads(sail.hand.reasons[0])["message"]

    async def named(sail: Voyage) -> None:
        assert (await sail.market(1_000)).status_string() == "FILLED"
        assert sail.guard.account.equity == 99_999

    _sail(unnamed, AccountAtVenue(PAIR, balances), risk=SHARES)
    _sail(named, AccountAtVenue(PAIR, balances), risk=SHARES, currency="USD")


def test_an_instrument_in_another_currency_is_refused_where_there_are_rules() -> None:
    """Nothing is converted."""
    yen: Any = TestInstrumentProvider.default_fx_ccy("USD/JPY", REAL)

    async def steps(sail: Voyage) -> None:
        await sail.submit(sail.hand.order_factory.market(yen.id, OrderSide.BUY, yen.make_qty(1_000)))
        reason = json.loads(sail.hand.reasons[0])
        assert reason["reason"] == "unsupported"
        assert "its profit is in JPY, the account in USD" in reason["message"]
        assert sail.at.calls == []

    _sail(steps, AccountAtVenue(yen), price="150.000", risk=SHARES)


def test_books_that_went_wrong_let_nothing_out_but_cancels() -> None:
    """A report of an instrument that cannot be counted: from then on every order is denied, cancels pass."""

    async def steps(sail: Voyage) -> None:
        order = await sail.limit(1_000, "1.05000")
        stray = _fill(sail, order, 1, instrument_id=InstrumentId.from_str("NO/NE.REAL"), name="LEG-1")
        sail.node.kernel.msgbus.publish("events.order.EXTERNAL", stray)
        assert (await sail.market(1_000)).status_string() == "DENIED"
        assert "cannot be trusted" in json.loads(sail.hand.reasons[-1])["message"]
        sail.hand.cancel_order(order)
        await sail.rest()
        assert order.status_string() == "CANCELED"

    _sail(steps, risk=SHARES)


# -- restarts ----------------------------------------------------------------------------------------------------------


def test_latches_and_the_days_start_outlast_a_restart(tmp_path: Path) -> None:
    """A drawdown halts trading, and the process dies there: what is on disk at that moment is all that is left.

    The next node on the same account is halted too, until an operator says otherwise.
    """
    at = AccountAtVenue(PAIR)
    limit = DrawdownLimitRule(max_total_drawdown_pct=Decimal(1), action=RiskAction.HALT)
    settings: Any = {"risk": RiskConfig(drawdown_limit=limit)}
    left = tmp_path / "left"

    async def first(sail: Voyage) -> None:
        await sail.market(50_000)
        sail.quote("1.12000")
        await sail.rest()

        def die(event: object, order: object) -> None:
            if type(event) is TradingStateChanged:
                shutil.copytree(tmp_path / "first", left)

        sail.guard.gate.add_listener(die)
        sail.quote("1.09000")
        await until(left.exists)
        assert sail.guard.gate.trading_state is TradingState.HALTED

    async def second(sail: Voyage) -> None:
        risk = sail.guard.gate.admission.risk
        assert sail.guard.gate.trading_state is TradingState.HALTED
        assert risk is not None
        assert (risk.day_start, risk.peak) == (Decimal(100_000), Decimal(100_999))
        assert sail.guard.account.positions == {SYMBOL: 50_000}
        assert (await sail.market(1_000)).status_string() == "DENIED"
        sail.guard.enable_trading("ada", "seen")
        assert (await sail.market(1_000)).status_string() == "FILLED"

    async def third(sail: Voyage) -> None:
        assert sail.guard.gate.trading_state is TradingState.ACTIVE

    _sail(first, at, **settings, checkpoint_directory=str(tmp_path / "first"))
    _sail(second, at, **settings, checkpoint_directory=str(left), price=None)
    _sail(third, at, **settings, checkpoint_directory=str(left))
    lines = [json.loads(line) for line in (left / "mine" / "events.jsonl").read_text().splitlines()]
    states = [line["state"] for line in lines if line["event"] == "trading_state"]
    assert states == ["halted", "halted", "active"]
    assert sum(line["event"] == "filled" for line in lines) == 2
    assert len(CheckpointManager(left).list_checkpoints("mine")) <= 3


def test_a_cancel_that_nobody_answered_is_asked_for_again(tmp_path: Path) -> None:
    """The first process dies between the kill switch and the venue's client; the second asks again."""
    at = AccountAtVenue(PAIR)
    left = tmp_path / "left"

    async def first(sail: Voyage) -> None:
        await sail.limit(1_000, "1.05000")
        sail.at.client.cancel_order = lambda command: shutil.copytree(tmp_path / "first", left)
        sail.guard.disable_trading("ada", "drill")
        assert left.exists()

    async def second(sail: Voyage) -> None:
        await sail.rest()
        assert sail.at.calls[-1].startswith("cancel O-")
        assert not sail.guard.gate.pending_orders
        assert sail.guard.gate.trading_state is TradingState.HALTED

    _sail(first, at, risk=SHARES, checkpoint_directory=str(tmp_path / "first"))
    _sail(second, at, risk=SHARES, checkpoint_directory=str(left))


def test_a_torn_line_of_the_journal_is_taken_away_and_another_accounts_checkpoint_refused(tmp_path: Path) -> None:
    """What a crash has left of a line would spoil the next one; what belongs to somebody else lets nothing out."""
    settings: Any = {"risk": SHARES, "checkpoint_directory": str(tmp_path)}
    journal = tmp_path / "mine" / "events.jsonl"

    async def steps(sail: Voyage) -> None:
        assert (await sail.market(1_000)).status_string() == "FILLED"

    async def stranger(sail: Voyage) -> None:
        assert (await sail.market(1_000)).status_string() == "DENIED"
        assert "it is of no guarded account" in json.loads(sail.hand.reasons[0])["message"]

    _sail(steps, **settings)
    before = journal.read_bytes()
    journal.write_bytes(before + b'{"event":"fil')
    _sail(steps, **settings)
    assert journal.read_bytes().startswith(before)
    assert all(json.loads(line) for line in journal.read_text().splitlines())
    manager = CheckpointManager(tmp_path)
    manager.save_checkpoint(replace(manager.load_checkpoint("mine"), engine=Raw(b"{}")))
    manager.close()
    _sail(stranger, **settings)


def test_what_cannot_be_written_down_does_not_leave(tmp_path: Path) -> None:
    """Where the directory should be lies a file."""
    (tmp_path / "file").touch()

    async def steps(sail: Voyage) -> None:
        assert (await sail.market(1_000)).status_string() == "DENIED"
        assert "cannot be trusted" in json.loads(sail.hand.reasons[0])["message"]

    _sail(steps, risk=SHARES, checkpoint_directory=str(tmp_path / "file"))


# -- configuration -----------------------------------------------------------------------------------------------------


def test_a_configuration_is_written_and_read_with_the_clients_own_inside() -> None:
    """As JSON the client is an importable configuration; routing is the client's unless given."""
    inner = {
        "path": "tests.nautilus.rig.account:ScriptedConfig",
        "config": {"account": "a", "routing": {"default": True}},
    }
    config = SeatrialGuardConfig(client=inner, factory="tests.nautilus.rig.account:ScriptedFactory", risk=SHARES)

    read = SeatrialGuardConfig.parse(config.json())

    assert read == config
    assert read.routing.default
    assert inner_config(read) == ScriptedConfig.parse(json.dumps(inner["config"]))
    assert inner_factory(read) is ScriptedFactory
    assert TradingNodeConfig(exec_clients={"SIM": read}).exec_clients["SIM"] == config


@pytest.mark.parametrize(
    ("client", "factory", "problem"),
    [
        (None, ScriptedFactory, "give the LiveExecClientConfig of the venue's own client"),
        ({"path": "tests.nautilus.rig.account:Nobody"}, ScriptedFactory, "it cannot be made"),
        (ScriptedConfig(account="a"), "tests.nautilus.rig.account:Nobody", "it cannot be imported"),
        (ScriptedConfig(account="a"), object(), "it has no create()"),
        (
            ScriptedConfig(account="a"),
            "nautilus_trader.adapters.sandbox.factory:SandboxLiveExecClientFactory",
            "use SeatrialExecClientConfig",
        ),
    ],
)
def test_what_is_no_client_is_refused_by_name(client: Any, factory: Any, problem: str) -> None:
    """Each mistake is one line with what to give instead."""
    with pytest.raises(InvalidConfigError, match=problem.replace("(", r"\(").replace(")", r"\)")):
        inner_factory(SeatrialGuardConfig(client=client, factory=factory))
