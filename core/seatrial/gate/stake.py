"""One symbol at its worst: what works on either side, and the values between which its position may come to lie."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from seatrial.contracts.events import ModifyRefused, ModifyRequested, OrderChange, OrderReplaced
from seatrial.contracts.orders import Order
from seatrial.contracts.rejection import RefusedBy

if TYPE_CHECKING:
    from seatrial.gate.instruments import Instruments

__all__ = [
    "NOTHING",
    "Amounts",
    "Entry",
    "ExposureState",
    "Group",
    "Side",
    "Stake",
    "StakeState",
    "Stakes",
    "party",
    "unanswered",
]

_ZERO = Decimal(0)

Group: TypeAlias = tuple[str, str]
"""What sort of group, and its name."""


class Amounts(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an order may still trade: units; the value of those with a price; the units of those without."""

    quantity: Decimal
    value: Decimal
    unpriced: Decimal


NOTHING = Amounts(_ZERO, _ZERO, _ZERO)


class StakeState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A symbol's stake, as stored; `known` is what it last added to the totals: gross, long, short."""

    mark: Decimal | None
    marked_at: int
    buys: Amounts
    sells: Amounts
    known: tuple[Decimal, Decimal, Decimal] | None = None
    stale: bool = False


class ExposureState(msgspec.Struct, frozen=True):
    """Everything an :class:`~seatrial.gate.exposure.Exposure` cannot derive from the orders.

    `at_mark` are the orders that may trade at the mark although they have a price; `totals` are gross, long and short;
    `ages` are the symbols by their last mark, oldest first, where somebody asks for it.
    """

    stakes: dict[str, StakeState]
    changes: dict[str, tuple[OrderChange, ...]]
    at_mark: tuple[str, ...]
    totals: tuple[Decimal, Decimal, Decimal] | None
    ages: tuple[str, ...] | None


class Side:
    """What all orders of one symbol and side may still trade; `mixed` groups have legs with and without a price."""

    __slots__ = ("groups", "mixed", "quantity", "unpriced", "value")

    def __init__(self) -> None:
        """Start with nothing at work."""
        self.quantity = self.value = self.unpriced = _ZERO
        self.groups: dict[Group, dict[str, Amounts]] = {}
        self.mixed: dict[Group, Amounts] = {}

    @property
    def at_mark(self) -> bool:
        """Whether anything here is valued at the mark."""
        return bool(self.unpriced or self.mixed)

    def regroup(self, group: Group, order_id: str, amounts: Amounts | None) -> None:
        """Set or drop one leg of a group; the group then counts as its largest."""
        legs = self.groups.setdefault(group, {})
        self._count(group, legs, -1)
        if amounts is None:
            legs.pop(order_id, None)
        else:
            legs[order_id] = amounts
        if legs:
            self._count(group, legs, 1)
        else:
            del self.groups[group]

    def _count(self, group: Group, legs: dict[str, Amounts], sign: int) -> None:
        if not legs:
            return
        worst = Amounts(
            max([leg.quantity for leg in legs.values()]),
            max([leg.value for leg in legs.values()]),
            max([leg.unpriced for leg in legs.values()]),
        )
        self.quantity += sign * worst.quantity
        if not worst.unpriced or not worst.value:
            self.value += sign * worst.value
            self.unpriced += sign * worst.unpriced
        elif sign > 0:
            self.mixed[group] = worst
        else:
            del self.mixed[group]

    def value_at(self, mark: Decimal) -> Decimal:
        """Return the value with unpriced orders at `mark`."""
        value = self.value + self.unpriced * mark
        for worst in self.mixed.values():
            value += max(worst.value, worst.unpriced * mark)
        return value


