"""Prices that a strategy assigns to the terms of an order while it rests: Backtrader lets it, and matches by them.

`order.created.price = 99.0` is how strategies amend an order. Whoever has sorted the order by its price has to know. So
the terms of a watched order are of a class that tells of an assignment; they keep their fields and nothing else, and
are of Backtrader's own class again when nobody watches them any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary, ref

from backtrader.order import OrderData

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Watcher", "unwatch", "watch"]


class Watcher(Protocol):
    """Who wants to know of a price that is assigned to an order's terms."""

    def amended(self) -> None:
        """A price was assigned."""
        ...


class _Watched(OrderData):
    """The terms of an order while somebody watches them."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in {"price", "pricelimit"}:
            for watcher in tuple(_living(self)):
                watcher.amended()


# Beside the terms instead of in them, so that a copy of them is watched by nobody; weak both ways, since a watcher
# holds the order that holds the terms.
_watchers: WeakKeyDictionary[Any, tuple[ref[Watcher], ...]] = WeakKeyDictionary()


def _living(terms: Any) -> Iterator[Watcher]:
    for link in _watchers.get(terms, ()):
        watcher = link()
        if watcher is not None:
            yield watcher


def watch(terms: Any, watcher: Watcher) -> None:
    """Tell `watcher` of prices assigned to `terms`; only Backtrader's own class of terms can be watched."""
    if type(terms) is OrderData:
        terms.__class__ = _Watched
    if type(terms) is _Watched:
        _watchers[terms] = (*_watchers.get(terms, ()), ref(watcher))


def unwatch(terms: Any, watcher: Watcher) -> None:
    """Tell `watcher` of no more prices assigned to `terms`."""
    left = tuple(ref(other) for other in _living(terms) if other is not watcher)
    if left:
        _watchers[terms] = left
    elif _watchers.pop(terms, None) is not None:
        terms.__class__ = OrderData
