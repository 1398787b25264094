"""What a strategy has subscribed to, and whether a tape has it: NautilusTrader lets one wait for ever in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.model.data import BarType, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggregationSource

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["awaited_of", "held_by", "named_by"]

_TICKS = {"data.quotes.": "quotes", "data.trades.": "trades"}
_BARS = "data.bars."
_NAMES: tuple[tuple[Any, str], ...] = ((QuoteTick, "quotes"), (TradeTick, "trades"))


def awaited_of(bus: Any) -> set[str]:
    """Return the quotes, trades and bars that are subscribed to on a bus, in words.

    Bars that NautilusTrader makes of other data are data of their instrument.
    """
    return set(_awaited(bus))


def held_by(source: Any) -> set[str]:
    """Return the quotes, trades and bars that a source of data has, in the same words."""
    return named_by(source) | {f"data of {one.id}" for one in source.instruments}


def named_by(source: Any) -> set[str]:
    """Return the same, without what may be made of it."""
    ids = [one.id for one in source.instruments]
    ticks = {f"{name} of {one}" for kind, name in _NAMES if kind in source.kinds for one in ids}
    return ticks | {f"bars {one}" for one in source.bar_types}


def _awaited(bus: Any) -> Iterator[str]:
    for topic in bus.topics():
        for prefix, name in _TICKS.items():
            venue, dot, symbol = topic.removeprefix(prefix).partition(".")
            if topic.startswith(prefix) and dot and "*" not in topic:
                yield f"{name} of {symbol}.{venue}"
        if topic.startswith(_BARS) and "*" not in topic:
            bar_type = BarType.from_str(topic.removeprefix(_BARS))
            made = bar_type.aggregation_source == AggregationSource.INTERNAL
            yield f"data of {bar_type.instrument_id}" if made else f"bars {bar_type}"
