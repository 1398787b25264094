"""How long messages took: each leg by itself, and the whole way from an order's leaving to the report of its fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from seatrial.contracts.events import (
    CancelRefused,
    CancelRequested,
    ModifyRefused,
    ModifyRequested,
    OrderAccepted,
    OrderCancelled,
    OrderEvent,
    OrderExecution,
    OrderRejected,
    OrderReplaced,
    OrderSubmitted,
)
from seatrial.contracts.rejection import RefusedBy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Delays", "Exchange", "Spread", "exchanges", "measure", "percentile"]

Exchange: TypeAlias = "tuple[CancelRequested | ModifyRequested, OrderEvent]"
"""A request that reached the venue, and the event that answered it."""


class Spread(msgspec.Struct, frozen=True):
    """How `count` delays lie, in ns: half of them within `p50`, 99 of 100 within `p99`; `None` of none."""

    count: int
    p50: int | None
    p99: int | None


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """The delays of a run, in ns.

    `submit` from an order's leaving to its acceptance or refusal at the venue, `ack` from there to the report of it;
    `fill` from each match to its report; `cancel` and `modify` from a request's leaving to the venue's answer. `whole`
    is an order's way from its leaving to the report of its first fill, the wait for a price included, `wire` the part
    of it that was spent on the wire, there and back.
    """

    submit: Spread
    ack: Spread
    fill: Spread
    cancel: Spread
    modify: Spread
    whole: Spread
    wire: Spread


def measure(histories: Iterable[Sequence[OrderEvent]]) -> Delays:
    """Return the delays in the histories of orders, each as it was told."""
    found: dict[str, list[int]] = {name: [] for name in Delays.__struct_fields__}
    for history in histories:
        _measure_one(history, found)
    return Delays(**{name: _spread(values) for name, values in found.items()})


def _measure_one(history: Sequence[OrderEvent], found: dict[str, list[int]]) -> None:
    left = arrived = None
    filled = False
    for event in history:
        kind = type(event)
        if kind is OrderSubmitted:
            left = event.timestamp
        elif left is None:
            return  # refused before it left
        elif (kind is OrderAccepted or kind is OrderRejected) and arrived is None:
            arrived = event.timestamp
            found["submit"].append(arrived - left)
            found["ack"].append(event.reported_at - arrived)
        elif kind is OrderExecution:
            found["fill"].append(event.reported_at - event.timestamp)
            if not filled:
                filled = True
                found["whole"].append(event.reported_at - left)
                there = 0 if arrived is None else arrived - left
                found["wire"].append(there + event.reported_at - event.timestamp)
    for request, answer in exchanges(history):
        leg = "cancel" if type(request) is CancelRequested else "modify"
        found[leg].append(answer.timestamp - request.timestamp)


def exchanges(history: Sequence[OrderEvent]) -> list[Exchange]:
    """Return an order's requests with the venue's answers; what the gate refused never left, and is not among them."""
    cancels: list[CancelRequested] = []
    modifies: list[ModifyRequested] = []
    found: list[Exchange] = []
    before: OrderEvent | None = None
    for event in history:
        if isinstance(event, CancelRequested):
            cancels.append(event)
        elif isinstance(event, ModifyRequested):
            modifies.append(event)
        elif isinstance(event, CancelRefused | ModifyRefused) and event.rejection.refused_by is RefusedBy.GATE:
            if isinstance(event, ModifyRefused) and isinstance(before, ModifyRequested):
                modifies.remove(before)
        elif isinstance(event, CancelRefused) or (isinstance(event, OrderCancelled) and event.rejection is None):
            if cancels:
                found.append((cancels.pop(0), event))
        elif (isinstance(event, ModifyRefused) or (isinstance(event, OrderReplaced) and event.requested)) and modifies:
            found.append((modifies.pop(0), event))
        before = event
    return found


def _spread(values: Sequence[int]) -> Spread:
    return Spread(len(values), percentile(values, 50), percentile(values, 99))


def percentile(values: Sequence[int], per_cent: int) -> int | None:
    """Return the smallest value that at least `per_cent` (1-100) of all do not exceed; `None` of none.

    This is the nearest-rank definition: the result is always one of the values.

    >>> percentile([30, 10, 20], 50)
    20
    """
    if not values:
        return None
    rank = -(-len(values) * per_cent // 100)
    return sorted(values)[rank - 1]
