"""What was expected against what came: one line for each difference, which says where."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

import msgspec

from seatrial.contracts.events import OrderTriggered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.events import Event
    from seatrial.contracts.orders import Order
    from seatrial.testing.case import Expected

__all__ = ["compared", "differences", "told"]


def compared(expected: Expected, record: RunRecord) -> Iterator[str]:
    """Yield a line for each difference between a record and what was expected of it."""
    events = told(record)
    if expected.events is not None:
        yield from _sequences("events", expected.events, events)
    for order_id, history in expected.histories.items():
        own = [event for event in events if event.get("order_id") == order_id]
        yield from _sequences(f"events of {order_id}", history, own)
    if expected.executions is not None:
        fills = [event for event in events if event["event"] == "filled"]
        yield from _sequences("executions", expected.executions, fills)
    orders = {order.order_id: order for order in record.orders}
    for order_id, terms in expected.orders.items():
        if order_id in orders:
            yield from differences(f"order {order_id}", terms, _order(orders[order_id], terms))
        else:
            yield f"order {order_id}: expected to be in the record, got {', '.join(orders) or 'no order'}"
    if expected.account is not None:
        yield from differences("account", expected.account, _plain(record.account))
    equity = {point.ts: point.equity for point in record.equity}
    for point in expected.equity:
        yield from differences(f"equity at {point.ts}", str(point.equity), _plain(equity.get(point.ts)))
    if expected.max_drawdown_pct is not None:
        yield from differences("max_drawdown_pct", expected.max_drawdown_pct, _plain(record.max_drawdown_pct))


def told(record: RunRecord) -> list[dict[str, Any]]:
    """Return a record's events as JSON values, without the triggers, which an engine may tell or not."""
    return [_plain(event) for event in record.events if not isinstance(event, OrderTriggered)]


def differences(where: str, expected: object, got: object) -> Iterator[str]:
    """Yield a line for each value under `expected` that `got` does not have."""
    if isinstance(expected, dict):
        named = cast("dict[str, object]", expected)
        have = cast("dict[str, object]", got) if isinstance(got, dict) else {}
        if where.endswith("positions") and set(have) - set(named):
            yield f"{where}: expected {', '.join(named) or 'none'}, got {', '.join(have)}"
        for name, value in named.items():
            yield from differences(f"{where}: {name}", value, have.get(name))
    elif not _equal(expected, got):
        yield f"{where}: expected {_shown(expected)}, got {_shown(got)}"


def _sequences(where: str, expected: Sequence[dict[str, Any]], got: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the first event that differs, field by field, and what is missing or too many."""
    for index, (wanted, event) in enumerate(zip(expected, got, strict=False)):
        found = list(differences(f"{where}[{index}]", wanted, event))
        if found:
            yield from found
            break
    if len(expected) != len(got):
        yield f"{where}: expected {len(expected)} ({_kinds(expected)}), got {len(got)} ({_kinds(got)})"


def _kinds(events: Sequence[dict[str, Any]]) -> str:
    words = [f"{event.get('event', 'filled')} {event.get('order_id', '')}".strip() for event in events]
    return ", ".join(words) or "none"


def _order(order: Order, terms: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(getattr(order, name, None)) for name in terms}


def _plain(value: Event | object) -> Any:
    """Return a value as JSON would hold it, where a float stays one, to be seen."""
    return msgspec.to_builtins(value)


def _equal(expected: object, got: object) -> bool:
    if isinstance(expected, str) and isinstance(got, str) and expected != got:
        try:
            return Decimal(expected) == Decimal(got)
        except InvalidOperation:
            return False
    return type(expected) is type(got) and expected == got


def _shown(value: object) -> str:
    return "nothing" if value is None else f"the float {value!r}" if isinstance(value, float) else str(value)
