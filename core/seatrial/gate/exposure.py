"""What an account may come to if all its orders fill, kept up to date in O(1) per order, fill and mark.

Every order counts from its submit to its terminal report, for what the client has not been told was filled; a modify
under way counts the larger of old and new. Of an OCO group the largest leg per side counts. While an entry works, its
exits (opposite side, same symbol) count what it was filled for, but only those that end each other: of several groups
all but the largest count whole, since an entry that is cut short wakes each of them for what it filled.

At which price an order is valued, :mod:`seatrial.gate.prices` says.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, cast

from seatrial.contracts.events import ModifyRefused, OrderChange
from seatrial.contracts.terms import OrderSide, OrderType
from seatrial.gate.prices import higher, may_pass, own_price
from seatrial.gate.stake import NOTHING, Amounts, Entry, ExposureState, Group, Side, Stake, Stakes, party, unanswered

if TYPE_CHECKING:
    from seatrial.contracts.account import AccountView
    from seatrial.contracts.events import OrderEvent
    from seatrial.contracts.orders import Order
    from seatrial.gate.client import ClientView
    from seatrial.gate.instruments import Instruments

__all__ = ["Exposure"]

_ZERO = Decimal(0)
_BUY = OrderSide.BUY
_Plain: TypeAlias = tuple[Stake, Side, Decimal, Decimal | None]
"""An order without links, fills or changes: its stake and side, its units, and their value where it has a price."""


class Exposure:
    """The worst case of one account."""

    __slots__ = (
        "_account",
        "_ages",
        "_at_mark",
        "_children",
        "_client",
        "_entries",
        "_totals",
        "_unknown",
        "gross",
        "net",
        "stakes",
        "stale",
    )

    def __init__(self, client: ClientView, account: AccountView, instruments: Instruments) -> None:
        """Count every order of `client` that has not ended."""
        self._client = client
        self._account = account
        self.stakes = Stakes(instruments)
        """The symbols seen so far; one that is asked for is made."""
        self.stale: set[str] = set()
        """The symbols whose share of `gross` and `net` is out of date."""
        self.gross: Decimal | None = None
        """All symbols at their worst, in currency; `None` where a price is missing, and before :meth:`settle`."""
        self.net: Decimal | None = None
        """The most that all symbols together may come to, long or short; `None` as above."""
        self._entries: dict[str, _Plain | Entry] = {}
        self._children: dict[str, list[str]] = {}
        self._at_mark: set[str] = set()  # orders that may trade at the mark, though they have a price
        self._totals: tuple[Decimal, Decimal, Decimal] | None = None
        self._unknown: set[str] = set()  # symbols that are in no total, for want of a price
        self._ages: dict[str, int] | None = None
        for order in client.pending.values():
            self.add(order)
            if order.pending_modifies:
                for change in unanswered(order):
                    self.amend(order, change)

    # -- what happens ----------------------------------------------------------------------------------------------

    def mark(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """The market shows `price` for `symbol`."""
        stake = self.stakes[symbol]
        stake.mark = price
        stake.marked_at = timestamp
        stake.ends = None
        self.stale.add(symbol)
        if self._ages is not None:
            self._ages.pop(symbol, None)
            self._ages[symbol] = timestamp

    def trade(self, symbol: str, price: Decimal, timestamp: int) -> None:
        """A fill was reported; a first one is its own mark."""
        stake = self.stakes[symbol]
        stake.ends = None
        self.stale.add(symbol)
        if stake.mark is None:
            self.mark(symbol, price, timestamp)

    def touch(self, symbol: str) -> None:
        """A position changed by something else than a fill."""
        self.stakes[symbol].ends = None
        self.stale.add(symbol)

    def add(self, order: Order, *, anew: bool = True) -> None:
        """Count an order that is about to leave; one that is not `anew` may trade at the mark if it might before."""
        symbol, order_id = order.symbol, order.order_id
        stake, price = self.stakes[symbol], None
        if order.limit_price is not None or order.stop_price is not None:
            price = own_price(order, order.limit_price, order.stop_price)
            if price is not None and anew and may_pass(order, price, stake.mark):
                self._at_mark.add(order_id)
        side = stake.buys if order.side is _BUY else stake.sells
        if (
            order.parent_id is not None
            or order.oco_id is not None
            or order.filled_quantity
            or (price is not None and order_id in self._at_mark)
        ):
            self._entries[order_id] = entry = Entry(order, side, NOTHING)
            if order.parent_id is not None:
                self._children.setdefault(order.parent_id, []).append(order_id)
            self._count(entry)
            return
        stake.ends = value = None
        self.stale.add(symbol)
        quantity = order.quantity
        side.quantity += quantity
        if price is None:
            side.unpriced += quantity
        else:
            value = quantity * price
            side.value += value
        self._entries[order_id] = (stake, side, quantity, value)

    def drop(self, order_id: str) -> Stake | None:
        """Count an order no longer: it ended, or never left; return the stake it counted in."""
        entry = self._entries.pop(order_id, None)
        if type(entry) is tuple:
            stake, side, quantity, value = entry
            side.quantity -= quantity
            if value is None:
                side.unpriced -= quantity
            else:
                side.value -= value
        elif entry is None:
            return None
        else:
            linked = cast("Entry", entry)
            stake = self.stakes[linked.symbol]
            self._at_mark.discard(order_id)
            self._discount(linked)
            if linked.order.parent_id is not None:
                self._leave(order_id, linked.order.parent_id)
        stake.ends = None
        self.stale.add(stake.symbol)
        if self._children:
            self._wake(order_id)
        return stake

    def amend(self, order: Order, change: OrderChange) -> bool:
        """Count a modify that is about to leave; return whether the order counts for more units with it."""
        entry = self._entry(order)
        before = _ZERO if entry is None else entry.amounts.quantity
        if entry is not None:
            entry.changes.append(change)
            entry.was_at_mark = order.order_id in self._at_mark
            limit, stop = change.limit_price or order.limit_price, change.stop_price or order.stop_price
            price = own_price(order, limit, stop)
            if price is not None and may_pass(order, price, self.stakes[entry.symbol].mark):
                self._at_mark.add(order.order_id)
            self._count(entry)
        return entry is not None and entry.amounts.quantity > before

    def unamend(self, order: Order) -> None:
        """Take back the latest modify, which did not leave."""
        entry = self._entry(order)
        if entry is not None:
            entry.changes.pop()
            if not entry.was_at_mark:
                self._at_mark.discard(order.order_id)
            self._count(entry)

    def follow(self, order: Order, event: OrderEvent) -> None:
        """Take in what was reported of an order that goes on, `order` being what it then is."""
        entry = self._entry(order)
        if entry is not None:
            if entry.changes and (type(event) is ModifyRefused or getattr(event, "requested", False)):
                del entry.changes[0]
            self._count(entry)
            if self._children:
                self._recount(order.order_id)

    # -- what it comes to ------------------------------------------------------------------------------------------

    def reduces(self, order: Order) -> bool:
        """Return whether a counted order provably reduces: it cannot flip, even after all others of its side."""
        stake = self.stakes[order.symbol]
        position = self._account.position(order.symbol)
        if order.order_type is OrderType.NATIVE or order.parent_id in self._entries:
            return False
        if order.side is _BUY:
            return position < 0 and position + stake.buys.quantity <= 0
        return position > 0 and position - stake.sells.quantity >= 0

    def settle(self) -> None:
        """Bring `gross` and `net` up to date: the shares of what has changed are taken out and put in anew."""
        stale, totals = self.stale, self._totals
        if totals is None:
            totals = (_ZERO, _ZERO, _ZERO)
            stale.update(self.stakes, self._account.positions)
        gross, long, short = totals
        for symbol in stale if len(stale) == 1 else sorted(stale):
            stake = self.stakes[symbol]
            known = stake.known
            ends = stake.known = stake.ends or stake.measure(self._account.position(symbol))
            if known is not None:
                worst, most, least = known
                gross, long, short = gross - worst, long - most, short - least
            if ends is None:
                self._unknown.add(symbol)
                continue
            worst, most, least = ends
            gross, long, short = gross + worst, long + most, short + least
            if self._unknown:
                self._unknown.discard(symbol)
        stale.clear()
        self._totals = (gross, long, short)
        if self._unknown:
            self.gross = self.net = None
            return
        down = -short
        self.gross, self.net = gross, long if long > down else down  # noqa: FURB136 - max() costs a call for every order

    def note_ages(self) -> None:
        """Keep the symbols in the order of their marks from now on, for :meth:`oldest`."""
        self._ages = {}

    def oldest(self) -> tuple[str, int] | None:
        """Return the symbol with the oldest mark among those held or valued at it, and when that was shown."""
        for symbol, marked_at in (self._ages or {}).items():
            stake = self.stakes[symbol]
            if stake.buys.at_mark or stake.sells.at_mark or self._account.position(symbol):
                return symbol, marked_at
        return None

    # -- inside ----------------------------------------------------------------------------------------------------

    def _entry(self, order: Order) -> Entry | None:
        """Return an order's entry, which it gets with its first fill or change; `None` for one that is not counted."""
        entry = self._entries.get(order.order_id)
        if isinstance(entry, tuple):
            _, side, quantity, value = entry
            amounts = Amounts(quantity, _ZERO, quantity) if value is None else Amounts(quantity, value, _ZERO)
            entry = self._entries[order.order_id] = Entry(order, side, amounts)
        elif entry is not None:
            entry.order = order
        return entry

    def _count(self, entry: Entry) -> None:
        parent_id = entry.order.parent_id
        if parent_id is None or not self._is_exit(entry):
            self._set(entry, self._amounts(entry))
            return
        family = [member for child_id in self._children[parent_id] if (member := self._exit(child_id)) is not None]
        groups: dict[Group, Decimal] = {}
        for member in family:
            group = party(member.order)
            groups[group] = max(groups.get(group, _ZERO), self._amounts(member).quantity)
        largest = max(groups, key=lambda group: groups[group])
        parent = self._entries[parent_id]
        filled = parent.order.filled_quantity if isinstance(parent, Entry) else _ZERO
        for member in family:
            sleeps = party(member.order) == largest
            self._set(member, self._amounts(member, filled if sleeps else None))

    def _exit(self, order_id: str) -> Entry | None:
        entry = self._entries.get(order_id)
        return entry if isinstance(entry, Entry) and self._is_exit(entry) else None

    def _is_exit(self, entry: Entry) -> bool:
        """Return whether an order waits for one that works on the other side of the same symbol."""
        parent = self._entries.get(entry.order.parent_id or "")
        if parent is None:
            return False
        stake = self.stakes[entry.symbol]
        side = parent[1] if isinstance(parent, tuple) else parent.side
        return side is (stake.sells if entry.side is stake.buys else stake.buys)

    def _wake(self, parent_id: str) -> None:
        """Count the exits of an entry that is gone."""
        for child_id in self._children.pop(parent_id, ()):
            child = self._entries.get(child_id)
            if isinstance(child, Entry):
                self._set(child, self._amounts(child))

    def _leave(self, order_id: str, parent_id: str) -> None:
        """Count anew those beside an exit that is gone."""
        siblings = self._children.get(parent_id, [])
        if order_id not in siblings:  # woken long ago, beside one that was sent since
            return
        siblings.remove(order_id)
        self._recount(parent_id)
        if not siblings:
            del self._children[parent_id]

    def _recount(self, parent_id: str) -> None:
        """Count the exits of an entry anew, which is to count any of them."""
        children = self._children.get(parent_id, ())
        first = next((member for child_id in children if (member := self._exit(child_id)) is not None), None)
        if first is not None:
            self._count(first)

    def _set(self, entry: Entry, amounts: Amounts) -> None:
        self._discount(entry)
        entry.amounts = amounts
        side, group = entry.side, entry.group
        if group is not None:
            side.regroup(group, entry.order.order_id, amounts)
        else:
            side.quantity += amounts.quantity
            side.value += amounts.value
            side.unpriced += amounts.unpriced
        self.stakes[entry.symbol].ends = None
        self.stale.add(entry.symbol)

    def _discount(self, entry: Entry) -> None:
        side, amounts, group = entry.side, entry.amounts, entry.group
        if group is not None:
            side.regroup(group, entry.order.order_id, None)
        else:
            side.quantity -= amounts.quantity
            side.value -= amounts.value
            side.unpriced -= amounts.unpriced

    def _amounts(self, entry: Entry, cut: Decimal | None = None) -> Amounts:
        """Return what an order may still trade, whatever it waits for.

        The venue cuts an exit to what its entry was filled, the units `cut` while the entry works. A change under way
        may find that done, and then sets the quantity anew.
        """
        order = entry.order
        left, limit, stop = order.quantity, order.limit_price, order.stop_price
        if cut is None and order.parent_id is not None and order.order_id not in self._client.originals:
            parent = self._client.completed.get(order.parent_id)
            cut = None if parent is None else parent.filled_quantity
        left = left if cut is None else min(left, cut)
        for change in entry.changes:
            left = max(left, change.quantity or _ZERO)
            limit, stop = higher(limit, change.limit_price), higher(stop, change.stop_price)
        left = max(left - order.filled_quantity, _ZERO)
        price = own_price(order, limit, stop)
        if price is None:
            return Amounts(left, _ZERO, left)
        return Amounts(left, left * price, left if order.order_id in self._at_mark else _ZERO)

    # -- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> ExposureState:
        """Return what the orders do not tell."""
        stakes = {symbol: stake.snapshot(stale=symbol in self.stale) for symbol, stake in self.stakes.items()}
        entries = self._entries.items()
        changes = {order_id: tuple(one.changes) for order_id, one in entries if isinstance(one, Entry) and one.changes}
        ages = None if self._ages is None else tuple(self._ages)
        return ExposureState(stakes, changes, tuple(sorted(self._at_mark)), self._totals, ages)

    def restore(self, state: ExposureState) -> None:
        """Become what `state` says, the client's orders being back already."""
        self.stakes.clear()
        self._entries.clear()
        self._children.clear()
        self._at_mark = set(state.at_mark)
        stakes = [(self.stakes[symbol], stored) for symbol, stored in state.stakes.items()]
        for order in self._client.pending.values():
            self.add(order, anew=False)
        for order_id, changes in state.changes.items():
            entry = self._entry(self._client.pending[order_id])
            if entry is not None:
                entry.changes += changes
                self._count(entry)
        for stake, stored in stakes:
            stake.restore(stored)
        self._totals = state.totals
        self.gross = self.net = None
        self.stale = {symbol for symbol, stored in state.stakes.items() if stored.stale}
        if state.totals is not None:
            self._unknown = {symbol for symbol, stake in self.stakes.items() if stake.known is None} - self.stale
        if state.ages is not None:
            self._ages = {symbol: self.stakes[symbol].marked_at for symbol in state.ages}
