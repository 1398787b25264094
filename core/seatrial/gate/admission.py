"""What an order must pass before it leaves: a new id, a trading state that lets it out, an instrument that takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from seatrial.contracts.events import OrderSubmitted
from seatrial.contracts.orders import Order
from seatrial.contracts.rejection import Rejection, RejectionReason
from seatrial.contracts.terms import OrderStatus, TradingState
from seatrial.errors import InvalidConfigError, InvalidOrderError, InvalidTransition
from seatrial.gate.validator import refusal, validate

if TYPE_CHECKING:
    from seatrial.gate.client import ClientView
    from seatrial.gate.instruments import Instruments

__all__ = ["Admission", "check_operator", "linked"]

_NEW = OrderStatus.NEW
_ACTIVE = TradingState.ACTIVE


class Admission:
    """The checks of one gate; `state` is what it lets out at present."""

    __slots__ = ("_client", "_free", "_instruments", "state")

    def __init__(self, client: ClientView, instruments: Instruments) -> None:
        """Let everything out that `instruments` take."""
        self._client = client
        self._instruments = instruments
        self.state = _ACTIVE
        self._free: set[str] = set()  # symbols that take any price and quantity, so that they are looked at once

    def refuse(self, order: Order, now: int) -> Rejection | None:
        """Say why an order may not leave, or `None`.

        :raises InvalidTransition: for an order that is not NEW.
        """
        if type(order) is not Order:
            raise InvalidOrderError(order, "order", "it is no Order; build one with Order(...)")
        if order.status is not _NEW:
            raise InvalidTransition(order, OrderSubmitted(order.order_id, now, now), order.status, ())
        order_id, client = order.order_id, self._client
        if order_id in client.pending or order_id in client.completed:
            message = f"order id {order_id!r} was used before; ids are for one order each"
            return refusal(RejectionReason.DUPLICATE_ORDER, message)
        if self.state is not _ACTIVE:
            return self._halted()
        if order.symbol in self._free:
            return None
        return self._validate(order)

    def refuse_group(self, orders: tuple[Order, ...], now: int) -> list[Rejection]:
        """Return one refusal per order if any of them may not leave, else nothing."""
        refusals = [self.refuse(order, now) for order in orders]
        ids = [order.order_id for order in orders]
        for index, order_id in enumerate(ids):
            if order_id in ids[:index]:
                message = f"order id {order_id!r} stands twice in the group"
                refusals[index] = refusal(RejectionReason.DUPLICATE_ORDER, message)
        culprit = next((order_id for order_id, found in zip(ids, refusals, strict=True) if found), None)
        if culprit is None:
            return []
        group = refusal(RejectionReason.GROUP_REFUSED, f"{culprit} of the same group was refused")
        return [found or group for found in refusals]

    def refuse_change(self, order: Order, renewed: Order) -> Rejection | None:
        """Say why an order may not be changed into `renewed`, or `None`."""
        if order.is_complete or order.pending_cancels:
            return refusal(RejectionReason.TOO_LATE_TO_MODIFY, f"{order.order_id} is {order.status}")
        if self.state is not _ACTIVE:
            return self._halted()
        filled = order.filled_quantity
        if renewed.quantity <= filled:
            message = f"quantity {renewed.quantity} is not above what was filled ({filled})"
            return refusal(RejectionReason.TOO_LATE_TO_MODIFY, message, value=renewed.quantity, limit=filled)
        return self._validate(renewed)

    def _validate(self, order: Order) -> Rejection | None:
        instrument = self._instruments.find(order.symbol)
        if instrument is not None and instrument.tick_size is None and instrument.lot_size is None:
            self._free.add(order.symbol)
            return None
        return validate(order, instrument)

    def _halted(self) -> Rejection:
        message = "trading is halted; enable_trading(by, reason) lets orders out again"
        return refusal(RejectionReason.RISK_TRADING_DISABLED, message, rule="kill_switch")


def linked(entry: Order, exits: tuple[Order, ...]) -> list[Order]:
    """Return exits tied to their entry: as its children, and as one OCO group where there are several.

    :raises InvalidOrderError: when an exit is on the entry's side, in another symbol, or has another parent.
    """
    oco = f"{entry.order_id}.exits" if len(exits) > 1 else None
    linked: list[Order] = []
    for child in (entry, *exits):
        if not isinstance(child, Order):  # pyright: ignore[reportUnnecessaryIsInstance] - as above
            raise InvalidOrderError(child, "order", "it is no Order; give each exit as an argument of its own")
    for child in exits:
        if child.symbol != entry.symbol or child.side is entry.side:
            raise InvalidOrderError(child.order_id, "side", f"it must oppose {entry.order_id} in {entry.symbol}")
        if child.parent_id not in {None, entry.order_id}:
            raise InvalidOrderError(child.order_id, "parent_id", f"it names another parent than {entry.order_id}")
        linked.append(replace(child, parent_id=entry.order_id, oco_id=child.oco_id or oco))
    return linked


def check_operator(by: object, reason: object) -> None:
    """Refuse to switch trading for nobody or for no reason.

    :raises InvalidConfigError: when either is missing.
    """
    for setting, value in (("by", by), ("reason", reason)):
        if not isinstance(value, str) or not value.strip():
            raise InvalidConfigError(setting, value, "say who switches trading, and why")
