"""The core's numbers and instruments as NautilusTrader's, exactly, or not at all.

NautilusTrader keeps numbers with a fixed count of decimals, and up to a largest value; what does not fit is refused.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.enums import AssetClass, InstrumentClass
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import FIXED_PRECISION, PRICE_MAX, QUANTITY_MAX, Currency, Price, Quantity

from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from seatrial.contracts.market import Instrument as CoreInstrument

__all__ = ["VENUE", "Grid", "listed"]

VENUE = "SEATRIAL"
"""The name of the venue on which everything is listed."""
_SCALE = Decimal(10) ** FIXED_PRECISION
_ZERO = Decimal(0)
_PRICE_MAX = int(PRICE_MAX)
_QUANTITY_MAX = int(QUANTITY_MAX)


class Grid:
    """How one instrument's prices and sizes are written."""

    def __init__(self, instrument: CoreInstrument) -> None:
        """Write prices of `instrument` with its tick's decimals, sizes with its lot's; without one with all there are.

        :raises InvalidConfigError: for a tick or lot with more decimals than NautilusTrader has.
        """
        self.price_digits = _digits("tick_size", instrument.symbol, instrument.tick_size)
        self.size_digits = _digits("lot_size", instrument.symbol, instrument.lot_size)

    @property
    def bounds(self) -> str:
        """What is wrong with a number that cannot be written."""
        return f"no number of NautilusTrader's, which has {FIXED_PRECISION} decimals and an upper bound"

    def price(self, value: Decimal) -> Any:
        """Return a price; `None` for one that cannot be written."""
        raw = int(value * _SCALE)
        return Price.from_raw(raw, self.price_digits) if raw == value * _SCALE and value <= _PRICE_MAX else None

    def nearest(self, value: Decimal) -> Any:
        """Return the price that can be written and is nearest to one that was worked out."""
        return Price.from_raw(int((value * _SCALE).to_integral_value()), self.price_digits)

    def size(self, value: Decimal) -> Any:
        """Return a quantity; `None` for one that cannot be written."""
        raw = int(value * _SCALE)
        return Quantity.from_raw(raw, self.size_digits) if raw == value * _SCALE and value <= _QUANTITY_MAX else None


def listed(instrument: CoreInstrument, grid: Grid, number: int) -> Any:
    """Return an instrument of NautilusTrader's, named by its symbol where that is plain, else by `number`."""
    symbol = instrument.symbol
    name = Symbol(symbol if symbol.isascii() and symbol.strip() == symbol else f"{number}")
    tick, lot = instrument.tick_size or _least(grid.price_digits), instrument.lot_size or _least(grid.size_digits)
    return Instrument(
        instrument_id=InstrumentId(name, Venue(VENUE)),
        raw_symbol=name,
        asset_class=AssetClass.EQUITY,
        instrument_class=InstrumentClass.SPOT,
        quote_currency=_currency(instrument.currency),
        is_inverse=False,
        price_precision=grid.price_digits,
        size_precision=grid.size_digits,
        price_increment=Price.from_raw(int(tick * _SCALE), grid.price_digits),
        size_increment=Quantity.from_raw(int(lot * _SCALE), grid.size_digits),
        multiplier=Quantity.from_str(f"{instrument.multiplier:f}"),
        margin_init=_ZERO,
        margin_maint=_ZERO,
        maker_fee=_ZERO,
        taker_fee=_ZERO,
        ts_event=0,
        ts_init=0,
    )


def _currency(code: str) -> Any:
    return Currency.from_str(code)


def _least(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)


def _digits(setting: str, symbol: str, step: Decimal | None) -> int:
    """Return how many decimals a grid needs.

    :raises InvalidConfigError: for more than there are.
    """
    if step is None:
        return int(FIXED_PRECISION)
    digits = max(-int(step.normalize().as_tuple().exponent), 0)
    if digits > FIXED_PRECISION:
        raise InvalidConfigError(
            setting, step, f"NautilusTrader has {FIXED_PRECISION} decimals; {symbol} needs {digits}"
        )
    return digits
