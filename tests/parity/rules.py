"""What a rule is: a documented semantic of an engine, and how it is checked that a difference comes of it.

There are two kinds. Where the native venue has a setting for the engine's way, the rule *is* that setting: the native
run is repeated under it, and is then equal, or what is left over has other rules. Where it has none, the rule tells
from one order's two histories, and from the tape, whether the difference is the one it speaks of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.contracts.engine import Capability
from seatrial.contracts.events import OrderAccepted
from seatrial.contracts.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.parity.aspects import Difference

    from seatrial.contracts.engine import RunRecord
    from seatrial.contracts.market import Bar
    from seatrial.contracts.orders import Order

__all__ = ["Rule", "Semantic", "Setting", "Two"]


class Rule(msgspec.Struct, frozen=True):
    """A semantic under an id that never changes its meaning; `text` says what it is, `proof` how it is checked."""

    rule_id: str
    title: str
    text: str
    proof: str


class Setting(Rule, frozen=True):
    """A way of an engine's that the native venue can take, too: `adapt` returns the scenario in which it does.

    `lacks` is what the engine would have to claim to go the native way. A scenario that needs nothing of it comes back
    as it was.
    """

    lacks: Capability
    adapt: Callable[[Scenario], Scenario]


class Semantic(Rule, frozen=True):
    """A way of an engine's that the native venue has no setting for; `holds` recognises its differences."""

    holds: Callable[[Two, Difference], bool]


class Two:
    """One scenario's two runs: native in the engine's conventions, and the engine's own."""

    def __init__(self, native: RunRecord, other: RunRecord) -> None:
        """Look at both."""
        self.native = native
        self.other = other
        self._orders = {order.order_id: order for order in (*other.orders, *native.orders)}

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The tape, where it is one of bars."""
        rows: Any = self.native.scenario.tape.rows
        return tuple([row for row in rows if hasattr(row, "close")])

    def order(self, order_id: str) -> Order:
        """Return an order, with its native history where it has one."""
        return self._orders[order_id]

    def group(self, order: Order) -> list[Order]:
        """Return the orders of which one ends the others, in the order in which they were sent."""
        if order.oco_id is None and order.parent_id is None:
            return [order]
        found = [one for one in self._orders.values() if (one.oco_id, one.parent_id) == (order.oco_id, order.parent_id)]
        return sorted(found, key=lambda one: int(one.order_id.rpartition("-")[2]))

    def bar_at(self, ts: int) -> Bar | None:
        """Return the bar in which a time lies."""
        return next((bar for bar in self.bars if bar.start is not None and bar.start <= ts <= bar.ts), None)

    def bars_of(self, order: Order) -> Iterator[Bar]:
        """Yield the bars in which an order may trade: it arrived in the first half of the first of them, or before."""
        arrived = [event.timestamp for event in order.events if isinstance(event, OrderAccepted)]
        theta = self.native.scenario.execution.venue.bar_theta
        for bar in self.bars:
            if arrived and bar.start is not None and arrived[0] <= bar.start + int(theta * (bar.ts - bar.start)):
                yield bar
