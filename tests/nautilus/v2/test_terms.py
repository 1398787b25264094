"""NautilusTrader 2.0: what an account may do, what a loss does to it, and which data its venue is fed."""

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

from nautilus_trader.model import ClientOrderId, OrderSide, Price, Quantity
from tests.nautilus.v2.rig import desk as rig
from tests.nautilus.v2.rig.desk import desk, until
from tests.nautilus.v2.rig.live import PAIR

from seatrial import AccountType, DrawdownLimitRule, FeeSchedule, RiskAction, RiskConfig, VenueConfig
from seatrial.errors import InvalidConfigError
from seatrial_nautilus.v2.config import SeatrialExecClientConfig
from seatrial_nautilus.v2.feed import SeatrialFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from tests.nautilus.v2.rig.desk import Desk


def _sail(steps: Callable[[Desk], Coroutine[Any, Any, None]], **settings: Any) -> None:
    async def run() -> None:
        async with desk(**settings) as sail:
            await steps(sail)

    asyncio.run(run())


class Clerk:
    """Sends orders whose ids no other run of the session has used."""

    def __init__(self, sail: Desk, run: str) -> None:
        self.sail = sail
        self._run = run
        self._sent = 0

    def _next(self) -> Any:
        self._sent += 1
        return ClientOrderId(f"{self._run}-{self._sent}")

    async def market(self, units: int) -> str:
        """Buy, or sell where `units` are negative; return how it ended."""
        side = OrderSide.BUY if units > 0 else OrderSide.SELL
        make = self.sail.hand.order_factory.market
        order = make(PAIR, side, Quantity.from_int(abs(units)), client_order_id=self._next())
        return self.sail.status(await self.sail.submit(order))

    async def limit(self, units: int, price: str) -> str:
        """Leave a limit; return its id."""
        side = OrderSide.BUY if units > 0 else OrderSide.SELL
        make, at = self.sail.hand.order_factory.limit, Price.from_str(price)
        order = make(PAIR, side, Quantity.from_int(abs(units)), at, client_order_id=self._next())
        return await self.sail.submit(order)

    @property
    def why(self) -> Any:
        """The latest refusal."""
        return json.loads(self.sail.hand.reasons[-1])


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_a_cash_account_is_refused_what_it_cannot_pay_or_deliver_also_after_a_restart(tmp_path: Path) -> None:
    """Fees count, which NautilusTrader's own check leaves out.

    What NautilusTrader's risk engine denies never comes to the client, so it is not in the log.
    What a resting sale would deliver is not there for a second one; cancelled, it is again.
    """
    fees = FeeSchedule(bps=Decimal(10))
    settings: Any = {
        "venue_config": VenueConfig(account_type=AccountType.CASH, fees=fees),
        "checkpoint_directory": str(tmp_path),
    }

    async def first(sail: Desk) -> None:
        clerk = Clerk(sail, "ONE")
        await sail.quote("1.00000")
        assert (await clerk.market(100_000), clerk.why["reason"]) == ("REJECTED", "insufficient_funds")
        assert (await clerk.market(60_000), sail.balance()) == ("FILLED", "39940.00 USD")
        assert (await clerk.market(-20_000), sail.balance()) == ("FILLED", "59920.00 USD")
        assert sail.status(await clerk.limit(-40_000, "1.10000")) == "ACCEPTED"
        assert await clerk.market(-1) == "REJECTED"
        assert "sells only what it holds" in clerk.why["message"]

    async def second(sail: Desk) -> None:
        clerk = Clerk(sail, "TWO")
        assert sail.balance() == "59920.00 USD"
        await sail.quote("1.00000")
        assert await clerk.market(-1) == "REJECTED"
        sail.hand.cancel_all_orders(PAIR)
        await until(lambda: not sail.hand.cache.orders_open(), "the cancel of the sale that rests")
        assert (await clerk.market(60_000), sail.hand.reasons[-1][:29]) == ("DENIED", "NOTIONAL_EXCEEDS_FREE_BALANCE")
        assert (await clerk.market(59_900), clerk.why["reason"]) == ("REJECTED", "insufficient_funds")
        assert (await clerk.market(-40_000), sail.balance()) == ("FILLED", "99880.00 USD")
        assert await clerk.market(-1) == "REJECTED"
        assert {"TWO-1", "TWO-2", "TWO-3"} - sail.client.simulator.completed_orders.keys() == {"TWO-2"}

    _sail(first, **settings)
    _sail(second, **settings)


def test_the_balance_comes_with_each_fill() -> None:
    """A partial fill pays its part: the account is told after each of them, in the order of the fills."""

    async def steps(sail: Desk) -> None:
        clerk = Clerk(sail, "ONE")
        await sail.quote("1.00000", size=30_000)
        name = await clerk.limit(50_000, "1.00000")
        assert (sail.status(name), sail.balance()) == ("PARTIALLY_FILLED", "70000.00 USD")
        await sail.quote("0.99000", size=30_000)
        assert (sail.status(name), sail.balance()) == ("FILLED", "50000.00 USD")

    _sail(steps, venue_config=VenueConfig(account_type=AccountType.CASH))


def test_a_margin_account_buys_with_what_it_was_lent_and_no_more() -> None:
    """With leverage 2 the account takes positions of twice its equity, on either side."""

    async def steps(sail: Desk) -> None:
        clerk = Clerk(sail, "ONE")
        await sail.quote("1.00000")
        assert (await clerk.market(200_001), clerk.why["reason"]) == ("REJECTED", "insufficient_funds")
        assert await clerk.market(-200_000) == "FILLED"
        assert sail.balance() == "100000.00 USD"
        assert await clerk.market(-1) == "REJECTED"
        await sail.quote("0.99000")
        assert (await clerk.market(200_000), sail.balance()) == ("FILLED", "102000.00 USD")

    _sail(steps, venue_config=VenueConfig(account_type=AccountType.MARGIN, leverage=Decimal(2)))


