"""Two records of one scenario, compared: in six aspects, and event by event."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.contracts.events import AccountAdjusted, OrderExecution
from seatrial.contracts.terms import OrderSide
from seatrial.testing.compare import told

if TYPE_CHECKING:
    from seatrial.contracts.engine import RunRecord

__all__ = ["ASPECTS", "Difference", "differences", "differing_aspects", "first_difference", "history_of"]

ASPECTS = ("order", "times", "prices", "quantities", "cash", "positions")
"""What is compared: the order of events; times, prices and quantities of fills; cash and positions at every time."""

_AMOUNTS = frozenset({"price", "quantity", "commission", "limit_price", "stop_price", "trail_amount", "trail_percent"})


class Difference(msgspec.Struct, frozen=True):
    """Where two logs, or the histories of one order, part: an event of each side, `None` where there is none left."""

    native: dict[str, Any] | None
    other: dict[str, Any] | None

    @property
    def order_id(self) -> str:
        """Whose event it is on the native side, else on the other."""
        return str((self.native or self.other or {}).get("order_id", ""))

    @property
    def known_at(self) -> int:
        """When the first of both sides could know of it, in UNIX ns UTC."""
        return min(int(event["reported_at"]) for event in (self.native, self.other) if event is not None)


def differing_aspects(native: RunRecord, other: RunRecord) -> tuple[str, ...]:
    """Return the aspects in which two records differ."""
    mine, theirs = _aspects(native), _aspects(other)
    return tuple([name for name in ASPECTS if mine[name] != theirs[name]])


def first_difference(native: RunRecord, other: RunRecord) -> Difference | None:
    """Return where two logs first part: in what happened, to which order, when, and with which numbers."""
    return _parting([_plain(event) for event in told(native)], [_plain(event) for event in told(other)])


def differences(native: RunRecord, other: RunRecord) -> dict[str, Difference]:
    """Return where the histories of single orders part, by the order's id; "" is for what belongs to none."""
    mine, theirs = _histories(native), _histories(other)
    ids = dict.fromkeys((*mine, *theirs))
    found = {order_id: _parting(mine.get(order_id, []), theirs.get(order_id, [])) for order_id in ids}
    return {order_id: parting for order_id, parting in found.items() if parting is not None}


def history_of(record: RunRecord, order_id: str) -> list[dict[str, Any]]:
    """Return what happened to one order, as :func:`differences` compares it."""
    return _histories(record).get(order_id, [])


def _parting(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> Difference | None:
    for native, other in zip(mine, theirs, strict=False):
        if native != other:
            return Difference(native, other)
    shorter = min(len(mine), len(theirs))
    if len(mine) == len(theirs):
        return None
    return Difference(next(iter(mine[shorter:]), None), next(iter(theirs[shorter:]), None))


def _histories(record: RunRecord) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for event in told(record):
        found.setdefault(event.get("order_id", ""), []).append(_plain(event))
    return found


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event whose amounts are numbers, and whose refusal is its reason; wording is an engine's own."""
    found: dict[str, Any] = {}
    for name, value in event.items():
        if name in _AMOUNTS:
            found[name] = Decimal(value)
        elif name == "change":
            found[name] = {key: Decimal(amount) for key, amount in value.items()}
        else:
            found[name] = value["reason"] if name == "rejection" else value
    return found


def _aspects(record: RunRecord) -> dict[str, object]:
    fills: dict[str, list[OrderExecution]] = {}
    cash, positions = record.scenario.execution.initial_cash, dict[str, Decimal]()
    cash_at, positions_at = dict[int, Decimal](), dict[int, dict[str, Decimal]]()
    orders = {order.order_id: order for order in record.orders}
    multipliers = {one.symbol: one.multiplier for one in record.scenario.instruments}
    for event in record.events:
        if isinstance(event, OrderExecution):
            order = orders[event.order_id]
            fills.setdefault(event.order_id, []).append(event)
            quantity = event.quantity if order.side is OrderSide.BUY else -event.quantity
            cash -= quantity * event.price * multipliers.get(order.symbol, 1) + event.commission
            positions[order.symbol] = positions.get(order.symbol, Decimal(0)) + quantity
        elif isinstance(event, AccountAdjusted):
            cash += event.cash
        else:
            continue
        cash_at[event.reported_at], positions_at[event.reported_at] = cash, dict(positions)
    return {
        "order": [(event["event"], event.get("order_id")) for event in told(record)],
        "times": {one: [(fill.timestamp, fill.reported_at) for fill in own] for one, own in fills.items()},
        "prices": {one: [fill.price for fill in own] for one, own in fills.items()},
        "quantities": {one: [fill.quantity for fill in own] for one, own in fills.items()},
        "cash": (cash_at, record.account.cash),
        "positions": (positions_at, record.account.positions),
    }
