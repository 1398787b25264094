"""The tapes that every engine runs on: made from a seed, and the first year of the bundled IBM bars."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.market import Instrument, MarketEvent, Quote, Trade
from seatrial.data.sample import IBM, ibm_daily
from seatrial.data.ticks import TICK, tick_tape

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["IBM_DAILY", "QUOTES", "TAPES", "TICKS", "TRADES", "ParityTape"]

_SEED = 7
_ROWS = 160
_DAYS = 160


class ParityTape(msgspec.Struct, frozen=True):
    """A tape under a name. `unit` is the quantity that strategies trade on it, `step` the price they think in."""

    name: str
    about: str
    instrument: Instrument
    unit: Decimal
    step: Decimal
    rows: Callable[[], tuple[MarketEvent, ...]]


def _ticks() -> tuple[MarketEvent, ...]:
    """Return quotes of one price, each good for any quantity."""
    return tuple([Quote(row.ts, row.symbol, row.bid, row.bid) for row in islice(_shown(), _ROWS)])


def _quotes() -> tuple[MarketEvent, ...]:
    return tuple(islice(_shown(), _ROWS))


def _trades() -> tuple[MarketEvent, ...]:
    return tuple(islice((row for row in tick_tape(_SEED, 10 * _ROWS) if isinstance(row, Trade)), _ROWS))


def _days() -> tuple[MarketEvent, ...]:
    return tuple(islice(ibm_daily(), _DAYS))


def _shown() -> Iterator[Quote]:
    return (row for row in tick_tape(_SEED, 10 * _ROWS) if isinstance(row, Quote))


TICKS = ParityTape(
    "ticks", f"{_ROWS} single prices, each good for any quantity", TICK, Decimal(10), Decimal("0.01"), _ticks
)
QUOTES = ParityTape(
    "quotes", f"{_ROWS} quotes with a spread and displayed sizes", TICK, Decimal(300), Decimal("0.01"), _quotes
)
TRADES = ParityTape("trades", f"{_ROWS} trades with sizes", TICK, Decimal(10), Decimal("0.01"), _trades)
IBM_DAILY = ParityTape(
    "ibm", f"the first {_DAYS} of the bundled daily bars of IBM", IBM, Decimal(10), Decimal(1), _days
)
TAPES = (TICKS, QUOTES, TRADES, IBM_DAILY)
