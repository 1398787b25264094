"""The core's numbers and instruments as NautilusTrader's, exactly, or not at all.

NautilusTrader keeps numbers with a fixed count of decimals, and up to a largest value; what does not fit is refused.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AssetClass, InstrumentClass
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import FIXED_PRECISION, PRICE_MAX, QUANTITY_MAX, Price, Quantity

from seatrial.errors import InvalidConfigError

if TYPE_CHECKING:
    from seatrial.contracts.market import Instrument as CoreInstrument

__all__ = ["VENUE", "Grid", "listed"]

VENUE = "SEATRIAL"
"""The name of the venue on which everything is listed."""
_WIDE = Context(prec=64)  # the usual 28 digits would round in silence
_ZERO = Decimal(0)
_PRICE_MAX = Decimal(int(PRICE_MAX))
_QUANTITY_MAX = Decimal(int(QUANTITY_MAX))


class Grid:
    """How one instrument's prices and sizes are written."""

    def __init__(self, instrument: CoreInstrument) -> None:
        """Write prices of `instrument` with its tick's decimals, sizes with its lot's; without one with all there are.

        :raises InvalidConfigError: for a tick or lot with more decimals than NautilusTrader has.
        """
        self.price_digits = _digits("tick_size", instrument.symbol, instrument.tick_size)
        self._least = Decimal(1).scaleb(-self.price_digits)
        self.size_digits = _digits("lot_size", instrument.symbol, instrument.lot_size)

    @property
    def bounds(self) -> str:
        """What is wrong with a number that cannot be written."""
        return f"no number of NautilusTrader's, which has {FIXED_PRECISION} decimals and an upper bound"

    def price(self, value: Decimal) -> Any:
        """Return a price; `None` for one that cannot be written."""
        raw = _raw(value)
        return None if raw is None or value > _PRICE_MAX else Price.from_raw(raw, self.price_digits)

    def nearest(self, value: Decimal) -> Any:
        """Return the price that can be written and is nearest to one that was worked out."""
        bounded = max(min(value, _PRICE_MAX), -_PRICE_MAX)
        return self.price(_WIDE.quantize(bounded, self._least))

    def size(self, value: Decimal) -> Any:
        """Return a quantity; `None` for one that cannot be written."""
        raw = _raw(value)
        return None if raw is None or value > _QUANTITY_MAX else Quantity.from_raw(raw, self.size_digits)


def listed(instrument: CoreInstrument, grid: Grid, number: int) -> Any:
    """Return an instrument of NautilusTrader's, named by its symbol where that is plain, else by `number`.

    What a unit is worth, and in which currency, is the account's business, and said there.
    """
    symbol = instrument.symbol
    name = Symbol(symbol if symbol.isascii() and symbol.strip() == symbol else f"{number}")
    tick = instrument.tick_size or Decimal(1).scaleb(-grid.price_digits)
    lot = instrument.lot_size or Decimal(1).scaleb(-grid.size_digits)
    return Instrument(
        instrument_id=InstrumentId(name, Venue(VENUE)),
        raw_symbol=name,
        asset_class=AssetClass.EQUITY,
        instrument_class=InstrumentClass.SPOT,
        quote_currency=USD,
        is_inverse=False,
        price_precision=grid.price_digits,
        size_precision=grid.size_digits,
        price_increment=grid.price(tick),
        size_increment=grid.size(lot),
        multiplier=Quantity.from_int(1),
        margin_init=_ZERO,
        margin_maint=_ZERO,
        maker_fee=_ZERO,
        taker_fee=_ZERO,
        ts_event=0,
        ts_init=0,
    )


def _scaled(value: Decimal) -> Decimal:
    return _WIDE.scaleb(value, FIXED_PRECISION)


def _raw(value: Decimal) -> int | None:
    """Return a number in the smallest units; `None` for one that lies between them."""
    scaled = _scaled(value)
    raw = int(scaled)
    return raw if raw == scaled else None


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
