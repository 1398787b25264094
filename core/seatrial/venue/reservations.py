"""What working orders hold of an account, counted at its worst.

Buys and sells count apart, in pools of their own. Of an OCO group only the largest leg counts, since one fill ends the
others.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

__all__ = ["HoldState", "Pool", "Reservations", "ReservationsState"]

Pool = tuple[str, bool | None]
"""Cash or a symbol's units, where the second part is `None`; else a symbol's side."""

_ZERO = Decimal(0)
_Held = tuple[Pool, str | None, Decimal]
"""What one order holds: of which pool, as a leg of which group, and how much."""


class HoldState(msgspec.Struct, frozen=True, array_like=True):
    """What one order holds, as stored."""

    order_id: str
    pool: Pool
    group: str | None
    amount: Decimal


class ReservationsState(msgspec.Struct, frozen=True):
    """Everything set aside, as stored."""

    holds: tuple[HoldState, ...]
    totals: tuple[tuple[Pool, Decimal], ...]


class Reservations:
    """Amounts set aside, by pool and order; legs of one group in one pool count as their largest."""

    __slots__ = ("_by_order", "_first", "_groups", "totals")

    def __init__(self) -> None:
        """Start with nothing set aside."""
        self.totals: dict[Pool, Decimal] = {}
        """What is set aside, by pool; empty pools are absent."""
        self._by_order: dict[str, bytes | _Held] = {}  # where it is alone in the first pool, the digits of its amount
        self._first: Pool = ("", None)  # that which the first order holds of
        self._groups: dict[tuple[Pool, str], dict[str, Decimal]] = {}

    def total(self, pool: Pool) -> Decimal:
        """Return what is set aside in `pool`."""
        return self.totals.get(pool, _ZERO)

    def beside(self, pool: Pool, group: str | None, order_id: str, amount: Decimal) -> Decimal:
        """Return what counts against `pool` besides `amount` for this order, whatever the order holds now.

        A group's other legs count only as far as they exceed `amount`.
        """
        total = self.totals.get(pool, _ZERO)
        if group is None:
            held = self._by_order.get(order_id)
            if held is None:
                return total
            where, _, amount = self._whole(held)
            return total - amount if where == pool else total
        legs = self._groups.get((pool, group))
        if not legs:
            return total
        others = max((leg for leg_id, leg in legs.items() if leg_id != order_id), default=_ZERO)
        return total - max(legs.values()) + max(others - amount, _ZERO)

    def hold(self, pool: Pool, group: str | None, order_id: str, amount: Decimal) -> None:
        """Set `amount` aside for an order, instead of what it held before."""
        self.free(order_id)
        if amount <= _ZERO:
            return
        if not self._by_order:
            self._first = pool
        if group is None:
            self._by_order[order_id] = _written(amount) if pool == self._first else (pool, None, amount)
            self._add(pool, amount)
            return
        self._by_order[order_id] = (pool, group, amount)
        legs = self._groups.setdefault((pool, group), {})
        before = max(legs.values(), default=_ZERO)
        legs[order_id] = amount
        self._add(pool, max(before, amount) - before)

    def free(self, order_id: str) -> None:
        """Release whatever an order holds."""
        held = self._by_order.pop(order_id, None)
        if held is None:
            return
        pool, group, amount = self._whole(held)
        if group is None:
            self._add(pool, -amount)
            return
        legs = self._groups[pool, group]
        before = max(legs.values())
        del legs[order_id]
        after = max(legs.values(), default=_ZERO)
        if not legs:
            del self._groups[pool, group]
        self._add(pool, after - before)

    def _whole(self, held: bytes | _Held) -> _Held:
        return held if isinstance(held, tuple) else (self._first, None, Decimal(held.decode()))

    def _add(self, pool: Pool, amount: Decimal) -> None:
        total = self.totals.get(pool, _ZERO) + amount
        if total:
            self.totals[pool] = total
        else:
            self.totals.pop(pool, None)

    # -- state -----------------------------------------------------------------------------------------------------

    def snapshot(self) -> ReservationsState:
        """Return everything set aside."""
        holds = [HoldState(order_id, *self._whole(held)) for order_id, held in self._by_order.items()]
        return ReservationsState(tuple(holds), tuple(self.totals.items()))

    def restore(self, state: ReservationsState) -> None:
        """Set everything aside that `state` says."""
        for hold in state.holds:
            self.hold(hold.pool, hold.group, hold.order_id, hold.amount)
        self.totals = dict(state.totals)  # to the digit, as they were added up


def _written(amount: Decimal) -> bytes:
    """Return an amount digit by digit, which takes less than half the room of a Decimal."""
    return str(amount).encode()
