"""The cache of a private venue: it counts the positions that the venue numbers, and walks through orders in order."""

from __future__ import annotations

from typing import Any

from nautilus_trader.cache.cache import Cache

__all__ = ["OrderedCache", "VenueCache"]


class OrderedCache(Cache):
    """NautilusTrader's cache, which walks through the orders of a position as they were made.

    Its own walks through a set, which another process would walk through in another order; the exits of a position are
    cut and cancelled in that order.
    """

    def orders_for_position(self, position_id: Any) -> list[Any]:
        """Return the orders of a position, the earliest first."""
        orders: list[Any] = super().orders_for_position(position_id)
        return sorted(orders, key=_made) if len(orders) > 1 else orders


class VenueCache(OrderedCache):
    """A cache that counts the numbers which matching engines take for positions.

    They take one whenever they are about to fill an order that has no position yet, also where nothing comes of it;
    before, they ask for the order's position.
    """

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.positions_named: dict[Any, int] = {}
        """How many numbers each market has taken for positions."""
        self.counting = False
        """Whether it is a matching engine that asks for positions."""

    def snapshot_position(self, position: Any) -> None:
        """Keep no copy of an ended position: only a trader's own reports read them, and they cost the most."""

    def position_id(self, client_order_id: Any) -> Any:
        """Return the position of an order, if it has one."""
        known = super().position_id(client_order_id)
        if known is None and self.counting:
            market = self.order(client_order_id).instrument_id
            self.positions_named[market] = self.positions_named.get(market, 0) + 1
        return known


def _made(order: Any) -> tuple[int, int, str]:
    """Return when an order was made; those of one moment are in the order of their numbers."""
    name = order.client_order_id.value
    return order.ts_init, len(name), name
