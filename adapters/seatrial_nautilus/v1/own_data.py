"""A tape of the core's as NautilusTrader's instruments and data, a stretch at a time.

A symbol trades as `SYMBOL.VENUE`; one that ends with the venue's name already keeps its name. Bars are of the type
`SYMBOL.VENUE-1-DAY-LAST-EXTERNAL`, with the step between them in place of `1-DAY`.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.data import Bar, BarSpecification, BarType, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, AssetClass, BarAggregation, InstrumentClass
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import Equity, Instrument
from nautilus_trader.model.objects import QUANTITY_MAX, Currency, Quantity

from seatrial.clock import NANOS_PER_SECOND
from seatrial.contracts.engine import Capability
from seatrial.contracts.market import Bar as CoreBar
from seatrial.contracts.market import Quote, Trade
from seatrial.engine.needs import needs_of
from seatrial.engine.run import open_scenario
from seatrial.errors import InvalidConfigError, TapeError
from seatrial_nautilus.v1.exact import Grid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.contracts.engine import TapeFault
    from seatrial.contracts.market import Instrument as CoreInstrument
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.scenario import Scenario

__all__ = ["TapeData", "row_of"]

_VENUE = "SIM"
_KINDS: dict[Capability, Any] = {
    Capability.QUOTES: QuoteTick,
    Capability.TRADES: TradeTick,
    Capability.BARS: Bar,
}
_UNLIMITED = Decimal(10**9)
"""The units that stand where a tape names none, which means any number."""
_MOST = Decimal(int(QUANTITY_MAX))
_LOOK = 10_000
"""How many rows are read to see how far bars lie apart."""
_MINUTE, _HOUR, _DAY = 60 * NANOS_PER_SECOND, 3_600 * NANOS_PER_SECOND, 86_400 * NANOS_PER_SECOND
_UNITS = ((_HOUR, "HOUR", 24), (_MINUTE, "MINUTE", 60), (NANOS_PER_SECOND, "SECOND", 60))
_NEARLY_A_DAY = 20 * _HOUR
_LONG = {1: "1-DAY", 7: "1-WEEK", **dict.fromkeys(range(28, 32), "1-MONTH")}


class Listed(Equity):
    """A tape's instrument. It is an equity, of which a cash account sells none short, of any lot and multiplier."""

    def __init__(self, instrument: CoreInstrument, instrument_id: Any, grid: Grid) -> None:
        """List a core's instrument as `instrument_id`."""
        lot = instrument.lot_size or Decimal(1).scaleb(-grid.size_digits)
        Instrument.__init__(
            self,
            instrument_id=instrument_id,
            raw_symbol=instrument_id.symbol,
            asset_class=AssetClass.EQUITY,
            instrument_class=InstrumentClass.SPOT,
            quote_currency=Currency.from_str(instrument.currency),
            is_inverse=False,
            price_precision=grid.price_digits,
            size_precision=grid.size_digits,
            price_increment=grid.price(instrument.tick_size or Decimal(1).scaleb(-grid.price_digits)),
            size_increment=grid.size(lot),
            lot_size=grid.size(lot),
            multiplier=Quantity.from_str(f"{instrument.multiplier:f}"),
            margin_init=Decimal(1),  # a margin account's leverage says the rest
            margin_maint=Decimal(1),
            maker_fee=Decimal(0),
            taker_fee=Decimal(0),
            ts_event=0,
            ts_init=0,
        )


class _Market:
    """One symbol's rows as NautilusTrader's data."""

    def __init__(self, instrument: CoreInstrument, venue: Any, spec: Any) -> None:
        symbol = instrument.symbol.removesuffix(f".{venue}")
        self.id = InstrumentId(Symbol(symbol), venue)
        self.bar_type = None if spec is None else BarType(self.id, spec)
        self._grid = Grid(instrument)
        self.listed = Listed(instrument, self.id, self._grid)
        self._step = Decimal(1).scaleb(-self._grid.size_digits)
        self._trades = 0

    def datum(self, row: MarketEvent) -> Any:
        """Return a row as a quote, a trade or a bar."""
        price, size, ts = self._price, self._size, row.ts
        if isinstance(row, Quote):
            return QuoteTick(self.id, price(row.bid), price(row.ask), size(row.bid_size), size(row.ask_size), ts, ts)
        if isinstance(row, Trade):
            self._trades += 1
            name = TradeId(str(self._trades))
            return TradeTick(self.id, price(row.price), size(row.size), AggressorSide.NO_AGGRESSOR, name, ts, ts)
        ends = [price(one) for one in (row.open, row.high, row.low, row.close)]
        return Bar(self.bar_type, *ends, size(row.volume), ts, ts)

    def _price(self, value: Decimal) -> Any:
        price = self._grid.price(value)
        if price is None:
            raise TapeError(self.id.value, None, f"NautilusTrader cannot write the price {value}", "repair the tape")
        return price

    def _size(self, value: Decimal | None) -> Any:
        """Return a size, cut to the lot's decimals: less may trade than was there, but not more."""
        units = _UNLIMITED if value is None else min(value.quantize(self._step, ROUND_DOWN), _MOST)
        return self._grid.size(units)


