"""An account at a venue of somebody else's: a client that does what a script says, and reports what it did.

The account outlives the node that trades on it, as a real one does.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.config import LiveExecClientConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.live.factories import LiveExecClientFactory
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import (
    AccountType,
    LiquiditySide,
    OmsType,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)
from nautilus_trader.model.identifiers import AccountId, ClientId, ClientOrderId, TradeId, Venue, VenueOrderId
from nautilus_trader.model.objects import AccountBalance, Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider

__all__ = ["ACCOUNTS", "PAIR", "REAL", "AccountAtVenue", "ScriptedConfig", "ScriptedFactory"]

REAL = Venue("REAL")
"""A venue of whose accounts NautilusTrader calculates nothing."""
PAIR: Any = TestInstrumentProvider.default_fx_ccy("EUR/USD", REAL)


class AccountAtVenue:
    """What the venue knows. Market orders are filled at `price`, all others work until the script fills them.

    Each of `script` says how the next order is met: "fill", "work", "reject", "deny", "silent", "part", "raise".
    """

    def __init__(self, instrument: Any, balances: tuple[str, ...] = ("100000 USD",)) -> None:
        self.instrument = instrument
        self.balances = [Money.from_str(one) for one in balances]
        self.price = Decimal("1.10000")
        self.script: list[str] = []
        self.calls: list[str] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.fills: list[dict[str, Any]] = []
        self.position = Decimal(0)
        self.cost = Decimal(0)
        self.client: Any = None
        self.refuses_cancels = False

    def open_order(self, order_id: str, side: Any, quantity: str, price: str) -> None:
        """Let an order work that was sent from elsewhere."""
        self.orders[order_id] = {
            "venue_id": f"V{len(self.orders) + 1}",
            "side": side,
            "quantity": Decimal(quantity),
            "filled": Decimal(0),
            "price": Decimal(price),
            "status": OrderStatus.ACCEPTED,
            "type": OrderType.LIMIT,
        }

    def match(self, order_id: str, quantity: Decimal, price: Decimal) -> dict[str, Any]:
        """Fill so much of an order."""
        order = self.orders[order_id]
        order["filled"] += quantity
        order["status"] = OrderStatus.FILLED if order["filled"] >= order["quantity"] else OrderStatus.PARTIALLY_FILLED
        signed = quantity if order["side"] == OrderSide.BUY else -quantity
        held = self.position + signed
        if held and (self.position * signed >= 0):
            self.cost = (self.cost * abs(self.position) + price * quantity) / abs(held)
        self.position = held
        fill = {"order": order_id, "quantity": quantity, "price": price, "id": f"T{len(self.fills) + 1}"}
        self.fills.append(fill)
        return fill


ACCOUNTS: dict[str, AccountAtVenue] = {}
"""The accounts there are, by the name that a client's configuration gives."""


class ScriptedConfig(LiveExecClientConfig, frozen=True, kw_only=True):  # type: ignore[call-arg]  # msgspec's
    """A client of one of :data:`ACCOUNTS`."""

    account: str
    account_type: str = "MARGIN"


