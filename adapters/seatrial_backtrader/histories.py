"""Orders and fund values of the past that a user hands to a broker, and how far the broker has come in them."""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial_backtrader.matching import Matcher

__all__ = ["Histories", "skip"]


class Histories:
    """How far a broker has come in what it was told of the past."""

    def __init__(self) -> None:
        """Start with nothing told."""
        self._orders: list[int] = []
        self._fund = 0

    def orders(self, orders: Iterable[Any]) -> list[Any]:
        """Return a history of orders as a list, and remember how long it is."""
        told = list(orders)
        self._orders.append(len(told))
        return told

    def fund(self, fund: Iterable[Any]) -> list[Any]:
        """Return a history of fund values as a list, and remember how long it is."""
        told = list(fund)
        self._fund = len(told)
        return told

    def passed(self, book: Matcher) -> list[int]:
        """Return how many orders of each history are over."""
        lengths = self._orders[len(self._orders) - len(book._userhist) :]
        ahead = [length_hint(rest) + (order is not None) for order, rest, _ in book._userhist]
        return [length - left for length, left in zip(lengths, ahead, strict=True)]

    def passed_fund(self, book: Matcher) -> int:
        """Return how many values of the fund are over."""
        if not book._fundhist:
            return 0
        value, rest = book._fundhist
        return self._fund - length_hint(rest) - bool(value)


def skip(book: Matcher, orders: list[int], fund: int) -> None:
    """Let a broker go on after what is over."""
    for history, over in zip(book._userhist, orders, strict=True):
        for _ in range(over):
            history[0] = next(history[1], None)
    for _ in range(fund):
        book._fundhist[0] = list(next(book._fundhist[1], []))