# -- a loss ------------------------------------------------------------------------------------------------------------


def _state(sail: Desk) -> str:
    return str(sail.client.simulator.trading_state)


def test_a_loss_that_halts_cancels_what_works_and_keeps_the_position(tmp_path: Path) -> None:
    """Nothing leaves any more, not even an exit, also after a restart, until an operator says so.

    What was denied is in the log; the trader does not get it back.
    """
    limit = DrawdownLimitRule(max_total_drawdown_pct=Decimal(1), action=RiskAction.HALT)
    settings: Any = {"checkpoint_directory": str(tmp_path), "risk": RiskConfig(drawdown_limit=limit)}

    async def first(sail: Desk) -> None:
        clerk = Clerk(sail, "ONE")
        await sail.quote("1.00000")
        assert await clerk.market(50_000) == "FILLED"
        resting = await clerk.limit(-50_000, "1.10000")
        await sail.quote("0.98000")
        assert _state(sail) == "active"
        await sail.quote("0.97990")
        assert _state(sail) == "halted"
        await until(lambda: sail.status(resting) == "CANCELED", "the cancel of what rests")
        assert [await clerk.market(units) for units in (1, -1)] == ["DENIED", "DENIED"]
        assert (clerk.why["reason"], clerk.why["rule"]) == ("risk_drawdown_limit", "drawdown_limit")

    async def second(sail: Desk) -> None:
        clerk = Clerk(sail, "TWO")
        await sail.quote("1.05000")
        assert _state(sail) == "halted"
        assert [str(one.client_order_id) for one in sail.hand.cache.orders()] == ["ONE-1", "ONE-2"]
        assert [await clerk.market(units) for units in (1, -1)] == ["DENIED", "DENIED"]
        (held,) = sail.hand.cache.positions_open()
        assert str(held.quantity) == "50000"
        sail.client.enable_trading("ada", "looked at")
        assert (await clerk.market(-50_000), sail.balance()) == ("FILLED", "102500.00 USD")

    _sail(first, **settings)
    _sail(second, **settings)


def test_a_loss_that_restricts_lets_only_exits_out(tmp_path: Path) -> None:
    """The rule's own action: what reduces passes, what would turn the position or add to it is denied."""
    limit = DrawdownLimitRule(max_total_drawdown_pct=Decimal(1))
    settings: Any = {"checkpoint_directory": str(tmp_path), "risk": RiskConfig(drawdown_limit=limit)}

    async def first(sail: Desk) -> None:
        clerk = Clerk(sail, "ONE")
        await sail.quote("1.00000")
        await clerk.market(50_000)
        await sail.quote("0.97000")
        assert _state(sail) == "reduce_only"
        assert [await clerk.market(units) for units in (1, -50_001, -20_000)] == ["DENIED", "DENIED", "FILLED"]

    async def second(sail: Desk) -> None:
        clerk = Clerk(sail, "TWO")
        await sail.quote("1.05000")
        assert [await clerk.market(units) for units in (1, -30_001, -30_000)] == ["DENIED", "DENIED", "FILLED"]
        assert sail.balance() == "100900.00 USD"

    _sail(first, **settings)
    _sail(second, **settings)


# -- market data -------------------------------------------------------------------------------------------------------


def test_a_feed_of_books_is_refused() -> None:
    """The line says what to feed instead."""
    settings: Any = {"venue": "SIM", "starting_balances": ["1 USD"], "instrument_ids": [str(PAIR)]}
    with pytest.raises(InvalidConfigError, match="no order book; feed quotes"):
        SeatrialFeed(SeatrialExecClientConfig(**settings), books=True)


def test_quotes_and_trades_may_be_fed_together() -> None:
    """A limit that a print goes through is filled, while quotes stand elsewhere."""

    async def steps(sail: Desk) -> None:
        clerk = Clerk(sail, "ONE")
        await sail.quote("1.10000", "1.10010")
        name = await clerk.limit(100, "1.09000")
        assert sail.status(name) == "ACCEPTED"
        await sail.trade("1.08999")
        assert sail.status(name) == "FILLED"

    _sail(steps, feed={"trades": True})


def test_without_trades_asked_for_prints_are_passed_over() -> None:
    """The venue trades on what it is fed, and on nothing else that the node sees."""

    async def steps(sail: Desk) -> None:
        clerk = Clerk(sail, "ONE")
        await sail.quote("1.10000", "1.10010")
        name = await clerk.limit(100, "1.09000")
        await sail.trade("1.08999")
        assert sail.status(name) == "ACCEPTED"

    _sail(steps)


def test_a_feed_of_a_session_that_is_not_there_stops_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the sessions there are."""
    settings: Any = {"venue": "SIM", "starting_balances": ["1 USD"], "instrument_ids": [str(PAIR)]}
    stray = SeatrialExecClientConfig(**settings, simulator_id="stray")
    monkeypatch.setattr(rig, "SeatrialFeed", lambda _: SeatrialFeed(stray))

    async def steps(sail: Desk) -> None:
        await sail.quote("1.10000")

    with pytest.raises(RuntimeError, match=r"simulator_id='stray': no node here has such a client.*; there is .*desk"):
        _sail(steps)