class Stake:
    """One symbol: its mark, what works on either side, and what it last added to the totals.

    `ends` say where the position's value may come to lie, once somebody has asked since that last changed: at worst, at
    most and at least.
    """

    __slots__ = ("buys", "ends", "known", "mark", "marked_at", "multiplier", "sells", "symbol")

    def __init__(self, symbol: str, multiplier: Decimal) -> None:
        """Start unmarked, with nothing at work."""
        self.symbol = symbol
        self.mark: Decimal | None = None
        self.marked_at = 0
        self.buys = Side()
        self.sells = Side()
        self.multiplier = None if multiplier == 1 else multiplier
        self.ends: tuple[Decimal, Decimal, Decimal] | None = None
        self.known: tuple[Decimal, Decimal, Decimal] | None = None

    def measure(self, position: Decimal) -> tuple[Decimal, Decimal, Decimal] | None:
        """Return where the value of `position` may come to lie, see above; `None` where a price is missing."""
        mark, buys, sells = self.mark, self.buys, self.sells
        if mark is None:
            if position or buys.unpriced or buys.mixed or sells.unpriced or sells.mixed:
                return None
            most, least = buys.value, -sells.value
        else:
            held = position * mark
            bought, sold = buys.value, sells.value
            if buys.mixed:
                bought = buys.value_at(mark)
            elif buys.unpriced:
                bought += buys.unpriced * mark
            if sells.mixed:
                sold = sells.value_at(mark)
            elif sells.unpriced:
                sold += sells.unpriced * mark
            most, least = held + bought, held - sold
        if self.multiplier is not None:
            most *= self.multiplier
            least *= self.multiplier
        down = -least
        self.ends = ends = (most if most > down else down, most, least)  # noqa: FURB136 - max() costs a call for every order
        return ends

    def snapshot(self, *, stale: bool) -> StakeState:
        """Return the symbol as stored; `stale` says that its share of the totals is out of date."""
        buys, sells = self.buys, self.sells
        return StakeState(
            self.mark,
            self.marked_at,
            Amounts(buys.quantity, buys.value, buys.unpriced),
            Amounts(sells.quantity, sells.value, sells.unpriced),
            self.known,
            stale,
        )

    def restore(self, state: StakeState) -> None:
        """Become what `state` says, to the digit; the orders that make it up are counted already."""
        self.mark, self.marked_at, self.known, self.ends = state.mark, state.marked_at, state.known, None
        for side, amounts in ((self.buys, state.buys), (self.sells, state.sells)):
            side.quantity, side.value, side.unpriced = amounts.quantity, amounts.value, amounts.unpriced


class Stakes(dict[str, Stake]):
    """The stakes of one account by symbol; one that is asked for in brackets is made if there is none."""

    __slots__ = ("_instruments",)

    def __init__(self, instruments: Instruments) -> None:
        """Start with none, and value units by the multipliers of `instruments`."""
        super().__init__()
        self._instruments = instruments

    def __missing__(self, symbol: str) -> Stake:
        """Make the stake of a symbol."""
        known = self._instruments.find(symbol)
        made = self[symbol] = Stake(symbol, Decimal(1) if known is None else known.multiplier)
        return made


class Entry:
    """An order that is no plain one: what it counts for, and the changes nobody has answered yet."""

    __slots__ = ("amounts", "changes", "order", "side", "symbol", "was_at_mark")

    def __init__(self, order: Order, side: Side, amounts: Amounts) -> None:
        """Start from what the order counts for now."""
        self.order = order
        self.symbol = order.symbol
        self.side = side
        self.amounts = amounts
        self.changes: list[OrderChange] = []
        self.was_at_mark = False  # before the latest change

    @property
    def group(self) -> Group | None:
        """The group whose largest leg counts; one that may trade at its price or at the mark is one of its own."""
        order, amounts = self.order, self.amounts
        return party(order) if order.oco_id is not None or (amounts.value and amounts.unpriced) else None


def party(order: Order) -> Group:
    """Return what an order ends together with: its OCO group, else itself, which may be called like a group."""
    return ("order", order.order_id) if order.oco_id is None else ("oco", order.oco_id)


def unanswered(order: Order) -> list[OrderChange]:
    """Return the changes of an order that are under way: the venue answers in turn, the gate refuses the latest."""
    asked: list[OrderChange] = []
    for event in order.events:
        if type(event) is ModifyRequested:
            asked.append(event.change)
        elif type(event) is ModifyRefused:
            del asked[-1 if event.rejection.refused_by is RefusedBy.GATE else 0]
        elif type(event) is OrderReplaced and event.requested:
            del asked[0]
    return asked
