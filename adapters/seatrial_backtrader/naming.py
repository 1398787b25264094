"""Names for what Backtrader knows as objects: a symbol for each feed, an id for each strategy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from seatrial.gate.keeping import unique

__all__ = ["Names"]


class Names:
    """The names of one run. A feed without a name is `data{n}`, and equal names are told apart as `name#2`."""

    def __init__(self, datas: Iterable[Any], strategies: Iterable[Any]) -> None:
        """Name `datas` in their order; `strategies` are named when they first trade."""
        self._symbols: dict[Any, str] = {}
        self.datas: dict[str, Any] = {}
        """The feeds by symbol."""
        self._strategies = strategies
        self._owners: dict[int, str] = {}
        for data in datas:
            self.symbol(data)

    def symbol(self, data: Any) -> str:
        """Return the symbol of a feed."""
        symbol = self._symbols.get(data)
        if symbol is None:
            name = getattr(data, "_name", "") or f"data{len(self._symbols)}"
            symbol = self._symbols[data] = unique(name, self.datas)
            self.datas[symbol] = data
        return symbol

    def strategy(self, owner: Any) -> str:
        """Return the id of the strategy that owns an order; an order of nobody's belongs to the first."""
        name = None if owner is None else self._owners.get(id(owner))
        if name is None:
            strategies = list(self._strategies)
            if owner is None and strategies:
                owner = strategies[0]
            for one in strategies:
                if id(one) not in self._owners:
                    self._owners[id(one)] = unique(type(one).__name__, set(self._owners.values()))
            name = self._owners.setdefault(id(owner), "S")
        return name
