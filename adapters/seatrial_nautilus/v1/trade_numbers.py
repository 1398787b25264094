"""How far a matching engine has numbered its trades: the fills, and the trades it makes up of each bar."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model.enums import AggregationSource, BarAggregation, BookType, PriceType

from seatrial_nautilus.v1.options import numbers_each_price

__all__ = ["TradeNumbers"]


class TradeNumbers:
    """Counts what a venue's matching engines number, by market."""

    def __init__(self, options: dict[str, Any]) -> None:
        """Count for a venue with `options`."""
        self.count: dict[Any, int] = {}
        """How many trades each market has numbered."""
        self._trades_on_bars = (
            options.get("bar_execution", True) and options.get("book_type", BookType.L1_MBP) == BookType.L1_MBP
        )
        self._adaptive: bool = options.get("bar_adaptive_high_low_ordering", False)
        self._finest: dict[Any, Any] = {}

    def fill(self, instrument_id: Any) -> None:
        """Count a fill."""
        self.count[instrument_id] = self.count.get(instrument_id, 0) + 1

    def bar(self, bar: Any) -> None:
        """Count the trades that a bar is made into, where it is."""
        if self._trades_on_bars and self._is_traded_on(bar.bar_type):
            instrument_id = bar.bar_type.instrument_id
            self.count[instrument_id] = self.count.get(instrument_id, 0) + self._trades_of(bar)

    def _is_traded_on(self, bar_type: Any) -> bool:
        """Return whether bars of a type move a market: those of the shortest span that was seen."""
        spec = bar_type.spec
        if bar_type.aggregation_source == AggregationSource.INTERNAL or spec.aggregation == BarAggregation.MONTH:
            return False
        finest = self._finest.setdefault(bar_type.instrument_id, bar_type)
        if finest != bar_type:
            if finest.spec.timedelta < spec.timedelta:
                return False
            self._finest[bar_type.instrument_id] = bar_type
        return spec.price_type in {PriceType.LAST, PriceType.MID}

    def _trades_of(self, bar: Any) -> int:
        if not numbers_each_price():
            return 1
        rise, fall = abs(bar.high - bar.open), abs(bar.low - bar.open)
        turns = (bar.high, bar.low) if not self._adaptive or rise < fall else (bar.low, bar.high)
        count, last = 1, bar.open
        for price in (*turns, bar.close):
            if price != last:
                count, last = count + 1, price
        return count