class ScriptedClient(LiveExecutionClient):
    """What an adapter's author would write: everything takes a turn of the loop, and is answered by events."""

    def __init__(self, loop: Any, msgbus: Any, cache: Any, clock: Any, config: ScriptedConfig) -> None:
        self.at = ACCOUNTS[config.account]
        codes = {one.currency.code for one in self.at.balances}
        super().__init__(
            loop=loop,
            client_id=ClientId("REAL"),
            venue=REAL,
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN if config.account_type == "MARGIN" else AccountType.CASH,
            base_currency=USD if codes == {"USD"} else None,
            instrument_provider=InstrumentProvider(),
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=config,
        )
        self._set_account_id(AccountId("REAL-001"))
        self.at.client = self

    async def _connect(self) -> None:
        self._cache.add_instrument(self.at.instrument)
        balances = [AccountBalance(one, Money(0, one.currency), one) for one in self.at.balances]
        self.generate_account_state(balances, [], True, self._clock.timestamp_ns())

    async def _disconnect(self) -> None:
        self.at.calls.append("disconnect")

    # -- commands --------------------------------------------------------------------------------------------------

    async def _submit_order(self, command: Any) -> None:
        await self._take(command.order)

    async def _submit_order_list(self, command: Any) -> None:
        for order in command.order_list.orders:
            await self._take(order)

    def submit_order(self, command: Any) -> None:
        self.at.calls.append(f"submit {command.order.client_order_id}")
        if self.at.script and self.at.script[0] == "raise":
            self.at.script.pop(0)
            message = "the line is dead"
            raise ConnectionError(message)
        super().submit_order(command)

    def submit_order_list(self, command: Any) -> None:
        self.at.calls.append(f"submit_list {len(command.order_list.orders)}")
        super().submit_order_list(command)

    async def _take(self, order: Any) -> None:
        how = self.at.script.pop(0) if self.at.script else "fill" if order.order_type == OrderType.MARKET else "work"
        head = (order.strategy_id, order.instrument_id, order.client_order_id)
        now = self._clock.timestamp_ns
        if how == "deny":
            self.generate_order_denied(*head, "the adapter does not take it", now())
            return
        self.generate_order_submitted(*head, now())
        await asyncio.sleep(0)
        if how == "silent":
            return
        if how == "reject":
            self.generate_order_rejected(*head, "the venue does not take it", now())
            return
        order_id = order.client_order_id.value
        self.at.orders[order_id] = {
            "venue_id": f"V{len(self.at.orders) + 1}",
            "side": order.side,
            "quantity": order.quantity.as_decimal(),
            "filled": Decimal(0),
            "price": order.price.as_decimal() if order.has_price else self.at.price,
            "status": OrderStatus.ACCEPTED,
            "type": order.order_type,
        }
        self.generate_order_accepted(*head, self._venue_id(order_id), now())
        if how in {"fill", "part"}:
            quantity = order.quantity.as_decimal()
            self.fill(order_id, quantity / 2 if how == "part" else quantity)

    def fill(self, order_id: str, quantity: Decimal, price: Decimal | None = None, commission: str = "1 USD") -> None:
        """Match an order of the trader's, and tell."""
        fill = self.at.match(order_id, quantity, price or self.at.price)
        paid = Money.from_str(commission)
        self.at.balances[0] = Money(self.at.balances[0].as_decimal() - paid.as_decimal(), USD)
        order = self._cache.order(ClientOrderId(order_id))
        self.generate_order_filled(
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            venue_order_id=self._venue_id(order_id),
            venue_position_id=None,
            trade_id=TradeId(fill["id"]),
            order_side=order.side,
            order_type=order.order_type,
            last_qty=self.at.instrument.make_qty(quantity),
            last_px=self.at.instrument.make_price(fill["price"]),
            quote_currency=USD,
            commission=paid,
            liquidity_side=LiquiditySide.TAKER,
            ts_event=self._clock.timestamp_ns(),
        )

    def _venue_id(self, order_id: str) -> Any:
        return VenueOrderId(self.at.orders[order_id]["venue_id"])

    def cancel_order(self, command: Any) -> None:
        self.at.calls.append(f"cancel {command.client_order_id}")
        super().cancel_order(command)

    def cancel_all_orders(self, command: Any) -> None:
        self.at.calls.append("cancel_all")
        super().cancel_all_orders(command)

    async def _cancel_order(self, command: Any) -> None:
        await asyncio.sleep(0)
        self._end(command.client_order_id)

    async def _cancel_all_orders(self, command: Any) -> None:
        await asyncio.sleep(0)
        for order in self._cache.orders_open(instrument_id=command.instrument_id, strategy_id=command.strategy_id):
            self._end(order.client_order_id)

    async def _batch_cancel_orders(self, command: Any) -> None:
        for cancel in command.cancels:
            await self._cancel_order(cancel)

    def _end(self, client_order_id: Any) -> None:
        order: Any = self._cache.order(client_order_id)
        at = self.at.orders.get(client_order_id.value)
        head = (order.strategy_id, order.instrument_id, order.client_order_id)
        if at is None or at["status"] in {OrderStatus.FILLED, OrderStatus.CANCELED} or self.at.refuses_cancels:
            self.generate_order_cancel_rejected(*head, order.venue_order_id, "too late", self._clock.timestamp_ns())
        else:
            at["status"] = OrderStatus.CANCELED
            self.generate_order_canceled(*head, self._venue_id(client_order_id.value), self._clock.timestamp_ns())

    def modify_order(self, command: Any) -> None:
        self.at.calls.append(f"modify {command.client_order_id}")
        super().modify_order(command)

    async def _modify_order(self, command: Any) -> None:
        order = self._cache.order(command.client_order_id)
        at = self.at.orders[command.client_order_id.value]
        at["quantity"] = (command.quantity or order.quantity).as_decimal()
        self.generate_order_updated(
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            order.venue_order_id,
            command.quantity or order.quantity,
            command.price or order.price,
            None,
            self._clock.timestamp_ns(),
        )

    async def _query_account(self, command: Any) -> None:
        self.at.calls.append("query_account")

    # -- reports ---------------------------------------------------------------------------------------------------

    def order_status(self, order_id: str) -> Any:
        """Return how an order of the account stands."""
        at, now = self.at.orders[order_id], self._clock.timestamp_ns()
        return OrderStatusReport(
            account_id=self.account_id,
            instrument_id=self.at.instrument.id,
            client_order_id=ClientOrderId(order_id),
            venue_order_id=self._venue_id(order_id),
            order_side=at["side"],
            order_type=at["type"],
            time_in_force=TimeInForce.GTC,
            order_status=at["status"],
            price=self.at.instrument.make_price(at["price"]) if at["type"] == OrderType.LIMIT else None,
            quantity=self.at.instrument.make_qty(at["quantity"]),
            filled_qty=self.at.instrument.make_qty(at["filled"]),
            avg_px=at["price"] if at["filled"] else None,
            report_id=UUID4(),
            ts_accepted=now,
            ts_last=now,
            ts_init=now,
        )

    async def generate_order_status_report(self, command: Any) -> Any:
        order_id = str(command.client_order_id)
        return self.order_status(order_id) if order_id in self.at.orders else None

    async def generate_order_status_reports(self, command: Any) -> list[Any]:
        over = {OrderStatus.FILLED, OrderStatus.CANCELED}
        return [self.order_status(one) for one, at in self.at.orders.items() if at["status"] not in over]

    def fill_report(self, fill: dict[str, Any]) -> Any:
        """Return a fill of the account."""
        now = self._clock.timestamp_ns()
        return FillReport(
            account_id=self.account_id,
            instrument_id=self.at.instrument.id,
            client_order_id=ClientOrderId(fill["order"]),
            venue_order_id=self._venue_id(fill["order"]),
            trade_id=TradeId(fill["id"]),
            order_side=self.at.orders[fill["order"]]["side"],
            last_qty=self.at.instrument.make_qty(fill["quantity"]),
            last_px=self.at.instrument.make_price(fill["price"]),
            commission=Money(0, USD),
            liquidity_side=LiquiditySide.TAKER,
            report_id=UUID4(),
            ts_event=now,
            ts_init=now,
        )

    async def generate_fill_reports(self, command: Any) -> list[Any]:
        works = {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}
        return [self.fill_report(one) for one in self.at.fills if self.at.orders[one["order"]]["status"] in works]

    async def generate_position_status_reports(self, command: Any) -> list[Any]:
        held, now = self.at.position, self._clock.timestamp_ns()
        return [
            PositionStatusReport(
                account_id=self.account_id,
                instrument_id=self.at.instrument.id,
                position_side=PositionSide.FLAT if not held else PositionSide.LONG if held > 0 else PositionSide.SHORT,
                quantity=self.at.instrument.make_qty(abs(held)),
                avg_px_open=self.at.cost or None,
                report_id=UUID4(),
                ts_last=now,
                ts_init=now,
            )
        ]


class ScriptedFactory(LiveExecClientFactory):
    """Makes the client of a :class:`ScriptedConfig`."""

    @staticmethod
    def create(  # pyright: ignore[reportIncompatibleMethodOverride] - the engine's, and our config
        loop: Any, name: str, config: ScriptedConfig, msgbus: Any, cache: Any, clock: Any
    ) -> ScriptedClient:
        return ScriptedClient(loop, msgbus, cache, clock, config)