class TapeData:
    """The instruments and data of a scenario whose tape the core reads."""

    def __init__(self, scenario: Scenario, venue: str | None, bar_spec: str | None) -> None:
        """Open the tape, and list its instruments on `venue`.

        :raises SeatrialError: for a tape that cannot be read, or says too little of what trades on it.
        """
        self._tape, instruments = open_scenario(scenario)
        self.venue = venue = venue or _VENUE
        """Where everything trades."""
        if not instruments:
            problem = "NautilusTrader has to know what trades: declare each symbol with its tick_size"
            raise InvalidConfigError("instruments", instruments, problem)
        for one in instruments:
            if one.tick_size is None:
                problem = f"NautilusTrader's prices lie on a grid: give {one.symbol} a tick_size"
                raise InvalidConfigError("tick_size", one.tick_size, problem)
        spec = _bar_spec(bar_spec, self._tape)
        self._markets = {one.symbol: _Market(one, Venue(venue), spec) for one in instruments}
        self.instruments = [market.listed for market in self._markets.values()]
        """What trades, as NautilusTrader knows it."""
        self.symbols = {market.id.value: symbol for symbol, market in self._markets.items()}
        """The tape's symbols by NautilusTrader's ids."""
        claims = needs_of(scenario)
        self.kinds = {kind for need, kind in _KINDS.items() if need in claims}
        """The classes of its data."""
        self.bar_types = {market.bar_type for market in self._markets.values() if Bar in self.kinds}
        """What its bars are called."""

    @property
    def faults(self) -> list[TapeFault]:
        """The first rows that were dropped."""
        return self._tape.faults

    @property
    def fault_count(self) -> int:
        """How many rows were dropped."""
        return self._tape.fault_count

    def data(self) -> Iterator[Any]:
        """Yield the rows, each as it is asked for."""
        markets = self._markets
        for row in self._tape:
            yield markets[row.symbol].datum(row)


def row_of(datum: Any, symbol: str) -> MarketEvent:
    """Return a piece of NautilusTrader's market data as a row of `symbol`."""
    ts = datum.ts_init
    if isinstance(datum, QuoteTick):
        sizes = (datum.bid_size.as_decimal(), datum.ask_size.as_decimal())
        return Quote(ts, symbol, datum.bid_price.as_decimal(), datum.ask_price.as_decimal(), *sizes)
    if isinstance(datum, TradeTick):
        return Trade(ts, symbol, datum.price.as_decimal(), datum.size.as_decimal())
    return CoreBar(
        ts,
        symbol,
        datum.open.as_decimal(),
        datum.high.as_decimal(),
        datum.low.as_decimal(),
        datum.close.as_decimal(),
        datum.volume.as_decimal(),
    )


def _bar_spec(given: str | None, rows: Iterable[MarketEvent]) -> Any:
    """Return what bars are called, as `given`, else by the least time between two; `None` where there are none.

    :raises InvalidConfigError: for what NautilusTrader has no name for.
    """
    if given is not None:
        problem = "give one such as 5-MINUTE"
        if given.partition("-")[2] not in BarAggregation.__members__:  # NautilusTrader aborts the process
            raise InvalidConfigError("engine_params.bar_spec", given, problem)
        try:
            return BarSpecification.from_str(f"{given}-LAST")
        except (ValueError, OverflowError) as error:
            raise InvalidConfigError("engine_params.bar_spec", given, f"{error}; {problem}") from None
    step = _least_step(rows)
    if step is None:
        return None
    name = _LONG.get(round(step / _DAY)) if step >= _NEARLY_A_DAY else _short(step)
    if name is None:
        problem = f"bars {step / NANOS_PER_SECOND:g} s apart have no name of their own; give one such as 5-MINUTE"
        raise InvalidConfigError("engine_params.bar_spec", given, problem)
    return BarSpecification.from_str(f"{name}-LAST")


def _least_step(rows: Iterable[MarketEvent]) -> int | None:
    """Return the least time from one bar's end to the next one's of its symbol, in ns; `None` without bars."""
    ends: dict[str, int] = {}
    steps: list[int] = []
    for row in islice(rows, _LOOK):
        if isinstance(row, CoreBar):
            if row.symbol in ends:
                steps.append(row.ts - ends[row.symbol])
            ends[row.symbol] = row.ts
    return min(steps) if steps else (_DAY if ends else None)


def _short(step: int) -> str | None:
    return next(
        (f"{step // unit}-{name}" for unit, name, most in _UNITS if step % unit == 0 and most % (step // unit) == 0),
        None,
    )
