"""Findings in words: times, events and differences as the page tells them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from seatrial.clock import NANOS_PER_SECOND, iso
from seatrial.contracts.market import Bar

if TYPE_CHECKING:
    from tests.parity.aspects import Difference
    from tests.parity.cases import ParityCase

__all__ = ["difference_in_words"]

_PLACES = frozenset({"event", "order_id", "execution_id", "is_partial"})
_TIMES = frozenset({"timestamp", "reported_at"})
_NAMES = {"timestamp": "at", "reported_at": "told at"}


def difference_in_words(difference: Difference, case: ParityCase, title: str) -> str:
    """Return the order, and what both sides have: of the same event only what differs, else both events."""
    mine, theirs = difference.native, difference.other
    if mine is None or theirs is None or _head(mine) != _head(theirs):
        return f"native: {_event(mine, case)}; {title}: {_event(theirs, case)}"
    names = [name for name in mine if mine[name] != theirs.get(name) and name not in _PLACES]
    natively, there = (", ".join(_field(name, event[name], case) for name in names) for event in (mine, theirs))
    return f"{mine['order_id']} {_kind(mine)}: native {natively}; {title} {there}"


def _head(event: dict[str, Any]) -> tuple[object, object]:
    return event["event"], event.get("order_id")


def _event(event: dict[str, Any] | None, case: ParityCase) -> str:
    if event is None:
        return "nothing more"
    amounts = f" {event['quantity']} at {event['price']}" if event["event"] == "filled" else ""
    reason = f" ({event['rejection']})" if event.get("rejection") else ""
    return f"{event.get('order_id', '')} {_kind(event)}{amounts}{reason}, {_time(event['timestamp'], case)}"


def _kind(event: dict[str, Any]) -> str:
    return str(event["event"]).replace("_", " ")


def _field(name: str, value: object, case: ParityCase) -> str:
    if name in _TIMES and isinstance(value, int):
        return f"{_NAMES[name]} {_time(value, case)}"
    if name == "change" and isinstance(value, dict):
        return ", ".join(f"{key} {amount}" for key, amount in value.items())
    return f"{name} {value}"


def _time(ts: int, case: ParityCase) -> str:
    """Return a time on bars as UTC, on ticks as seconds since the first one."""
    first = case.scenario("INSTANT").tape.rows[0]
    if isinstance(first, Bar):
        return iso(ts).replace("T", " ").removesuffix(".000000000Z").removesuffix("Z")
    return f"{Decimal(ts - first.ts) / NANOS_PER_SECOND:f} s"
